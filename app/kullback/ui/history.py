"""Figures of a monitor over time: all rows, and the values of a slice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kullback.figures.figure import ChartSeries, Figure, TimeMark, has_values
from kullback.figures.intervals import band
from kullback.moments import DAY
from kullback.monitoring.selection import MonitorSelection
from kullback.monitoring.series import MetricPoint
from kullback.tally.report_types import MetricValues
from kullback.timezones import offset
from kullback.ui.past import Past
from kullback.ui.times import RANGES, Ground, View, around

_LEAST_ROOM = 1e-300  # of a scale: doubles below it cannot be told apart
LEAST_DRAWN = 1 / 24  # of a range: an hour of a day
MOST_SLICES = 12
SLICE_STEPS = 12
MOST_MARKS = 50  # the latest: the page lists all that happened
_YOUNG = "Dashed is what is not yet mature: more labels are to come."
_BAND = "The band is a 95% interval."


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
        (1.0, "no better than the base rate"),
    ),
    Drawn(
        "calibration_ratio",
        "Calibration ratio",
        "Predicted / observed",
        "What was predicted over what happened: above 1 is too much, below 1 too little.",
        3,
        (1.0, "right"),
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
    points: Sequence[MetricPoint | None]
    timezone: str | None = None  # whose clocks show x, where it is of days

    @classmethod
    def of(
        cls,
        points: Sequence[MetricPoint],
        start: float,
        stop: float,
        step: int,
        timezone: str | None = None,
    ) -> "Course":
        """The points; old ones are wider than a step, so steps within them have no place."""
        x: list[float] = []
        places: list[MetricPoint | None] = []
        at: float = around(timezone, step, start)[0]
        for point in points:
            while at < point.start:
                x, places, at = [*x, at], [*places, None], around(timezone, step, at)[1]
            x, places, at = [*x, point.start], [*places, point], point.stop
        while at < stop:
            x, places, at = [*x, at], [*places, None], around(timezone, step, at)[1]
        zone = None if step % DAY else timezone
        return cls(x if zone is None else [at + offset(zone, at) for at in x], places, zone)

    def place(self, moment: float) -> float:
        """Where a moment stands on the axis."""
        return moment if self.timezone is None else moment + offset(self.timezone, moment)

    @property
    def x_label(self) -> str:
        """What x is, and by whose clocks."""
        return f"Time ({self.timezone or 'UTC'})"

    def series(self, label: str, hue: int, *, is_faint: bool = False) -> ChartSeries:
        """The mature values as a line, with its band unless it is faint."""
        points = [None if point is None or not point.mature else point for point in self.points]
        values = [None if point is None else point.value for point in points]
        if is_faint:
            return ChartSeries(label, values, hue=hue, is_faint=True)
        errors = [None if point is None else point.standard_error for point in points]
        low, high = band(values, errors)
        return ChartSeries(label, values, low, high, hue)

    def young(self, hue: int) -> list[ChartSeries]:
        """The values that are not yet mature, dashed, from the last that are; none without them."""
        values = [None if point is None or point.mature else point.value for point in self.points]
        if not has_values(values):
            return []
        for at, (before, value) in enumerate(zip(self.points, values[1:], strict=False)):
            if value is not None and values[at] is None and before is not None:
                values[at] = before.value
        return [ChartSeries("Not yet mature", values, hue=hue, is_dashed=True)]

    def rows(self) -> Figure:
        """How many rows came in each step."""
        return Figure(
            name="rows",
            title="Rows",
            caption="Rows with labels in each step.",
            x_label=self.x_label,
            y_label="Rows",
            x=self.x,
            is_local=self.timezone is not None,
            series=[
                ChartSeries(
                    "Rows",
                    [0 if point is None else point.n for point in self.points],
                    hue=5,
                    style="bars",
                )
            ],
            is_time=True,
        )


def drawn_of(task: str) -> Sequence[Drawn]:
    """The metrics that are drawn of a task."""
    return MULTICLASS if task == "multiclass" else BINARY


def fitted(view: View, points: Sequence[MetricPoint]) -> View:
    """The time from about its first points on, a part of it at least, where most of it has none.

    What comes after the last rows is left as it is, since silence is to be seen; and so is a time
    that somebody has chosen.
    """
    first, width = points[0].start if points else view.start, view.stop - view.start
    if view.range not in RANGES or first - view.start <= width / 2:
        return view
    return replace(view, start=min(float(first), view.stop - width * LEAST_DRAWN))


def over_time(
    selection: MonitorSelection,
    view: View,
    ground: Ground,
    value: str | None = None,
    past: Past | None = None,
) -> tuple[View, list[Figure]]:
    """The time that is drawn, and in it the metrics of all rows or of one value of a slice."""
    reader = selection.reader
    drawn = drawn_of(reader.monitor.task)
    metrics = [each.metric for each in drawn]
    points = selection.points(metrics, view.step(ground), value)
    shown = fitted(view, points["log_loss"])
    if shown != view:
        points = selection.points(metrics, shown.step(ground), value)
    time = (shown.start, shown.stop, shown.step(ground), ground.timezone)
    courses = [Course.of(points[each.metric], *time) for each in drawn]
    figures = [_figure(*pair, past) for pair in zip(drawn, courses, strict=True)]
    marks = time_marks(selection, courses[0], shown)
    return shown, [replace(figure, time_marks=marks) for figure in (*figures, courses[0].rows())]


def _figure(drawn: Drawn, course: Course, past: Past | None) -> Figure:
    levels = [] if drawn.level is None else [drawn.level]
    before = None if past is None else past.metrics[drawn.metric].value
    if past is not None and before is not None:
        levels.append((before, past.name))
    young = course.young(drawn.hue)
    return Figure(
        name=drawn.metric.replace("_", "-"),
        title=drawn.title,
        caption=f"{drawn.caption} {_BAND}{f' {_YOUNG}' if young else ''}",
        x_label=course.x_label,
        y_label=drawn.y_label,
        x=course.x,
        is_local=course.timezone is not None,
        series=[course.series(drawn.title, drawn.hue), *young],
        is_time=True,
        levels=levels,
        y_holds=[1.0] if drawn.metric == "calibration_ratio" else [],
    )


def side_by_side(
    selection: MonitorSelection,
    view: View,
    ground: Ground,
    values: Sequence[str],
    past: Mapping[str, MetricValues],
) -> list[Figure]:
    """What tells how bad values of slices are, over time, on one scale, beside all rows.

    Args:
        selection: the time of all rows.
        view: the time that the page shows.
        ground: what times of the monitor are made of.
        values: the values, "country=DE", the worst first; those beyond 12 are left out.
        past: the metrics of values in the reference.
    """
    step, drawn = view.step(ground, SLICE_STEPS), drawn_of_slices(selection.reader.monitor.task)
    if not values:
        return []
    time = (view.start, view.stop, step, ground.timezone)
    whole = selection.points([drawn.metric], step)[drawn.metric]
    of_all = Course.of(whole, *time)
    faint = of_all.series("All rows", 5, is_faint=True)
    marks = time_marks(selection, of_all, view)
    figures = []
    for at, value in enumerate(values[:MOST_SLICES]):
        points = selection.points([drawn.metric], step, value)[drawn.metric]
        course = Course.of(_in_steps_of(whole, points), *time)
        line = course.series(value.partition("=")[2], drawn.hue)
        before = past[value][drawn.metric].value if value in past else None
        small = Figure(
            name=f"slice-{at}",
            title=line.label,
            caption="",
            x_label=course.x_label,
            y_label=drawn.title,
            x=course.x,
            is_local=course.timezone is not None,
            series=[faint, line, *course.young(drawn.hue)],
            is_time=True,
            levels=[
                *([] if drawn.level is None else [drawn.level]),
                *([] if before is None else [(before, "reference")]),
            ],
            time_marks=marks,
        )
        figures.append(small)
    scale = shared([figure.series[1] for figure in figures])
    return [replace(figure, y_span=scale) for figure in figures]


def drawn_of_slices(task: str) -> Drawn:
    """The metric by which the values of slices are compared."""
    return MULTICLASS[0] if task == "multiclass" else BINARY[2]


def time_marks(selection: MonitorSelection, course: Course, view: View) -> list[TimeMark]:
    """What happened meanwhile, on the axis of a course."""
    marks = selection.reader.annotations(view.start, view.stop)[-MOST_MARKS:]
    return [TimeMark(course.place(each.time), each.text) for each in marks]


def shared(lines: Iterable[ChartSeries]) -> tuple[float, float] | None:
    """A scale for several lines, with room for bands that are not wild."""
    values = [y for line in lines for y in line.y if y is not None]
    if not values:
        return None
    low, high = min(values), max(values)
    room = 0.5 * max(high - low, 0.1 * high)
    if room < _LEAST_ROOM:
        return 0.0, 1.0
    return max(0.0, low - room), high + room


def _in_steps_of(whole: Sequence[MetricPoint], points: Sequence[MetricPoint]) -> list[MetricPoint]:
    """A point for each step of all rows; where there is none, one without rows."""
    by_start = {point.start: point for point in points}
    return [
        by_start.get(step.start, replace(step, n=0, value=None, standard_error=None))
        for step in whole
    ]
