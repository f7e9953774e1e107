"""Confidence sequences and e-values: valid at every look at growing data."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from kullback.numerics.student_t import (
    normal_log_tail,
    normal_log_tail_inverse,
    t_log_tail,
    t_log_tail_inverse,
)
from kullback.tally.contrast import Contrast

MIXTURE = ((1.0, 0.5), (10.0, 0.25), (100.0, 0.25))  # φ in minimum_effect², and its weight
MOST_OF_ONE = 0.1  # of the variance, by one bucket: what is beyond counts less
DISCOUNT = 500.0
_LARGEST = 1.7976931348623157e308
_FURTHEST = 1e4
_STEPS = 60  # of Newton; six are enough


@dataclass(frozen=True, slots=True)
class ConfidenceSequence:
    """What holds at all looks at once, whenever one stops.

    Attributes:
        log_e_value: ln e; under no difference E[e] ≤ 1 at any time, so e ≥ 1/α is rare as α.
        low, high: the interval; with probability 1 − α it is true at every look.
        information: v = minimum_effect² / SE², the clock.
    """

    log_e_value: float
    low: float
    high: float
    information: float

    @property
    def e_value(self) -> float:
        """E, at most the largest double."""
        return math.exp(self.log_e_value) if self.log_e_value < 709 else _LARGEST

    @property
    def p_value(self) -> float:
        """P = min(1, 1/e), valid at any time."""
        return math.exp(-max(self.log_e_value, 0.0))


def confidence_sequence(
    difference: Contrast, minimum_effect: float, alpha: float
) -> ConfidenceSequence:
    """A mixture of normal mixtures θ ~ N(0, φₖ), at the information 1/SE².

        vₖ = φₖ/SE²,  φₖ = {1, 10, 100} minimum_effect², of weights ½, ¼, ¼
        z = Φ⁻¹ of Student's t tail of θ/SE, without what its skewness γ adds to it
        e = Σₖ wₖ (1 + vₖ)^−½ exp(½ z² vₖ/(1 + vₖ))
        θ₀ is in the interval where e of θ − θ₀ is below 1/α

    The mean of θ's that are skewed to one side is too often too far on the other: where θ lies
    there |z| is less by Hall's transformation, z − γz²/3 + γ²z³/27 − γ/6. While the units of one
    bucket make more than a tenth of the variance, e counts one 500th.

    Args:
        difference: the difference now.
        minimum_effect: the smallest effect worth knowing of, fixed before the first look; a true
            effect ten times as large is seen nearly as soon.
        alpha: in (0, 1).

    Returns:
        Bounds are infinite while there is next to no information; low ≤ θ ≤ high.

    Source: Robbins, Annals of Mathematical Statistics 41 (1970); Waudby-Smith, Arbour, Sinha,
        Kennedy & Ramdas, Annals of Statistics 52 (2024); Hall, JRSS B 54 (1992), for γ;
        docs/statistics.md for t, the weights and the discount.
    """
    v = _information(difference, minimum_effect)
    if math.isinf(v):
        log_e = math.inf if difference.effect else -math.inf
        return ConfidenceSequence(log_e, difference.effect, difference.effect, v)
    discount = math.log(DISCOUNT) if difference.largest_share > MOST_OF_ONE else 0.0
    log_e = _log_mixture(deviate(difference) ** 2, _parts(v))[0] - discount
    below, above = reach(difference, boundary(v, alpha * math.exp(-discount)))
    return ConfidenceSequence(log_e, difference.effect - below, difference.effect + above, v)


def deviate(difference: Contrast) -> float:
    """The normal |z| that is as rare as |θ|/SE, without what skewness adds to it."""
    freedom, skewness = difference.degrees_of_freedom, difference.skewness
    z = normal_log_tail_inverse(t_log_tail(abs(difference.statistic), freedom))
    return _less_skewed(z, -skewness if difference.effect > 0 else skewness)


def reach(difference: Contrast, z: float) -> tuple[float, float]:
    """How far below and above θ lies what is as far from it as |z| normal deviates."""
    freedom, skewness = difference.degrees_of_freedom, difference.skewness
    below, above = (
        _quantile(_more_skewed(z, side), freedom) * difference.standard_error
        for side in (-skewness, skewness)
    )
    return below, above


def boundary(v: float, alpha: float) -> float:
    """The standard errors c(v) at which e comes to 1/α; infinite without information.

    Newton's method from above: ln e is convex in c² and grows with it.
    """
    parts = _parts(v)
    if not parts:
        return math.inf
    aim = -math.log(alpha)
    square = min(2 * (aim - log_weight) / rate for log_weight, rate in parts)
    for _ in range(_STEPS if math.isfinite(square) else 0):
        log_e, slope = _log_mixture(square, parts)
        step = (log_e - aim) / slope
        square -= step
        if abs(step) <= 1e-15 * square:
            break
    return math.sqrt(square)


def still_needed(
    difference: Contrast,
    minimum_effect: float,
    alpha: float,
    decides: Callable[[ConfidenceSequence], bool] | None = None,
) -> float | None:
    """How many times the present information decides, if effect and spread stay what they are.

    Args:
        difference: the difference now.
        minimum_effect: as of confidence_sequence.
        alpha: in (0, 1).
        decides: whether a sequence decides; default that the effect is not 0, or is smaller than
            `minimum_effect`.

    Returns:
        At least 1; None beyond 10 000 times.
    """
    if math.isinf(_information(difference, minimum_effect)):
        return 1.0

    def is_decided(times: float) -> bool:
        later = replace(
            difference,
            standard_error=difference.standard_error / math.sqrt(times),
            largest_share=difference.largest_share / times,
            skewness=difference.skewness / math.sqrt(times),
        )
        sure = confidence_sequence(later, minimum_effect, alpha)
        if decides is not None:
            return decides(sure)
        is_small = -minimum_effect < sure.low and sure.high < minimum_effect
        return sure.low > 0 or sure.high < 0 or is_small

    if not is_decided(_FURTHEST):
        return None
    low, high = 0.0, math.log(_FURTHEST)
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if is_decided(math.exp(middle)) else (middle, high)
    return math.exp(high)


def _information(difference: Contrast, minimum_effect: float) -> float:
    """V = minimum_effect²/SE²; infinite where there is no spread, or next to none."""
    ratio = (
        minimum_effect / difference.standard_error if difference.standard_error > 0 else math.inf
    )
    return ratio * ratio


def _parts(v: float) -> list[tuple[float, float]]:
    """Of each part of the mixture ln(w/√(1 + vₖ)) and vₖ/(1 + vₖ), those beyond 0 and doubles."""
    several = [(math.log(weight), v * times) for times, weight in MIXTURE]
    return [
        (log_weight - 0.5 * math.log1p(each), each / (1 + each))
        for log_weight, each in several
        if 0 < each < math.inf
    ]


def _log_mixture(square: float, parts: list[tuple[float, float]]) -> tuple[float, float]:
    """Ln e at z² = square, and how fast it grows with that; 0 without information."""
    logs = [log_weight + 0.5 * rate * square for log_weight, rate in parts]
    most = max(logs, default=0.0)
    if not parts or math.isinf(most):
        return most, 0.0
    shares = [math.exp(each - most) for each in logs]
    slope = sum(0.5 * rate * share for (_, rate), share in zip(parts, shares, strict=True))
    return most + math.log(sum(shares)), slope / sum(shares)


def _less_skewed(z: float, skewness: float) -> float:
    """The |z| that is left of |z| where the skewness γ > 0 adds to it; all of it otherwise."""
    if skewness <= 0 or math.isinf(z):
        return z
    y = z - skewness / 3 * z**2 + (skewness / 3) ** 2 / 3 * z**3 - skewness / 6
    return min(z, max(0.0, y))


def _more_skewed(z: float, skewness: float) -> float:
    """The |z| of which _less_skewed leaves z."""
    if skewness <= 0 or math.isinf(z):
        return z
    cube = skewness * z + skewness**2 / 6
    root = -math.expm1(math.log1p(-cube) / 3) if cube < 1 else 1 + math.cbrt(cube - 1)
    return max(z, 3 * root / skewness)


def _quantile(z: float, freedom: float) -> float:
    """The number beyond which Student's t is as rare as a normal one beyond z."""
    return t_log_tail_inverse(normal_log_tail(z), freedom) if math.isfinite(z) else math.inf
