"""Experiments of the overview: each by the arm that stands best."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from kullback.errors import TallyMismatch
from kullback.experiments import wording
from kullback.experiments.compared import Comparison
from kullback.experiments.crossings import ExperimentSnapshot
from kullback.experiments.plan import Plan
from kullback.experiments.reporting import arm_effect
from kullback.experiments.selection import STEPS
from kullback.experiments.stored import StoredExperiment
from kullback.experiments.verdict import TOO_EARLY, VerdictWord
from kullback.experiments.verdict_words import WAITING
from kullback.figures.typesetting import typeset
from kullback.moments import DAY, HOUR
from kullback.numerics.digits import UNKNOWN, counted
from kullback.services import Services
from kullback.ui.overview_rows import OverviewRow
from kullback.ui.sparks import Spark, course
from kullback.ui.verdict_order import standing

SHARE = 0.05  # of the control: how far sparklines of experiments reach
_DECIDED_FIRST = (*("worse", "invalid", "better", "not_worse", "equivalent", "undecided", WAITING),)


def ranked_row(
    stored: StoredExperiment, snapshot: ExperimentSnapshot | None, spark: Spark
) -> tuple[tuple[int], list[OverviewRow]]:
    """The row of an experiment; it stands by the arm with which there is most to be done."""
    plan, by_arm = stored.plan, _by_arm(stored, snapshot)
    is_stopped = stored.stop is not None
    states = {arm: _state(by_arm.get(arm), is_stopped) for arm in plan.treatments}
    best = _best_arm(plan, by_arm)
    others = Counter(state for arm, state in states.items() if arm != best)
    comparison = by_arm.get(best)
    of_arm = None if comparison is None else arm_effect(comparison, plan.alpha)
    row = OverviewRow(
        stored.record.name,
        states[best],
        UNKNOWN if of_arm is None else _effect(plan, wording.effect(of_arm)),
        ""
        if of_arm is None or of_arm.relative_effect is None
        else typeset(wording.relative(of_arm)),
        f"{best} against {plan.control}",
        _others(others),
        last=spark.last,
        statement=wording.metric_name(plan),
        spark=spark,
        is_stopped=is_stopped,
    )
    return (min(map(_DECIDED_FIRST.index, states.values())),), [row]


def _best_arm(plan: Plan, by_arm: Mapping[str, Comparison]) -> str:
    """The arm that stands best, or the first of those that nobody knows of yet."""

    def order(arm: str) -> tuple[int, float]:
        comparison = by_arm.get(arm)
        return standing(
            None if comparison is None else arm_effect(comparison, plan.alpha), plan.prefers_more
        )

    return min(plan.treatments, key=order)


def effects_of(
    services: Services, stored: StoredExperiment, snapshot: ExperimentSnapshot | None
) -> Spark:
    """The effect of the best arm in terms of the control, by day or longer, at first by hour."""
    selection = services.experiment_queries.of(stored)
    arm = _best_arm(stored.plan, _by_arm(stored, snapshot))
    points: list[float] = []
    with suppress(TallyMismatch):  # damaged
        step = next(step for step in STEPS if step >= DAY and selection.allows(step))
        for each in (step, HOUR) if step == DAY else (step,):
            series = selection.series(each, arm).points
            points = [p.relative_effect for p in series if p.relative_effect is not None]
            if len(points) > 1:
                break
    return Spark(*course([point / SHARE for point in points]), last=selection.last_start)


def _by_arm(stored: StoredExperiment, snapshot: ExperimentSnapshot | None) -> dict[str, Comparison]:
    """Those there are: there is none yet of an arm where the plan has just changed."""
    comparisons = () if snapshot is None else snapshot.findings.comparisons[""]
    return {each.arm: each for each in comparisons if each.arm in stored.plan.treatments}


def _state(comparison: Comparison | None, is_stopped: bool) -> str:  # noqa: FBT001
    if comparison is None:
        return VerdictWord.UNDECIDED if is_stopped else WAITING
    is_early = comparison.verdict.code in TOO_EARLY and not is_stopped
    return WAITING if is_early else comparison.verdict.word


def _effect(plan: Plan, effect: str) -> str:
    return typeset(effect + ("" if effect == UNKNOWN else wording.unit(plan.metric)))


def _others(states: Counter[str]) -> str:
    """Of the other arms, how many are in each state: "and 18 others: 17 better, 1 waiting"."""
    if not states:
        return ""
    ordered = sorted(states, key=_DECIDED_FIRST.index)
    counts = ", ".join(f"{states[state]} {state.replace('_', ' ')}" for state in ordered)
    return f"and {counted(states.total(), 'other')}: {counts}"
