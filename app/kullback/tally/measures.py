"""Measures: real numbers that come with rows, kept as exact sums by bucket of units."""

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.tally.bin_sums import BinSums
from kullback.tally.sum_names import MOST_MEASURES
from kullback.tally.tally import Tally
from kullback.tally.units import BUCKETS

MEASURES = tuple(f"measure {number}" for number in range(MOST_MEASURES))


def measure_sums(measures: Array, units: Indices, w: Array | None) -> dict[str, BinSums]:
    """What rows add to the sums of measures: those of x ≥ 0 and of −x, as sums are of such.

        gain = Σ w max(x, 0)        loss = Σ w max(−x, 0)

    Args:
        measures: x (m, n), of at most 10¹⁰⁰ either way.
        units: the bucket of each row's unit (n,).
        w: weights in [0, 10¹⁰⁰] (n,), or None.
    """
    size = len(measures) * BUCKETS
    index = (np.arange(len(measures))[:, None] * BUCKETS + units).reshape(-1)
    weighted = (measures if w is None else measures * w).reshape(-1)
    sums = {}
    for name, signed in (("unit_gain", weighted), ("unit_loss", -weighted)):
        some = np.flatnonzero(signed > 0)
        sums[name] = BinSums.of(index[some], signed[some], size)
    return sums


def sums_by_unit(tally: Tally, number: int) -> Array:
    """Σ w x of a measure by bucket of units, (BUCKETS,)."""
    inside = slice(number * BUCKETS, (number + 1) * BUCKETS)
    gain, loss = (
        tally.vector(name).reals(MOST_MEASURES * BUCKETS)[inside]
        for name in ("unit_gain", "unit_loss")
    )
    sums: Array = gain - loss
    return sums
