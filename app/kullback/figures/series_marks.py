"""The marks of a series: bands, bars, points, curves, and arrows where they go on beyond."""

from collections.abc import Iterator, Sequence

from kullback.figures.axes import thinned
from kullback.figures.figure import ChartSeries
from kullback.figures.frame import BOTTOM, TOP, Frame
from kullback.figures.in_view import beyond
from kullback.figures.shapes import Point, box, dot, line, polygon, polyline

_ARROW = 12.0  # between arrows that stand side by side


def bounds(frame: Frame, series: ChartSeries) -> Iterator[str]:
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


def values(frame: Frame, series: ChartSeries) -> Iterator[str]:
    """What stands at the values themselves."""
    for run in frame.runs(series.y):
        points = [frame.at(x, y) for x, y in run]
        if series.style == "bars":
            yield from _columns(frame, series, points)
        elif series.style == "points" or len(run) == 1:
            for point, (_, y) in zip(points, run, strict=True):
                yield dot(point, _name("point" if frame.y.holds(y) else "beyond", series))
        else:
            yield polyline(points, _name("curve", series))


def arrows(frame: Frame, series: ChartSeries) -> Iterator[str]:
    """An arrow at the end of the axis for each value that goes on beyond it."""
    for rows, y, outwards in zip(
        beyond(series.rows(), frame.y.low, frame.y.high), (BOTTOM, TOP), (1, -1), strict=True
    ):
        places = [frame.x(frame.figure.x[at]) + frame.offset(series) for at in rows]
        for x in thinned(places, _ARROW):
            corners = [(x - 5, y - 7 * outwards), (x + 5, y - 7 * outwards), (x, y)]
            yield polygon(corners, _name("arrow", series))


def _columns(frame: Frame, series: ChartSeries, points: Sequence[Point]) -> Iterator[str]:
    """Bars from 0; those of several series stand side by side."""
    size, middle = frame.column, frame.offset(series)
    for x, y in points:
        start, stop = x + middle - size / 2, x + middle + size / 2
        yield box((start, frame.y(0)), (stop, y), _name("column", series))


def _name(shape: str, series: ChartSeries) -> str:
    """The class names of a shape: what it is, and its colours."""
    kinds = [shape, f"c{series.hue}"]
    kinds += ["dashed"] if series.is_dashed else []
    return " ".join([*kinds, "faint"] if series.is_faint else kinds)
