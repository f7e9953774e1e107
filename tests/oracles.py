"""Oracles: formulas at 60 digits, written from the formulas alone."""

import math
from collections.abc import Sequence
from typing import Protocol, Self

from mpmath import MPContext

Row = Sequence[float]


class Real(Protocol):
    """A number of 60 digits."""

    def __float__(self) -> float: ...
    def __bool__(self) -> bool: ...
    def __neg__(self) -> Self: ...
    def __add__(self, other: Self | float) -> Self: ...
    def __radd__(self, other: float) -> Self: ...
    def __sub__(self, other: Self | float) -> Self: ...
    def __mul__(self, other: Self | float) -> Self: ...
    def __truediv__(self, other: Self | float) -> Self: ...


_mp = MPContext()
_mp.dps = 60
_INFINITY = _mp.mpf("inf")


def relative_error(found: float, truth: float) -> float:
    """|found − truth| / |truth|; what is as good as equal below the least normal number is 0."""
    if found == truth or abs(found - truth) <= 4 * math.ulp(0.0):
        return 0.0
    if not math.isfinite(truth) or truth == 0.0:
        return math.inf
    return abs(found - truth) / abs(truth)


def entropy(p: Row) -> float:
    return float(sum(_surprise(a, a) for a in p))


def cross_entropy(p: Row, q: Row) -> float:
    return float(sum(_surprise(a, b) for a, b in zip(p, q, strict=True)))


def kl(p: Row, q: Row) -> float:
    """Σ p ln(p/q) − p + q: what rounding does to the sums of p and q is left out."""
    pairs = [(_mp.mpf(a), _mp.mpf(b)) for a, b in zip(p, q, strict=True)]
    return float(sum(_relative(a, b) + b - a for a, b in pairs))


def plain_kl(p: Row, q: Row) -> float:
    return float(sum(_relative(_mp.mpf(a), _mp.mpf(b)) for a, b in zip(p, q, strict=True)))


def js(p: Row, q: Row) -> float:
    pairs = [(_mp.mpf(a), _mp.mpf(b)) for a, b in zip(p, q, strict=True)]
    total = sum(_relative(a, (a + b) / 2) + _relative(b, (a + b) / 2) for a, b in pairs)
    return float(total / 2)


def weighted_js(p: Row, q: Row, weight: float) -> float:
    """w KL(p‖m) + (1 − w) KL(q‖m), m = wp + (1 − w)q."""
    share, total = _mp.mpf(weight), _mp.mpf(0)
    for a, b in zip(p, q, strict=True):
        middle = share * a + (1 - share) * b
        total += share * _relative(_mp.mpf(a), middle) + (1 - share) * _relative(_mp.mpf(b), middle)
    return float(total)


def log_softmax(z: Row) -> list[float]:
    return [float(_log_p(z, j)) for j in range(len(z))]


def softmax_entropy(z: Row) -> float:
    return float(-sum(_mp.exp(_log_p(z, j)) * _log_p(z, j) for j in _possible(z)))


def softmax_kl(z: Row, x: Row) -> float:
    logs = [(_log_p(z, j), _log_p(x, j)) for j in _possible(z)]
    return float(sum(_mp.exp(a) * (a - b) for a, b in logs))


def log_complement(log_p: float) -> float:
    """−ln(1 − e^{ln p})."""
    exact = _mp.mpf(log_p)
    return float(-_mp.log(-_mp.expm1(exact)) if exact > -1 else -_mp.log1p(-_mp.exp(exact)))


def log_entropy(log_p: Row) -> float:
    return float(-sum(_mp.exp(a) * _mp.mpf(a) for a in log_p if a > -math.inf))


def log_cross_entropy(log_p: Row, log_q: Row) -> float:
    pairs = zip(log_p, log_q, strict=True)
    return float(-sum(_mp.exp(a) * _mp.mpf(b) for a, b in pairs if a > -math.inf))


def log_kl(log_p: Row, log_q: Row) -> float:
    """The same as kl, of logarithms."""
    pairs = [(_mp.mpf(a), _mp.mpf(b)) for a, b in zip(log_p, log_q, strict=True)]
    gains = sum(_mp.exp(a) * (a - b) for a, b in pairs if a > -_INFINITY)
    return float(gains + sum(_mp.exp(b) - _mp.exp(a) for a, b in pairs))


def merged_kl(log_p: Row, log_q: Row) -> float:
    """KL of these outcomes and of all others as one."""
    p, q = ([_mp.exp(_mp.mpf(a)) for a in logs] for logs in (log_p, log_q))
    pairs = [*zip(p, q, strict=True), (1 - sum(p), 1 - sum(q))]
    return float(sum(_relative(max(a, _mp.mpf(0)), max(b, _mp.mpf(0))) for a, b in pairs))


def mixture_js(log_p: Row, log_q: Row, weight: float = 0.5) -> float:
    """w KL(p‖m) + (1 − w) KL(q‖m), m = wp + (1 − w)q, of logarithms."""
    share, total = _mp.mpf(weight), _mp.mpf(0)
    for a, b in zip(log_p, log_q, strict=True):
        p, q = _mp.exp(a), _mp.exp(b)
        middle = share * p + (1 - share) * q
        total += share * _relative(p, middle) + (1 - share) * _relative(q, middle)
    return float(total)


def softmax_cross_entropy(z: Row, target: Row) -> float:
    return float(-sum(_mp.mpf(t) * _log_p(z, j) for j, t in enumerate(target) if t > 0))


def bernoulli(y: float, p: float) -> float:
    return float(_bernoulli(y, p))


def sigmoid_cross_entropy(y: float, x: float, pos_weight: float = 1.0) -> float:
    positive = pos_weight * _mp.mpf(y) * _softplus(-x) if y * pos_weight > 0 else _mp.mpf(0)
    negative = (1 - _mp.mpf(y)) * _softplus(x) if y < 1 else _mp.mpf(0)
    return float(positive + negative)


def focal(p_true: float, gamma: float, alpha: float = 1.0) -> float:
    p = _mp.mpf(p_true)
    return float(-_mp.mpf(alpha) * (1 - p) ** _mp.mpf(gamma) * _log(p))


def focal_complement(p_false: float, gamma: float) -> float:
    """Of what was true where p was given to what was not."""
    miss = _mp.mpf(p_false)
    return float(-(miss ** _mp.mpf(gamma)) * (_mp.log1p(-miss) if miss < 1 else -_INFINITY))


def focal_logit(x_true: float, gamma: float, alpha: float = 1.0) -> float:
    """Of the logit of what was true."""
    power = _mp.exp(-_mp.mpf(gamma) * _softplus(x_true))
    return float(_mp.mpf(alpha) * power * _softplus(-x_true))


def focal_softmax(z: Row, index: int, gamma: float, alpha: float = 1.0) -> float:
    miss = sum(_mp.exp(_log_p(z, j)) for j in _possible(z) if j != index)
    return float(-_mp.mpf(alpha) * _mp.mpf(miss) ** _mp.mpf(gamma) * _log_p(z, index))


def weighted_mean(values: Row, weight: Row | None = None) -> float:
    """Σ wv / Σ w, of numbers that are exact."""
    w = [1.0] * len(values) if weight is None else weight
    total = sum(_mp.mpf(a) * _mp.mpf(b) for a, b in zip(w, values, strict=True) if a > 0)
    return float(total / _mp.fsum(_mp.mpf(a) for a in w))


def log_loss(y: Row, p: Row, weight: Row | None = None) -> float:
    w = [1.0] * len(y) if weight is None else weight
    rows = zip(w, y, p, strict=True)
    total = sum(_mp.mpf(a) * _bernoulli(b, c) for a, b, c in rows if a > 0)
    return float(total / _mp.fsum(_mp.mpf(a) for a in w))


def normalized_entropy(y: Row, p: Row, weight: Row | None = None) -> float:
    w = [1.0] * len(y) if weight is None else weight
    clicks = _mp.fsum(_mp.mpf(a) * _mp.mpf(b) for a, b in zip(w, y, strict=True))
    rate = clicks / _mp.fsum(_mp.mpf(a) for a in w)
    uncertainty = -rate * _mp.log(rate) - (1 - rate) * _mp.log(1 - rate)
    return float(_mp.mpf(log_loss(y, p, weight)) / uncertainty)


def sampling_corrected(p: float, rate: float) -> float:
    exact = _mp.mpf(p)
    return float(exact / (exact + (1 - exact) / _mp.mpf(rate)))


def auc(y: Row, p: Row, weight: Row | None = None) -> float:
    """The share of pairs that are ranked rightly, counted one by one."""
    w = [1.0] * len(y) if weight is None else weight
    rows = [(_mp.mpf(a), _mp.mpf(b), c) for a, b, c in zip(w, y, p, strict=True)]
    won, pairs = _mp.mpf(0), _mp.mpf(0)
    for mine, positive, high in rows:
        for theirs, other, low in rows:
            pair = mine * positive * theirs * (1 - other)
            won += pair * (2 if high > low else 1 if high == low else 0) / 2
            pairs += pair
    return float(won / pairs)


def expected_calibration_error(y: Row, p: Row, weight: Row | None = None, bins: int = 15) -> float:
    """Row by row into bins (b/m, (b + 1)/m]; 0 in the first."""
    w = [1.0] * len(y) if weight is None else weight
    gaps = [_mp.mpf(0)] * bins
    edges = [b / bins for b in range(bins + 1)]
    for a, label, stated in zip(w, y, p, strict=True):
        inside = [b for b in range(bins) if edges[b] < stated <= edges[b + 1]]
        gaps[inside[0] if inside else 0] += _mp.mpf(a) * (_mp.mpf(label) - _mp.mpf(stated))
    return float(sum(abs(gap) for gap in gaps) / _mp.fsum(_mp.mpf(a) for a in w))


def temperature_slope(rows: Sequence[Row], index: Sequence[int], temperature: float) -> float:
    """d/dβ of the mean −ln softmax(βz)_y at β = 1/T."""
    beta, total = 1 / _mp.mpf(temperature), _mp.mpf(0)
    for z, y in zip(rows, index, strict=True):
        grown = [_mp.exp(beta * _mp.mpf(v)) for v in z]
        total += sum(g * _mp.mpf(v) for g, v in zip(grown, z, strict=True)) / sum(grown) - z[y]
    return float(total / len(rows))


def _log(x: Real) -> Real:
    logarithm: Real = _mp.log(x) if x else -_INFINITY
    return logarithm


def _surprise(p: float, q: float) -> Real:
    cost: Real = -_mp.mpf(p) * _log(_mp.mpf(q)) if p > 0 else _mp.mpf(0)
    return cost


def _relative(p: Real, q: Real) -> Real:
    """P ln(p/q)."""
    cost: Real = _mp.mpf(0)
    if p:
        cost = _mp.mpf(p) * _mp.log(_mp.mpf(p) / _mp.mpf(q)) if q else _INFINITY
    return cost


def _softplus(x: float) -> Real:
    grown: Real = _mp.log1p(_mp.exp(_mp.mpf(x)))
    return grown


def _bernoulli(y: float, p: float) -> Real:
    exact = _mp.mpf(p)
    positive: Real = -_mp.mpf(y) * _log(exact) if y > 0 else _mp.mpf(0)
    negative: Real = -(1 - _mp.mpf(y)) * (_mp.log1p(-exact) if p < 1 else -_INFINITY)
    return positive + (negative if y < 1 else _mp.mpf(0))


def _possible(z: Row) -> list[int]:
    return [j for j, v in enumerate(z) if v > -math.inf]


def _log_p(z: Row, j: int) -> Real:
    """−ln(1 + Σ_{i≠j} e^{zᵢ − zⱼ})."""
    log_p: Real = -_INFINITY
    if z[j] > -math.inf:
        own = _mp.mpf(z[j])
        log_p = -_mp.log1p(sum(_mp.exp(_mp.mpf(v) - own) for i, v in enumerate(z) if i != j))
    return log_p
