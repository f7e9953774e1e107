"""Weighted means of many rows, taken block by block."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Indices, Undefined

ROWS_PER_BLOCK = 1 << 15  # what is made of a block stays in cache


def blocks(n: int) -> Iterator[slice]:
    """Slices of at most ROWS_PER_BLOCK rows."""
    return (slice(start, min(start + ROWS_PER_BLOCK, n)) for start in range(0, n, ROWS_PER_BLOCK))


class Mean:
    """A weighted mean Σ wv / Σ w, block by block; values of weight 0 add nothing."""

    def __init__(self) -> None:
        self._sums: list[float] = []
        self._weights: list[float] = []
        self._n = 0

    def add(self, values: npt.NDArray[np.generic], weight: Array | None) -> None:
        """Add a block of values, flags or numbers, with their weights (1 where None)."""
        self._n += values.size
        if weight is None:
            self._sums.append(float(values.sum()))
            self._weights.append(float(values.size))
            return
        alive = weight > 0
        w = weight[alive]
        self._sums.append(float(np.sum(np.asarray(values[alive], np.float64) * w)))
        self._weights.append(float(np.sum(w)))  # as the values are, so that a mean of ones is 1

    def value(self) -> float | Undefined:
        """The mean, or why there is none."""
        weight = math.fsum(self._weights)
        if weight == 0:
            return Undefined(Reason.ZERO_WEIGHT if self._n else Reason.EMPTY)
        return sum_up(self._sums) / weight


class ClassMeans:
    """The weighted mean of each of k classes, block by block."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._sums: Array = np.zeros(k)
        self._weights: Array = np.zeros(k)

    def add(self, values: Array, index: Indices, weight: Array | None) -> None:
        """Add a block of values with their classes and weights (1 where None)."""
        if weight is not None:
            alive = weight > 0
            values, index, weight = values[alive] * weight[alive], index[alive], weight[alive]
        self._sums += np.bincount(index, values, self._k)
        self._weights += np.bincount(index, weight, self._k)

    def value(self) -> float | Undefined:
        """The unweighted mean of the means of the classes that occur."""
        present = self._weights > 0
        means = self._sums[present] / self._weights[present]
        return float(means.sum()) / means.size if means.size else Undefined(Reason.ZERO_WEIGHT)


def sum_up(parts: list[float]) -> float:
    """Σ parts, rounded once; infinite where a part is, or where it is beyond a double."""
    try:
        return math.fsum(parts)
    except OverflowError:
        return sum(parts)


def sum_of_squares(values: Array) -> float:
    """Σ v². Not v @ v: BLAS splits that over threads that wait for each other on a busy machine."""
    return float(np.square(values).sum())


def weighted_mean(values: Array, weight: Array | None) -> float | Undefined:
    """Σ wv / Σ w over the rows that have weight."""
    mean = Mean()
    for block in blocks(values.size):
        mean.add(values[block], part(weight, block))
    return mean.value()


def exp(nats: float | Undefined) -> float | Undefined:
    """E to a mean; infinite where that is beyond a double."""
    if isinstance(nats, Undefined):
        return nats
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf


def share(flags: Flags) -> float:
    """How many of the flags are up, of all."""
    return float(np.count_nonzero(flags)) / flags.size


def part(weight: Array | None, block: slice) -> Array | None:
    """The weights of a block, if there are weights."""
    return None if weight is None else weight[block]


def bin_sums(index: Indices, values: Array, bins: int) -> Array:
    """Σ values of each bin (bins,), summed block by block to keep their digits."""
    parts = [np.bincount(index[b], values[b], bins) for b in blocks(values.size)]
    sums: Array = np.sum(parts, axis=0)
    return sums
