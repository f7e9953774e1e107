"""Bins of any number: log-linear, and the same on every machine, so that counts of them merge.

The size of a number is read as its octave (a power of two) and one of 128 equal parts of it,
straight from the bits of the double: whoever counts needs not know before which numbers will come.
A bin is at most 1/128 of its edge wide, and whole numbers up to 255 have bins of their own, as 0
has. What lies beyond the range of float32, 2⁻¹²⁸ to 2¹²⁸, is in the outermost bin of its sign.

Source: Masson, Rim & Lee, DDSketch, VLDB 12(12) (2019), for bins of bounded relative error.
"""

import numpy as np
import numpy.typing as npt

from kullback.numerics.types import Array

_PARTS = 7  # bits: 128 parts of an octave
_SHIFT = 52 - _PARTS
_SIZE = (1 << (64 - _SHIFT - 1)) - 1  # without the sign
_LOWEST = (1023 - 128) << _PARTS
OUTERMOST = (1 << 15) - 1

Bins = npt.NDArray[np.int16]


def feature_bins(values: Array) -> Bins:
    """The bin of each number, (n,), in [−OUTERMOST, OUTERMOST]; a higher one is never lower.

    Args:
        values: (n,), infinite ones too, without NaN.
    """
    bits = np.ascontiguousarray(values, np.float64).view(np.int64)
    size = ((bits >> _SHIFT) & _SIZE).astype(np.int32)
    size -= _LOWEST
    np.clip(size, 1, OUTERMOST, out=size)
    size[values == 0] = 0
    np.negative(size, out=size, where=bits < 0)
    return size.astype(np.int16)


def lower_edge(place: int) -> float:
    """Where a bin begins; the outermost ones where the range does, although more is in them.

    A number on the edge between two bins is in the one further from 0.
    """
    if place < 0:
        return 0.0 - _edge(1 - place)
    return _edge(place)


def _edge(size: int) -> float:
    """The least size in a bin of a positive sign; sizes below the range are in the first."""
    if size <= 1:
        return 0.0
    return float(np.array((size + _LOWEST) << _SHIFT, np.int64).view(np.float64))
