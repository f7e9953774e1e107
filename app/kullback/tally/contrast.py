"""Differences between tallies of the same units, with their standard errors."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.student_t import t_log_tail, t_log_tail_inverse
from kullback.numerics.types import Array, Flags, Undefined
from kullback.tally.bins import BINS, RANK_BINS, rank_bin_of
from kullback.tally.functionals import Functional, missing_predictions
from kullback.tally.inference import influence
from kullback.tally.tally import Tally
from kullback.tally.units import BUCKETS, GROUPS

_LN_HALF = math.log(0.5)


@dataclass(frozen=True, slots=True)
class Contrast:
    """θ = θ₂ − θ₁ with its standard error from buckets (or groups of buckets) of units.

    Attributes:
        effect: θ.
        standard_error: SE = √(G/(G − 1) Σ u_b²), where arms have rows of their own by arm.
        degrees_of_freedom: of Student's t, fewer than G − 1 where few units weigh much.
        clusters: G, how many buckets have rows.
        largest_share: max u_b² / Σ u_b²: how much of the variance one bucket makes.
        skewness: Σ u_b³ / (Σ u_b²)^1.5, in [−1, 1]: about that of θ itself.
    """

    effect: float
    standard_error: float
    degrees_of_freedom: float
    clusters: int
    largest_share: float
    skewness: float = 0.0

    @property
    def statistic(self) -> float:
        """T = θ / SE; infinite, or 0, where there is no spread."""
        if self.standard_error > 0:
            return self.effect / self.standard_error
        return math.copysign(math.inf, self.effect) if self.effect else 0.0

    def interval(self, alpha: float) -> tuple[float, float]:
        """θ ± t_{df, 1−α/2} · SE: true in 1 − α of all experiments, for one look planned ahead."""
        half = t_log_tail_inverse(math.log(alpha / 2), self.degrees_of_freedom)
        width = half * self.standard_error
        return self.effect - width, self.effect + width

    def p_value(self) -> float:
        """P(|T| ≥ |t|) under no difference, for one look planned ahead."""
        tail = t_log_tail(abs(self.statistic), self.degrees_of_freedom)
        return min(1.0, math.exp(tail - _LN_HALF))


def contrast(effect: float, u: Array, clusters: int) -> Contrast | Undefined:
    """A contrast from what each bucket adds to it.

        SE² = G/(G − 1) Σ u²        df = min(G − 1, 2 (Σu²)² / (Σu⁴ − (Σu²)²/G))

    For normal u the second is G; where few buckets hold most of the variance it is small, and
    Student's t keeps the promise that a normal quantile breaks.

    Args:
        effect: θ.
        u: influences u_b, of sum 0; a bucket of both tallies has the sum of its two.
        clusters: G, how many buckets have rows.

    Returns:
        Undefined (`too_few_units`) where G is below 2, (`beyond_doubles`) where SE is no double.

    Source: Cameron, Gelbach & Miller, Review of Economics and Statistics 90 (2008), for the
        sandwich; Satterthwaite, Biometrics Bulletin 2 (1946), for df from the variance of SE².
    """
    if clusters < 2:
        return Undefined(Reason.TOO_FEW_UNITS)
    with np.errstate(over="ignore"):  # then SE is no double either
        return _of(effect, math.sqrt(clusters / (clusters - 1)) * u, clusters)


def contrast_of_arms(
    effect: float, arms: tuple[Array, Array], occupied: tuple[Flags, Flags]
) -> Contrast | Undefined:
    """A contrast of arms that have rows of their own, of units that may be in both.

        SE² = Σ (c₂u₂ − c₁u₁)²,  c² = G/(G − 1)
        df = min(df of c₂u₂ − c₁u₁, (V₁ + V₂)² / (V₁²/df₁ + V₂²/df₂)),  V = c² Σ u²

    An arm of few units leaves few degrees of freedom, however many the other has.

    Args:
        effect: θ.
        arms: influences of treatment and control, each of sum 0.
        occupied: which buckets have rows of each.

    Returns:
        Undefined (`too_few_units`) where an arm has rows of one bucket only; see contrast.

    Source: Welch, Biometrika 34 (1947), with df of an arm as in contrast.
    """
    counts = [int(np.count_nonzero(rows)) for rows in occupied]
    if min(counts) < 2:
        return Undefined(Reason.TOO_FEW_UNITS)
    scaled = _scaled(arms, counts)
    of_both = _of(effect, _joint(scaled), int(np.count_nonzero(occupied[0] | occupied[1])))
    if isinstance(of_both, Undefined):
        return of_both
    apart = [_of(0.0, u, g) for u, g in zip(scaled, counts, strict=True)]
    return replace(of_both, degrees_of_freedom=min(of_both.degrees_of_freedom, _welch(apart)))


def _scaled(arms: tuple[Array, Array], counts: Sequence[int]) -> list[Array]:
    with np.errstate(over="ignore", invalid="ignore"):  # then SE is no double either
        return [math.sqrt(g / (g - 1)) * u for u, g in zip(arms, counts, strict=True)]


def _joint(scaled: Sequence[Array]) -> Array:
    with np.errstate(invalid="ignore"):
        joint: Array = scaled[0] - scaled[1]
    return joint


def _of(effect: float, u: Array, clusters: int) -> Contrast | Undefined:
    """The contrast whose SE is the size of u."""
    error = math.hypot(*u.tolist())
    if not (math.isfinite(error) and math.isfinite(effect)):
        return Undefined(Reason.BEYOND_DOUBLES)
    if error == 0:
        return Contrast(effect, 0.0, clusters - 1.0, clusters, 0.0)
    parts = u / error
    shares = np.square(parts)
    spread = float(np.square(shares).sum()) - 1 / clusters
    freedom = clusters - 1.0
    if spread > 0:
        freedom = min(freedom, 2 / spread)
    skewness = float((shares * parts).sum())
    return Contrast(effect, error, freedom, clusters, float(shares.max()), skewness)


def _welch(arms: Sequence[Contrast | Undefined]) -> float:
    """(V₁ + V₂)² / (V₁²/df₁ + V₂²/df₂); infinite where no arm varies."""
    sure = [arm for arm in arms if not isinstance(arm, Undefined)]
    whole = math.hypot(*(arm.standard_error for arm in sure))
    spent = sum((arm.standard_error / whole) ** 4 / arm.degrees_of_freedom for arm in sure if whole)
    return 1 / spent if spent else math.inf


def difference(
    functional: Callable[[Tally], Functional], treatment: Tally, control: Tally, *, is_paired: bool
) -> Contrast | Undefined:
    """g(treatment) − g(control) of the same rows (paired), or of rows of their own.

        u_b = Σₐ ∂g/∂Sₐ · sₐ_b of each arm, added up by bucket: of paired tallies what is common
        cancels, of others units that are in both are accounted for.

    Returns:
        Undefined where one of the two is, or (`infinite`) where one is infinite; see contrast and
        contrast_of_arms.
    """
    influences = arm_influences(functional, treatment, control)
    if isinstance(influences, Undefined):
        return influences
    return influences.contrast(is_paired=is_paired)


@dataclass(frozen=True, slots=True)
class ArmInfluences:
    """θ₂ − θ₁ and θ₁, what each bucket of units adds to θ₂ and θ₁, and which have rows of them.

    Attributes:
        base: what buckets add to θ₁ where arms are adjusted; None where it is that of the control.
    """

    effect: float
    control: float
    arms: tuple[Array, Array]
    occupied: tuple[Flags, Flags]
    base: Array | None = None

    def contrast(self, *, is_paired: bool = False) -> Contrast | Undefined:
        """The contrast of the two; see contrast and contrast_of_arms."""
        return _between(self.effect, self.arms, self.occupied, is_paired=is_paired)

    def of_ratio(self, ratio: float) -> "ArmInfluences":
        """θ₂ − ρθ₁ in place of θ₂ − θ₁."""
        treatment, control = self.arms
        effect = self.effect + (1.0 - ratio) * self.control
        base = None if self.base is None else ratio * self.base
        theirs = ratio * control if self.base is None else control - (1.0 - ratio) * self.base
        return ArmInfluences(effect, ratio * self.control, (treatment, theirs), self.occupied, base)

    def joint(self) -> Array:
        """c₂u₂ − c₁u₁: what each bucket adds to a contrast of arms, see contrast_of_arms."""
        counts = [int(np.count_nonzero(rows)) for rows in self.occupied]
        return _joint(_scaled(self.arms, counts))


def arm_influences(
    functional: Callable[[Tally], Functional], treatment: Tally, control: Tally
) -> ArmInfluences | Undefined:
    """What buckets of units add to g(treatment) and to g(control); see difference."""
    of_treatment, of_control = functional(treatment), functional(control)
    for value in (of_treatment.value, of_control.value):
        if isinstance(value, Undefined):
            return value
    assert not isinstance(of_treatment.value, Undefined)
    assert not isinstance(of_control.value, Undefined)
    if math.isinf(of_treatment.value) or math.isinf(of_control.value):
        return Undefined(Reason.INFINITE)
    arms = influence(treatment, of_treatment.slopes), influence(control, of_control.slopes)
    occupied = _with_rows(treatment), _with_rows(control)
    effect = of_treatment.value - of_control.value
    return ArmInfluences(effect, of_control.value, arms, occupied)


def _with_rows(tally: Tally) -> Flags:
    """Which buckets of units have rows."""
    rows: Flags = tally.vector("unit_w").reals(BUCKETS) != 0
    return rows


def _between(
    effect: float, arms: tuple[Array, Array], occupied: tuple[Flags, Flags], *, is_paired: bool
) -> Contrast | Undefined:
    with np.errstate(invalid="ignore"):  # ∞ − ∞ of heavy rows: then SE is no double
        if is_paired:
            return contrast(effect, arms[0] - arms[1], int(np.count_nonzero(occupied[0])))
        return contrast_of_arms(effect, arms, occupied)


def auc_difference(treatment: Tally, control: Tally, *, is_paired: bool) -> Contrast | Undefined:
    """AUC(treatment) − AUC(control) of clustered tallies, from 64 groups of buckets.

        AUC = Σ w⁺ F⁻(p) / W⁺
        u_g = Σ_{+∈g} w (F⁻(p) − AUC)/W⁺ + Σ_{−∈g} w (1 − F⁺(p) − AUC)/W⁻

    F⁺, F⁻ are the distributions of the scores of positive and negative rows, half of a bin
    counting as below.

    Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988), with sums by group as in
        Obuchowski, Biometrics 53 (1997).
    """
    of_treatment, of_control = _area(treatment), _area(control)
    if isinstance(of_treatment, Undefined):
        return of_treatment
    if isinstance(of_control, Undefined):
        return of_control
    arms, occupied = (of_treatment.u, of_control.u), (of_treatment.groups, of_control.groups)
    return _between(of_treatment.area - of_control.area, arms, occupied, is_paired=is_paired)


def auc_error(tally: Tally) -> float | Undefined:
    """The standard error of the AUC of a clustered tally; see auc_difference."""
    auc = _area(tally)
    if isinstance(auc, Undefined):
        return auc
    of_area = contrast(auc.area, auc.u, int(np.count_nonzero(auc.groups)))
    return of_area if isinstance(of_area, Undefined) else of_area.standard_error


@dataclass(frozen=True, slots=True)
class _Area:
    area: float
    u: Array
    groups: Flags


def _area(tally: Tally) -> _Area | Undefined:
    nothing = missing_predictions(tally)
    if nothing is not None:
        return nothing
    weight, positive = (tally.vector(name).reals(BINS) for name in ("bin_w", "bin_wy"))
    negative = np.maximum(weight - positive, 0.0)
    p, n = float(positive.sum()), float(negative.sum())
    if not (p > 0 and n > 0):
        return Undefined(Reason.ONE_CLASS)
    below = (np.cumsum(negative) - negative / 2) / n
    above = 1.0 - (np.cumsum(positive) - positive / 2) / p
    area = float(positive @ below) / p
    ones = _ranks(tally, "rank_wy")
    zeros = np.maximum(_ranks(tally, "rank_w") - ones, 0.0)
    u = ones @ (_coarse(below, positive) - area) / p + zeros @ (_coarse(above, negative) - area) / n
    return _Area(area, u - u.sum() / u.size, _ranks(tally, "rank_w").sum(axis=1) != 0)


def _coarse(placement: Array, weight: Array) -> Array:
    """The mean placement of each coarse bin, (RANK_BINS,); 0 where nothing is."""
    index = rank_bin_of(np.arange(BINS))
    total = np.bincount(index, weight, RANK_BINS)
    summed = np.bincount(index, weight * placement, RANK_BINS)
    return np.divide(summed, total, out=np.zeros(RANK_BINS), where=total > 0)


def _ranks(tally: Tally, name: str) -> Array:
    return tally.vector(name).reals(GROUPS * RANK_BINS).reshape(GROUPS, RANK_BINS)
