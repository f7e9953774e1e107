"""Cards of a monitor: its metrics at a glance, each beside the reference or the time before."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kullback.figures.typesetting import measured, typeset
from kullback.judgement.findings import AT_CHANCE, NEAR_CHANCE, State
from kullback.judgement.settings import Thresholds
from kullback.monitoring.report import MonitorReport
from kullback.numerics.digits import decimals, number
from kullback.numerics.reasons import Reason
from kullback.tally.report_types import AucValue, EceValue, MetricValue
from kullback.ui.check_rows import CHECK_HUES
from kullback.ui.differences import Difference, errors_apart, few_outcomes, off_calibration
from kullback.ui.losses import SIZES
from kullback.ui.past import Past

NAMES = {
    "log_loss": "Log loss, nats",
    "normalized_entropy": "Normalized entropy",
    "relative_information_gain": "Relative information gain",
    "calibration_ratio": "Calibration ratio",
    "auc": "AUC",
    "brier": "Brier score",
    "ece": "Expected calibration error",
    "accuracy": "Accuracy",
    "base_rate": "Base rate",
    "mean_prediction": "Mean prediction",
}
MEANINGS = {
    "log_loss": "lower is better",
    "normalized_entropy": "1 is no better than the base rate, 0 is perfect",
    "calibration_ratio": "predicted / observed, 1 is right",
    "auc": "0.5 is chance, 1 is perfect ranking",
    "brier": "squared error, lower is better",
    "ece": "mean gap between predicted and observed",
    "accuracy": "share of rows whose top label was right",
}


_WORTH_A_WORD = 0.5  # of the standard error: how far bins may leave a metric uncertain
_CHANCE = "may be chance"  # far off, but not surely: neither well nor ill
_ALARMS = {CHECK_HUES[State.CRITICAL], CHECK_HUES[State.WARNING]}
_CHECKS = {
    "calibration_ratio": ("calibration", "slice"),
    "ece": ("calibration", "log_loss", "slice"),
}
_OF_SKILL = ("log_loss", "no_skill", "slice")  # the checks that look at all other metrics


@dataclass(frozen=True, slots=True)
class Card:
    """A number at a glance.

    Attributes:
        name, number, error, meaning: the metric, its value, ± its standard error, how to read it.
        beside: what it was, and the difference to that; "" where there is nothing to compare.
        word, hue: what the difference comes to, and its colour; "" where that is nothing.
    """

    name: str
    number: str
    error: str
    meaning: str
    beside: str = ""
    word: str = ""
    hue: str = ""


def cards(
    report: MonitorReport,
    past: Past | None,
    limits: Mapping[str, Thresholds],
    states: Mapping[str, State],
) -> list[Card]:
    """The metrics at a glance: those that a task has.

    Args:
        report: of the time that is shown.
        past: what it is compared with.
        limits: the thresholds of checks.
        states: of checks that look at the same rows. What they find sound has no colour, and what
            they warn of needs no standard error. Without any a card goes by its own.
    """
    rows = _Rows(report, past, limits, states)
    chosen = {name: report.metrics[name] for name in MEANINGS if name in report.metrics}
    return [
        rows.agreeing(_card(name, value, rows), name)
        for name, value in chosen.items()
        if value.reason != "multiclass"
    ]


def why_not(reason: str | None) -> str:
    """Why there is no number, in words."""
    return "" if reason is None else Reason(reason).sentence


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that cards are of, and how the checks that look at them stand."""

    report: MonitorReport
    past: Past | None
    limits: Mapping[str, Thresholds]
    states: Mapping[str, State]

    def warns(self, name: str) -> bool | None:
        """Whether a check that looks at the same as a metric warns; None where none looks."""
        have = [self.states[each] for each in _CHECKS.get(name, _OF_SKILL) if each in self.states]
        return any(state.is_alarm for state in have) if have else None

    def state(self, name: str, difference: Difference, limits: Thresholds) -> State:
        """How bad a difference is; where a check warns, one without an error is sure."""
        if difference.errors is None and self.warns(name):
            difference = replace(difference, errors=math.inf)
        return difference.state(limits)

    def agreeing(self, card: Card, name: str) -> Card:
        """The card, without its colour where the checks that look at the same do not warn.

        Where none looks, few outcomes give none either.
        """
        warns = self.warns(name)
        is_sound = bool(self.few) if warns is None else not warns
        if card.hue not in _ALARMS or not is_sound:
            return card
        return replace(card, word=f"{card.word}: {self.few_or('no check warns')}", hue="")

    @property
    def few(self) -> str:
        """The rarer outcomes, where they are few."""
        return few_outcomes(self.report.metrics, self.report.n)

    def few_or(self, why: str) -> str:
        """Why what is far off is no alarm: few outcomes, or something else."""
        return f"{self.few}, {_CHANCE}" if self.few else why


def _card(name: str, metric: MetricValue, rows: _Rows) -> Card:
    word, hue = _verdict(name, metric, rows)
    if metric.value is None:
        why = why_not(metric.reason)
        return Card(NAMES[name], measured(metric), "", why, word=word, hue=hue)
    value, _, error = measured(metric).partition(" ± ")
    meaning = MEANINGS[name]
    bound = metric.error_bound if isinstance(metric, AucValue) else None
    if bound and bound > _WORTH_A_WORD * (metric.standard_error or 0.0):
        meaning += f"; exact to ± {number(bound, decimals(bound))}"
    if name == "auc" and rows.few:
        meaning += f"; of {rows.few} alone"
    if isinstance(metric, EceValue) and metric.expected_if_calibrated is not None:
        places = decimals(metric.standard_error)
        chance = number(metric.expected_if_calibrated, places)
        meaning += f"; {chance} of it is chance, without which {number(metric.debiased, places)}"
    past = rows.past
    before = None if past is None else past.metrics.get(name)
    beside = "" if past is None or before is None else _beside(metric, before, past.place)
    spread = f"± {error}" if error else ""
    return Card(NAMES[name], value, spread, typeset(meaning), beside, word, hue)


def _beside(metric: MetricValue, before: MetricValue, name: str) -> str:
    """The difference, and what it was before: to the digits of their standard errors."""
    if metric.value is None or before.value is None:
        return ""
    places = decimals(math.hypot(metric.standard_error or 0.0, before.standard_error or 0.0))
    difference = number(metric.value - before.value, places, signed=True)
    return typeset(f"{difference} from {number(before.value, places)} {name}")


def _verdict(name: str, metric: MetricValue, rows: _Rows) -> tuple[str, str]:
    """What a metric comes to in a word, and its colour; nothing of what cannot be judged."""
    if name == "calibration_ratio":
        return _calibration(rows)
    if useless := _useless(name, metric, rows):
        return useless, CHECK_HUES[State.CRITICAL]
    difference = None if rows.past is None else _difference(name, metric, rows.report, rows.past)
    threshold = rows.limits["calibration" if name == "ece" else "log_loss"]
    state = State.UNKNOWN if difference is None else rows.state(name, difference, threshold)
    if difference is None or state is State.UNKNOWN:
        return "", ""
    if state.is_alarm:
        return "worse" if state is State.WARNING else "much worse", CHECK_HUES[state]
    return _tolerated(difference, threshold.tolerance)


def _tolerated(difference: Difference, tolerance: float) -> tuple[str, str]:
    """What a difference comes to that is no alarm: small, or not sure, or for the better."""
    if not difference.is_sure():
        is_far = abs(difference.size) >= tolerance
        return (_CHANCE, "") if is_far else ("as before", CHECK_HUES[State.OK])
    if difference.size > -tolerance:
        return "a little worse" if difference.size > 0 else "a little better", ""
    return "better", CHECK_HUES[State.OK]


def _useless(name: str, metric: MetricValue, rows: _Rows) -> str:
    """That predictions are surely no better than the base rate, or rank no better than chance."""
    worse, words = _worse_than_nothing(name, metric)
    difference = Difference(worse, errors_apart(worse, metric.standard_error), rows.report.n)
    is_useless = worse > 0 and rows.state(name, difference, rows.limits["no_skill"]).is_alarm
    return words if is_useless else ""


def _worse_than_nothing(name: str, metric: MetricValue) -> tuple[float, str]:
    """How much worse than without a model a metric is, and in words; 0 of one that cannot be."""
    value = math.inf if metric.reason == "positive_infinity" else metric.value
    if name == "normalized_entropy" and value is not None:
        return value - 1, "no better than the base rate"
    if name == "log_loss" and value == math.inf:
        return value, "the worst there is"
    if name == "auc" and value is not None:
        is_inverted = value < AT_CHANCE - NEAR_CHANCE
        words = "worse than chance: inverted?" if is_inverted else "no better than chance"
        return AT_CHANCE + NEAR_CHANCE - value, words
    return 0.0, ""


def _difference(
    name: str, metric: MetricValue, report: MonitorReport, past: Past
) -> Difference | None:
    """How much worse a metric is than before; None where that cannot be said."""
    before, size = past.metrics.get(name), SIZES[name](report.metrics, past.metrics)
    if before is None or before.value is None or metric.value is None or size is None:
        return None
    errors = errors_apart(metric.value - before.value, metric.standard_error, before.standard_error)
    return Difference(size, errors, min(report.n, past.rows))


def _calibration(rows: _Rows) -> tuple[str, str]:
    """How far predictions are from what happened: the ratio should be 1, whatever it was before."""
    report, limits = rows.report, rows.limits["calibration"]
    difference = off_calibration(report.metrics, report.n)
    if difference is None or report.n < limits.minimum_rows:
        return "", ""
    if difference.size < limits.tolerance:
        return f"within {limits.tolerance:.0%}", CHECK_HUES[State.OK]
    ratio = report.metrics["calibration_ratio"].value
    expected = report.n * (report.metrics["mean_prediction"].value or 0.0)
    word = f"{number(expected, 0)} expected, none happened"
    if ratio is not None:
        word = f"{number(100 * abs(ratio - 1), 0)}% too {'high' if ratio > 1 else 'low'}"
    state = rows.state("calibration_ratio", difference, limits)
    if state.is_alarm:
        return word, CHECK_HUES[state]
    return f"{word}: {rows.few_or(_CHANCE)}", ""
