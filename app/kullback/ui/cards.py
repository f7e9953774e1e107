"""Cards of a monitor: its metrics at a glance, each beside the reference or the time before."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kullback.figures.typesetting import measured, typeset
from kullback.judgement.findings import State, ratio_off
from kullback.judgement.settings import Thresholds
from kullback.monitoring.report import MonitorReport
from kullback.numerics.digits import decimals, number
from kullback.numerics.reasons import Reason
from kullback.tally.report_types import AucValue, EceValue, MetricValue, MetricValues
from kullback.ui.check_rows import CHECK_HUES
from kullback.ui.differences import Difference, errors_apart
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
_CHANCE = "may be chance", ""  # far off, but not surely: neither well nor ill
_Skill = Callable[[MetricValues], float | None]
_Size = Callable[[MetricValues, MetricValues], float | None]


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


def cards(report: MonitorReport, past: Past | None, limits: Mapping[str, Thresholds]) -> list[Card]:
    """The metrics at a glance: those that a task has."""
    chosen = {name: report.metrics[name] for name in MEANINGS if name in report.metrics}
    return [
        _card(name, value, report, past, limits)
        for name, value in chosen.items()
        if value.reason != "multiclass"
    ]


def skill_lost(now: MetricValues, before: MetricValues, rows: int) -> Difference | None:
    """The share of the information gain that is lost since before, of so many rows at least.

    None where either has no normalized entropy, or there was no gain to lose.
    """
    size, key = _lost(_gain)(now, before), "normalized_entropy"
    have, had = now[key], before[key]
    if size is None or have.value is None or had.value is None:
        return None
    errors = errors_apart(have.value - had.value, have.standard_error, had.standard_error)
    return Difference(size, errors, rows)


def why_not(reason: str | None) -> str:
    """Why there is no number, in words."""
    return "" if reason is None else Reason(reason).sentence


def _card(
    name: str,
    metric: MetricValue,
    report: MonitorReport,
    past: Past | None,
    limits: Mapping[str, Thresholds],
) -> Card:
    if metric.value is None:
        return Card(NAMES[name], measured(metric), "", why_not(metric.reason))
    value, _, error = measured(metric).partition(" ± ")
    meaning = MEANINGS[name]
    bound = metric.error_bound if isinstance(metric, AucValue) else None
    if bound and bound > _WORTH_A_WORD * (metric.standard_error or 0.0):
        meaning += f"; exact to ± {number(bound, decimals(bound))}"
    if isinstance(metric, EceValue) and metric.expected_if_calibrated is not None:
        places = decimals(metric.standard_error)
        chance = number(metric.expected_if_calibrated, places)
        meaning += f"; {chance} of it is chance, without which {number(metric.debiased, places)}"
    before = None if past is None else past.metrics.get(name)
    beside = "" if past is None or before is None else _beside(metric, before, past.place)
    word, hue = _verdict(name, metric, report, past, limits)
    spread = f"± {error}" if error else ""
    return Card(NAMES[name], value, spread, typeset(meaning), beside, word, hue)


def _beside(metric: MetricValue, before: MetricValue, name: str) -> str:
    """The difference, and what it was before: to the digits of their standard errors."""
    if metric.value is None or before.value is None:
        return ""
    places = decimals(math.hypot(metric.standard_error or 0.0, before.standard_error or 0.0))
    difference = number(metric.value - before.value, places, signed=True)
    return typeset(f"{difference} from {number(before.value, places)} {name}")


def _verdict(
    name: str,
    metric: MetricValue,
    report: MonitorReport,
    past: Past | None,
    limits: Mapping[str, Thresholds],
) -> tuple[str, str]:
    """What a metric comes to in a word, and its colour; nothing of what cannot be judged."""
    if name == "calibration_ratio":
        return _calibration(metric, report, limits["calibration"])
    if name == "normalized_entropy" and _is_useless(metric, report, limits["no_skill"]):
        return "no better than the base rate", CHECK_HUES[State.CRITICAL]
    difference = None if past is None else _difference(name, metric, report, past)
    threshold = limits["calibration" if name == "ece" else "log_loss"]
    state = State.UNKNOWN if difference is None else difference.state(threshold)
    if difference is None or state is State.UNKNOWN:
        return "", ""
    if state.is_alarm:
        return "worse" if state is State.WARNING else "much worse", CHECK_HUES[state]
    return _tolerated(difference, threshold.tolerance)


def _tolerated(difference: Difference, tolerance: float) -> tuple[str, str]:
    """What a difference comes to that is no alarm: small, or not sure, or for the better."""
    if not difference.is_sure():
        is_far = abs(difference.size) >= tolerance
        return _CHANCE if is_far else ("as before", CHECK_HUES[State.OK])
    if difference.size > -tolerance:
        return "a little worse" if difference.size > 0 else "a little better", ""
    return "better", CHECK_HUES[State.OK]


def _is_useless(metric: MetricValue, report: MonitorReport, limits: Thresholds) -> bool:
    """Whether predictions are surely no better than the base rate."""
    worse = (metric.value or 0.0) - 1
    difference = Difference(worse, errors_apart(worse, metric.standard_error), report.n)
    return worse > 0 and difference.state(limits).is_alarm


def _difference(
    name: str, metric: MetricValue, report: MonitorReport, past: Past
) -> Difference | None:
    """How much worse a metric is than before; None where that cannot be said."""
    before, size = past.metrics.get(name), _SIZES[name](report.metrics, past.metrics)
    if before is None or before.value is None or metric.value is None or size is None:
        return None
    errors = errors_apart(metric.value - before.value, metric.standard_error, before.standard_error)
    return Difference(size, errors, min(report.n, past.rows))


def _calibration(metric: MetricValue, report: MonitorReport, limits: Thresholds) -> tuple[str, str]:
    """How far predictions are from what happened: the ratio should be 1, whatever it was before."""
    ratio, mean = metric.value or 0.0, report.metrics["mean_prediction"].value or 0.0
    if ratio <= 0:
        return "", ""
    off = ratio_off(ratio, mean)
    state = Difference(off, errors_apart(ratio - 1, metric.standard_error), report.n).state(limits)
    if state is State.UNKNOWN:
        return "", ""
    word = f"{number(100 * abs(ratio - 1), 0)}% too {'high' if ratio > 1 else 'low'}"
    if not state.is_alarm:
        is_near = off < limits.tolerance
        return (f"within {limits.tolerance:.0%}", CHECK_HUES[state]) if is_near else _CHANCE
    return word, CHECK_HUES[state]


def _lost(skill: _Skill) -> _Size:
    """The share of a skill that is lost; below 0 where there is more of it."""

    def size(now: MetricValues, before: MetricValues) -> float | None:
        have, had = skill(now), skill(before)
        return None if have is None or had is None or had <= 0 else 1 - have / had

    return size


def _gain(metrics: MetricValues) -> float | None:
    entropy = metrics["normalized_entropy"].value
    return None if entropy is None else 1 - entropy


def _ranking(metrics: MetricValues) -> float | None:
    auc = metrics["auc"].value
    return None if auc is None else 2 * auc - 1


def _resolution(metrics: MetricValues) -> float | None:
    """How much of the variance of outcomes predictions explain."""
    brier, rate = metrics["brier"].value, metrics["base_rate"].value
    if brier is None or rate is None or not 0 < rate < 1:
        return None
    return 1 - brier / (rate * (1 - rate))


def _brier(now: MetricValues, before: MetricValues) -> float | None:
    """The share of what is explained that is lost; of a multiclass task how much more is not."""
    size = _lost(_resolution)(now, before)
    have, had = now["brier"].value, before["brier"].value
    if size is not None or have is None or not had:
        return size
    return have / had - 1


def _right(metrics: MetricValues) -> float | None:
    return metrics["accuracy"].value


def _gap(now: MetricValues, before: MetricValues) -> float | None:
    """How much wider the mean gap is, as a share of the rate."""
    gap, past, rate = now["ece"].value, before["ece"].value, now["base_rate"].value
    return None if gap is None or past is None or not rate else (gap - past) / rate


_SIZES: Mapping[str, _Size] = {
    "log_loss": _lost(_gain),
    "normalized_entropy": _lost(_gain),
    "auc": _lost(_ranking),
    "brier": _brier,
    "ece": _gap,
    "accuracy": _lost(_right),
}
