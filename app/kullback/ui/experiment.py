"""The page of an experiment: who is better, how surely, and why."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kullback.errors import InvalidInput
from kullback.experiments import wording
from kullback.experiments.page import markdown
from kullback.experiments.plan import Plan
from kullback.experiments.reading import reading
from kullback.experiments.replies import EffectPoint
from kullback.experiments.report import ExperimentReport, OverallComparison
from kullback.experiments.selection import STEPS, ExperimentQuery, ExperimentSelection
from kullback.figures import reliability, score_histogram
from kullback.figures.difference_parts import difference_parts
from kullback.figures.effects_by_segment import effects_by_segment
from kullback.figures.experiment_timeline import over_time
from kullback.figures.relative_effects import effects_by_metric
from kullback.moments import DAY, HOUR
from kullback.services import Services
from kullback.ui.guards import guards
from kullback.ui.planning import needs
from kullback.ui.verdict_cards import EARLY, verdict_cards

STEP_NAMES = {HOUR: "an hour", 6 * HOUR: "6 hours", DAY: "a day", 7 * DAY: "a week"}
ENOUGH_POINTS = 120
SECTIONS = (
    *(("effects", "Effects"), ("reasons", "Why"), ("course", "Over time"), ("arms", "Arms")),
    *(("plan", "Plan and statistics"), ("export", "Export")),
)


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
        """The same, with an arm that there is."""
        if self.arm in arms:
            return self
        wrong = "There is no such arm to compare; this is the first one."
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
        selection, query = self.selection, self.query.among(self.selection.plan.treatments)
        report = selection.report()
        step, complaints = _step(selection, query.step)
        points = () if step is None else selection.series(step, query.arm).points
        (comparison,) = (each for each in report.comparisons if each.arm == query.arm)
        last = float((selection.last_start or 0) + HOUR)
        cards = verdict_cards(selection.plan, report, points, last)
        (card,) = (each for each in cards if each.comparison is comparison)
        return {
            "live": True,
            "selection": selection,
            "report": report,
            "query": replace(query, complaints=(*query.complaints, *complaints)),
            "comparison": comparison,
            "verdicts": cards,
            **_course(report, comparison, points, card.first),
            "guards": guards(report),
            **_of_arms(report, comparison),
            "batch": first_batch(selection.experiment.plan),
            "needs": needs(selection.plan),
            "markdown": markdown(report),
            "steps": STEP_NAMES,
            "sections": SECTIONS,
            "wording": wording,
            "reading": reading(report),
        }


def _course(
    report: ExperimentReport,
    comparison: OverallComparison,
    points: Sequence[EffectPoint],
    first: str,
) -> dict[str, object]:
    """The figures over time, or why there are none."""
    drawn = [point for point in points if _tells(report, point)]
    if len(drawn) > 1:
        return {"course": over_time(report, comparison, drawn, first)}
    if comparison.effect is None:
        return {"course": [], "no_course": "There is no effect to draw yet."}
    reason = "Drawn once two steps of time have an interval that tells something."
    return {"course": [], "no_course": reason}


def _tells(report: ExperimentReport, point: EffectPoint) -> bool:
    """Whether a point has an interval that is not wider than all that may be."""
    ends = point.fixed_interval if report.minimum_effect is None else point.sequence
    return point.effect is not None and wording.telling(ends, point.standard_error) is not None


def _of_arms(report: ExperimentReport, comparison: OverallComparison) -> dict[str, object]:
    """What the page holds of an arm and the control beside the course of the two."""
    arms = {arm.arm: arm for arm in report.arms}
    pair = [arms[comparison.control], arms[comparison.arm]]
    scores = [reliability.of_arms(pair, "reliability"), score_histogram.of_arms(pair, "scores")]
    is_early = comparison.reason_code in EARLY
    return {
        "why": None if is_early else difference_parts(comparison),
        "scores": scores,
        "segments_figure": None if is_early else effects_by_segment(report, comparison.arm),
        "metrics_figure": None if is_early else effects_by_metric(report, comparison),
    }


def first_batch(plan: Plan) -> str:
    """Rows as one may send them, quoted for a shell."""
    names = plan.names
    rows: dict[str, object]
    if plan.design == "paired":
        rows = {"y_true": [1, 0], "y_proba": {name: [0.8, 0.3] for name in names}}
        units = ["ann", "bob"]
    else:
        labels = [(at + 1) % 2 for at in range(len(names))]
        rows = {"y_true": labels, "y_proba": [0.3 + 0.5 * y for y in labels], "arm": names}
        units = [f"user-{at}" for at in range(len(names))]
    rows["unit"] = units
    if plan.slices:
        rows["slice"] = {name: ["here"] * len(units) for name in plan.slices}
    return shlex.quote(json.dumps(rows, ensure_ascii=False))


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
