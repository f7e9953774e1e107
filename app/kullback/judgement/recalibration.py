"""E-values of predictions: whether outcomes speak for them or for another reading of them.

Whoever says p bets on p. Another forecaster, who says q, wins the likelihood ratio

    e = Π qᵢ^yᵢ (1 − qᵢ)^(1 − yᵢ) / pᵢ^yᵢ (1 − pᵢ)^(1 − yᵢ)

whose expectation is 1 where the p are right: it is large by chance as rarely as 1/e. Nothing else
is assumed of the rows, and nothing is learned from them before. Others read p as

    logit q = m + a + b (logit p − m)        m the logit of the mean prediction

a is how far off the rate is, b how much of the differences is real: 1 all of them, 0 none. That
predictions are never quite right is no news, so they are read as well as they can be within a
tolerance of a and b: the ratio is against the best of these.

Source: Vovk & Wang, Annals of Statistics 49 (2021); Wasserman, Ramdas & Balakrishnan, PNAS 117
(2020), for nulls of many members; Cox, Biometrika 45 (1958), for a and b.
"""

import math
from dataclasses import dataclass

import numpy as np

from kullback.judgement.blocks import Block, logits
from kullback.numerics.types import Array

_FACTORS = (1.2, 1.5, 2.0, 4.0)  # how many times too low or too high
RATES = np.array([*_FACTORS, *(1 / factor for factor in _FACTORS)])
SLOPES = (0.0, 0.25, 0.5, -1.0, 1.6, 2.5)
SLOPE_WEIGHTS = np.log([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])  # rows joined to others: what is most asked
SHIFTS = (0.0, 0.2, -0.2)  # of a, beside another slope
_SHIFT_WEIGHTS = np.log([0.8, 0.1, 0.1])
RATE_WEIGHTS = np.full(RATES.size, -np.log(RATES.size))
_MOST_SHIFT, _MOST_SLOPES = 4.0, (-3.0, 5.0)
_FEW = 50  # other rows that tell nothing
_SURE = 3.0  # of a log-likelihood: others are off, and not by chance
_STEPS, _NEAR = 200, 1e-6
_LARGEST = 12.0  # of a logit that is moved


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far predictions may be off: the rate by a share of it, the slope by so much."""

    rate: float = 0.1
    slope: float = 0.15


@dataclass(frozen=True, slots=True)
class Null:
    """The readings a and b of predictions that are no news: of a within `shifts`, b `slopes`."""

    shifts: tuple[float, float]
    slopes: tuple[float, float]

    @classmethod
    def of(cls, block: Block, tolerance: Tolerance, others: Block | None = None) -> "Null":
        """Predictions that are about right; where `others` are surely off, those off alike too.

        So a value of a slice is compared with the other rows of its hour.
        """
        wide, steep = math.log1p(tolerance.rate) / _unit(block), tolerance.slope
        null = cls((-wide, wide), (1 - steep, 1 + steep))
        if others is None or others.rows < _FEW:
            return null
        rows = _Rows.of(others)
        a, b = _best(rows, cls((-_MOST_SHIFT, _MOST_SHIFT), _MOST_SLOPES))
        if rows.at(a, b) - rows.at(*_best(rows, null)) < _SURE:
            return null
        return cls(
            (min(-wide, a - wide), max(wide, a + wide)),
            (min(1 - steep, b - steep), max(1 + steep, b + steep)),
        )

    @property
    def of_any_rate(self) -> "Null":
        """The same slopes at whatever rate."""
        return Null((-_MOST_SHIFT, _MOST_SHIFT), self.slopes)


def rate_evidence(block: Block, null: Null) -> Array:
    """The logarithms of e-values of rates that are too high or too low, (RATES,)."""
    shifts = np.log(RATES) / _unit(block)
    return _against_best(block, null, shifts[:, None], np.ones((shifts.size, 1)))


def slope_evidence(block: Block, null: Null) -> Array:
    """The logarithms of e-values of SLOPES, each mixed over SHIFTS, (SLOPES,), at any rate.

    Half of those of -1 read the predictions as of the opposite: labels or scores are swapped.
    """
    shifts, slopes = np.meshgrid(np.array(SHIFTS) / _unit(block), np.array(SLOPES))
    swapped = -2 * _Rows.of(block).middle  # of a: with a slope of -1 that reads p as 1 - p
    a, b = np.append(shifts, swapped).reshape(-1, 1), np.append(slopes, -1.0).reshape(-1, 1)
    each = _against_best(block, null.of_any_rate, a, b)
    weighted = each[:-1].reshape(len(SLOPES), -1) + _SHIFT_WEIGHTS
    mixed: Array = np.logaddexp.reduce(weighted, axis=1)
    opposite = SLOPES.index(-1.0)
    mixed[opposite] = np.logaddexp(mixed[opposite], each[-1]) - math.log(2)
    return mixed


def fitted_slope(block: Block) -> float:
    """The slope that fits best, at any rate."""
    return _best(_Rows.of(block), Null((-_MOST_SHIFT, _MOST_SHIFT), _MOST_SLOPES))[1]


def class_evidence(block: Block, tolerance: Tolerance, others: Block | None = None) -> Array:
    """The logarithms of e-values of rates of each class, (k, RATES): counts as Poisson.

        ln e = O ln(r/τ) − E (r − τ),  τ = 1 + tolerance above, 1/(1 + tolerance) below

    That 1 + x ≤ exp x makes it one of outcomes that are no Poisson counts too.
    """
    seen, said = block.class_weight / block.scale, block.class_predicted / block.scale
    edge = np.full((seen.size, 1), 1 + tolerance.rate)
    above, below = edge, 1 / edge
    if others is not None and others.rows >= _FEW:  # those off alike are no news
        off = (others.class_weight + 1) / (others.class_predicted + 1)
        above, below = np.maximum(above, off[:, None]), np.minimum(below, off[:, None])
    near = np.where(RATES > 1, np.minimum(above, RATES), np.maximum(below, RATES))
    log_e: Array = seen[:, None] * np.log(RATES / near) - said[:, None] * (RATES - near)
    return log_e


def class_skill_evidence(block: Block) -> Array:
    """The logarithm of the e-value of the mean prediction, said of every row, (1,)."""
    said = block.class_predicted / block.class_predicted.sum()
    some = block.class_weight > 0
    with np.errstate(divide="ignore"):
        constant = -float(block.class_weight[some] @ np.log(said[some]))
    return np.array([(block.loss - constant) / block.scale])


@dataclass(frozen=True, slots=True)
class _Rows:
    """Effective rows of a block by group: logits about their middle, positives and negatives."""

    middle: float
    x: Array
    positive: Array
    negative: Array

    @classmethod
    def of(cls, block: Block) -> "_Rows":
        some = block.weight > 0
        mean = min(max(block.mean_prediction, 1e-6), 1 - 1e-6)
        middle = float(np.log(mean) - np.log1p(-mean))
        weight, positive = block.weight[some], np.minimum(block.positive, block.weight)[some]
        scale = block.scale * block.outcomes
        x = logits(block)[some] - middle
        return cls(middle, x, positive / scale, (weight - positive) / scale)

    def at(self, a: float, b: float) -> float:
        """The log-likelihood at one of them."""
        return float(self.likelihood(np.array([[a]]), np.array([[b]]))[0])

    def likelihood(self, a: Array, b: Array) -> Array:
        """The log-likelihood at each (a, b), (c, 1) both: (c,)."""
        z = np.clip(self.middle + a + b * self.x, -_LARGEST - 3, _LARGEST + 3)
        return -np.logaddexp(0, -z) @ self.positive - np.logaddexp(0, z) @ self.negative


def _unit(block: Block) -> float:
    """What a logit is of the rate of the rarer outcome, in relative terms."""
    mean = block.mean_prediction
    return max(mean, 1 - mean)


def _against_best(block: Block, null: Null, a: Array, b: Array) -> Array:
    rows = _Rows.of(block)
    return rows.likelihood(a, b) - rows.at(*_best(rows, null))


def _best(rows: _Rows, null: Null) -> tuple[float, float]:
    """The a and b of a null with the largest likelihood, which is concave.

    By Newton's steps, of both or in turn where the null ends. A step is cut to where it surely
    rises: where no logit moves by more than ln 2 the curvature at most doubles, and it is nowhere
    more than a quarter of the rows.

    Source: Böhning & Lindsay, Annals of the Institute of Statistical Mathematics 40 (1988).
    """
    x, number = rows.x, rows.positive + rows.negative
    square, lows, highs = number * np.square(x), *zip(null.shifts, null.slopes, strict=True)
    furthest = float(np.abs(x).max()) + 1e-9
    near = math.log(2), math.log(2) / furthest
    most = float(number.sum()) / 4, float(square.sum()) / 4 + 1e-12
    best = [0.0, min(max(1.0, null.slopes[0]), null.slopes[1])]
    for _ in range(_STEPS):
        before = list(best)
        rises, bends, both = _curve(rows, number, *best)
        whole = bends[0] * bends[1] - both**2
        if whole > 1e-9 * bends[0] * bends[1]:
            a = (bends[1] * rises[0] - both * rises[1]) / whole
            b = (bends[0] * rises[1] - both * rises[0]) / whole
            short = min(1.0, math.log(2) / (abs(a) + abs(b) * furthest + 1e-12))
            there = [best[0] + short * a, best[1] + short * b]
            if all(low < at < high for low, at, high in zip(lows, there, highs, strict=True)):
                best = there
        if best == before:
            for axis in (0, 1):
                rises, bends, _ = _curve(rows, number, *best)
                step, reach = (
                    rises[axis] / bends[axis],
                    max(near[axis], abs(rises[axis]) / most[axis]),
                )
                step = min(max(step, -reach), reach)
                best[axis] = min(max(best[axis] + step, lows[axis]), highs[axis])
        if max(abs(best[0] - before[0]), abs(best[1] - before[1]) * furthest) < _NEAR:
            break
    return best[0], best[1]


def _curve(rows: _Rows, number: Array, a: float, b: float) -> tuple[Array, Array, float]:
    """How the log-likelihood rises along a and b, how it bends along each, and along both."""
    q = 1 / (1 + np.exp(-np.clip(rows.middle + a + b * rows.x, -_LARGEST, _LARGEST)))
    rest, bend = rows.positive - number * q, number * q * (1 - q)
    along = bend * rows.x
    rises = np.array([rest.sum(), rest @ rows.x])
    return rises, np.array([bend.sum(), along @ rows.x]) + 1e-12, float(along.sum())
