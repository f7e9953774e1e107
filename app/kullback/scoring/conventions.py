"""Named conventions: what each library makes of a probability of 0."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from kullback.numerics.logspace import neg_log_complement, neg_log_complement_of_exp
from kullback.numerics.types import Array, Flags

Real = TypeVar("Real", bound=np.floating)
Floats = npt.NDArray[np.floating]
ConventionName = Literal[  # stored by their places: new ones go to the end
    "exact",
    "sklearn",
    "torchrec",
    "lightgbm",
    "xgboost",
    "keras",
    "torch",
    "lightgbm_cross_entropy",
    "catboost",
    "river",
    "spark",
]


@dataclass(frozen=True, slots=True)
class Convention:
    """How probabilities are bounded before the logarithm is taken.

    p is clipped to [low, 1 − low], then p and 1 − p are floored, then costs are at least `least`
    and those of binary outcomes at most `cap`; `floor_cost` is that of the floor where it is not
    −ln of it. Soft labels have a floor of their own. The arithmetic is done in `precision`, but
    in that of the column, with low = ε of its type, where `follows_type`. Bits are the unit of a
    convention that prints bits.
    """

    low: float = 0.0
    floor: float = 0.0
    floor_cost: float = 0.0
    soft_floor: float = 0.0
    least: float = 0.0
    cap: float = np.inf
    precision: type[np.floating] = np.float64
    follows_type: bool = False
    single_labels: bool = False
    normalizes_rows: bool = False
    prints_bits: bool = False

    def of_type(self, sent: np.dtype[np.generic]) -> "Convention":
        """The same for probabilities that were sent in this type."""
        narrow = _NARROW.get(sent) if self.follows_type else None
        if narrow is None:
            return self
        return replace(self, low=float(np.finfo(narrow).eps), precision=narrow)

    @property
    def _is_unbounded(self) -> bool:
        return self.low == 0 and self.floor == 0

    def bernoulli(
        self, y: Array, p: Array, *, soft: bool, logs: Array | None = None
    ) -> tuple[Array, Array, Flags]:
        """−y ln p and −(1 − y) ln(1 − p) as this convention has them, and what was clipped.

        `soft` says that some label of the batch lies between 0 and 1; `logs` are ln p where
        those were sent, of which no digit is lost where nothing bounds p.
        """
        p = np.ascontiguousarray(p)  # elsewhere NumPy takes another logarithm
        if self is EXACT or self.cap < np.inf or (logs is not None and self._is_unbounded):
            return self._capped(y, p, None if logs is None else np.ascontiguousarray(logs))
        floor = self.precision(self.soft_floor if soft else self.floor)
        labels, others = self._shares(y, soft=soft)
        used, clipped = self._clip(p)
        rest = 1 - used
        clipped |= ((y > 0) & self._bounds(used, floor)) | ((y < 1) & self._bounds(rest, floor))
        positive = _counted(labels, self._cost(np.maximum(used, floor)))
        negative = _counted(others, self._cost(np.maximum(rest, floor)))
        return positive.astype(np.float64), negative.astype(np.float64), clipped

    def costs(
        self, y: Array, p: Array, *, soft: bool, logs: Array | None = None
    ) -> tuple[Array, Flags]:
        """−y ln p − (1 − y) ln(1 − p), and what was clipped: see bernoulli."""
        if soft or logs is not None or self is EXACT or self.cap < np.inf:
            positive, negative, clipped = self.bernoulli(y, p, soft=soft, logs=logs)
            positive += negative
            return positive, clipped
        used, clipped = self._clip(np.ascontiguousarray(p))
        chosen = np.where(y > 0, used, 1 - used)  # of hard labels one side counts: one logarithm
        if self.floor > 0:
            floor = self.precision(self.floor)
            clipped |= self._bounds(chosen, floor)
            np.maximum(chosen, floor, out=chosen)
        return self._cost(chosen).astype(np.float64, copy=False), clipped

    def _bounds(self, p: Floats, floor: np.floating) -> Flags:
        """Where p is floored, or so large that its cost is the least there is."""
        flags: Flags = p < floor
        return flags | (1 - p < floor) if self.least > 0 else flags

    def _cost(self, p: npt.NDArray[Real]) -> npt.NDArray[Real]:
        cost = _log_cost(p)
        if self.floor_cost > 0:
            cost[p <= self.floor] = self.floor_cost
        return np.maximum(cost, self.least, out=cost) if self.least > 0 else cost

    def _capped(self, y: Array, p: Array, logs: Array | None) -> tuple[Array, Array, Flags]:
        if logs is None:
            positive, negative = _log_cost(p), neg_log_complement(p)
        else:
            positive, negative = 0.0 - logs, neg_log_complement_of_exp(logs)
        clipped = np.zeros(p.shape, dtype=np.bool_)
        if self.cap < np.inf:
            clipped = ((y > 0) & (positive > self.cap)) | ((y < 1) & (negative > self.cap))
            positive, negative = np.minimum(positive, self.cap), np.minimum(negative, self.cap)
        return _counted(y, positive), _counted(1.0 - y, negative), clipped

    def _shares(self, y: Array, *, soft: bool) -> tuple[Floats, Floats]:
        """Y and 1 − y; libraries that floor take both in single precision where y is soft."""
        if not (soft and self.single_labels):
            return y.astype(self.precision), 1 - y.astype(self.precision)
        single = y.astype(np.float32)
        rest: Floats = 1 - single if self.soft_floor > 0 else 1 - single.astype(np.float64)
        return single.astype(self.precision), rest.astype(self.precision)

    def outcomes(self, p: Array, logs: Array | None = None) -> tuple[Array, Flags]:
        """−ln p of outcomes of a categorical prediction, and which were clipped: see bernoulli."""
        if logs is not None and self._is_unbounded:
            return 0.0 - logs, np.zeros(p.shape, dtype=np.bool_)
        p = np.minimum(np.ascontiguousarray(p), 1.0)  # a row may sum to a little more than 1
        if self is EXACT:
            return _log_cost(p), np.zeros(p.shape, dtype=np.bool_)
        used, clipped = self._clip(p)
        floor = self.precision(self.floor)
        clipped |= self._bounds(used, floor)
        return self._cost(np.maximum(used, floor)).astype(np.float64), clipped

    def _clip(self, p: Array) -> tuple[Floats, Flags]:
        used: Floats = p.astype(self.precision, copy=False)
        if self.low == 0:
            return used, np.zeros(p.shape, dtype=np.bool_)
        low = self.precision(self.low)
        inside: Floats = np.clip(used, low, self.precision(1 - low))
        return inside, inside != used


EXACT = Convention()
_NARROW: Mapping[np.dtype[np.generic], type[np.floating]] = {
    np.dtype(np.float16): np.float16,
    np.dtype(np.float32): np.float32,
}
_LIGHTGBM = np.float32(1e-15)
_XGBOOST = 1e-16

CONVENTIONS: Mapping[ConventionName, Convention] = {
    "exact": EXACT,
    "sklearn": Convention(low=float(np.finfo(np.float64).eps), follows_type=True),
    "torchrec": Convention(low=1e-12, prints_bits=True),
    "lightgbm": Convention(
        floor=float(_LIGHTGBM),
        floor_cost=-float(np.log(_LIGHTGBM)),
        soft_floor=1e-12,
        single_labels=True,
    ),
    "xgboost": Convention(
        floor=_XGBOOST, soft_floor=_XGBOOST, precision=np.float32, single_labels=True
    ),
    "keras": Convention(low=1e-7, precision=np.float32, normalizes_rows=True),
    "torch": Convention(cap=100.0),
    "lightgbm_cross_entropy": Convention(floor=1e-12, soft_floor=1e-12, single_labels=True),
    "catboost": Convention(single_labels=True),
    "river": Convention(low=1e-15),
    "spark": Convention(floor=1e-15, soft_floor=1e-15, least=-math.log1p(-1e-15)),
}


def chosen_convention(
    name: ConventionName, epsilon: float | None, sent: np.dtype[np.generic]
) -> Convention:
    """The convention of this name for probabilities of this type, or an ε of the caller's own."""
    return CONVENTIONS[name].of_type(sent) if epsilon is None else Convention(low=epsilon)


def _log_cost(p: npt.NDArray[Real]) -> npt.NDArray[Real]:
    with np.errstate(divide="ignore"):
        cost: npt.NDArray[Real] = 0 - np.log(p)
    return cost


def _counted(share: npt.NDArray[Real], cost: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """Share · cost, with 0 · ∞ = 0: a side that does not count."""
    with np.errstate(invalid="ignore"):
        counted: npt.NDArray[Real] = share * cost
    return counted if cost.max(initial=0.0) < np.inf else np.where(share > 0, counted, 0.0)
