"""The page of an experiment: who is better, how surely, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kullback.errors import InvalidInput
from kullback.experiments import time_to_decision, verdict_words, wording
from kullback.experiments.measured import OF_PREDICTIONS
from kullback.experiments.page import markdown
from kullback.experiments.plan import Plan
from kullback.experiments.reading import reading
from kullback.experiments.replies import EffectPoint
from kullback.experiments.report import (
    ComparisonReport,
    ExperimentReport,
    OverallComparison,
)
from kullback.experiments.sample_size import METHODS
from kullback.experiments.selection import STEPS, ExperimentQuery, ExperimentSelection
from kullback.figures import reliability, score_histogram
from kullback.figures.difference_parts import difference_parts
from kullback.figures.effects_by_arm import effects_by_arm
from kullback.figures.effects_by_segment import effects_by_segment
from kullback.figures.experiment_timeline import over_time
from kullback.figures.figure import Figure
from kullback.figures.relative_effects import effects_by_metric
from kullback.figures.rows_by_power import rows_by_power
from kullback.moments import DAY, HOUR
from kullback.services import Services
from kullback.ui.first_rows import first_batch
from kullback.ui.guardrail_rows import guardrail_rows
from kullback.ui.guards import guards, has_predictions
from kullback.ui.planning import needs
from kullback.ui.verdict_cards import ranked, verdict_cards

STEP_NAMES = {HOUR: "an hour", 6 * HOUR: "6 hours", DAY: "a day", 7 * DAY: "a week"}
ENOUGH_POINTS = 120
ARM_METRICS = {
    "log_loss": "Log loss (nats)",
    "normalized_entropy": "Normalized entropy",
    "calibration_ratio": "Calibration ratio",
    "auc": "AUC",
    "base_rate": "Base rate",
}


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What the address asks for; None where nothing is, or what cannot be: see `complaints`."""

    epoch: int | None = None
    arm: str | None = None
    step: int | None = None
    complaints: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: Mapping[str, str], epochs: range) -> "PageQuery":
        """What a query asks of an experiment with these epochs."""
        epoch, step = _whole(query.get("epoch", "")), _whole(query.get("step", ""))
        complaints = []
        if query.get("epoch") and epoch not in epochs:
            epoch = None
            complaints.append("There is no such epoch; this is the present one.")
        if query.get("step") and (step is None or step < HOUR or step % HOUR):
            step = None
            complaints.append("A step is whole hours, in seconds; it was chosen automatically.")
        return cls(epoch, query.get("arm") or None, step, tuple(complaints))

    def among(self, arms: Sequence[str]) -> "PageQuery":
        """The same, with an arm that there is: the first if it asks for none."""
        if self.arm in arms:
            return self
        wrong = "There is no such arm to compare; this is the best one."
        complaints = self.complaints if self.arm is None else (*self.complaints, wrong)
        return replace(self, arm=arms[0], complaints=complaints)


@dataclass(frozen=True, slots=True)
class ExperimentPage:
    """The page of an experiment, as its address asks for it."""

    selection: ExperimentSelection
    query: PageQuery

    @classmethod
    def of(cls, services: Services, name: str, query: Mapping[str, str]) -> "ExperimentPage":
        """The page that an address asks for.

        Raises:
            NotFound: there is no experiment of that name.
        """
        selection = services.experiment_queries.select(name)
        wanted = PageQuery.of(query, selection.epochs)
        return cls(selection.narrowed(ExperimentQuery(wanted.epoch)), wanted)

    @property
    def state(self) -> object:
        """What the content follows from; it costs no part of a sum."""
        return self.selection.etag, self.query

    def content(self) -> dict[str, object]:
        """What the page shows."""
        selection, report = self.selection, self.selection.report()
        in_order = ranked(selection.plan, report)
        query = self.query.among([each.arm for each in in_order])
        step, complaints = _step(selection, query.step)
        points = () if step is None else selection.series(step, query.arm).points
        (comparison,) = (each for each in report.comparisons if each.arm == query.arm)
        last = float((selection.last_start or 0) + HOUR)
        cards = verdict_cards(selection.plan, report, points, last)
        return {
            "live": True,
            "selection": selection,
            "report": report,
            "query": replace(query, complaints=(*query.complaints, *complaints)),
            "comparison": comparison,
            "verdicts": cards,
            "in_sight": {cards[0].comparison.arm, comparison.arm},
            **_course(report, comparison, points),
            "guards": guards(report),
            "rails": guardrail_rows(report, comparison),
            **_of_arms(report, comparison, in_order),
            "power_figure": _by_power(selection.plan, report, comparison),
            "batch": first_batch(selection.experiment.plan),
            "predicts": selection.experiment.plan.metric in OF_PREDICTIONS,
            "needs": needs(selection.plan),
            "markdown": markdown(report),
            "steps": STEP_NAMES,
            "wording": wording,
            "verdict_words": verdict_words,
            "reading": reading(report),
        }


def _course(
    report: ExperimentReport, comparison: OverallComparison, points: Sequence[EffectPoint]
) -> dict[str, object]:
    """The figures over time, or why there are none."""
    drawn = [point for point in points if _tells(report, point)]
    if len(drawn) > 1:
        return {"course": over_time(report, comparison, drawn)}
    if comparison.effect is None:
        return {"course": [], "no_course": "There is no effect to draw yet."}
    reason = "Drawn once two steps of time have an interval that tells something."
    return {"course": [], "no_course": reason}


def _by_power(plan: Plan, report: ExperimentReport, comparison: OverallComparison) -> Figure | None:
    """The rows that it takes, while nothing is decided."""
    if report.minimum_effect is None or comparison.verdict != "undecided":
        return None
    sequence, fixed = (
        time_to_decision.rows_by_power(plan, report.margin, comparison, report.rows, method)
        for method in reversed(METHODS)
    )
    bound = wording.margin(report.minimum_effect, report.metric)
    return rows_by_power(time_to_decision.GRADES, sequence, fixed, bound)


def _tells(report: ExperimentReport, point: EffectPoint) -> bool:
    """Whether a point has an interval that is not wider than all that may be."""
    ends = point.fixed_interval if report.minimum_effect is None else point.sequence
    return point.effect is not None and wording.telling(ends, point.standard_error) is not None


def _of_arms(
    report: ExperimentReport, comparison: OverallComparison, in_order: Sequence[ComparisonReport]
) -> dict[str, object]:
    """What the page holds of an arm and the control beside the course of the two."""
    arms = {arm.arm: arm for arm in report.arms}
    pair = [arms[comparison.control], arms[comparison.arm]]
    scores = [reliability.of_arms(pair, "reliability"), score_histogram.of_arms(pair, "scores")]
    is_early = verdict_words.is_waiting(report, comparison)
    return {
        "why": None if is_early else difference_parts(comparison),
        "scores": scores if has_predictions(report) else [],
        "columns_of_arms": arm_columns(report),
        "arms_figure": effects_by_arm(report, in_order) if len(in_order) > 1 else None,
        "segments_figure": None if is_early else effects_by_segment(report, comparison.arm),
        "metrics_figure": None if is_early else effects_by_metric(report, comparison),
    }


def arm_columns(report: ExperimentReport) -> list[tuple[str, str]]:
    """The metrics that any arm has, each with its head."""
    names = [*ARM_METRICS, report.outcome or report.metric]
    names += [rail.name for rail in report.guardrails]
    return [
        (name, ARM_METRICS.get(name, wording.METRICS.get(name, name)))
        for name in dict.fromkeys(names)
        if any(arm.metrics[name].value is not None for arm in report.arms)
    ]


def _whole(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if is_number else None


def _step(selection: ExperimentSelection, wanted: int | None) -> tuple[int | None, tuple[str, ...]]:
    """The step that is wanted, else the first that may be; and what is wrong with the former."""
    complaints = () if wanted is None else tuple(_complaints(selection, wanted))
    steps = _automatic(selection) if wanted is None or complaints else [wanted]
    return next((step for step in steps if selection.allows(step)), None), complaints


def _complaints(selection: ExperimentSelection, step: int) -> Iterator[str]:
    try:
        selection.check_step(step)
    except InvalidInput as error:
        yield error.message


def _automatic(selection: ExperimentSelection) -> list[int]:
    """Steps that give tens of points, if rows came since it was set up; then longer ones."""
    created, last = selection.experiment.record.created, selection.last_start
    since = 0.0 if last is None else last - created
    return [step for step in STEPS if step == STEPS[-1] or step * ENOUGH_POINTS >= since]
