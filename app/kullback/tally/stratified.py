"""Differences between tallies of arms within strata of rows: ramps and drifts cancel."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Undefined
from kullback.tally.bin_sums import BinSums
from kullback.tally.contrast import ArmInfluences
from kullback.tally.exact import real
from kullback.tally.functionals import Functional
from kullback.tally.inference import influence, occupied_buckets, whole_sum
from kullback.tally.sum_names import ABSENT, MEASURES, MOMENTS, MOST_MEASURES, SCALARS, VECTORS
from kullback.tally.tally import Tally
from kullback.tally.units import BUCKETS


@dataclass(frozen=True, slots=True)
class Stratum:
    """The tallies of treatment and control in a part of all rows, such as a day."""

    treatment: Tally
    control: Tally

    @property
    def arms(self) -> tuple[Tally, Tally]:
        """Both of them."""
        return self.treatment, self.control

    @property
    def is_informative(self) -> bool:
        """Whether both arms have rows of two buckets of units or more, so that they have errors."""
        return min(occupied_buckets(tally) for tally in self.arms) >= 2

    def factors(self) -> tuple[float, float]:
        """What a row of each arm counts for: the other arm's part of all weight."""
        ours, theirs = (tally.scalar("w") for tally in self.arms)
        share = real(theirs) / (real(ours) + real(theirs))
        return share, 1.0 - share


@dataclass(frozen=True, slots=True)
class StandardizedArms:
    """Both arms with the same weight in every stratum.

        Sₐ = Σₕ fₐₕ Sₐₕ        f₁ₕ = W₂ₕ/(W₁ₕ + W₂ₕ), f₂ₕ = 1 − f₁ₕ

    so that each arm has the weight W₁ₕW₂ₕ/(W₁ₕ + W₂ₕ) in stratum h: that of Mantel and Haenszel,
    with which the difference of means varies least where rows vary alike. Each row counts what
    it would by the overlap weights of its propensity, with shares as they were.

    Attributes:
        strata: those in which both arms have rows of two buckets of units or more.
        treatment, control: sums standardized; of vectors those of measures, and what is absent.

    Source: Mantel & Haenszel, Journal of the National Cancer Institute 22 (1959); Li, Morgan &
        Zaslavsky, Journal of the American Statistical Association 113 (2018).
    """

    strata: tuple[Stratum, ...]
    treatment: Tally
    control: Tally

    @classmethod
    def of(cls, strata: Sequence[Stratum]) -> "StandardizedArms":
        """The arms of strata, of which there is one or more."""
        useful = tuple(stratum for stratum in strata if stratum.is_informative)
        layout = strata[0].treatment.layout
        arms = [
            [(stratum.factors()[arm], stratum.arms[arm]) for stratum in useful] for arm in (0, 1)
        ]
        treatment, control = (Tally(layout, _scalars(parts), _vectors(parts)) for parts in arms)
        return cls(useful, treatment, control)


def stratified_influences(
    functional: Callable[[Tally], Functional], arms: StandardizedArms
) -> ArmInfluences | Undefined:
    """What buckets of units add to g of arms that are standardized to the same strata.

        θ = g(S₁) − g(S₂)
        uₐ_b = Σₕ fₐₕ Σⱼ ∂g/∂Sⱼ (sⱼₐₕ_b − wₐₕ_b Sⱼₐₕ/Wₐₕ) · √(Gₐₕ/(Gₐₕ − 1))

    Influences are about the arm's mean of the stratum, as what strata differ by is no error of a
    difference within them. Units that are in several strata or in both arms stay one cluster.

    Returns:
        Undefined (`empty`) where no stratum has rows of both arms; else as `arm_influences`.

    Source: Holt & Smith, JRSS A 142 (1979), for errors given the rows of each stratum.
    """
    values = [functional(tally) for tally in (arms.treatment, arms.control)]
    for value in values:
        if isinstance(value.value, Undefined):
            return value.value
    ours, theirs = (value.value for value in values)
    assert not isinstance(ours, Undefined)
    assert not isinstance(theirs, Undefined)
    if math.isinf(ours) or math.isinf(theirs):
        return Undefined(Reason.INFINITE)
    with np.errstate(over="ignore", invalid="ignore"):  # then SE is no double either
        of_treatment, of_control = (
            _influence(arms.strata, at, value) for at, value in enumerate(values)
        )
    return ArmInfluences(
        ours - theirs,
        theirs,
        (of_treatment[0], of_control[0]),
        (of_treatment[1], of_control[1]),
    )


def _influence(strata: Sequence[Stratum], arm: int, value: Functional) -> tuple[Array, Flags]:
    """What each bucket adds to an arm's value, and which buckets have rows."""
    total, rows = np.zeros(BUCKETS), np.zeros(BUCKETS, np.bool_)
    for stratum in strata:
        tally, factor = stratum.arms[arm], stratum.factors()[arm]
        weight = tally.vector("unit_w").reals(BUCKETS)
        whole = real(tally.scalar("w"))
        slopes = {name: slope for name, slope in value.slopes.items() if name != "w"}
        mean = sum(slope * (whole_sum(tally, name) / whole) for name, slope in slopes.items())
        clusters = np.count_nonzero(weight)
        scale = factor * math.sqrt(clusters / (clusters - 1))
        total += scale * influence(tally, slopes | {"w": -mean})
        rows |= weight != 0
    # the contrast of arms makes good for the one mean of an arm, not for that of each stratum
    clusters = np.count_nonzero(rows)
    return total * math.sqrt((clusters - 1) / clusters) if clusters else total, rows


def _vectors(parts: Sequence[tuple[float, Tally]]) -> tuple[BinSums, ...]:
    """Σ factor · sums of measures by bucket, rounded; and what lacks predictions or labels."""
    size, vectors = MOST_MEASURES * BUCKETS, [BinSums()] * len(VECTORS)
    for name in MEASURES:
        scaled = [factor * tally.vector(name).reals(size) for factor, tally in parts]
        sums = np.sum(scaled, axis=0) if scaled else np.zeros(1)
        some = np.flatnonzero(sums)
        vectors[VECTORS.index(name)] = BinSums.of(some, sums[some], size)
    for name in ABSENT:
        absent = [tally.vector(name) for _, tally in parts]
        vectors[VECTORS.index(name)] = BinSums.total(absent, 2)
    return tuple(vectors)


def _scalars(parts: Sequence[tuple[float, Tally]]) -> tuple[int, ...]:
    """Σ factor · sums, to the last bit of sums; counts of rows are not scaled."""
    totals = []
    for name in SCALARS:
        exact = 0
        for factor, tally in parts:
            above, below = factor.as_integer_ratio() if name in MOMENTS else (1, 1)
            exact += tally.scalars[SCALARS.index(name)] * above // below
        totals.append(exact)
    return tuple(totals)
