"""Score bins: fine, logit-spaced, and the same on every machine.

The smaller of p and 1 − p is read as its octave (a power of two) and one of 64 equal parts of it,
straight from the bits of the double: no logarithm that rounds differently elsewhere decides on
which side of an edge a score falls. In logits a bin is 1/128 to 1/48 wide, from −13.9 to 13.9;
beyond lies one bin at each end. Sixtieths are edges too, so that 10, 12, 15 or 20 bins of equal
width are read from these without error (ADR-0008).
"""

import numpy as np

from kullback.numerics.types import Array, Indices

_OCTAVES = 19
_PARTS = 6  # bits: 64 parts of an octave
_SHIFT = 52 - _PARTS
_HALF = (_OCTAVES << _PARTS) + 1
_FINE = 2 * _HALF
SIXTIETHS = 60
_LOWEST = int(np.array(2.0 ** -(_OCTAVES + 1)).view(np.int64)) >> _SHIFT


def _bin_within_octave(p: Array) -> Indices:
    """The fine bin of each score, rising with p, before sixtieths cut."""
    below: Indices = np.minimum(p, 1.0 - p).view(np.int64) >> _SHIFT
    below -= _LOWEST - 1
    np.clip(below, 0, _HALF - 1, out=below)
    return np.where(p < 0.5, below, _FINE - 1 - below)


def _cuts() -> tuple[Array, Indices, Indices]:
    points = np.arange(1, SIXTIETHS) / SIXTIETHS
    at = _bin_within_octave(points)
    cut = np.full(_FINE, np.inf)
    cut[at] = points
    below: Indices = np.cumsum(np.bincount(at, minlength=_FINE)) - np.bincount(at, minlength=_FINE)
    first = np.arange(_FINE) + below
    sixtieth = np.zeros(_FINE + SIXTIETHS - 1, dtype=np.int64)
    sixtieth[first[at] + 1] = 1
    return cut, first, np.cumsum(sixtieth)


_CUT, _FIRST, _SIXTIETH = _cuts()
BINS = _SIXTIETH.size
RANK_BINS = 256


def bin_of(p: Array) -> Indices:
    """The bin of each score in [0, 1], (n,); a higher score is never in a lower bin."""
    fine = _bin_within_octave(p)
    bins: Indices = _FIRST[fine]
    bins += p > _CUT[fine]
    return bins


def rank_bin_of(bins: Indices) -> Indices:
    """The coarse bin of each bin, (n,), in [0, RANK_BINS): they rise together."""
    return bins * RANK_BINS // BINS


def uniform(sums: Array, bins: int) -> Array:
    """Sums by bin as sums of `bins` bins of equal width, each (low, high], 0 in the first.

    Args:
        sums: (BINS,).
        bins: a divisor of 60.

    Returns:
        (bins,).
    """
    return np.bincount(_SIXTIETH * bins // SIXTIETHS, sums, bins).astype(np.float64)
