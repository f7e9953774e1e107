"""Temperature scaling: the one number that makes logits fit best."""

import math
import sys
from dataclasses import dataclass

import numpy as np

from kullback.numerics.logspace import log_softmax
from kullback.numerics.means import part
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import row_blocks

_STEPS = 200
_LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class _Slope:
    """Of the mean negative log-likelihood in β = 1/T, and its own slope."""

    value: float
    curvature: float


def temperature(logits: Array, index: Indices, weight: Array | None) -> float | Undefined:
    """The T > 0 that minimizes −Σ w ln softmax(z/T)_y.

    The loss is convex in β = 1/T; its slope Σ w(E_{p_β}[z] − z_y) is brought to 0 by Newton
    steps kept inside a shrinking bracket.

    Args:
        logits: z, shape (n, k), −∞ allowed.
        index: the class of each row, (n,).
        weight: of each row, or None.

    Returns:
        T, or why there is none: `separable` (the loss falls for ever as T → 0),
        `anti_predictive` (it falls as T → ∞), `infinite_loss`, `zero_weight`.

    Source: Guo, Pleiss, Sun & Weinberger, ICML (2017), §4.2.
    """
    rows = np.arange(index.size)
    alive = np.ones(index.size, np.bool_) if weight is None else weight > 0
    if not alive.any():
        return Undefined(Reason.ZERO_WEIGHT)
    z, w = logits[alive], None if weight is None else weight[alive]
    index, rows = index[alive], rows[: int(alive.sum())]
    with np.errstate(over="ignore"):
        z = z - z.max(axis=1, keepdims=True)
    # the slopes hold squares of z: a power of two keeps them inside doubles
    scale = math.ldexp(1.0, min(math.frexp(-float(z[z > -np.inf].min()))[1], 1023))
    z = z / scale
    truth = z[rows, index]
    if not truth.min() > -np.inf:
        return Undefined(Reason.INFINITE_LOSS)
    if not truth.min() < 0:
        return Undefined(Reason.SEPARABLE)
    if _slope(z, truth, w, 0.0).value >= 0:
        return Undefined(Reason.ANTI_PREDICTIVE)
    beta = _root(z, truth, w)
    return Undefined(Reason.SEPARABLE) if beta is None else scale / beta


def _root(z: Array, truth: Array, w: Array | None) -> float | None:
    """The β where the slope is 0, or None where it is still negative at the largest double.

    Newton steps as long as each is at most half the last, else the middle of the bracket.
    """
    bracket = _bracket(z, truth, w)
    if bracket is None:
        return None
    low, high = bracket
    beta = _middle(low, high)
    last = high - low
    for _ in range(_STEPS):
        slope = _slope(z, truth, w, beta)
        if slope.value < 0:
            low = beta
        else:
            high = beta
        step = -slope.value / slope.curvature if slope.curvature > 0 else math.inf
        following = beta + step
        if not (low < following < high and abs(step) <= last / 2):
            following = _middle(low, high)
        last = abs(following - beta)
        if last <= 4e-16 * beta or following in (low, high):
            return following
        beta = following
    return beta


def _bracket(z: Array, truth: Array, w: Array | None) -> tuple[float, float] | None:
    """Two β between which the slope changes its sign, by factors that are squared each time."""
    low, high, factor = 0.0, min(1.0 / -float(truth.min()), _LARGEST), 2.0
    while _slope(z, truth, w, high).value < 0:
        if high == _LARGEST:
            return None
        low, high, factor = high, min(high * factor, _LARGEST), factor * factor
    return low, high


def _middle(low: float, high: float) -> float:
    """The middle in β, or in ln β where the two are of different magnitudes."""
    return math.sqrt(low) * math.sqrt(high) if 0 < 4 * low < high else low + (high - low) / 2


def _slope(z: Array, truth: Array, weight: Array | None, beta: float) -> _Slope:
    values, curvatures = [], []
    for block in row_blocks(*z.shape):
        finite = np.where(np.isfinite(z[block]), z[block], 0.0)
        scaled = np.where(np.isfinite(z[block]), beta * finite, -np.inf)
        p = np.exp(log_softmax(scaled))
        mean = (p * finite).sum(axis=1)
        spread = (p * (finite - mean[:, None]) ** 2).sum(axis=1)
        w = part(weight, block)
        slope = mean - truth[block]
        values.append(float(np.sum(slope if w is None else w * slope)))
        curvatures.append(float(np.sum(spread if w is None else w * spread)))
    return _Slope(math.fsum(values), math.fsum(curvatures))
