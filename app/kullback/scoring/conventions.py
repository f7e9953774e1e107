"""Named conventions: what each library makes of a probability of 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from kullback.numerics.logspace import neg_log_complement
from kullback.numerics.types import Array, Flags

Real = TypeVar("Real", bound=np.floating)
Floats = npt.NDArray[np.floating]
ConventionName = Literal["exact", "sklearn", "torchrec", "lightgbm", "xgboost", "keras", "torch"]


@dataclass(frozen=True, slots=True)
class Convention:
    """How probabilities are bounded before the logarithm is taken.

    p is clipped to [low, 1 − low], then p and 1 − p are floored, then costs are capped; the
    arithmetic is done in `precision`. Bits are the unit of a convention that prints bits.
    """

    low: float = 0.0
    floor: float = 0.0
    soft_floor: float = 0.0
    cap: float = np.inf
    precision: type[np.float64] | type[np.float32] = np.float64
    normalizes_rows: bool = False
    prints_bits: bool = False

    def bernoulli(self, y: Array, p: Array, *, soft: bool) -> tuple[Array, Array, Flags]:
        """−y ln p and −(1 − y) ln(1 − p) as this convention has them, and what was clipped.

        `soft` says that some label of the batch lies between 0 and 1.
        """
        p = np.ascontiguousarray(p)  # elsewhere NumPy takes another logarithm
        if self == EXACT:
            return _exact(y, p)
        if self.cap < np.inf:
            return self._capped(y, p)
        floor = self.precision(self.soft_floor if soft else self.floor)
        labels = self._labels(y, soft=soft)
        used, clipped = self._clip(p)
        rest = 1 - used
        clipped |= ((y > 0) & (used < floor)) | ((y < 1) & (rest < floor))
        positive = labels * _log_cost(np.maximum(used, floor))
        negative = (1 - labels) * _log_cost(np.maximum(rest, floor))
        return positive.astype(np.float64), negative.astype(np.float64), clipped

    def costs(self, y: Array, p: Array, *, soft: bool) -> tuple[Array, Flags]:
        """−y ln p − (1 − y) ln(1 − p), and what was clipped: see bernoulli."""
        if soft or self is EXACT or self.cap < np.inf:
            positive, negative, clipped = self.bernoulli(y, p, soft=soft)
            positive += negative
            return positive, clipped
        used, clipped = self._clip(np.ascontiguousarray(p))
        chosen = np.where(y > 0, used, 1 - used)  # of hard labels one side counts: one logarithm
        if self.floor > 0:
            floor = self.precision(self.floor)
            clipped |= chosen < floor
            np.maximum(chosen, floor, out=chosen)
        return _log_cost(chosen).astype(np.float64, copy=False), clipped

    def _capped(self, y: Array, p: Array) -> tuple[Array, Array, Flags]:
        positive, negative = _log_cost(p), neg_log_complement(p)
        clipped = ((y > 0) & (positive > self.cap)) | ((y < 1) & (negative > self.cap))
        positive, negative = np.minimum(positive, self.cap), np.minimum(negative, self.cap)
        return y * positive, (1.0 - y) * negative, np.asarray(clipped)

    def _labels(self, y: Array, *, soft: bool) -> Floats:
        """Libraries that floor keep their labels in single precision."""
        single = y.astype(np.float32) if soft and self.soft_floor else y
        return single.astype(self.precision)

    def outcomes(self, p: Array) -> tuple[Array, Flags]:
        """−ln p of outcomes of a categorical prediction, and which were clipped."""
        p = np.minimum(np.ascontiguousarray(p), 1.0)  # a row may sum to a little more than 1
        if self is EXACT:
            return _log_cost(p), np.zeros(p.shape, dtype=np.bool_)
        used, clipped = self._clip(p)
        floor = self.precision(self.floor)
        clipped |= used < floor
        costs = _log_cost(np.maximum(used, floor)).astype(np.float64)
        if self.cap < np.inf:
            clipped |= costs > self.cap
            costs = np.minimum(costs, self.cap)
        return costs, clipped

    def _clip(self, p: Array) -> tuple[Floats, Flags]:
        used: Floats = p.astype(self.precision, copy=False)
        if self.low == 0:
            return used, np.zeros(p.shape, dtype=np.bool_)
        low = self.precision(self.low)
        inside: Floats = np.clip(used, low, self.precision(1 - low))
        return inside, inside != used


EXACT = Convention()
_LIGHTGBM = float(np.float32(1e-15))
_XGBOOST = 1e-16

CONVENTIONS: Mapping[ConventionName, Convention] = {
    "exact": EXACT,
    "sklearn": Convention(low=float(np.finfo(np.float64).eps)),
    "torchrec": Convention(low=1e-12, prints_bits=True),
    "lightgbm": Convention(floor=_LIGHTGBM, soft_floor=1e-12),
    "xgboost": Convention(floor=_XGBOOST, soft_floor=_XGBOOST, precision=np.float32),
    "keras": Convention(low=1e-7, precision=np.float32, normalizes_rows=True),
    "torch": Convention(cap=100.0),
}


def _log_cost(p: npt.NDArray[Real]) -> npt.NDArray[Real]:
    with np.errstate(divide="ignore"):
        cost: npt.NDArray[Real] = 0 - np.log(p)
    return cost


def _exact(y: Array, p: Array) -> tuple[Array, Array, Flags]:
    positive = _counted(y, _log_cost(p))
    negative = _counted(1.0 - y, neg_log_complement(p))
    return positive, negative, np.zeros(p.shape, dtype=np.bool_)


def _counted(share: Array, cost: Array) -> Array:
    """Share · cost, with 0 · ∞ = 0: a side that does not count."""
    with np.errstate(invalid="ignore"):
        counted: Array = share * cost
    return counted if cost.max(initial=0.0) < np.inf else np.where(share > 0, counted, 0.0)
