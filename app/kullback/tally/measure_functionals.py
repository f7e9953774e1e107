"""Means and ratios of measures as smooth functions of a tally's sums."""

import math
from collections.abc import Callable

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.exact import real
from kullback.tally.functionals import Functional, missing
from kullback.tally.measures import MEASURES, sums_by_unit
from kullback.tally.tally import Tally


def measure_mean(number: int) -> Callable[[Tally], Functional]:
    """x̄ = Σ wx / Σ w of a measure x, in its unit."""

    def mean(tally: Tally) -> Functional:
        nothing = missing(tally)
        if nothing is not None:
            return Functional(nothing)
        return _quotient(_sum(tally, number), real(tally.scalar("w")), MEASURES[number], "w")

    return mean


def measure_ratio(numerator: int, denominator: int) -> Callable[[Tally], Functional]:
    """R = Σ wx / Σ wz of two measures; undefined (`zero_denominator`) where Σ wz is 0."""

    def ratio(tally: Tally) -> Functional:
        nothing = missing(tally)
        if nothing is not None:
            return Functional(nothing)
        below = _sum(tally, denominator)
        if below <= 0:
            return Functional(Undefined(Reason.ZERO_DENOMINATOR))
        above = _sum(tally, numerator)
        return _quotient(above, below, MEASURES[numerator], MEASURES[denominator])

    return ratio


def _quotient(above: float, below: float, numerator: str, denominator: str) -> Functional:
    value = above / below
    if not math.isfinite(value) or not math.isfinite(1 / below):
        return Functional(Undefined(Reason.BEYOND_DOUBLES))
    return Functional(value, {numerator: 1 / below, denominator: -value / below})


def _sum(tally: Tally, number: int) -> float:
    return math.fsum(sums_by_unit(tally, number).tolist())
