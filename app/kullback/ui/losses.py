"""How much worse a metric is than it was, in the unit of the thresholds of checks."""

from collections.abc import Callable, Mapping

from kullback.tally.report_types import MetricValues
from kullback.ui.differences import Difference, errors_apart

_Skill = Callable[[MetricValues], float | None]
_Size = Callable[[MetricValues, MetricValues], float | None]


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


SIZES: Mapping[str, _Size] = {
    "log_loss": _lost(_gain),
    "normalized_entropy": _lost(_gain),
    "auc": _lost(_ranking),
    "brier": _brier,
    "ece": _gap,
    "accuracy": _lost(_right),
}
