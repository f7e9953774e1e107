"""Figures as SVG: pictures that need no script, in the colours of the page around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kullback.figures.axes import Scale, around, labelled, thinned, within_logits
from kullback.figures.figure import ChartSeries, Figure, Numbers
from kullback.figures.in_view import beyond
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
_ARROW = 12.0  # between arrows that stand side by side


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a figure has its two axes; `y` runs upwards."""

    figure: Figure
    x: Scale
    y: Scale

    @classmethod
    def of(cls, figure: Figure) -> "_Frame":
        x = Scale(*_x_span(figure), _LEFT, _RIGHT, figure.x_scale == "logit")
        return cls(figure, x, Scale(*figure.y_range, _BOTTOM, _TOP, figure.y_scale == "logit"))

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
    shapes += [shape for series in figure.series for shape in _arrows(frame, series)]
    shapes += _marks(frame)
    return picture(_HEIGHT, figure.title, figure.description(), shapes)


def _x_span(figure: Figure) -> tuple[float, float]:
    if figure.x_names:
        return -0.6, len(figure.x_names) - 0.4
    if figure.x_scale == "logit":
        return within_logits(figure.x)
    low, high = min(figure.x), max(figure.x)
    if low == high:
        return around([low], 0.5)
    is_line = all(series.style == "line" for series in figure.series)
    return (low, high) if is_line else around([low, high], 0.03)


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
    """Levels with their labels; of those that stand at one place the first is drawn."""
    drawn: list[float] = []
    labels: list[Point] = []
    for level, label in frame.figure.named_levels:
        y = frame.y(level)
        if not frame.y.holds(level) or any(abs(y - other) < 4 for other in drawn):
            continue
        drawn.append(y)
        yield line((_LEFT, y), (_RIGHT, y), "zero" if level == 0 else "level")
        places = [(x, y + away) for away in (-5, 15) for x in (_RIGHT - 4, _LEFT + 4)]
        free = (place for place in places if all(_is_apart(place, other) for other in labels))
        place = next(free, places[0])
        labels.append(place)
        yield text(place, label, "tick end" if place[0] > WIDTH / 2 else "tick")


def _is_apart(place: Point, other: Point) -> bool:
    """Whether two labels of levels can both be read."""
    return abs(place[1] - other[1]) >= 15 or place[0] != other[0]


def _arrows(frame: _Frame, series: ChartSeries) -> Iterator[str]:
    """An arrow at the end of the axis for each value that goes on beyond it."""
    for rows, y, outwards in zip(
        beyond(series.rows(), frame.y.low, frame.y.high), (_BOTTOM, _TOP), (1, -1), strict=True
    ):
        places = [frame.x(frame.figure.x[at]) + _offset(frame.figure, series) for at in rows]
        for x in thinned(places, _ARROW):
            corners = [(x - 5, y - 7 * outwards), (x + 5, y - 7 * outwards), (x, y)]
            yield polygon(corners, _name("arrow", series))


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
    size, middle = _column(frame.figure), _offset(frame.figure, series)
    for x, y in points:
        start, stop = x + middle - size / 2, x + middle + size / 2
        yield box((start, frame.y(0)), (stop, y), _name("column", series))


def _column(figure: Figure) -> float:
    """The width of a bar."""
    several = sum(each.style == "bars" for each in figure.series)
    return min(60.0, 0.8 * (_RIGHT - _LEFT) / len(figure.x) / several)


def _offset(figure: Figure, series: ChartSeries) -> float:
    """How far right of their x the bars of a series stand, beside those of others; else 0."""
    several = [each for each in figure.series if each.style == "bars"]
    if series not in several:
        return 0.0
    return (several.index(series) - (len(several) - 1) / 2) * _column(figure)


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
