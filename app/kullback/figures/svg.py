"""Figures as SVG: pictures that need no script, in the colours of the page around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kullback.figures.axes import Scale, around, labels, within_logits
from kullback.figures.figure import ChartSeries, Figure, Numbers, has_values
from kullback.figures.shapes import (
    WIDTH,
    Point,
    box,
    dot,
    line,
    picture,
    polygon,
    polyline,
    shortened,
    text,
    width,
)

_LEFT, _RIGHT, _TOP, _BOTTOM = 72.0, WIDTH - 16.0, 34.0, 260.0
_LEGEND = _BOTTOM + 62
_LEGEND_ROW = 22
_SIGN = 20


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a figure has its two axes; `y` runs upwards."""

    figure: Figure
    x: Scale
    y: Scale

    @classmethod
    def of(cls, figure: Figure) -> "_Frame":
        x = Scale(*_x_span(figure), _LEFT, _RIGHT, figure.x_scale == "logit")
        return cls(figure, x, Scale(*_y_span(figure), _BOTTOM, _TOP, figure.y_scale == "logit"))

    def at(self, x: float, y: float) -> Point:
        return self.x(x), self.y(y)

    def runs(self, *columns: Numbers) -> Iterator[list[tuple[float, ...]]]:
        """Rows of x and these columns, gap by gap, without the rows that lack a value."""
        rows = zip(self.figure.x, *columns, strict=True)
        for is_whole, run in groupby(rows, key=lambda row: None not in row):
            if is_whole:
                yield [tuple(value for value in row if value is not None) for row in run]


def svg(figure: Figure) -> str:
    """A figure as a picture; "" where there is nothing to draw."""
    if figure.is_empty:
        return ""
    frame = _Frame.of(figure)
    signs, height = _legend(figure.series)
    shapes = [shape for series in figure.series for shape in _bounds(frame, series)]
    shapes += [*_axes(frame), *_levels(frame)]
    shapes += [shape for series in figure.series for shape in _values(frame, series)]
    shapes += [*_marks(frame), *signs]
    return picture(height, figure.title, figure.description(), shapes)


def _x_span(figure: Figure) -> tuple[float, float]:
    if figure.x_names:
        return -0.6, len(figure.x_names) - 0.4
    if figure.x_scale == "logit":
        return within_logits(figure.x)
    low, high = min(figure.x), max(figure.x)
    is_line = all(series.style == "line" for series in figure.series)
    return (low, high) if is_line and low < high else around([low, high], 0.03)


def _y_span(figure: Figure) -> tuple[float, float]:
    """Values, their bounds unless those are wild, and levels nearby, as charts.js has it."""
    if figure.y_span is not None:
        return figure.y_span
    values = [*figure.y_holds, *_numbers(series.y for series in figure.series)]
    if figure.y_scale == "logit":
        return within_logits(values)
    if any(series.style == "bars" for series in figure.series):
        values.append(0.0)
    low, high = min(values), max(values)
    room = 4 * max(high - low, abs(high) * 0.02, 1e-12)
    bounds = [end for series in figure.series for end in (series.low, series.high) if end]
    others = [*_numbers(iter(bounds)), *(level for level, _ in figure.levels)]
    values += [value for value in others if low - room <= value <= high + room]
    low, high = around(values)
    if min(values) >= 0:
        return max(0.0, low), high
    return low, min(0.0, high) if max(values) <= 0 else high


def _numbers(columns: Iterator[Numbers]) -> list[float]:
    return [value for column in columns for value in column if value is not None]


def _axes(frame: _Frame) -> Iterator[str]:
    x, y, figure = frame.x, frame.y, frame.figure
    yield text((_LEFT, _TOP - 12), figure.y_label, "name")
    ticks = y.ticks(6)
    for value, name in zip(ticks, labels(ticks), strict=True):
        yield line((_LEFT, y(value)), (_RIGHT, y(value)), "grid")
        yield text((_LEFT - 6, y(value) + 4.5), name, "tick end")
    ticks = x.ticks(5)
    named = list(zip(ticks, labels(ticks), strict=True))
    if figure.x_names:
        room = (_RIGHT - _LEFT) / len(figure.x_names)
        named = [(float(at), shortened(name, room)) for at, name in enumerate(figure.x_names)]
    for value, name in named:
        yield line((x(value), _BOTTOM), (x(value), _BOTTOM + 5), "axis")
        yield text((x(value), _BOTTOM + 19), name, "tick middle")
    yield line((_LEFT, _BOTTOM), (_RIGHT, _BOTTOM), "axis")
    yield text((_RIGHT, _BOTTOM + 37), figure.x_label, "name end")


def _levels(frame: _Frame) -> Iterator[str]:
    """Levels with their labels; where one stands already another would not be read."""
    drawn: list[float] = []
    labelled: list[float] = []
    for level, label in frame.figure.levels:
        y = frame.y(level)
        if not frame.y.holds(level) or any(abs(y - other) < 4 for other in drawn):
            continue
        drawn.append(y)
        yield line((_LEFT, y), (_RIGHT, y), "zero" if level == 0 else "level")
        if all(abs(y - other) >= 15 for other in labelled):
            labelled.append(y)
            yield text((_RIGHT - 4, y - 5), label, "tick end")


def _bounds(frame: _Frame, series: ChartSeries) -> Iterator[str]:
    """A band, or bars, from low to high."""
    if series.low is None or series.high is None:
        return
    for run in frame.runs(series.low, series.high):
        if series.style == "points":
            for x, low, high in run:
                yield line(frame.at(x, low), frame.at(x, high), _name("bar", series))
        else:
            above = [frame.at(x, high) for x, _, high in run]
            below = [frame.at(x, low) for x, low, _ in run]
            yield polygon([*above, *reversed(below)], _name("band", series))


def _values(frame: _Frame, series: ChartSeries) -> Iterator[str]:
    for run in frame.runs(series.y):
        points = [frame.at(x, y) for x, y in run]
        if series.style == "bars":
            yield from _columns(frame, series, points)
        elif series.style == "points" or len(run) == 1:
            for point, (_, y) in zip(points, run, strict=True):
                yield dot(point, _name("point" if frame.y.holds(y) else "beyond", series))
        else:
            if series.style == "area":
                ground = [(points[-1][0], frame.y(0)), (points[0][0], frame.y(0))]
                yield polygon([*points, *ground], _name("band", series))
            yield polyline(points, _name("curve", series))


def _columns(frame: _Frame, series: ChartSeries, points: Sequence[Point]) -> Iterator[str]:
    """Bars from 0; those of several series stand side by side."""
    several = [each for each in frame.figure.series if each.style == "bars"]
    size = min(60.0, 0.8 * (_RIGHT - _LEFT) / len(frame.figure.x) / len(several))
    first = (several.index(series) - len(several) / 2) * size
    for x, y in points:
        yield box((x + first, frame.y(0)), (x + first + size, y), _name("column", series))


def _marks(frame: _Frame) -> Iterator[str]:
    for at, value, label in frame.figure.marks:
        x, y = frame.at(at, value)
        side, away = ("end", -8) if x > WIDTH / 2 else ("", 8)
        height = _BOTTOM - 10 if value < 0 else _TOP + 14
        yield line((x, _BOTTOM), (x, _TOP), "mark")
        yield dot((x, y), "crossing", 5.5)
        yield text((x + away, height), label, f"tick {side}".strip())


def _legend(several: Sequence[ChartSeries]) -> tuple[list[str], float]:
    """What each series is, beneath the picture, and how high the picture is with it."""
    if len(several) < 2:
        return [], _LEGEND - 16
    shapes = []
    x, y = 16.0, _LEGEND
    for series in several:
        room = _SIGN + 26 + 0.8 * width(series.label)
        if x > 16 and x + room > _RIGHT:
            x, y = 16.0, y + _LEGEND_ROW
        shapes += [_sign(series, (x, y - 5)), text((x + _SIGN + 8, y), series.label, "tick")]
        x += room + 10
    return shapes, y + 14


def _sign(series: ChartSeries, at: Point) -> str:
    x, y = at
    if series.style == "points" and has_values(series.y):
        return dot((x + _SIGN / 2, y), _name("point", series))
    if series.style == "line" and has_values(series.y):
        return line((x, y), (x + _SIGN, y), _name("curve", series))
    name = "column" if series.style == "bars" else "band"
    return box((x, y - 6), (x + _SIGN, y + 6), _name(name, series))


def _name(shape: str, series: ChartSeries) -> str:
    """The class names of a shape: what it is, and its colours."""
    kinds = [shape, f"c{series.hue}"]
    kinds += ["dashed"] if series.is_dashed else []
    return " ".join([*kinds, "faint"] if series.is_faint else kinds)
