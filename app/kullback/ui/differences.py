"""Differences worth a colour: both sure and large, by the thresholds that alarms go by."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from kullback.judgement.findings import State, graded
from kullback.judgement.settings import Thresholds

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
