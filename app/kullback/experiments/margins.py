"""Margins: the smallest effect that matters, in the metric's unit or in percent of the control's.

A margin of "2%" is of the value that the control truly has, which is estimated like the effect:
not θ ± δ is compared with 0 but θ₂ − (1 ± m)θ₁, with the error of that.
"""

import math
from dataclasses import dataclass, replace

from kullback.errors import InvalidInput
from kullback.numerics.digits import power_of_ten
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import ConfidenceSequence, confidence_sequence
from kullback.tally.contrast import ArmInfluences

MinimumEffect = float | str  # a string is percent of the control's value, as it was typed
SMALLEST, LARGEST = 1e-100, 1e100  # squares and quotients of others are 0 or infinite in float64
EFFECTS = {
    "anyOf": [
        {"type": "number", "minimum": SMALLEST, "maximum": LARGEST},
        {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"},
    ]
}
_SYNTAX = 'a number above 0, or percent of the control\'s value such as "2%"'


@dataclass(frozen=True, slots=True)
class Margin:
    """The margin δ of an effect θ, as of now, and how θ lies to it at every look.

    Attributes:
        amount: δ in the metric's unit.
        below, above: the sequences of θ + δ and of θ − δ.
    """

    amount: float
    below: ConfidenceSequence
    above: ConfidenceSequence


def check_minimum_effect(value: object) -> MinimumEffect:
    """A minimum effect as a caller sends it.

    Raises:
        InvalidInput: it is neither a number nor percent, or too small or too large.
    """
    if isinstance(value, str):
        share = _percent(value)
        if not SMALLEST <= share <= 1:
            raise InvalidInput.at("a percentage is above 0, and at most 100%", "minimum_effect")
        return value
    is_infinite = isinstance(value, float) and not math.isfinite(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or is_infinite:
        raise InvalidInput.at(_SYNTAX, "minimum_effect")
    if not SMALLEST <= value <= LARGEST:
        bounds = "must be above 0" if value <= 0 else f"is not in [{SMALLEST:g}, {LARGEST:g}]"
        raise InvalidInput.at(bounds, "minimum_effect")
    return float(value)


def amount(minimum: MinimumEffect, control: float) -> float:
    """A minimum effect in the metric's unit, of a control of this value."""
    return _percent(minimum) * abs(control) if isinstance(minimum, str) else minimum


def worded(minimum: MinimumEffect, unit: str, *, of_what: str = "the control's") -> str:
    """A minimum effect as it was typed, with its unit: "0.02 nats", "2% of the control's"."""
    if isinstance(minimum, str):
        return f"{minimum} of {of_what}"
    factor, is_power, exponent = f"{minimum:g}".partition("e")
    return f"{factor}{power_of_ten(int(exponent)) if is_power else ''}{unit}"


def margin_of(
    minimum: MinimumEffect,
    sequence: ConfidenceSequence,
    arms: ArmInfluences,
    alpha: float,
    *,
    is_paired: bool,
) -> Margin:
    """How an effect lies to the margin: by its own sequence, or those of θ₂ − (1 ± m)θ₁.

    Those three rule out ratios θ₂/θ₁ of one family of sequences, {ρ: θ₂ − ρθ₁ may be 0}, which
    holds the true ratio at all looks at once with probability 1 − α: no claim of theirs costs
    more α than another.
    """
    if not isinstance(minimum, str):
        return absolute_margin(minimum, sequence)
    delta, share = amount(minimum, arms.control), math.copysign(_percent(minimum), arms.control)
    bounds = []
    for ratio in (1.0 - share, 1.0 + share):
        contrast = arms.of_ratio(ratio).contrast(is_paired=is_paired)
        if isinstance(contrast, Undefined):
            contrast_at = replace(sequence, low=-math.inf, high=math.inf)
        else:
            contrast_at = confidence_sequence(contrast, delta, alpha)
        bounds.append(contrast_at)
    return Margin(delta, *bounds)


def absolute_margin(delta: float, sequence: ConfidenceSequence) -> Margin:
    """How an effect lies to ±δ, by its own sequence."""
    below, above = (
        replace(sequence, low=sequence.low + shift, high=sequence.high + shift)
        for shift in (delta, -delta)
    )
    return Margin(delta, below, above)


def _percent(text: str) -> float:
    """The share that "2%" says.

    Raises:
        InvalidInput: it says none.
    """
    number = text.strip().removesuffix("%").rstrip()
    try:
        share = float(number) / 100 if text.rstrip().endswith("%") else math.nan
    except ValueError:
        share = math.nan
    if not math.isfinite(share) or "_" in number:
        raise InvalidInput.at(_SYNTAX, "minimum_effect")
    return share
