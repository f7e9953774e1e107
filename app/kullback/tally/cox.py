"""Cox recalibration: slope and intercept of a line through the logits, from a tally's bins."""

from dataclasses import dataclass

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.tally.bins import BINS
from kullback.tally.tally import Tally

_STEPS = 50
_ENOUGH = 1e-12
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """logit P(1) = intercept + slope · logit p; 0 and 1 are perfect.

    A slope below 1 means predictions too far from the base rate (over-confident), above 1 too
    near to it.
    """

    slope: float | Undefined
    intercept: float | Undefined


def calibration_line(tally: Tally) -> CalibrationLine:
    """The line of logits that makes predictions fit best: maximum likelihood, by Newton's method.

    Every row stands at the mean prediction of its bin: true to 10⁻⁴.

    Returns:
        Undefined: `one_class`, or `separable` where no finite line is best.

    Source: Cox, Biometrika 45 (1958).
    """
    weight, positive, predicted = (
        tally.vector(name).reals(BINS) for name in ("bin_w", "bin_wy", "bin_wp")
    )
    some = weight > 0
    w, y = weight[some], np.minimum(positive[some], weight[some])
    mean = predicted[some] / w
    inner = (mean > 0) & (mean < 1)  # a certain prediction has no logit
    w, y, mean = w[inner], y[inner], mean[inner]
    if not 0 < y.sum() < w.sum():
        return CalibrationLine(Undefined(Reason.ONE_CLASS), Undefined(Reason.ONE_CLASS))
    if mean.size < 2:
        return CalibrationLine(Undefined(Reason.ONE_PREDICTION), Undefined(Reason.ONE_PREDICTION))
    return _fitted(np.log(mean) - np.log1p(-mean), w / w.sum(), y / w.sum())


def _fitted(x: Array, w: Array, y: Array) -> CalibrationLine:
    slope = intercept = 0.0
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(intercept + slope * x, -700, 700)))
        residual, curvature = y - w * p, w * p * (1 - p)
        matrix = np.array([[curvature @ (x * x), curvature @ x], [curvature @ x, curvature.sum()]])
        determinant = float(np.linalg.det(matrix))
        if not determinant > 1e-300:
            break
        step = np.linalg.solve(matrix, np.array([residual @ x, residual.sum()]))
        step *= _damping(intercept + slope * x, step[1] + step[0] * x, w, y)
        slope, intercept = slope + float(step[0]), intercept + float(step[1])
        if np.abs(step).max() < _ENOUGH * max(1.0, abs(slope), abs(intercept)):
            return CalibrationLine(slope, intercept)
    return CalibrationLine(Undefined(Reason.SEPARABLE), Undefined(Reason.SEPARABLE))


def _damping(logit: Array, step: Array, w: Array, y: Array) -> float:
    """How much of a step makes the likelihood, which is concave, no less than it was."""

    def loss(at: Array) -> float:
        return float(w @ np.logaddexp(0.0, at) - y @ at)

    before, share = loss(logit), 1.0
    while share > _LEAST and loss(logit + share * step) > before + _ENOUGH * abs(before):
        share /= 2
    return share
