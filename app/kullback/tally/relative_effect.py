"""Effects relative to the control's value: θ₂/θ₁ − 1, with the sets that hold it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.student_t import t_log_tail_inverse
from kullback.numerics.types import Array, Undefined
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import ArmInfluences, Contrast

_STEPS = 40  # three are enough where degrees of freedom hardly change along the set
_CLOSE = 1e-6
_NO_BOUNDS = Undefined(Reason.CONTROL_NEAR_ZERO)
Side = Literal[-1, 1]
_Quantile = Callable[[Contrast, Side], float]


@dataclass(frozen=True, slots=True)
class RelativeEffect:
    """θ₂/θ₁ − 1 by its error and intervals.

    Attributes:
        effect: in terms of the control's value.
        standard_error: by the delta method, SE(θ₂ − ρθ₁)/|θ₁| at ρ = θ₂/θ₁.
        fixed_interval: for one look, planned ahead.
        confidence_sequence: valid at every look at once; None where there is none of the effect.
    """

    effect: float
    standard_error: float
    fixed_interval: tuple[float, float] | Undefined
    confidence_sequence: tuple[float, float] | Undefined | None = None


def relative_effect(
    arms: ArmInfluences, alpha: float, minimum_effect: float | None, *, is_paired: bool
) -> RelativeEffect | Undefined:
    """The effect in terms of the control's value, with the sets of Fieller.

        {ρ − 1: the interval, or sequence, of θ₂ − ρθ₁ holds 0}

    Where SE(θ₁)/|θ₁| is small they are θ₂/θ₁ − 1 ± k·SE, as of the delta method. They hold 0
    exactly where those of the effect do.

    Args:
        arms: of the treatment and the control.
        alpha: in (0, 1).
        minimum_effect: see confidence_sequence; None for no sequence.
        is_paired: whether the arms have the same rows.

    Returns:
        Undefined (`control_is_zero`) of a control of 0. A set is undefined (`control_near_zero`)
        where the control may be 0: then it has no bounds.

    Source: Fieller, JRSS B 16 (1954); Franz, Ratios: A short guide (2007), for its shapes.
    """
    if not arms.control:
        return Undefined(Reason.CONTROL_IS_ZERO)
    ratio = 1.0 + arms.effect / arms.control
    here = arms.of_ratio(ratio).contrast(is_paired=is_paired)
    if isinstance(here, Undefined):
        return here

    def fixed(contrast: Contrast, _: Side) -> float:
        return t_log_tail_inverse(math.log(alpha / 2), contrast.degrees_of_freedom)

    def sure(contrast: Contrast, side: Side) -> float:
        assert minimum_effect is not None
        sequence = confidence_sequence(contrast, minimum_effect, alpha)
        reach = sequence.low - contrast.effect if side < 0 else sequence.high - contrast.effect
        return abs(reach) / contrast.standard_error

    fieller = _Fieller(arms, ratio, is_paired)
    return RelativeEffect(
        arms.effect / arms.control,
        here.standard_error / abs(arms.control),
        fieller.interval(fixed),
        None if minimum_effect is None else fieller.interval(sure),
    )


@dataclass(frozen=True, slots=True)
class _Fieller:
    """The sets of ratios ρ that are not ruled out; `ratio` is θ₂/θ₁."""

    arms: ArmInfluences
    ratio: float
    is_paired: bool

    def interval(self, quantile: _Quantile) -> tuple[float, float] | Undefined:
        low, high = self._end(quantile, -1), self._end(quantile, 1)
        if low is None or high is None:
            return _NO_BOUNDS
        return low, high

    def _end(self, quantile: _Quantile, side: Side) -> float | None:
        """ρ − 1 at which θ₂ − ρθ₁ is k standard errors from 0; None without such an end.

        ρ − θ₂/θ₁ = d solves (θ₁² − k²C)d² + 2k²Bd − k²A = 0 for the sums of squares and products
        A, B, C of what buckets add to θ₂ − (θ₂/θ₁)θ₁ and to θ₁; k is that of the contrast there.
        """
        control = self.arms.control
        of_ratio, of_control = self._scaled()
        with np.errstate(over="ignore", invalid="ignore"):  # then no end is found
            a, b, c = (
                float((first * second).sum())
                for first, second in (
                    (of_ratio, of_ratio),
                    (of_ratio, of_control),
                    (of_control, of_control),
                )
            )
        away, before = 0.0, -1.0
        for _ in range(_STEPS):
            contrast = self.arms.of_ratio(self.ratio + away).contrast(is_paired=self.is_paired)
            if isinstance(contrast, Undefined):
                return None
            if contrast.standard_error == 0:
                break
            upwards: Side = 1 if side * control > 0 else -1  # beyond it θ₂ − ρθ₁ is below 0
            k = quantile(contrast, upwards)
            square = k * k
            leading = control * control - square * c
            if not leading > 0:
                return None
            root = math.sqrt(square * square * b * b + leading * square * a)
            away = (side * root - square * b) / leading
            if math.isclose(k, before, rel_tol=_CLOSE):
                break
            before = k
        return self.ratio - 1.0 + away

    def _scaled(self) -> tuple[Array, Array]:
        """What buckets add to θ₂ − (θ₂/θ₁)θ₁ and to θ₁, such that sums of squares are variances."""
        treatment, control = self.arms.arms
        counts = [int(np.count_nonzero(rows)) for rows in self.arms.occupied]
        of_treatment, of_control = (math.sqrt(g / (g - 1)) for g in counts)
        scaled: Array = of_control * control
        return of_treatment * treatment - self.ratio * scaled, scaled
