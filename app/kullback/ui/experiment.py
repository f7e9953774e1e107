"""This file is about the page of an experiment: who is better, how surely, and why."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kullback.errors import InvalidInput
from kullback.experiments import told, wording
from kullback.experiments.queries import ExperimentQueries, ExperimentQuery
from kullback.experiments.told import Crossing, Group
from kullback.moments import DAY, HOUR
from kullback.services import Services
from kullback.ui import scores
from kullback.ui.course import course
from kullback.ui.figures import ChartSeries, Figure
from kullback.ui.guards import guards
from kullback.ui.judged import Comparison, Point, Report, Setup, points
from kullback.ui.overview import HUES
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
class Asked:
    """What is asked for; None where nothing is, or what cannot be: `complaints` say so."""

    epoch: int | None = None
    arm: str | None = None
    step: int | None = None
    complaints: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: Mapping[str, str], epochs: int) -> "Asked":
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

    def among(self, arms: Sequence[str]) -> "Asked":
        """The same, with an arm that there is."""
        if self.arm in arms:
            return self
        wrong = "There is no such arm to compare; this is the first one."
        complaints = self.complaints if self.arm is None else (*self.complaints, wrong)
        return replace(self, arm=arms[0], complaints=complaints)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict on an arm, as the page tells it."""

    one: Comparison
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
    setup = Setup.of(views.get(name))
    asked = Asked.of(query, setup.epoch)
    report = _report(views, name, asked)
    asked = asked.among([one.arm for one in report.comparisons])
    known, complaints = _points(views, name, asked, _automatic(setup))
    (one,) = (one for one in report.comparisons if one.arm == asked.arm)
    first = {found.arm: _first(found) for found in report.first_crossing}
    return {
        "name": name,
        "setup": setup,
        "report": report,
        "asked": replace(asked, complaints=(*asked.complaints, *complaints)),
        "one": one,
        "verdicts": [_told(report, each, first.get(each.arm, "")) for each in report.comparisons],
        "course": course(report, one, known, first.get(one.arm, "")),
        "guards": guards(report),
        **_of_arms(report, one),
        "batch": first_batch(setup),
        "steps": STEPS,
        "wording": wording,
        "hues": HUES,
    }


def _of_arms(report: Report, one: Comparison) -> dict[str, object]:
    """What is told of an arm and the control beside the course of the two."""
    return {
        "why": scores.why(one),
        "scores": scores.of_arms([arm for arm in report.arms if arm.arm in (one.control, one.arm)]),
        "segments": _of_arm(report.groups, one.arm),
        "segments_figure": _segments(report, one.arm),
    }


def first_batch(setup: Setup) -> str:
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


def _report(views: ExperimentQueries, name: str, asked: Asked) -> Report:
    found = Report.of(views.report(name, ExperimentQuery(asked.epoch)))
    assert isinstance(found, Report)
    return found


def _points(
    views: ExperimentQueries, name: str, asked: Asked, automatic: Sequence[int]
) -> tuple[tuple[Point, ...], tuple[str, ...]]:
    """The course by the step asked for, else by the first of these that is given; and why."""
    complaints: tuple[str, ...] = ()
    for step in automatic if asked.step is None else (asked.step, *automatic):
        try:
            series = views.series(name, ExperimentQuery(asked.epoch, None, asked.arm, step))
        except InvalidInput as error:
            complaints += (error.message,) if step == asked.step else ()
        else:
            return points(series), complaints
    return (), complaints


def _automatic(setup: Setup) -> list[int]:
    """Steps that give tens of points, if rows came since it was set up; then longer ones."""
    since = (
        0.0 if setup.last_window is None else (setup.last_window - setup.created).total_seconds()
    )
    return [step for step in LADDER if step == LADDER[-1] or step * ENOUGH_POINTS >= since]


def _told(report: Report, one: Comparison, first: str) -> Verdict:
    advice = NEXT.get(one.reason_code, "")
    return Verdict(one, HUES[one.verdict], advice, _needed(report, one), first)


def _needed(report: Report, one: Comparison) -> str:
    needed = one.information_needed
    if one.verdict != "undecided" or needed is None:
        return ""
    rows = float(f"{needed * report.seen:.2g}")
    return f"That is about {rows:,.0f} rows in all, if they stay as they are."


def _first(found: Crossing) -> str:
    when = ""
    if isinstance(found.at, str):
        when = f" on {ago(datetime.fromisoformat(found.at).timestamp())}"
    version = "" if found.version is None else f", after {found.version:,} writes"
    return f"First decided{when}{version}: {wording.VERDICTS[found.verdict]}."


def _of_arm(groups: Sequence[Group], arm: str) -> list[tuple[Group, told.Comparison]]:
    """The comparison of an arm in each segment."""
    return [(group, one) for group in groups for one in group.comparisons if one.arm == arm]


def _segments(report: Report, arm: str) -> Figure | None:
    """The effect of an arm by segment with its sequences, of the first of them."""
    found = _of_arm(report.groups, arm)[:DRAWN_SEGMENTS]
    if not any(one.effect is not None for _, one in found):
        return None
    sequences = [one.sequence or one.fixed_interval for _, one in found]
    kind = "sequence" if report.minimum_effect is not None else "interval for one look"
    return Figure(
        name="by-segment",
        title=f"Effect of {arm} by segment",
        caption=f"Bars: the {wording.sure(report)} {kind} of each segment on its own.",
        x_label="Segment",
        y_label=f"Difference of {wording.METRICS[report.metric]}",
        x=list(range(len(found))),
        series=[
            ChartSeries(
                "Effect",
                [one.effect for _, one in found],
                [None if ends is None else ends[0] for ends in sequences],
                [None if ends is None else ends[1] for ends in sequences],
                style="points",
            )
        ],
        levels=[(0.0, "no difference")],
        x_names=[group.name for group, _ in found],
        y_holds=[0.0],
    )
