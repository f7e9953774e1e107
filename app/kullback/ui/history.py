"""This file is about figures of a monitor over time: all rows, and the values of a slice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kullback.monitoring.queries import MonitorQueries, MonitorQuery
from kullback.tally.metrics import TallyMetrics
from kullback.ui.figures import SURE, ChartSeries, Figure, Numbers
from kullback.ui.observed import Group, Point, Report, Setup, points
from kullback.ui.times import Ground, View

MOST_SLICES = 12
SLICE_STEPS = 12  # each is a report of its own
_BAND = "The band is ±1.96 standard errors, from 0 up."


@dataclass(frozen=True, slots=True)
class Drawn:
    """How a metric is drawn over time."""

    metric: str
    title: str
    y_label: str
    caption: str
    hue: int
    level: tuple[float, str] | None = None


BINARY = (
    Drawn("log_loss", "Log loss", "Nats", "Lower is better.", 1),
    Drawn(
        "normalized_entropy",
        "Normalized entropy",
        "Ratio",
        "Log loss over that of always saying the base rate: lower is better, 1 is of no use.",
        4,
        (1.0, ""),
    ),
    Drawn(
        "calibration_ratio",
        "Calibration ratio",
        "Predicted / observed",
        "What was predicted over what happened: above 1 is too much, below 1 too little.",
        3,
        (1.0, ""),
    ),
)
MULTICLASS = (
    BINARY[0],
    Drawn("accuracy", "Accuracy", "Share of rows", "How often the top label was right.", 3),
    Drawn("brier", "Brier score", "Squared error", "Lower is better.", 4),
)


@dataclass(frozen=True, slots=True)
class Course:
    """Points on a time axis that has a place for every step, with rows or without."""

    x: Sequence[float]
    points: Sequence[Point | None]

    @classmethod
    def of(cls, found: Sequence[Point], start: float, stop: float, step: int) -> "Course":
        """The points found; old ones are wider than a step, so steps within them have no place."""
        x: list[float] = []
        places: list[Point | None] = []
        at = start // step * step
        for point in found:
            while at < point.start:
                x, places, at = [*x, at], [*places, None], at + step
            x, places, at = [*x, point.start], [*places, point], point.stop
        while at < stop:
            x, places, at = [*x, at], [*places, None], at + step
        return cls(x, places)

    def series(self, label: str, hue: int, *, is_faint: bool = False) -> ChartSeries:
        """The values as a line, with its band unless it is faint."""
        values = [None if one is None else one.value for one in self.points]
        if is_faint:
            return ChartSeries(label, values, hue=hue, is_faint=True)
        errors = [None if one is None else one.standard_error for one in self.points]
        low, high = band(values, errors)
        return ChartSeries(label, values, low, high, hue)

    def rows(self) -> Figure:
        """How many rows came in each step."""
        return Figure(
            name="rows",
            title="Rows",
            caption="Rows with labels in each step.",
            x_label="From (UTC)",
            y_label="Rows",
            x=self.x,
            series=[
                ChartSeries(
                    "Rows",
                    [0 if one is None else one.n for one in self.points],
                    hue=5,
                    style="bars",
                )
            ],
            is_time=True,
        )


def band(values: Numbers, errors: Numbers) -> tuple[Numbers, Numbers]:
    """Values less and plus 1.96 standard errors, from 0 up; None where one is not known."""
    known = [
        (v, e) if v is not None and e is not None else None
        for v, e in zip(values, errors, strict=True)
    ]
    low = [None if one is None else max(0.0, one[0] - SURE * one[1]) for one in known]
    high = [None if one is None else one[0] + SURE * one[1] for one in known]
    return low, high


def over_time(views: MonitorQueries, setup: Setup, view: View, ground: Ground) -> list[Figure]:
    """The metrics of all rows, and how many came."""
    figures, course = [], None
    step, baseline = view.step(ground), views.baseline(setup.name)
    for drawn in BINARY if setup.task == "binary" else MULTICLASS:
        asked = MonitorQuery(view.start, view.stop, None, drawn.metric, step)
        found = points(views.series(setup.name, asked))
        course = Course.of(found, view.start, view.stop, step)
        figures.append(_figure(drawn, course, baseline))
    assert course is not None
    return [*figures, course.rows()]


def _figure(drawn: Drawn, course: Course, baseline: TallyMetrics | None) -> Figure:
    levels = [] if drawn.level is None else [drawn.level]
    before = None if baseline is None else baseline.metric(drawn.metric).value
    if isinstance(before, float):
        levels.append((before, "reference"))
    return Figure(
        name=drawn.metric.replace("_", "-"),
        title=drawn.title,
        caption=f"{drawn.caption} {_BAND}",
        x_label="From (UTC)",
        y_label=drawn.y_label,
        x=course.x,
        series=[course.series(drawn.title, drawn.hue)],
        is_time=True,
        levels=levels,
    )


def heaviest(groups: Sequence[Group]) -> list[Group]:
    """The values of a slice, that with the most weight first."""
    return sorted(groups, key=lambda one: (-one.weight, one.value))


def side_by_side(
    views: MonitorQueries, setup: Setup, view: View, ground: Ground, groups: Sequence[Group]
) -> list[Figure]:
    """Log loss over time of the heaviest values of a slice, on one scale, beside all rows."""
    step = view.step(ground, SLICE_STEPS)
    asked = MonitorQuery(view.start, view.stop, None, "log_loss", step)
    found = points(views.series(setup.name, asked))
    reports = [
        Report.of(
            views.report(setup.name, MonitorQuery(max(at.start, view.start), at.stop, view.by))
        )
        for at in found
    ]
    courses = {
        one.value: Course.of(_of_value(one.value, found, reports), view.start, view.stop, step)
        for one in heaviest(groups)[:MOST_SLICES]
    }
    whole = Course.of(found, view.start, view.stop, step).series("All rows", 5, is_faint=True)
    lines = {value: course.series(value, 1) for value, course in courses.items()}
    scale = shared(lines.values())
    return [
        _small(f"slice-{at}", value, courses[value].x, [whole, line], scale)
        for at, (value, line) in enumerate(lines.items())
    ]


def shared(lines: Iterable[ChartSeries]) -> tuple[float, float] | None:
    """A scale for several lines, with room for bands that are not wild."""
    values = [y for line in lines for y in line.y if y is not None]
    if not values:
        return None
    low, high = min(values), max(values)
    room = 0.5 * max(high - low, 0.1 * high)
    return max(0.0, low - room), high + room or 1.0


def _of_value(value: str, steps: Sequence[Point], reports: Sequence[Report]) -> list[Point]:
    """The log loss of one value in each step; a step without its rows has none."""
    found = []
    for step, report in zip(steps, reports, strict=True):
        group = next((one for one in report.groups if one.value == value), None)
        loss = None if group is None else group.metrics["log_loss"]
        found.append(
            replace(
                step,
                n=0 if group is None else group.n,
                value=None if loss is None else loss.value,
                standard_error=None if loss is None else loss.standard_error,
            )
        )
    return found


def _small(
    name: str,
    value: str,
    x: Sequence[float],
    series: Sequence[ChartSeries],
    scale: tuple[float, float] | None,
) -> Figure:
    return Figure(
        name=name,
        title=value,
        caption="",
        x_label="From (UTC)",
        y_label="Log loss",
        x=x,
        series=series,
        is_time=True,
        y_span=scale,
    )
