"""A comparison, and what is left of it in the family of all that may carry a verdict."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kullback.experiments.explanation import Explanation
from kullback.experiments.plan import Plan
from kullback.experiments.verdict import Verdict
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import ConfidenceSequence, confidence_sequence
from kullback.tally.contrast import Contrast
from kullback.tally.cuped import CovariateAdjustment
from kullback.tally.horizon import HorizonLook
from kullback.tally.multiplicity import benjamini_hochberg, e_bh, holm, selected_alpha
from kullback.tally.relative_effect import RelativeEffect


@dataclass(frozen=True, slots=True)
class AdjustedComparison:
    """What is left of a comparison among all of its family.

    Attributes:
        holm: the adjusted fixed-horizon p-value: some false claim in α of all families.
        benjamini_hochberg: the same for α of all claims being false.
        e_bh: whether e-BH claims a difference, at any time; None without e-values.
        confidence_sequence: the one at a level at which α of all claimed intervals are false.
    """

    holm: float
    benjamini_hochberg: float
    e_bh: bool | None = None
    confidence_sequence: ConfidenceSequence | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against the control, treatment minus control, in all rows or in a segment.

    Attributes:
        plan: what was asked: of a guardrail, the plan as if its metric decided.
        effect: of the plan's metric.
        relative: the effect in terms of the control's value.
        covariate: what a covariate has taken from the effect, where there is one.
        guardrails: the same of each guardrail, by its name.
        confidence_sequence: what holds at all looks at once; None without `minimum_effect`, and
            as long as the arms cannot carry one (the verdict says why).
        other_metrics: the difference of every other metric, and of the plan's own, for one look.
        adjusted: among all arms and segments that may carry a verdict; None for the others.
        may_claim: whether the data can carry a claim, if a plan says what is worth one.
        margin: the minimum effect in the metric's unit, of the control as it stands.
        horizon: the look on the way to a planned horizon; None without one, and of segments.
        higher_is_better: which sign of the effect is good.
        relative_sets: the effect in terms of the control's value with its intervals; None where
            nobody asks, as of a series.
    """

    plan: Plan
    arm: str
    control: str
    effect: Contrast | Undefined
    relative: float | Undefined
    confidence_sequence: ConfidenceSequence | None
    verdict: Verdict
    explanation: Explanation | None = None
    other_metrics: Mapping[str, Contrast | Undefined] = field(default_factory=dict)
    adjusted: AdjustedComparison | None = None
    may_claim: bool = False
    margin: float | None = None
    relative_sets: RelativeEffect | Undefined | None = None
    horizon: HorizonLook | None = None
    higher_is_better: bool = False
    covariate: CovariateAdjustment | None = None
    guardrails: Mapping[str, "Comparison"] = field(default_factory=dict)

    @property
    def family(self) -> list["Comparison"]:
        """It and its guardrails."""
        return [self, *self.guardrails.values()]


def adjusted_family(
    plan: Plan, comparisons: Mapping[str, list[Comparison]]
) -> dict[str, list[Comparison]]:
    """Every comparison with what is left of it among all that may carry a verdict."""
    every = [
        each for several in comparisons.values() for guarded in several for each in guarded.family
    ]
    family = [each for each in every if each.may_claim]
    p_values = [each.effect.p_value() for each in family if not isinstance(each.effect, Undefined)]
    claims = e_bh([_log_e_value(each) for each in family], plan.alpha)
    alpha = selected_alpha(claims, plan.alpha)
    members = iter(zip(holm(p_values), benjamini_hochberg(p_values), claims, strict=True))

    def one_of_many(comparison: Comparison) -> Comparison:
        if isinstance(comparison.effect, Undefined) or not comparison.may_claim:
            return comparison
        of_holm, of_hochberg, is_claimed = next(members)
        adjusted = AdjustedComparison(of_holm, of_hochberg)
        if comparison.margin is not None:
            sequence = (
                confidence_sequence(comparison.effect, comparison.margin, alpha)
                if is_claimed
                else None
            )
            adjusted = replace(adjusted, e_bh=is_claimed, confidence_sequence=sequence)
        return replace(comparison, adjusted=adjusted)

    def guarded(comparison: Comparison) -> Comparison:
        comparison = one_of_many(comparison)
        rails = {name: one_of_many(rail) for name, rail in comparison.guardrails.items()}
        return replace(comparison, guardrails=rails)

    return {name: [guarded(each) for each in several] for name, several in comparisons.items()}


def _log_e_value(comparison: Comparison) -> float:
    sequence = comparison.confidence_sequence
    return -math.inf if sequence is None else sequence.log_e_value
