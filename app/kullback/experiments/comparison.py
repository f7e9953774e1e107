"""Comparison of arms: effects with their errors, verdicts and explanations."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.assignment import AssignmentCheck
from kullback.experiments.compared import Comparison, adjusted_family
from kullback.experiments.compared_arms import ComparedArms
from kullback.experiments.explanation import LossMargin, explain
from kullback.experiments.margins import amount, margin_of
from kullback.experiments.measured import OF_MEASURES
from kullback.experiments.plan import Plan
from kullback.experiments.questions import PlanQuestion, guardrails, measured_metrics, primary
from kullback.experiments.share_periods import SharePeriod
from kullback.experiments.verdict import (
    Verdict,
    invalid_assignment,
    too_early,
    too_thin,
    undefined_effect,
    verdict_of,
    with_guardrails,
    without_minimum,
)
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import ArmInfluences
from kullback.tally.cuped import CovariateAdjustment, adjusted_influences
from kullback.tally.functionals import FUNCTIONALS
from kullback.tally.horizon import Horizon, HorizonLook, horizon_look
from kullback.tally.inference import occupied_buckets as occupied
from kullback.tally.relative_effect import relative_effect
from kullback.tally.sample_ratio import SampleRatio
from kullback.tally.tally import Tally
from kullback.tally.unit_set import UnitSet
from kullback.tally.units import BUCKETS
from kullback.tally.unpredicted import lacks_predictions

_OF_LABELS = "base_rate"  # the same in every arm where each row is of all


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
        name: [_guarded(plan, part, arm, wrong) for arm in plan.treatments]
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
        adjusted_family(plan, comparisons),
        compared,
    )


def effects(plan: Plan, whole: ArmTallies, periods: Sequence[SharePeriod] = ()) -> list[Comparison]:
    """Each arm against the control and no more: what a point of a series needs."""
    assignment, question = AssignmentCheck.of(plan, whole, periods), primary(plan)
    part, wrong = _complete(plan, whole), invalid_assignment(assignment.ratio, assignment.crossed)
    return [_compared(question, part, arm, wrong, is_whole=False) for arm in plan.treatments]


def _complete(plan: Plan, part: ArmTallies) -> ArmTallies:
    nothing = Tally(plan.layout)
    return ArmTallies(
        {arm: part.tallies.get(arm, nothing) for arm in plan.names},
        {arm: part.units.get(arm, UnitSet()) for arm in plan.names} if part.units else {},
        part.strata,
    )


def _guarded(plan: Plan, part: ArmTallies, arm: str, wrong: Verdict | None) -> Comparison:
    """The comparison by the plan's metric and by each guardrail."""
    comparison = _compared(primary(plan), part, arm, wrong, is_whole=True)
    rails = {
        each.guardrail: _compared(each, part, arm, wrong, is_whole=False)
        for each in guardrails(plan)
    }
    words = {name: rail.verdict.word for name, rail in rails.items()}
    verdict = with_guardrails(comparison.verdict, words)
    return replace(comparison, verdict=verdict, guardrails=rails)


def _compared(
    question: PlanQuestion, part: ArmTallies, arm: str, wrong: Verdict | None, *, is_whole: bool
) -> Comparison:
    plan = question.plan
    ours, theirs = part.tallies[arm], part.tallies[plan.control]
    is_paired = plan.design == "paired"
    arms, adjustment = _influences(question, ComparedArms.of(plan, part, arm))
    effect = arms if isinstance(arms, Undefined) else arms.contrast(is_paired=is_paired)
    if isinstance(arms, Undefined) or isinstance(effect, Undefined):
        assert isinstance(effect, Undefined)
        verdict = wrong or undefined_effect(effect)
        return Comparison(plan, arm, plan.control, effect, effect, None, verdict)
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
        plan,
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
        covariate=adjustment,
    )


def _influences(
    question: PlanQuestion, both: ComparedArms
) -> tuple[ArmInfluences | Undefined, CovariateAdjustment | None]:
    """What buckets add to the effect, with what a covariate has taken from it, if there is one."""
    metric = both.influences(question.metric)
    if question.covariate is None or isinstance(metric, Undefined):
        return metric, None
    before = both.influences(question.covariate)
    if isinstance(before, Undefined):
        return before, None
    adjustment = adjusted_influences(metric, before)
    if isinstance(adjustment, Undefined):
        return adjustment, None
    return adjustment.arms, adjustment


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
        for name, functional in {**FUNCTIONALS, **measured_metrics(plan)}.items()
        if not both.is_paired or name != _OF_LABELS
    }
    explanation, arms = None, (both.treatment, both.control)
    is_predicted = plan.metric not in OF_MEASURES and not any(map(lacks_predictions, arms))
    if is_predicted and not is_ramp:  # all rows of arms are not of the same time then
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
        higher_is_better=plan.prefers_more,
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
