"""Comparison of arms: effects with their errors, verdicts and explanations."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.assignment import AssignmentCheck
from kullback.experiments.compared_arms import ComparedArms
from kullback.experiments.explanation import Explanation, LossMargin, explain
from kullback.experiments.margins import amount, margin_of
from kullback.experiments.plan import HIGHER_IS_BETTER, Plan
from kullback.experiments.share_periods import SharePeriod
from kullback.experiments.verdict import (
    Verdict,
    invalid_assignment,
    too_early,
    too_thin,
    undefined_effect,
    verdict_of,
    without_minimum,
)
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import ConfidenceSequence, confidence_sequence
from kullback.tally.contrast import Contrast
from kullback.tally.functionals import FUNCTIONALS
from kullback.tally.horizon import Horizon, HorizonLook, horizon_look
from kullback.tally.inference import occupied_buckets as occupied
from kullback.tally.multiplicity import benjamini_hochberg, e_bh, holm, selected_alpha
from kullback.tally.relative_effect import RelativeEffect, relative_effect
from kullback.tally.sample_ratio import SampleRatio
from kullback.tally.tally import Tally
from kullback.tally.unit_set import UnitSet
from kullback.tally.units import BUCKETS

_OF_LABELS = "base_rate"  # the same in every arm where each row is of all


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
        effect: of the plan's metric.
        relative: the effect in terms of the control's value.
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


@dataclass(frozen=True, slots=True)
class Findings:
    """What an experiment says.

    Attributes:
        tallies: by segment ("" for all rows) and arm.
        units: how many units each arm has met; None where rows came without.
        assignment: whether units, or requests, went to the arms as planned.
        comparisons: by segment, each arm against the control.
        compared: by arm, what it is compared by in all rows.
    """

    plan: Plan
    tallies: Mapping[str, Mapping[str, Tally]]
    units: Mapping[str, float] | None
    assignment: AssignmentCheck
    comparisons: Mapping[str, list[Comparison]]
    compared: Mapping[str, ComparedArms]

    @property
    def sample_ratio(self) -> SampleRatio | None:
        """Of units, or of requests; None where that is not a question."""
        return self.assignment.ratio

    @property
    def crossover(self) -> float:
        """The part of all units that met more than one arm."""
        return self.assignment.crossed


def compare(
    plan: Plan, parts: Mapping[str, ArmTallies], periods: Sequence[SharePeriod] = ()
) -> Findings:
    """Compare the arms by what rows say of them, as a whole ("") and by segment.

    Args:
        plan: what is compared.
        parts: what rows say; with strata where arms are compared within them.
        periods: those of constant shares, where shares have changed.
    """
    whole = parts.get("", ArmTallies())
    assignment = AssignmentCheck.of(plan, whole, periods)
    wrong = invalid_assignment(assignment.ratio, assignment.crossed)
    complete = {name: _complete(plan, part) for name, part in {"": whole, **parts}.items()}
    comparisons = {
        name: [_compared(plan, part, arm, wrong, is_whole=True) for arm in plan.treatments]
        for name, part in complete.items()
    }
    compared = {arm: ComparedArms.of(plan, complete[""], arm) for arm in plan.treatments}
    comparisons[""] = [
        _explained(plan, compared[each.arm], each, is_ramp=len(periods) > 1)
        for each in comparisons[""]
    ]
    return Findings(
        plan,
        {name: part.tallies for name, part in complete.items()},
        {arm: met.count for arm, met in complete[""].units.items()} if whole.units else None,
        assignment,
        _adjusted(plan, comparisons),
        compared,
    )


def effects(plan: Plan, whole: ArmTallies, periods: Sequence[SharePeriod] = ()) -> list[Comparison]:
    """Each arm against the control and no more: what a point of a series needs."""
    assignment = AssignmentCheck.of(plan, whole, periods)
    part, wrong = _complete(plan, whole), invalid_assignment(assignment.ratio, assignment.crossed)
    return [_compared(plan, part, arm, wrong, is_whole=False) for arm in plan.treatments]


def _complete(plan: Plan, part: ArmTallies) -> ArmTallies:
    nothing = Tally(plan.layout)
    return ArmTallies(
        {arm: part.tallies.get(arm, nothing) for arm in plan.names},
        {arm: part.units.get(arm, UnitSet()) for arm in plan.names} if part.units else {},
        part.strata,
    )


def _compared(
    plan: Plan, part: ArmTallies, arm: str, wrong: Verdict | None, *, is_whole: bool
) -> Comparison:
    ours, theirs = part.tallies[arm], part.tallies[plan.control]
    is_paired = plan.design == "paired"
    arms = ComparedArms.of(plan, part, arm).influences(FUNCTIONALS[plan.metric])
    effect = arms if isinstance(arms, Undefined) else arms.contrast(is_paired=is_paired)
    if isinstance(arms, Undefined) or isinstance(effect, Undefined):
        assert isinstance(effect, Undefined)
        verdict = wrong or undefined_effect(effect)
        return Comparison(arm, plan.control, effect, effect, None, verdict)
    relative = effect.effect / arms.control if arms.control else Undefined(Reason.CONTROL_IS_ZERO)
    units = min(_units(part, name) for name in (arm, plan.control))
    thin, sequence, delta = too_thin(ours) or too_thin(theirs), None, None
    early = thin or too_early(plan, [ours, theirs], units)
    claims = wrong is None and early is None
    if plan.minimum_effect is None:
        verdict = wrong or thin or without_minimum()
    elif early is not None:
        verdict = wrong or early
    else:
        delta = amount(plan.minimum_effect, arms.control)
        sequence = confidence_sequence(effect, delta, plan.alpha)
        margin = margin_of(plan.minimum_effect, sequence, arms, plan.alpha, is_paired=is_paired)
        verdict = wrong or verdict_of(plan, effect, sequence, margin)
    return Comparison(
        arm,
        plan.control,
        effect,
        relative,
        sequence,
        verdict,
        may_claim=claims,
        margin=delta,
        relative_sets=relative_effect(
            arms, plan.alpha, None if sequence is None else delta, is_paired=is_paired
        )
        if is_whole
        else None,
    )


def _units(part: ArmTallies, arm: str) -> float:
    """How many units an arm has met: where that is not known, as its buckets tell it."""
    if part.units:
        return part.units[arm].count
    free = BUCKETS - occupied(part.tallies[arm])
    return -BUCKETS * math.log(free / BUCKETS) if free else math.inf


def _explained(
    plan: Plan, both: ComparedArms, comparison: Comparison, *, is_ramp: bool
) -> Comparison:
    others = {
        name: both.difference(functional)
        for name, functional in FUNCTIONALS.items()
        if not both.is_paired or name != _OF_LABELS
    }
    explanation = None
    if not is_ramp:  # all rows of arms are not of the same time then
        is_shown = _is_shown(plan, comparison)
        explanation = explain(
            both.treatment,
            both.control,
            is_paired=both.is_paired,
            is_shown=is_shown,
            margin=LossMargin.of(plan, comparison.margin),
        )
    return replace(
        comparison,
        explanation=explanation,
        other_metrics=others,
        horizon=_horizon(plan, comparison),
        higher_is_better=plan.metric in HIGHER_IS_BETTER,
    )


def _horizon(plan: Plan, comparison: Comparison) -> HorizonLook | None:
    if plan.power is None or comparison.margin is None or not comparison.may_claim:
        return None
    assert not isinstance(comparison.effect, Undefined)
    horizon = Horizon(plan.alpha, plan.power)
    return horizon_look(horizon, comparison.effect, comparison.margin)


def _is_shown(plan: Plan, comparison: Comparison) -> bool:
    """Whether there is a difference to be explained: by the verdict, or without one by a look."""
    if plan.minimum_effect is not None:
        return comparison.verdict.word in ("better", "worse")
    if isinstance(comparison.effect, Undefined) or comparison.verdict.word == "invalid":
        return False
    return comparison.effect.p_value() < plan.alpha


def _adjusted(
    plan: Plan, comparisons: Mapping[str, list[Comparison]]
) -> dict[str, list[Comparison]]:
    """Every comparison with what is left of it among all that may carry a verdict."""
    family = [each for several in comparisons.values() for each in several if each.may_claim]
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

    return {
        name: [one_of_many(comparison) for comparison in several]
        for name, several in comparisons.items()
    }


def _log_e_value(comparison: Comparison) -> float:
    sequence = comparison.confidence_sequence
    return -math.inf if sequence is None else sequence.log_e_value
