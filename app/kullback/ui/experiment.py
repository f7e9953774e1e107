"""The page of an experiment: who is better, how surely, and why."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kullback.errors import InvalidInput
from kullback.experiments import wording
from kullback.experiments.answers import EffectPoint, ExperimentDetail
from kullback.experiments.queries import ExperimentQueries, ExperimentQuery
from kullback.experiments.report import (
    ComparisonReport,
    ExperimentReport,
    FirstCrossing,
    SegmentReport,
)
from kullback.figures.figure import ChartSeries, Figure
from kullback.moments import DAY, HOUR
from kullback.services import Services
from kullback.ui import scores
from kullback.ui.course import course
from kullback.ui.guards import guards
from kullback.ui.render import ago

STEPS = {HOUR: "an hour", 6 * HOUR: "6 hours", DAY: "a day", 7 * DAY: "a week"}
LADDER = (HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY, 700 * DAY)  # the last has room for all time
ENOUGH_POINTS = 120
DRAWN_SEGMENTS = 12
NEXT = {
    "better": "Ship it: this holds however often you look.",
    "worse": "Read why first: what is all calibration needs recalibration, not a rollback.",
    "equivalent": "Take the cheaper one.",
    "not_worse": "That is enough for a change that is wanted for other reasons.",
    "undecided": "Wait for more rows.",
    "no_minimum_effect": "Put a minimum_effect; that opens a new epoch.",
    "dominated": "Wait for more units, or look for a robot.",
    "sample_ratio_mismatch": "Find what loses units of one arm, or put the shares that were meant.",
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


def content(services: Services, name: str, query: Mapping[str, str]) -> dict[str, object]:
    """What the page of an experiment shows.

    Raises:
        NotFound: there is none of that name.
    """
    views = services.experiment_queries
    setup = views.get(name)
    wanted = PageQuery.of(query, setup.epoch)
    report = views.report(name, ExperimentQuery(wanted.epoch))
    wanted = wanted.among([comparison.arm for comparison in report.comparisons])
    points, complaints = _points(views, name, wanted, _automatic(setup))
    (comparison,) = (each for each in report.comparisons if each.arm == wanted.arm)
    first = {crossing.arm: _first(crossing) for crossing in report.first_crossing}
    return {
        "name": name,
        "setup": setup,
        "report": report,
        "query": replace(wanted, complaints=(*wanted.complaints, *complaints)),
        "comparison": comparison,
        "verdicts": [_card(report, each, first.get(each.arm, "")) for each in report.comparisons],
        "course": course(report, comparison, points, first.get(comparison.arm, "")),
        "guards": guards(report),
        **_of_arms(report, comparison),
        "batch": first_batch(setup),
        "steps": STEPS,
        "wording": wording,
    }


def _of_arms(report: ExperimentReport, comparison: ComparisonReport) -> dict[str, object]:
    """What the page holds of an arm and the control beside the course of the two."""
    pair = (comparison.control, comparison.arm)
    return {
        "why": scores.why(comparison),
        "scores": scores.of_arms([arm for arm in report.arms if arm.arm in pair]),
        "segments": _of_arm(report.groups, comparison.arm),
        "segments_figure": _segments(report, comparison.arm),
    }


def first_batch(setup: ExperimentDetail) -> str:
    """Rows as one may send them, quoted for a shell."""
    names = [arm.name for arm in setup.arms]
    rows: dict[str, object]
    if setup.design == "paired":
        rows = {"y_true": [1, 0], "y_proba": {name: [0.8, 0.3] for name in names}}
        units = ["ann", "bob"]
    else:
        labels = [(at + 1) % 2 for at in range(len(names))]
        rows = {"y_true": labels, "y_proba": [0.3 + 0.5 * y for y in labels], "arm": names}
        units = [f"user-{at}" for at in range(len(names))]
    rows["unit"] = units
    if setup.slices:
        rows["slice"] = {name: ["here"] * len(units) for name in setup.slices}
    return shlex.quote(json.dumps(rows, ensure_ascii=False))


def _whole(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if is_number else None


def _points(
    views: ExperimentQueries, name: str, wanted: PageQuery, automatic: Sequence[int]
) -> tuple[tuple[EffectPoint, ...], tuple[str, ...]]:
    """The course by the step asked for, else by the first of these that is given; and why."""
    complaints: tuple[str, ...] = ()
    for step in automatic if wanted.step is None else (wanted.step, *automatic):
        try:
            series = views.series(name, ExperimentQuery(wanted.epoch, None, wanted.arm, step))
        except InvalidInput as error:
            complaints += (error.message,) if step == wanted.step else ()
        else:
            return series.points, complaints
    return (), complaints


def _automatic(setup: ExperimentDetail) -> list[int]:
    """Steps that give tens of points, if rows came since it was set up; then longer ones."""
    since = 0.0 if setup.last_window is None else setup.last_window - setup.created
    return [step for step in LADDER if step == LADDER[-1] or step * ENOUGH_POINTS >= since]


def _card(report: ExperimentReport, comparison: ComparisonReport, first: str) -> VerdictCard:
    advice, hue = NEXT.get(comparison.reason_code, ""), comparison.verdict.tone
    return VerdictCard(comparison, hue, advice, _needed(report, comparison), first)


def _needed(report: ExperimentReport, comparison: ComparisonReport) -> str:
    needed = comparison.information_needed
    if comparison.verdict != "undecided" or needed is None:
        return ""
    rows = float(f"{needed * report.rows:.2g}")
    return f"That is about {rows:,.0f} rows in all, if they stay as they are."


def _first(crossing: FirstCrossing) -> str:
    when, verdict = ago(crossing.at), crossing.verdict.label
    return f"First decided on {when}, after {crossing.version:,} writes: {verdict}."


def _of_arm(
    groups: Sequence[SegmentReport], arm: str
) -> list[tuple[SegmentReport, ComparisonReport]]:
    """The comparison of an arm in each segment."""
    return [(group, each) for group in groups for each in group.comparisons if each.arm == arm]


def _segments(report: ExperimentReport, arm: str) -> Figure | None:
    """The effect of an arm by segment with its sequences, of the first of them."""
    drawn = _of_arm(report.groups, arm)[:DRAWN_SEGMENTS]
    if not any(comparison.effect is not None for _, comparison in drawn):
        return None
    sequences = [comparison.sequence or comparison.fixed_interval for _, comparison in drawn]
    kind = "sequence" if report.minimum_effect is not None else "interval for one look"
    return Figure(
        name="by-segment",
        title=f"Effect of {arm} by segment",
        caption=f"Bars: the {wording.coverage(report)} {kind} of each segment on its own.",
        x_label="Segment",
        y_label=f"Difference of {wording.METRICS[report.metric]}",
        x=list(range(len(drawn))),
        series=[
            ChartSeries(
                "Effect",
                [comparison.effect for _, comparison in drawn],
                [None if ends is None else ends[0] for ends in sequences],
                [None if ends is None else ends[1] for ends in sequences],
                style="points",
            )
        ],
        levels=[(0.0, "no difference")],
        x_names=[group.name for group, _ in drawn],
        y_holds=[0.0],
    )
