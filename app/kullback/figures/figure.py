"""Figures: data of a chart, and the table with the same numbers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from kullback.figures.axes import labelled, round_numbers
from kullback.figures.cells import cell, columns_of, reading
from kullback.figures.in_view import Numbers, Row, beyond, in_view, in_view_of_logits
from kullback.figures.typesetting import shown
from kullback.moments import moment
from kullback.tally.report_types import ReliabilityBin

Style = Literal["line", "points", "bars"]
ScaleName = Literal["linear", "logit"]
ARM_HUES = (2, 1, 3, 4, 6)  # the control first
MAX_DESCRIBED = 12
Mark = tuple[float, float, str]
_TICKS = 6
_APART = 0.03  # of the y axis: levels that are nearer are one line


@dataclass(frozen=True, slots=True)
class TimeMark:
    """What happened at a time, such as a deploy: a line across a time axis.

    Attributes:
        x: epoch seconds, or what the clocks of the figure show where it is local.
        text: what happened.
    """

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One thing that is drawn over x: y, and where they are known its bounds.

    Attributes:
        label: what it is, in the legend and the table.
        y: a value for each x, None where there is none; with bounds alone it is a band.
        low, high: bounds for each x: a band of a line, bars of points.
        hue: 1 to 6, of the palette in style.css.
        is_faint: drawn behind the others, for comparison.
    """

    label: str
    y: Numbers
    low: Numbers | None = None
    high: Numbers | None = None
    hue: int = 1
    style: Style = "line"
    is_dashed: bool = False
    is_faint: bool = False

    def rows(self) -> list[Row]:
        """Each value with its bounds."""
        nothing = [None] * len(self.y)
        return list(zip(self.y, self.low or nothing, self.high or nothing, strict=True))

    @property
    def sign(self) -> str:
        """What it looks like in a legend: a band, a column, a point or a curve."""
        if not has_values(self.y):
            return "band"
        return {"bars": "column", "points": "point"}.get(self.style, "curve")


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its caption; `x` are epoch seconds where `is_time`.

    Attributes:
        name: unique on its page: letters, digits and dashes.
        title, caption: what it shows, and how to read it.
        levels: horizontal lines, each with its label; without one its number is said.
        time_marks: what happened meanwhile, where `x` is time.
        x_names: what stands at x = 0, 1, 2, …, where that is words.
        marks: points, each with its label; a chart that tells the nearest point leaves them out.
        notes: columns of the table that are not drawn, each with its head.
        y_holds: values that are always in view.
        y_span: what is in view, no more and no less, where figures share a scale; else it
            follows from the values, their bounds and levels nearby.
        drawing: the picture as SVG, where it is not drawn from the numbers alone.
        more: what is left out, in words that lead to the table `{name}-all`; "" where nothing is.
        is_local: whether x is what clocks of a time zone show, as though they hung in UTC.
    """

    name: str
    title: str
    caption: str
    x_label: str
    y_label: str
    x: Sequence[float]
    series: Sequence[ChartSeries]
    is_time: bool = False
    x_scale: ScaleName = "linear"
    y_scale: ScaleName = "linear"
    levels: Sequence[tuple[float, str]] = ()
    marks: Sequence[Mark] = ()
    x_names: Sequence[str] = ()
    notes: Sequence[tuple[str, Numbers]] = ()
    y_holds: Sequence[float] = ()
    y_span: tuple[float, float] | None = None
    is_local: bool = False
    time_marks: Sequence[TimeMark] = ()
    drawing: str = ""
    more: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(has_values(series.y) for series in self.series)

    @property
    def y_range(self) -> tuple[float, float]:
        """The low and the high end of the y axis: what lies beyond ends in an arrow.

        Values that are not yet mature are in view where they are near those that are.
        """
        if self.y_span is not None:
            return self.y_span
        young = [series for series in self.series if self.is_time and series.is_dashed]
        firm = [series for series in self.series if series not in young]
        if not any(has_values(series.y) for series in firm):
            young, firm = [], list(self.series)
        rows = [row for series in firm for row in series.rows()]
        if self.y_scale == "logit":
            return in_view_of_logits(rows)
        is_from_0 = any(series.style == "bars" for series in self.series)
        holds = [*self.y_holds, *([0.0] if is_from_0 else [])]
        near = [y for series in young for y in series.y if y is not None]
        return in_view(rows, holds, [*(level for level, _ in self.levels), *near])

    @property
    def levels_in_view(self) -> list[tuple[float, str]]:
        """The levels that are drawn, each with a label; 0 needs none.

        Where two are too near to be told apart, the first is drawn, and its label says so.
        """
        low, high = self.y_range
        drawn: list[tuple[float, str]] = []
        for level, label in self.levels:
            if not low <= level <= high:
                continue
            words = label or (shown(level) if level else "")
            near = [abs(level - other) < _APART * (high - low) for other, _ in drawn]
            if True in near:
                other, before = drawn[near.index(True)]
                size = "" if any(map(str.isdigit, words)) else f" {cell(level)}"
                drawn[near.index(True)] = (other, f"{before}; {words}{size}")
            else:
                drawn.append((level, words))
        return drawn

    @property
    def y_ticks(self) -> list[tuple[float, str]]:
        """Round numbers along the y axis, whole where only whole numbers are counted."""
        ticks = round_numbers(*self.y_range, _TICKS)
        counts = [y for series in self.series for y in series.y if y is not None]
        is_whole = all(series.style == "bars" for series in self.series) and all(
            isinstance(count, int) for count in counts
        )
        return labelled([tick for tick in ticks if tick.is_integer() or not is_whole])

    @property
    def has_arrows(self) -> bool:
        """Whether something goes on beyond the axis."""
        return any(any(beyond(series.rows(), *self.y_range)) for series in self.series)

    def data(self) -> dict[str, object]:
        """What the chart is drawn from."""
        low, high = self.y_range
        return {
            "x": list(self.x),
            "time": self.is_time,
            "local": self.is_local,
            "xLabel": self.x_label,
            "yLabel": self.y_label,
            "xScale": self.x_scale,
            "yScale": self.y_scale,
            "xNames": list(self.x_names) or None,
            "yRange": [low, high],
            "yTicks": [] if self.y_scale == "logit" else self.y_ticks,
            "levels": [{"y": y, "label": label} for y, label in self.levels_in_view],
            "notes": [[head, _as_json(values)] for head, values in self.notes],
            "timeMarks": [{"x": mark.x, "text": mark.text} for mark in self.time_marks],
            "series": [
                {
                    "label": series.label,
                    "y": _as_json(series.y),
                    "low": None if series.low is None else _as_json(series.low),
                    "high": None if series.high is None else _as_json(series.high),
                    "hue": series.hue,
                    "style": series.style,
                    "dashed": series.is_dashed,
                    "faint": series.is_faint,
                    "below": below,
                    "above": above,
                }
                for series in self.series
                for below, above in (beyond(series.rows(), low, high),)
            ],
        }

    def columns(self) -> list[str]:
        """The heads of the table."""
        return [self.x_label, *(head for head, _ in (*self._drawn(), *self.notes))]

    def rows(self) -> list[list[str]]:
        """The cells of the table, to two digits of half an interval, without one to four."""
        columns: list[list[str]] = []
        for series in self.series:
            y, low, high = columns_of(series.rows())
            columns += [y] if series.low is None or has_values(series.y) else []
            columns += [] if series.low is None else [low, high]
        columns += [list(map(cell, values)) for _, values in self.notes]
        return [list(row) for row in zip(self._places(), *columns, strict=True)]

    def when(self, x: float) -> str:
        """A time of the axis as tables have it: of local clocks without a zone."""
        return moment(x).removesuffix("Z" if self.is_local else "")

    def readings(self) -> list[str]:
        """What stands at each x, in words: the values, and their bounds in parentheses."""
        columns = [
            [reading(series.label, row) for row in series.rows()]
            for series in self.series
            if not series.is_dashed
        ]
        return [
            " · ".join(filter(None, parts)) for parts in zip(self._places(), *columns, strict=True)
        ]

    def _places(self) -> Sequence[str]:
        """What each x is called."""
        if self.x_names:
            return self.x_names
        return [self.when(at) if self.is_time else cell(at) for at in self.x]

    def description(self) -> str:
        """What is drawn, in words: every point of a few, else the first and the last."""
        heads = [self.x_label, *(head for head, _ in self._drawn())]
        rows = self.rows()
        points = [
            ", ".join(f"{head} {cell}" for head, cell in zip(heads, row, strict=False))
            for row in (rows if len(rows) <= MAX_DESCRIBED else (rows[0], rows[-1]))
        ]
        return "; ".join([*points, *(label for _, _, label in self.marks)]) + "."

    def _drawn(self) -> Iterator[tuple[str, Numbers]]:
        for series in self.series:
            if series.low is None or has_values(series.y):
                yield series.label, series.y
            if series.low is not None and series.high is not None:
                yield f"{series.label}, low", series.low
                yield f"{series.label}, high", series.high


def bounds(intervals: Sequence[tuple[float, float] | None]) -> tuple[Numbers, Numbers]:
    """The low and the high ends of intervals."""
    low = [None if ends is None else ends[0] for ends in intervals]
    return low, [None if ends is None else ends[1] for ends in intervals]


def bin_notes(bins: Sequence[ReliabilityBin]) -> list[tuple[str, Numbers]]:
    """Where bins of predictions begin and end, and what weighs in them."""
    return [
        ("Bin from", [each.low for each in bins]),
        ("to", [each.high for each in bins]),
        ("Weight", [each.weight for each in bins]),
    ]


def _as_json(values: Numbers) -> list[float | str | None]:
    """Values as JSON has them, which has no infinity."""
    return [
        value if value is None or math.isfinite(value) else str(float(value)) for value in values
    ]


def has_values(values: Numbers) -> bool:
    """Whether any of the values is there."""
    return any(value is not None for value in values)
