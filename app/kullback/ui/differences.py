"""Differences worth a colour: both sure and large, by the thresholds that alarms go by."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from kullback.judgement.findings import ENOUGH, LEAST_ROWS, State, graded, ratio_off
from kullback.judgement.settings import Thresholds
from kullback.numerics.digits import counted
from kullback.tally.report_types import MetricValues

SURE = 0.001  # a difference that chance makes less often is sure
_STANDARD = NormalDist()


@dataclass(frozen=True, slots=True)
class Difference:
    """How far something is from where it should be.

    Attributes:
        size: how far, in the unit of the thresholds; below 0 where it is better.
        errors: how many standard errors that is; None where these are not known.
        rows: of how many rows it is.
    """

    size: float
    errors: float | None
    rows: int

    def is_sure(self, comparisons: int = 1) -> bool:
        """Whether chance alone hardly makes it, among so many that are looked at."""
        most = _STANDARD.inv_cdf(1 - SURE / 2 / comparisons)
        return self.errors is not None and abs(self.errors) >= most

    def state(self, limits: Thresholds, comparisons: int = 1) -> State:
        """How bad it is; unknown of few rows, or where nobody knows how sure it is."""
        if self.errors is None or self.rows < limits.minimum_rows:
            return State.UNKNOWN
        return graded(self.is_sure(comparisons), self.size, limits)


def errors_apart(difference: float, *errors: float | None) -> float | None:
    """A difference in standard errors, those of both sides together; None without any."""
    both = math.hypot(*(error or 0.0 for error in errors))
    return difference / both if both > 0 else None


def off_calibration(metrics: MetricValues, rows: int) -> Difference | None:
    """How far predictions are from what happened; None where they have no calibration ratio.

    Where the ratio has no error of its own, as where outcomes are all alike, it is held against
    what predictions say of themselves, as its check does: p̄(1 − p̄) a row at most. How sure it is
    nobody knows of few outcomes.
    """
    metric, rate = metrics["calibration_ratio"], metrics["base_rate"].value
    mean, ratio = metrics["mean_prediction"].value, metric.value
    if mean is None or rate is None or (ratio is None and rate > 0):
        return None
    if ratio is None:
        ratio = mean * rows / LEAST_ROWS
    errors = errors_apart(ratio - 1, metric.standard_error)
    if few_outcomes(metrics, rows):
        errors = None
    elif errors is None:
        spread = math.sqrt(max(mean * (1 - mean), 0.0) / rows)
        nothing = math.copysign(math.inf, mean - rate) if mean != rate else 0.0
        errors = (mean - rate) / spread if spread > 0 else nothing
    return Difference(ratio_off(ratio, mean), errors, rows)


def few_outcomes(metrics: MetricValues, rows: int) -> str:
    """The rarer outcomes as they are counted, "1 positive", where they tell nothing; else ""."""
    rate, mean = metrics["base_rate"].value, metrics["mean_prediction"].value
    if rate is None or mean is None:
        return ""
    often = max(rate, mean), 1 - min(rate, mean)
    if min(often) * rows >= ENOUGH:
        return ""
    share, what = (rate, "positive") if often[0] < often[1] else (1 - rate, "negative")
    return counted(round(share * rows), what)
