"""Words of what a plan needs before a decision, and how long that takes."""

from collections.abc import Sequence

from kullback.experiments import wording
from kullback.experiments.measured import OF_MEASURES
from kullback.experiments.plan import Plan
from kullback.experiments.time_to_decision import (
    POWER,
    TimeToDecision,
    rows_of_base_rates,
    sufficient_error,
)
from kullback.experiments.verdict import LEAST_POSITIVES
from kullback.numerics.digits import decimals, number

_BASE_RATES = (0.01, 0.1, 0.5)
_MOST_ROWS = 1e9  # nobody plans with more, nor with longer
_MOST_YEARS = 1000
_NOW = "by now"
_UNITS = (("years", 365.25, 2), ("months", 30.4375, 2), ("weeks", 7.0, 3), ("days", 1.0, 1.5))


def needs(plan: Plan) -> list[str]:
    """What rows a plan needs before anything is decided, in sentences."""
    rarer = f" and {LEAST_POSITIVES} rows of the rarer label"
    labels = "" if plan.metric in OF_MEASURES else rarer
    least = f"{plan.minimum_units:,} units{labels} in each arm."
    error = sufficient_error(plan)
    if error is None or plan.minimum_effect is None:
        return [
            least,
            "A minimum_effect, the smallest effect that matters: put the plan with one.",
        ]
    unit, metric = wording.unit(plan.metric), wording.metric_name(plan)
    delta = wording.margin(plan.minimum_effect, plan.metric)
    size = f"{number(error, decimals(error))}{unit}"
    if isinstance(plan.minimum_effect, str):
        size = f"{number(100 * error, decimals(100 * error))}% of the control's"
    narrow = (
        f"A standard error of about {size}: then a difference of {metric} of {delta} is found "
        f"with a power of {POWER:.0%}."
    )
    return [least, narrow, _rows_that_takes(plan)]


def outlook(plan: Plan, time: TimeToDecision | None) -> str:
    """How long a decision takes at the rate of rows so far; "" where nobody knows."""
    if time is None or plan.minimum_effect is None:
        return ""
    delta = wording.margin(plan.minimum_effect, plan.metric)
    minimum, effect = _taking(time, time.minimum), _taking(time, time.effect)
    effect = f"{effect}, as likely as not" if effect == _NOW else effect
    sentence = (
        f"a difference of {delta} is found with a power of {POWER:.0%} {minimum}; the effect as it "
        f"stands is decided {effect}."
    )
    if time.per_day is None:
        return sentence[0].upper() + sentence[1:]
    return f"With {_rounded(time.per_day)} rows a day, as lately, {sentence}"


def _taking(time: TimeToDecision, rows: float | None) -> str:
    if rows is None:
        return "with more than 10,000 times the present rows"
    if rows <= 1.01 * time.rows:
        return _NOW
    days = time.days(rows)
    all_rows = f"{_rounded(rows)} rows in all"
    return f"with {all_rows}" if days is None else f"in {days_in_words(days)} ({all_rows})"


def days_in_words(days: float) -> str:
    """A number of days as people say it when they plan."""
    if days > _MOST_YEARS * 365.25:
        return f"more than {_MOST_YEARS:,} years"
    for unit, size, least in _UNITS:
        if days >= least * size:
            return f"about {days / size:,.0f} {unit}"
    return "about a day" if days >= 0.75 else "less than a day"


def _rows_that_takes(plan: Plan) -> str:
    if plan.metric != "base_rate":
        return (
            "How many rows that takes depends on how much the arms differ from row to row: two "
            "hours after the first rows this page says how many days it is; POST "
            "/v1/experiments/plan tells it before, by rows of another time."
        )
    arm = plan.treatments[0]
    counts = [(rate, rows_of_base_rates(plan, rate, arm)) for rate in _BASE_RATES]
    words = [f"{_rounded(rows)} at a base rate of {rate:.0%}" for rate, rows in counts if rows]
    return f"With independent rows that takes {_listed(words)}, all arms together."


def _rounded(rows: float) -> str:
    return f"{float(f'{rows:.2g}'):,.0f}" if rows <= _MOST_ROWS else "more than a billion"


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
