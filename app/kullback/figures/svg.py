"""Figures as SVG: pictures that need no script, in the colours of the page around them."""

from collections.abc import Iterator
from itertools import pairwise

from kullback.figures.axes import labelled
from kullback.figures.figure import Figure
from kullback.figures.frame import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, Frame
from kullback.figures.level_labels import levels
from kullback.figures.rows_of_bars import rows_of_bars
from kullback.figures.series_marks import arrows, bounds, values
from kullback.figures.shapes import (
    WIDTH,
    box,
    dot,
    horizontal_axis,
    hoverable,
    line,
    picture,
    shortened,
    text,
    width,
)
from kullback.figures.time_axis import day, time_ticks


def svg(figure: Figure) -> str:
    """A figure as a picture; "" where there is nothing to draw."""
    if figure.is_empty:
        return ""
    if figure.drawing:
        return figure.drawing
    if figure.x_names and _needs_rows(figure):
        return rows_of_bars(figure)
    frame = Frame.of(figure)
    shapes = [shape for series in figure.series for shape in bounds(frame, series)]
    shapes += [*_axes(frame), *levels(frame)]
    shapes += [shape for series in figure.series for shape in values(frame, series)]
    shapes += [shape for series in figure.series for shape in arrows(frame, series)]
    shapes += [*_marks(frame), *_time_marks(frame)]
    shapes += [] if figure.is_time else _readings(frame)
    return picture(HEIGHT, figure.title, figure.description(), shapes)


def _needs_rows(figure: Figure) -> bool:
    """Whether names are too long to stand under upright bars, even in two lines."""
    room = 2 * (RIGHT - LEFT) / len(figure.x_names)
    is_bars = all(series.style == "bars" for series in figure.series)
    return is_bars and max(map(width, figure.x_names)) > room


def _axes(frame: Frame) -> Iterator[str]:
    x, y, figure = frame.x, frame.y, frame.figure
    yield text((4, 15), figure.y_label, "name")
    for value, name in labelled(y.ticks(6)) if y.logit else figure.y_ticks:
        yield line((LEFT, y(value)), (RIGHT, y(value)), "grid")
        yield text((LEFT - 6, y(value) + 4.5), name, "tick end")
    yield from horizontal_axis(x, BOTTOM, _ticks(frame))
    yield from _names(frame)
    since = f", from {day(min(figure.x))}" if figure.is_time else ""
    yield text((RIGHT, BOTTOM + 48), f"{figure.x_label}{since}", "name end")


def _ticks(frame: Frame) -> list[tuple[float, str]]:
    if frame.figure.is_time:
        return time_ticks(frame.x.low, frame.x.high)
    return [] if frame.figure.x_names else labelled(frame.x.ticks(5))


def _names(frame: Frame) -> Iterator[str]:
    """Names under the axis: every other one a line lower where they would touch."""
    names = frame.figure.x_names
    room = (RIGHT - LEFT) / max(1, len(names))
    lines = 2 if any(width(name) > room for name in names) else 1
    for at, name in enumerate(names):
        place = (frame.x(at), BOTTOM + 17 + 13 * (at % lines))
        yield text(place, shortened(name, lines * room), "tick middle")


def _readings(frame: Frame) -> Iterator[str]:
    """What is drawn at each x, to be read where a pointer is."""
    figure = frame.figure
    places = [(frame.x(x), reading) for x, reading in zip(figure.x, figure.readings(), strict=True)]
    places.sort()
    between = [(left + right) / 2 for (left, _), (right, _) in pairwise(places)]
    ends = zip([LEFT, *between], [*between, RIGHT], places, strict=True)
    for start, stop, (_, reading) in ends:
        strip = box((start, TOP - 6), (stop, BOTTOM), "catch")
        yield hoverable(strip, reading, text((RIGHT, 35), shortened(reading, RIGHT), "tip end"))


def _marks(frame: Frame) -> Iterator[str]:
    for at, value, label in frame.figure.marks:
        x, y = frame.at(at, value)
        side, away = ("end", -8) if x > WIDTH / 2 else ("", 8)
        height = BOTTOM - 10 if value < 0 else TOP + 14
        yield line((x, BOTTOM), (x, TOP), "mark")
        yield dot((x, y), "crossing", 5.5)
        yield text((x + away, height), label, f"tick {side}".strip())


def _time_marks(frame: Frame) -> Iterator[str]:
    """What happened: lines, and above them words as far as there is room, the latest first."""
    right = RIGHT
    for mark in sorted(frame.figure.time_marks, key=lambda mark: -mark.x):
        x = frame.x(mark.x)
        yield line((x, BOTTOM), (x, TOP), "mark")
        words = shortened(mark.text, 160.0)
        if x - width(words) >= LEFT and x <= right:
            yield text((x, TOP - 8), words, "tick end")
            right = x - width(words) - 8
