"""Planned horizons: O'Brien and Fleming's boundary at any look, and one last look at the end."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kullback.numerics.student_t import normal_log_tail, normal_log_tail_inverse
from kullback.numerics.types import Array
from kullback.tally.confidence_sequence import DISCOUNT, MOST_OF_ONE, deviate, reach
from kullback.tally.contrast import Contrast

ALONG = 0.9  # of α, spent by looks before the end
_FURTHEST = 100.0  # of the horizon: what is beyond it is as good as independent of what was before
_LEAST_OVERRUN = 1e-3
_IMAGES, _POINTS, _HALVINGS = 4, 401, 50


@dataclass(frozen=True)
class Horizon:
    """The information at which an effect of `minimum_effect` is found with a given power.

    The scores of looks, Z√t at the fraction t of that information, are Brownian motion W. Looks
    before the end claim a difference where |W| is at least b, whichever they are:

        P(|W| reaches b by t = 1) ≤ 4 (1 − Φ(b)) = 0.9 α

    which O'Brien and Fleming's boundary spends as continuous looks: |Z| ≥ b/√t. The first look at
    T ≥ 1 is the last one, and claims where |Z| ≥ c, with all that is left:

        P(|W| < b up to 1, |W(T)| ≥ c√T) = 0.1 α

    Attributes:
        alpha: how often, at most, a difference is claimed where there is none.
        power: how often an effect of `minimum_effect` is found at the end, at least.

    Source: O'Brien & Fleming, Biometrics 35 (1979); Lan & DeMets, Biometrika 70 (1983), for
        spending; docs/statistics.md for the last look.
    """

    alpha: float
    power: float

    @cached_property
    def barrier(self) -> float:
        """What |W| must reach before the end: b."""
        return normal_log_tail_inverse(math.log(ALONG * self.alpha / 4))

    @cached_property
    def drift(self) -> float:
        """What Z is on average at t = 1 where the effect is `minimum_effect`: μ.

        P(W + μt reaches b by t = 1) = Φ(μ − b) + e^{2bμ} Φ(−b − μ), by which `power` is met.
        """
        b = self.barrier

        def reached(drift: float) -> float:
            directly = math.exp(normal_log_tail(b - drift))
            return directly + math.exp(2 * b * drift + normal_log_tail(b + drift))

        return _root(lambda drift: reached(drift) - self.power, 0.0, b + 10.0)

    def fraction(self, information: float) -> float:
        """The part of the horizon that this information is, `minimum_effect`²/SE²."""
        return information / self.drift**2

    def boundary(self, fraction: float) -> float:
        """What |Z| must be to claim a difference at this fraction of the horizon."""
        if fraction < 1:
            return self.barrier / math.sqrt(fraction) if fraction > 0 else math.inf
        return self._last(min(max(fraction, 1 + _LEAST_OVERRUN), _FURTHEST))

    def _last(self, fraction: float) -> float:
        """The c of a last look."""
        b = self.barrier
        x = np.linspace(-b, b, _POINTS)
        density = _killed(x, b) * (x[1] - x[0])
        spread, left = math.sqrt(fraction - 1), (1 - ALONG) * self.alpha

        def spent(c: float) -> float:
            beyond = c * math.sqrt(fraction)
            return math.fsum(
                weight * (_tail((beyond - at) / spread) + _tail((beyond + at) / spread))
                for weight, at in zip(density.tolist(), x.tolist(), strict=True)
            )

        return _root(lambda c: left - spent(c), 0.0, 4 * b)


@dataclass(frozen=True, slots=True)
class HorizonLook:
    """A look at an effect on its way to a planned horizon.

    Attributes:
        fraction: of the planned information, which is there.
        statistic: Z, the effect in standard errors, as normal deviates.
        boundary: what |Z| must be.
        low, high: the effects that are not ruled out, by all looks at once.
    """

    fraction: float
    statistic: float
    boundary: float
    low: float
    high: float

    @property
    def is_last(self) -> bool:
        """Whether the horizon is there: no later look may claim anything."""
        return self.fraction >= 1


def horizon_look(horizon: Horizon, difference: Contrast, minimum_effect: float) -> HorizonLook:
    """The look at a difference; where one bucket weighs much, at a 500th of α."""
    error = difference.standard_error
    information = (minimum_effect / error) ** 2 if error > 0 else math.inf
    fraction, at = horizon.fraction(information), horizon
    if difference.largest_share > MOST_OF_ONE:
        at = Horizon(horizon.alpha / DISCOUNT, horizon.power)
    boundary = at.boundary(fraction)
    statistic = math.copysign(deviate(difference), difference.effect)
    below, above = reach(difference, boundary)
    return HorizonLook(
        fraction, statistic, boundary, difference.effect - below, difference.effect + above
    )


def _killed(x: Array, b: float) -> Array:
    """The density of W(1) at x where |W| has not reached b: Σₖ (−1)ᵏ φ(x − 2kb).

    Source: Billingsley, Convergence of Probability Measures (1968), (11.10).
    """
    images = range(-_IMAGES, _IMAGES + 1)
    waves = [(-1) ** k * np.exp(-np.square(x - 2 * k * b) / 2) for k in images]
    density: Array = np.maximum(sum(waves) / math.sqrt(2 * math.pi), 0.0)
    return density


def _tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that rises from below 0 is 0, by halving."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return high
