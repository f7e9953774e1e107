"""CUPED: a difference with less variance, by a covariate from before the experiment."""

import math
from dataclasses import dataclass, replace

from kullback.numerics.types import Undefined
from kullback.tally.contrast import ArmInfluences, Contrast


@dataclass(frozen=True, slots=True)
class CovariateAdjustment:
    """A difference θ of a metric, with and without what a covariate says of it.

    Attributes:
        arms: of θ − β δ, where δ is the difference of the covariate; with the control as it was.
        effect: θ − β δ.
        unadjusted: θ.
        covariate: δ: what was before the experiment is the same in both arms, but for chance.
        coefficient: β.
        correlation: ρ of what buckets of units add to θ and to δ, in [−1, 1].
    """

    arms: ArmInfluences
    effect: Contrast
    unadjusted: Contrast
    covariate: Contrast
    coefficient: float
    correlation: float

    @property
    def reduction(self) -> float:
        """Which part of the variance the covariate takes away; below 0 where it says nothing."""
        before, after = self.unadjusted.standard_error, self.effect.standard_error
        return 1 - (after / before) ** 2 if before else 0.0


def adjusted_influences(
    metric: ArmInfluences, covariate: ArmInfluences
) -> CovariateAdjustment | Undefined:
    """The difference of a metric of arms with rows of their own, adjusted by a covariate's mean.

        β = Σ u_b k_b / Σ k_b²,  θ' = θ − β δ,  u'_b = u_b − β k_b
        SE'² = (G − 1)/(G − 2) Σ u'_b²

    u_b and k_b are what each of G buckets of units adds to θ and to δ, over both arms; one degree
    of freedom goes into β. Whatever the covariate is, if only the arm had no part in it, θ' is of
    what θ is of, and its error is √(1 − ρ²) times as large.

    Returns:
        Undefined where one of the two differences is.

    Source: Deng, Xu, Kohavi & Walker, WSDM (2013), §3, with sums by bucket for those of units.
    """
    unadjusted, balance = (each.contrast(is_paired=False) for each in (metric, covariate))
    for difference in (unadjusted, balance):
        if isinstance(difference, Undefined):
            return difference
    assert not isinstance(unadjusted, Undefined)
    assert not isinstance(balance, Undefined)
    size, error = balance.standard_error, unadjusted.standard_error
    if not size or not error or unadjusted.clusters < 3:
        return CovariateAdjustment(metric, unadjusted, unadjusted, balance, 0.0, 0.0)
    correlation = float((metric.joint() / error) @ (covariate.joint() / size))
    slope = correlation * error / size
    spent = math.sqrt((unadjusted.clusters - 1) / (unadjusted.clusters - 2))
    (ours, theirs), (before, before_control) = metric.arms, covariate.arms
    left = spent * (ours - slope * before), spent * (theirs - slope * before_control)
    arms = replace(
        metric, effect=metric.effect - slope * covariate.effect, arms=left, base=metric.arms[1]
    )
    effect = arms.contrast(is_paired=False)
    if isinstance(effect, Undefined):
        return effect
    return CovariateAdjustment(arms, effect, unadjusted, balance, slope, correlation)
