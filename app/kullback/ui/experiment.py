"""The page of an experiment: who is better, how surely, and why."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kullback.errors import InvalidInput
from kullback.experiments import wording
from kullback.experiments.plan import Plan
from kullback.experiments.report import (
    ComparisonReport,
    ExperimentReport,
    FirstCrossing,
)
from kullback.experiments.selection import STEPS, ExperimentQuery, ExperimentSelection
from kullback.figures import reliability, score_histogram
from kullback.figures.difference_parts import difference_parts
from kullback.figures.effects_by_segment import effects_by_segment
from kullback.figures.experiment_timeline import over_time
from kullback.moments import DAY, HOUR
from kullback.services import Services
from kullback.ui.dates import absolute
from kullback.ui.guards import guards

STEP_NAMES = {HOUR: "an hour", 6 * HOUR: "6 hours", DAY: "a day", 7 * DAY: "a week"}
ENOUGH_POINTS = 120
NEXT = {
    "better": "Ship it: this holds however often you look.",
    "worse": "Do not ship it as it is. Where all of it is calibration, recalibrate the arm first.",
    "equivalent": "Neither predicts better by as much as matters: take the cheaper one.",
    "not_worse": "Enough for a change that is wanted for other reasons. It need not be better.",
    "undecided": "Wait for more rows.",
    "no_minimum_effect": "Plan one: that opens a new epoch.",
    "dominated": "Wait for more units, or look for a robot.",
    "sample_ratio_mismatch": "",
    "crossover": "Mend the assignment, and send the unit that was assigned.",
    "effective_sample_size": "Look at weights and propensities: a few rows carry them.",
    "too_few_units": "Wait for more units.",
    "too_few_positives": "Wait for more rows of the rarer label.",
    "empty": "Send rows, or look for a typo in the name of the arm.",
    "zero_weight": "Send weights above 0.",
    "one_class": "Wait for rows of the other label.",
    "infinite": "Take another convention, or mend the model.",
    "beyond_doubles": "Rescale the weights.",
}
WORSE_OUTCOMES = "Do not ship it: fewer of its rows have the label 1."  # of base rates


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What the address asks for; None where nothing is, or what cannot be: see `complaints`."""

    epoch: int | None = None
    arm: str | None = None
    step: int | None = None
    complaints: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: Mapping[str, str], epochs: int) -> "PageQuery":
        """What a query asks of an experiment with so many epochs."""
        epoch, step = _whole(query.get("epoch", "")), _whole(query.get("step", ""))
        complaints = []
        if query.get("epoch") and (epoch is None or not 1 <= epoch <= epochs):
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
class VerdictCard:
    """A verdict on an arm, with what to do about it."""

    comparison: ComparisonReport
    hue: str
    advice: str
    needed: str
    first: str


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
        wanted = PageQuery.of(query, selection.experiment.epoch)
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
        first = {crossing.arm: _first(crossing) for crossing in report.first_crossing}
        cards = [_card(report, each, first.get(each.arm, "")) for each in report.comparisons]
        return {
            "live": True,
            "selection": selection,
            "report": report,
            "query": replace(query, complaints=(*query.complaints, *complaints)),
            "comparison": comparison,
            "verdicts": cards,
            "course": over_time(report, comparison, points, first.get(comparison.arm, "")),
            "guards": guards(report),
            **_of_arms(report, comparison),
            "batch": first_batch(selection.experiment.plan),
            "steps": STEP_NAMES,
            "wording": wording,
        }


def _of_arms(report: ExperimentReport, comparison: ComparisonReport) -> dict[str, object]:
    """What the page holds of an arm and the control beside the course of the two."""
    arms = {arm.arm: arm for arm in report.arms}
    pair = [arms[comparison.control], arms[comparison.arm]]
    scores = [reliability.of_arms(pair, "reliability"), score_histogram.of_arms(pair, "scores")]
    return {
        "why": difference_parts(comparison),
        "scores": scores,
        "segments_figure": effects_by_segment(report, comparison.arm),
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


def _card(report: ExperimentReport, comparison: ComparisonReport, first: str) -> VerdictCard:
    advice, hue = NEXT.get(comparison.reason_code, ""), comparison.verdict.tone
    if report.metric == "base_rate" and comparison.verdict == "worse":
        advice = WORSE_OUTCOMES
    return VerdictCard(comparison, hue, advice, _needed(report, comparison), first)


def _needed(report: ExperimentReport, comparison: ComparisonReport) -> str:
    needed = comparison.information_needed
    if comparison.verdict != "undecided" or needed is None:
        return ""
    rows = float(f"{needed * report.rows:.2g}")
    return f"That is about {rows:,.0f} rows in all."


def _first(crossing: FirstCrossing) -> str:
    when, verdict = absolute(crossing.at), crossing.verdict.label
    return f"First decided on {when}: {verdict}."
