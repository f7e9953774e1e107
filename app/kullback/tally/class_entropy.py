"""Normalized entropy of a multiclass task: log loss over the entropy of the class shares."""

import math

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.tally.exact import real
from kullback.tally.functionals import INFINITE, ONE_CLASS, log_loss, missing
from kullback.tally.inference import by_unit, occupied_buckets
from kullback.tally.tally import Tally
from kullback.tally.units import BUCKETS

_CLOSE = 1e-9  # relative, of sums of squares: one of them is of rounded products
_UNKNOWN = Undefined(Reason.BEYOND_DOUBLES)


def class_normalized_entropy(tally: Tally) -> tuple[float | Undefined, float | Undefined]:
    """NE = (Σ wl / Σ w) / H(q), q_k = Σ w·1{c = k} / Σ w, and its standard error.

        H(q) = −Σₖ qₖ ln qₖ
        SE² = m/(m − 1) Σᵢ uᵢ²,  uᵢ = wᵢ (lᵢ + NE ln q_cᵢ) / (H Σ w),  Σᵢ uᵢ = 0

    i are rows of class cᵢ, or the buckets of units with the sums of their rows. There is no error
    where the tally lacks the squares by class, as those of older releases do, or the classes of
    units, of which it has those of a task of at most 63 classes.

    Args:
        tally: of a multiclass task.

    Returns:
        At least 0; 1 is as good as always predicting the class shares; infinite where a loss is.
        Undefined: `empty`, `zero_weight`, `one_class`; the error also `too_few_rows`,
        `too_few_units`.

    Source: He et al., ADKDD (2014), §3, for two classes; Binder, International Statistical Review
        51 (1983), for the error.
    """
    nothing = missing(tally)
    if nothing:
        return nothing, nothing
    weight = tally.vector("class_w").reals(tally.layout.classes)
    if np.count_nonzero(weight) < 2:
        return ONE_CLASS, ONE_CLASS
    shares = weight / weight.sum()
    logs = np.zeros_like(shares)
    np.log(shares, out=logs, where=shares > 0)
    entropy = 0.0 - float(shares @ logs)
    loss = log_loss(tally).value
    assert not isinstance(loss, Undefined)
    if math.isinf(loss) or entropy <= 0:  # the shares of all but one may be too small for a number
        return (loss, INFINITE) if entropy > 0 else (ONE_CLASS, ONE_CLASS)
    ratio = loss / entropy
    return ratio, _error(tally, ratio * logs, entropy * real(tally.scalar("w")))


def _error(tally: Tally, logs: Array, scale: float) -> float | Undefined:
    """√(m/(m − 1) Σᵢ (wᵢ(lᵢ + logs_cᵢ))²) / scale."""
    spread, count, few = (_of_units if by_unit(tally) else _of_rows)(tally, logs)
    if count < 2:
        return Undefined(few)
    if spread is None:
        return _UNKNOWN
    error = math.sqrt(spread * (count / (count - 1))) / scale
    return error if math.isfinite(error) else _UNKNOWN


def _of_rows(tally: Tally, logs: Array) -> tuple[float | None, int, Reason]:
    """Σᵢ (wᵢ(lᵢ + logs_cᵢ))² as a quadratic of sums by class, over how many rows."""
    few, rows = Reason.TOO_FEW_ROWS, tally.scalar("weighted_rows")
    squares, crossed = (
        tally.vector(name).reals(tally.layout.classes) for name in ("class_ww", "class_wwl")
    )
    whole = real(tally.scalar("ww"))
    if not whole > 0 or abs(float(squares.sum()) - whole) > _CLOSE * whole:
        return None, rows, few
    spread = real(tally.scalar("wwll")) + 2 * float(logs @ crossed) + float(logs**2 @ squares)
    return max(spread, 0.0), rows, few


def _of_units(tally: Tally, logs: Array) -> tuple[float | None, int, Reason]:
    """Σ_b (Σ_{i in b} wᵢ(lᵢ + logs_cᵢ))² over the buckets of units, and how many there are."""
    few, buckets = Reason.TOO_FEW_UNITS, occupied_buckets(tally)
    classes = tally.vector("unit_class")
    if classes.whole() != tally.scalar("w"):
        return None, buckets, few
    by_class = classes.reals(tally.layout.classes * BUCKETS).reshape(-1, BUCKETS)
    with np.errstate(over="ignore"):
        sums = tally.vector("unit_wl").reals(BUCKETS) + logs @ by_class
        return float(np.square(sums).sum()), buckets, few
