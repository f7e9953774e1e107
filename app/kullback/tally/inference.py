"""Standard errors of the metrics of a tally."""

import math
from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.tally.exact import UNIT, real
from kullback.tally.measures import MEASURES, sums_by_unit
from kullback.tally.sum_names import SQUARES
from kullback.tally.tally import Tally
from kullback.tally.units import BUCKETS

_BITS = 64
_SECOND = {tuple(sorted(pair)): name for name, pair in SQUARES.items()}
_UNITS = {"w": "unit_w", "l": "unit_wl", "y": "unit_wy", "p": "unit_wp", "b": "unit_wb"}
_TOO_LARGE = Undefined(Reason.BEYOND_DOUBLES)


def standard_error(tally: Tally, gradient: Mapping[str, float]) -> float | Undefined:
    """The standard error of a smooth function θ of sums that no scaling of all weights changes.

        SE² = m/(m − 1) Σᵢ uᵢ²,  uᵢ = Σₐ ∂θ/∂Sₐ · sₐᵢ,  Σᵢ uᵢ = 0

    i are rows; where every row came with a unit they are the buckets of units, so that rows of
    one unit may depend on each other.

    Args:
        tally: of the rows.
        gradient: ∂θ/∂Sₐ of the sums Σw, Σwl, Σwy, Σwp, Σwb, by "w", "l", "y", "p", "b".

    Returns:
        At least 0, in the unit of θ; undefined (`too_few_rows`, `too_few_units`) below two, and
        where it, or a slope, is too large for a double (`beyond_doubles`).

    Source: Binder, International Statistical Review 51 (1983); docs/metrics.md.
    """
    if not all(map(math.isfinite, gradient.values())):
        return _TOO_LARGE
    if by_unit(tally):
        return _clustered(tally, gradient)
    total, shift = _quadratic(tally, gradient)
    return row_error(tally, total, shift)


def row_error(tally: Tally, total: int, shift: int) -> float | Undefined:
    """√(m/(m − 1) · total) / 2^shift of m rows; see standard_error."""
    rows = tally.scalar("weighted_rows")
    if rows < 2:
        return Undefined(Reason.TOO_FEW_ROWS)
    total = max(total, 0)  # below only where rows were taken back that were not seen yet
    spare = max(total.bit_length() - _BITS, 0) // 2
    root = math.sqrt((total >> 2 * spare) * (rows / (rows - 1)))
    try:
        return math.ldexp(root, spare - shift)
    except OverflowError:
        return _TOO_LARGE


def by_unit(tally: Tally) -> bool:
    """Whether every row with weight came with a unit."""
    weight = tally.scalar("w")
    return weight > 0 and tally.vector("unit_w").whole() == weight


def occupied_buckets(tally: Tally) -> int:
    """How many buckets of units have rows."""
    return tally.vector("unit_w").indices().size


def influence(tally: Tally, slopes: Mapping[str, float]) -> Array:
    """What each bucket of units adds to θ: u_b = Σₐ ∂θ/∂Sₐ · sₐ_b, (BUCKETS,), of sum 0.

    Source: Binder, International Statistical Review 51 (1983).
    """
    total: Array = np.zeros(BUCKETS)
    with np.errstate(over="ignore", invalid="ignore"):
        for name, slope in slopes.items():
            total += slope * _by_unit(tally, name)
    return total


def whole_sum(tally: Tally, name: str) -> float:
    """Σ w, Σ wl, Σ wy, Σ wp or Σ wb, or that of a measure, by the name of its slope."""
    if name in MEASURES:
        return math.fsum(sums_by_unit(tally, MEASURES.index(name)).tolist())
    return real(tally.scalar("w" if name == "w" else f"w{name}"))


def _by_unit(tally: Tally, name: str) -> Array:
    if name in MEASURES:
        return sums_by_unit(tally, MEASURES.index(name))
    return tally.vector(_UNITS[name]).reals(BUCKETS)


def _clustered(tally: Tally, gradient: Mapping[str, float]) -> float | Undefined:
    buckets = occupied_buckets(tally)
    if buckets < 2:
        return Undefined(Reason.TOO_FEW_UNITS)
    spread = math.hypot(*influence(tally, gradient).tolist())
    error = math.sqrt(buckets / (buckets - 1)) * spread
    return error if math.isfinite(error) else _TOO_LARGE


def _quadratic(tally: Tally, gradient: Mapping[str, float]) -> tuple[int, int]:
    """Σᵢ uᵢ² · 4^shift, and the shift. Exact: doubles would cancel where rows hardly differ."""
    slopes = {name: slope.as_integer_ratio() for name, slope in gradient.items()}
    shift = max(denominator.bit_length() - 1 for _, denominator in slopes.values())
    whole = {name: above * ((1 << shift) // below) for name, (above, below) in slopes.items()}
    total = 0
    for first, second in combinations_with_replacement(sorted(whole), 2):
        twice = 1 if first == second else 2
        products = tally.square(_SECOND[first, second])
        total += twice * whole[first] * whole[second] * products
    return total, shift + UNIT


def kish(tally: Tally) -> float:
    """The effective number of rows (Σw)² / Σw²; 0 without weight.

    Source: Kish, Survey Sampling (1965), §11.7.
    """
    squares = tally.square("ww")
    return tally.scalar("w") ** 2 / squares if squares else 0.0
