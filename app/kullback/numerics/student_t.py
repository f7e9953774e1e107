"""Tails of Student's t and of the normal distribution, as logarithms."""

import math
import sys

from kullback.numerics.special import log_erfc

_EPSILON = sys.float_info.epsilon
_LARGEST = sys.float_info.max
_LOG_2 = math.log(2.0)
_LOG_2_ROOT_PI = math.log(2.0 * math.sqrt(math.pi))
_LOG_ROOT_2_PI = 0.5 * math.log(2.0 * math.pi)
_ASYMPTOTIC_FROM = 20.0
_CLOSE = 1e-8  # a step's share of t: what a step of third order leaves is below rounding
_STEPS = 60  # four are enough; a bound, should rounding keep them from settling
_STRIDE = 300.0  # the longest step in asinh(t/√ν): its cosh is far from overflow


def normal_log_tail(z: float) -> float:
    """The logarithm of how likely a standard normal number is above `z`.

        ln P(Z > z) = ln(½ erfc(z/√2))

    Args:
        z: any real number, or infinite.

    Returns:
        In [−∞, 0], to 1e-12 of itself; 0 below −38.5, where it is less than every double.

    Source: Abramowitz & Stegun (1964), 26.2.29.
    """
    if z < 0:
        return math.log1p(-0.5 * math.erfc(-z / math.sqrt(2.0))) + 0.0  # never -0.0
    return log_erfc(z / math.sqrt(2.0)) - _LOG_2


def normal_log_tail_inverse(log_p: float) -> float:
    """The number that a standard normal one is above with a given probability.

        z with ln P(Z > z) = log_p

    Args:
        log_p: ln p, at most 0, however near to 0.

    Returns:
        Any real number, to 1e-12 of itself or 1e-15, whichever is more; ∞ for −∞, −∞ for 0.

    Source: Abramowitz & Stegun (1964), 26.2.29; Newton in logs, where the tail is concave.
    """
    if log_p == 0:
        return -math.inf
    if log_p > -_LOG_2:
        return -normal_log_tail_inverse(_complement(log_p))
    if log_p < -1e18:  # ln z is less than rounding beside z²/2
        return math.sqrt(2.0) * math.sqrt(-log_p)
    z = math.sqrt(max(-2.0 * (log_p + _LOG_2), 0.0))  # above: P(Z > z) ≤ ½ exp(−z²/2)
    for _ in range(_STEPS):
        gap = normal_log_tail(z) - log_p
        step = _halley(gap, _hazard(z, gap + log_p), z)
        z += step
        if abs(step) <= _CLOSE * z + _EPSILON:
            break
    return z


def t_log_tail(t: float, df: float) -> float:
    """The logarithm of how likely a number of Student's distribution is above `t`.

        P(T > t) = ½ I_x(ν/2, ½),  x = ν/(ν + t²),  t ≥ 0
        P(T > t) = 1 − P(T > −t),  t < 0

    Args:
        t: any real number, or infinite.
        df: ν, above 0, whole or not; ∞ is the normal distribution.

    Returns:
        In [−∞, 0], to 1e-12 of itself for ν ≥ ½; 0 where it is less than every double.

    Source: Abramowitz & Stegun (1964), 26.7.1.
    """
    if math.isinf(df):
        return normal_log_tail(t)
    if t < 0:
        return _complement(t_log_tail(-t, df))
    return -math.inf if math.isinf(t) else _tail(t, df)[0]


def t_log_tail_inverse(log_p: float, df: float) -> float:
    """The number that one of Student's distribution is above with a given probability.

        t with ln P(T > t) = log_p

    Steps are of Halley's method in u = asinh(t/√ν): the density of u is log-concave, (cosh u)^−ν,
    and so is its tail, so the steps always converge.

    Args:
        log_p: ln p, at most 0, however near to 0.
        df: ν, above 0, whole or not; ∞ is the normal distribution.

    Returns:
        Any real number, to 1e-12 of itself or 1e-15, whichever is more, for ν ≥ ½; infinite where
        it is beyond doubles.

    Source: Abramowitz & Stegun (1964), 26.7.1.
    """
    if math.isinf(df):
        return normal_log_tail_inverse(log_p)
    if log_p == 0:
        return -math.inf
    if log_p > -_LOG_2:
        return -t_log_tail_inverse(_complement(log_p), df)
    if log_p <= t_log_tail(_LARGEST, df):
        return math.inf
    t = _first_guess(log_p, df)
    for _ in range(_STEPS):
        log_tail, hazard = _tail(t, df)
        size = math.hypot(math.sqrt(df), t)
        step = _halley(log_tail - log_p, hazard, df * (t / size))
        step = max(-_STRIDE, min(step, _STRIDE))
        before, t = t, min(t * math.cosh(step) + size * math.sinh(step), _LARGEST)
        if abs(t - before) <= _CLOSE * t + _EPSILON:
            break
    return t


def _complement(log_p: float) -> float:
    """ln(1 − p)."""
    if log_p > -_LOG_2:
        return math.log(-math.expm1(log_p))
    return math.log1p(-math.exp(log_p)) + 0.0  # never -0.0


def _halley(gap: float, hazard: float, slope: float) -> float:
    """The step to where `gap` is 0, from its derivatives −h and −h(h − s).

    −s is the slope of the log density. The divisor is kept from 0 where the gap is wide.
    """
    return gap / hazard / max(1.0 + 0.5 * gap * (1.0 - slope / hazard), 0.5)


def _hazard(z: float, log_tail: float) -> float:
    """Density over tail of the normal distribution, z ≥ 0."""
    if z > 40:  # the exponent cancels; what is too much is 1/z⁴ of it
        return 0.5 * (z + math.hypot(z, 2.0))
    return math.exp(-0.5 * z * z - _LOG_ROOT_2_PI - log_tail)


def _first_guess(log_p: float, df: float) -> float:
    """ν/2 · ln(1 + t²/ν) is about z²/2."""
    z = normal_log_tail_inverse(log_p)
    share = z * (z / df)
    ratio = math.sqrt(math.expm1(share)) if share < 700 else math.exp(min(0.5 * share, 700.0))
    return min(ratio * math.sqrt(df), _LARGEST)


def _tail(t: float, df: float) -> tuple[float, float]:
    """Ln P(T > t) for finite t ≥ 0, and the hazard of asinh(t/√ν) there.

        P(T > t) = Γ(ν/2 + ½)/(2√π Γ(ν/2 + 1)) (1 + t²/ν)^−ν/2 √(1 + ν/t²) / fraction

    Source: Abramowitz & Stegun (1964), 26.5.23, 15.3.3 and 15.3.4; near 0, see _near.
    """
    ratio = t / math.sqrt(df)
    if t <= 2 and ratio <= 0.7:
        return _near(t, df, ratio)
    inverse = math.sqrt(df) / t
    root = math.hypot(1.0, inverse)
    fraction = _fraction(inverse * inverse, df)
    if inverse < 1:  # t/√ν may be beyond doubles
        log_root = 0.5 * math.log1p(inverse * inverse)
        log_size = log_root + math.log(t) - 0.5 * math.log(df)
    else:
        log_root = math.log(root)
        log_size = 0.5 * math.log1p(ratio * ratio)
    log_tail = log_root - df * log_size - _LOG_2_ROOT_PI - _log_gamma_ratio(df) - math.log(fraction)
    return log_tail, df / root * fraction


def _near(t: float, df: float, ratio: float) -> tuple[float, float]:
    """See _tail: by the mass in [0, t].

        t f(t) Σⱼ Πᵢ y (ν + 1 + 2i)/(3 + 2i), i < j,  y = t²/(ν + t²)

    Source: Abramowitz & Stegun (1964), 26.5.4, of a = ½, b = ν/2.
    """
    square = ratio * ratio
    share = square / (1.0 + square)
    total = term = 1.0
    above, below = df + 1.0, 3.0
    while term > 0.25 * _EPSILON * total:
        term *= share * above / below
        total += term
        above += 2.0
        below += 2.0
    log_size = 0.5 * math.log1p(square)
    log_scale = 0.5 * math.log(df) - _LOG_2_ROOT_PI - _log_gamma_ratio(df)
    density = math.exp(log_scale - (df + 1.0) * log_size)
    tail = 0.5 - t * density * total
    return math.log(tail), density / tail * math.hypot(math.sqrt(df), t)


def _fraction(inverse_square: float, df: float) -> float:
    """1/₂F₁(1, ½; ν/2 + 1; −ν/t²), by Gauss's continued fraction; `inverse_square` is ν/t².

        1 + k₁/(1 + k₂/(1 + …)),  kₙ = n (ν + n − 1) / ((ν + 2n − 2)(ν + 2n)) · ν/t²

    Source: DLMF 15.7.1; Thompson & Barnett, J. Comput. Phys. 64 (1986), for its evaluation. No
        term is negative, so no denominator is 0.
    """
    value = numerator = 1.0
    denominator = 0.0
    n = 0.0
    change = 2.0
    while abs(change - 1.0) > _EPSILON:
        below = df + 2.0 * n
        n += 1.0
        term = inverse_square / (df + 2.0 * n) * n * ((df + n - 1.0) / below)
        denominator = 1.0 / (1.0 + term * denominator)
        numerator = 1.0 + term / numerator
        change = numerator * denominator
        value *= change
    return value


def _log_gamma_ratio(df: float) -> float:
    """ln(Γ(ν/2 + 1)/Γ(ν/2 + ½)): by its series beyond 20, where logarithms of Γ would cancel.

    Source: DLMF 5.11.8 at z = ν/2 + ¼, h = ¾ less h = ¼.
    """
    half = 0.5 * df
    if half < _ASYMPTOTIC_FROM:
        return math.log(math.gamma(half + 1.0) / math.gamma(half + 0.5))
    middle = half + 0.25
    u = 1.0 / middle / middle
    series = u * (1 / 64 - u * (5 / 2048 - u * (61 / 49152 - u * (1385 / 1048576))))
    return 0.5 * math.log(middle) + series
