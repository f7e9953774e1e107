"""Figures as SVG: pictures that need no script, in the colours of the page around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kullback.figures.axes import Scale, around, labelled, within_logits
from kullback.figures.figure import ChartSeries, Figure, Numbers
from kullback.figures.shapes import (
    WIDTH,
    Point,
    box,
    dot,
    horizontal_axis,
    line,
    picture,
    polygon,
    polyline,
    shortened,
    text,
)

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 72.0, WIDTH - 16.0, 34.0, 260.0, 306.0


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
    shapes = [shape for series in figure.series for shape in _bounds(frame, series)]
    shapes += [*_axes(frame), *_levels(frame)]
    shapes += [shape for series in figure.series for shape in _values(frame, series)]
    shapes += _marks(frame)
    return picture(_HEIGHT, figure.title, figure.description(), shapes)


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
    for value, name in labelled(y.ticks(6)):
        yield line((_LEFT, y(value)), (_RIGHT, y(value)), "grid")
        yield text((_LEFT - 6, y(value) + 4.5), name, "tick end")
    named = labelled(x.ticks(5))
    if figure.x_names:
        room = (_RIGHT - _LEFT) / len(figure.x_names)
        named = [(float(at), shortened(name, room)) for at, name in enumerate(figure.x_names)]
    yield from horizontal_axis(x, _BOTTOM, named)
    yield text((_RIGHT, _BOTTOM + 37), figure.x_label, "name end")


def _levels(frame: _Frame) -> Iterator[str]:
    """Levels with their labels; where one stands already another would not be read."""
    drawn: list[float] = []
    with_label: list[float] = []
    for level, label in frame.figure.levels:
        y = frame.y(level)
        if not frame.y.holds(level) or any(abs(y - other) < 4 for other in drawn):
            continue
        drawn.append(y)
        yield line((_LEFT, y), (_RIGHT, y), "zero" if level == 0 else "level")
        if all(abs(y - other) >= 15 for other in with_label):
            with_label.append(y)
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


def _name(shape: str, series: ChartSeries) -> str:
    """The class names of a shape: what it is, and its colours."""
    kinds = [shape, f"c{series.hue}"]
    kinds += ["dashed"] if series.is_dashed else []
    return " ".join([*kinds, "faint"] if series.is_faint else kinds)
