"""Cox recalibration: slope and intercept of a line through the logits, from a tally's sums."""

from dataclasses import dataclass, replace

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.tally.bins import BINS, RANK_BINS, rank_bin_of
from kullback.tally.inference import kish
from kullback.tally.tally import Tally
from kullback.tally.units import GROUPS
from kullback.tally.unpredicted import lacks_predictions

_STEPS = 50
_ENOUGH = 1e-12
_LEAST = 1e-6
_SINGULAR = 1e-300
_ROUNDED = 2.0**-38  # of a mean prediction: below is what rounding in bins makes of no spread
_ASSUMED = 0.2  # of the variance of predictions may be what is assumed within bins
_SEEN = 0.9  # of the variance of logits that groups of units must see


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """logit P(1) = intercept + slope · logit p; 0 and 1 are perfect.

    A slope below 1 means predictions too far from the base rate (over-confident), above 1 too
    near to it. Standard errors are None where sums do not tell them.
    """

    slope: float | Undefined
    intercept: float | Undefined
    slope_standard_error: float | None = None
    intercept_standard_error: float | None = None


@dataclass(frozen=True, slots=True)
class _Points:
    """Logits x with weight w and what happened y, (m,) each, of mass 1; and the bin of each."""

    x: Array
    w: Array
    y: Array
    bin: Indices

    def chances(self, line: CalibrationLine) -> Array:
        """What a line predicts."""
        assert isinstance(line.slope, float)
        assert isinstance(line.intercept, float)
        return _chances(line.intercept + line.slope * self.x)

    def information(self, line: CalibrationLine) -> Array:
        """Of slope and intercept, (2, 2)."""
        p = self.chances(line)
        return _information(self.x, self.w * p * (1 - p))


def calibration_line(tally: Tally) -> CalibrationLine:
    """The line of logits that makes predictions fit best: maximum likelihood, by Newton's method.

    A bin of scores stands at its mean prediction ± a spread, with the outcomes divided between the
    two, so that Σp² and Σpy are those of the rows. A tally has these where weights are equal and
    rows came without units, else it has Σ w(y − p)², which ties one to the other: predictions are
    then taken as flat within bins. Of 30,000 rows the line is that of a logistic regression to a
    hundredth of a standard error; to a ninth by units or weights, of predictions that are as narrow
    as a bin or two.

    Returns:
        Undefined: `one_class`; `one_prediction`, by units or weights also where a fifth of the
        variance of predictions would be assumed; `separable` where no finite line is best.
        Standard errors are those of the model for independent rows, and of groups of units where
        rows came with those; None of labels between 0 and 1, and where bins of groups are too wide
        to see 90% of the variance of logits.

    Source: Cox, Biometrika 45 (1958); Binder, International Statistical Review 51 (1983).
    """
    if lacks_predictions(tally):
        nothing = Undefined(Reason.MISSING_PREDICTIONS)
        return CalibrationLine(nothing, nothing)
    weight, positive, predicted = (
        tally.vector(name).reals(BINS) for name in ("bin_w", "bin_wy", "bin_wp")
    )
    some = np.flatnonzero(weight > 0)
    w, y = weight[some], np.minimum(positive[some], weight[some])
    mean = predicted[some] / w
    inner = (mean > 0) & (mean < 1)  # a certain prediction has no logit
    w, y, mean, some = w[inner], y[inner], mean[inner], some[inner]
    if not 0 < y.sum() < w.sum():
        return CalibrationLine(Undefined(Reason.ONE_CLASS), Undefined(Reason.ONE_CLASS))
    total = float(w.sum())
    points = _spread(tally, mean, w / total, y / total, some)
    if points is None or points.x.size < 2:
        return CalibrationLine(Undefined(Reason.ONE_PREDICTION), Undefined(Reason.ONE_PREDICTION))
    share, line = total / float(weight.sum()), _fitted(points.x, points.w, points.y)
    return line if isinstance(line.slope, Undefined) else _with_errors(line, points, tally, share)


def _spread(tally: Tally, mean: Array, w: Array, y: Array, at: Indices) -> _Points | None:
    """Bins as two points each, their spreads in proportion to the widths of the bins.

    None where what is assumed of predictions within bins would decide.
    """
    whole = _Points(np.log(mean) - np.log1p(-mean), w, y, at)
    width = np.exp2(np.floor(np.log2(np.maximum(np.minimum(mean, 1 - mean), 2.0**-20)))) / 64
    shape = width * width
    flat = float(w @ shape) / 12
    left, gained = _left(tally, flat)
    if left <= _ROUNDED * float(w @ mean):
        return whole
    if left == flat and flat > _ASSUMED * (flat + float(w @ np.square(mean - w @ mean))):
        return None
    apart = np.minimum(np.sqrt(left / 12 / flat * shape), 0.5 * np.minimum(mean, 1 - mean))
    more = 0.5 * gained / left * w * apart
    p = np.concatenate((mean - apart, mean + apart))
    return _Points(
        np.log(p) - np.log1p(-p),
        np.concatenate((w, w)) / 2,
        np.concatenate((y / 2 - more, y / 2 + more)),
        np.concatenate((at, at)),
    )


def _left(tally: Tally, flat: float) -> tuple[float, float]:
    """Means of p² and of py that bins which stand at their means p̄ have not: left, gained.

    The squared error, Σ w(y − p)², tells left − 2 gained. Where it stands alone, as weights
    differ or rows came with units, left is that of predictions that are `flat` within bins; or 0
    where the squared error is that of the means.
    """
    weight, positive, predicted = (
        tally.vector(name).reals(BINS) for name in ("bin_w", "bin_wy", "bin_wp")
    )
    total = float(weight.sum())
    mean = np.divide(predicted, weight, out=np.zeros(BINS), where=weight > 0)
    pp, py = float(predicted @ mean) / total, float(positive @ mean) / total
    heaviness, rows = tally.square("ww"), tally.scalar("weighted_rows")
    is_even = heaviness * rows == tally.scalar("w") ** 2
    if is_even and not tally.layout.clustered:
        return tally.square("wwpp") / heaviness - pp, tally.square("wwpy") / heaviness - py
    if not _is_hard(tally):
        return 0.0, 0.0
    error = tally.scalar("wb") / tally.scalar("w")
    more = error - (float(positive.sum()) / total - 2 * py + pp)
    if abs(more) <= _ROUNDED * max(error, pp):
        return 0.0, 0.0
    return flat, (flat - more) / 2


def _is_hard(tally: Tally) -> bool:
    """Whether all labels are 0 or 1."""
    return tally.square("wwy") == tally.square("wwyy")


def _with_errors(
    line: CalibrationLine, points: _Points, tally: Tally, share: float
) -> CalibrationLine:
    """The line with the standard errors of both; `share` of the weight has a logit."""
    if not _is_hard(tally):
        return line
    information = points.information(line)
    if not np.linalg.det(information) > _SINGULAR:
        return line
    inverse = np.linalg.inv(information)
    if not tally.layout.clustered:
        covariance = inverse / (kish(tally) * share)
    else:
        scores = _scores(line, points, tally)
        groups = 0 if scores is None else int((np.abs(scores) > 0).any(axis=1).sum())
        if scores is None or groups < 2:
            return line
        covariance = groups / (groups - 1) * inverse @ (scores.T @ scores) @ inverse
    variances = np.diag(covariance)
    if not (variances > 0).all():
        return line
    slope, intercept = np.sqrt(variances).tolist()
    return replace(line, slope_standard_error=slope, intercept_standard_error=intercept)


def _scores(line: CalibrationLine, points: _Points, tally: Tally) -> Array | None:
    """What each group of units adds to the score of slope and intercept, (GROUPS, 2)."""
    coarse = rank_bin_of(points.bin)
    w, wx, expected = (
        np.bincount(coarse, of, RANK_BINS)
        for of in (points.w, points.w * points.x, points.w * points.chances(line))
    )
    some = w > 0
    x, chance = wx[some] / w[some], expected[some] / w[some]
    center = float(points.w @ points.x)
    if w[some] @ (x - center) ** 2 < _SEEN * (points.w @ (points.x - center) ** 2):
        return None
    weight, positive = (
        tally.vector(name).reals(GROUPS * RANK_BINS).reshape(GROUPS, RANK_BINS)[:, some]
        for name in ("rank_w", "rank_wy")
    )
    gap = (positive - weight * chance) / weight.sum()
    return np.stack([gap @ x, gap.sum(axis=1)], axis=1)


def _chances(logit: Array) -> Array:
    chances: Array = 1 / (1 + np.exp(-np.clip(logit, -700, 700)))
    return chances


def _information(x: Array, curvature: Array) -> Array:
    return np.array([[curvature @ (x * x), curvature @ x], [curvature @ x, curvature.sum()]])


def _fitted(x: Array, w: Array, y: Array) -> CalibrationLine:
    slope = intercept = 0.0
    for _ in range(_STEPS):
        p = _chances(intercept + slope * x)
        residual, matrix = y - w * p, _information(x, w * p * (1 - p))
        determinant = float(np.linalg.det(matrix))
        if not determinant > _SINGULAR:
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
