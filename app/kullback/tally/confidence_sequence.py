"""Confidence sequences and e-values: valid at every look at growing data."""

import math
from dataclasses import dataclass

from kullback.numerics.student_t import (
    normal_log_tail,
    normal_log_tail_inverse,
    t_log_tail,
    t_log_tail_inverse,
)
from kullback.tally.contrast import Contrast

_LARGEST = 1.7976931348623157e308
_FURTHEST = 1e4


@dataclass(frozen=True, slots=True)
class ConfidenceSequence:
    """What holds at all looks at once, whenever one stops.

    Attributes:
        log_e_value: ln e; under no difference E[e] ≤ 1 at any time, so e ≥ 1/α is rare as α.
        low, high: the interval; with probability 1 − α it is true at every look.
        information: v = φ / SE², the clock.
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
    """The normal mixture over θ ~ N(0, φ), φ = minimum_effect², at the information 1/SE².

        v = φ/SE²,  z = Φ⁻¹ of Student's t tail of θ/SE
        ln e = −½ ln(1 + v) + ½ z² v/(1 + v)
        θ ± c·SE with c(v) = √((1 + v)/v · (ln(1 + v) + 2 ln(1/α))), as a quantile of t again

    Args:
        difference: the difference now.
        minimum_effect: the smallest effect worth knowing of, fixed before the first look.
        alpha: in (0, 1).

    Returns:
        Bounds are infinite while there is next to no information.

    Source: Robbins, Annals of Mathematical Statistics 41 (1970); Waudby-Smith, Arbour, Sinha,
        Kennedy & Ramdas, Annals of Statistics 52 (2024); docs/statistics.md for t.
    """
    v = _information(difference, minimum_effect)
    if math.isinf(v):
        log_e = math.inf if difference.effect else -math.inf
        return ConfidenceSequence(log_e, difference.effect, difference.effect, v)
    tail = t_log_tail(abs(difference.statistic), difference.degrees_of_freedom)
    z = normal_log_tail_inverse(tail)
    log_e = -0.5 * math.log1p(v) + (0.5 * z * z * (v / (1 + v)) if v > 0 else 0.0)
    half = _half_width(v, difference.degrees_of_freedom, alpha) * difference.standard_error
    return ConfidenceSequence(log_e, difference.effect - half, difference.effect + half, v)


def boundary(v: float, alpha: float) -> float:
    """c(v) = √((1 + v)/v · (ln(1 + v) + 2 ln(1/α))), in standard errors; see sequence."""
    return math.sqrt((1 + v) / v * (math.log1p(v) - 2 * math.log(alpha))) if v > 0 else math.inf


def still_needed(difference: Contrast, minimum_effect: float, alpha: float) -> float | None:
    """How many times the present information decides, if effect and spread stay what they are.

    What is decided is that the effect is not 0, or that it is smaller than `minimum_effect`:
    whichever comes first. None beyond 10 000 times.
    """
    v = _information(difference, minimum_effect)
    if math.isinf(v):
        return 1.0
    reach = max(abs(difference.effect), minimum_effect - abs(difference.effect))

    def is_decided(times: float) -> bool:
        half = _half_width(v * times, difference.degrees_of_freedom, alpha)
        return half * difference.standard_error / math.sqrt(times) < reach

    if not is_decided(_FURTHEST):
        return None
    low, high = 0.0, math.log(_FURTHEST)
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if is_decided(math.exp(middle)) else (middle, high)
    return math.exp(high)


def _information(difference: Contrast, minimum_effect: float) -> float:
    """V = φ/SE²; infinite where there is no spread, or next to none."""
    ratio = (
        minimum_effect / difference.standard_error if difference.standard_error > 0 else math.inf
    )
    return ratio * ratio


def _half_width(v: float, freedom: float, alpha: float) -> float:
    c = boundary(v, alpha)
    return t_log_tail_inverse(normal_log_tail(c), freedom) if math.isfinite(c) else math.inf
