"""Effects with their intervals one under another on one axis, as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kullback.experiments.report import Interval
from kullback.figures.axes import Scale, labelled
from kullback.figures.in_view import Row, in_view
from kullback.figures.shapes import (
    WIDTH,
    box,
    horizontal_axis,
    hoverable,
    line,
    picture,
    polygon,
    polyline,
    shortened,
    text,
    width,
)

_LEFT, _RIGHT = 24.0, WIDTH - 24.0
_HEAD, _BARE = 34.0, 8.0  # above the rows, with the words of a margin and without
_NAME = 24.0
_NAMED, _PLAIN = 42.0, 26.0


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """An effect with its intervals.

    Attributes:
        name, value: what it is of, and how large, in words; "" where that is said elsewhere.
        effect: where its diamond stands.
        fixed: the interval for one look, a thick bar.
        sequence: the confidence sequence, a line.
        words: all that, as a pointer has it told.
    """

    name: str
    value: str
    effect: float
    fixed: Interval | None = None
    sequence: Interval | None = None
    words: str = ""

    @property
    def height(self) -> float:
        """Of a row with its words above it, or of one without."""
        return _NAMED if self.name else _PLAIN


@dataclass(frozen=True, slots=True)
class EffectAxis:
    """What is along the axis of effects.

    Attributes:
        unit: of the numbers.
        ends: words at its left and its right end.
        margin: effects nearer to 0 do not matter; None where that is not said.
        margin_words: how large that is.
    """

    unit: str = ""
    ends: tuple[str, str] = ("", "")
    margin: float | None = None
    margin_words: str = ""


def interval_rows(
    title: str, groups: Mapping[str, Sequence[IntervalRow]], axis: EffectAxis, description: str
) -> str:
    """Groups of rows, each under its name unless that is ""; all on one axis.

    What is in view follows from `in_view`; an interval that goes on beyond it ends in an arrow.
    """
    rows = [row for several in groups.values() for row in several]
    scale = Scale(*_span(rows, axis), _LEFT, _RIGHT)
    top = _BARE if axis.margin is None else _HEAD
    bottom = top + sum(row.height for row in rows) + _NAME * sum(map(bool, groups))
    shapes = [*_margin_words(axis, scale, top), *_ends(axis, scale, bottom + 40)]
    shapes += horizontal_axis(scale, bottom, labelled(scale.ticks(6)))
    for name, several in groups.items():
        if name:
            words = shortened(name, _RIGHT - _LEFT)
            shapes.append(text((scale.start, top + 20), words, "label strong"))
            top += _NAME
        for row in several:
            shapes += [*_ground(axis, scale, row, top), *_row(row, scale, top)]
            if row.words:
                strip = box((0, top), (WIDTH, top + row.height), "catch")
                shapes.append(hoverable(strip, row.words, ""))
            top += row.height
    return picture(bottom + 48, title, description, shapes)


def rows_on_own_scales(title: str, rows: Sequence[IntervalRow], description: str) -> str:
    """Rows of numbers that do not compare, each on a scale of its own around 0 in the middle."""
    top, middle = _BARE, (_LEFT + _RIGHT) / 2
    bottom = top + sum(row.height for row in rows)
    shapes = [line((middle, top), (middle, bottom), "zero")]
    for row in rows:
        reach = max(map(abs, _span([row], EffectAxis())))
        shapes += _row(row, Scale(-reach, reach, _LEFT, _RIGHT), top)
        strip = box((0, top), (WIDTH, top + row.height), "catch")
        shapes.append(hoverable(strip, row.words or f"{row.name}: {row.value}", ""))
        top += row.height
    shapes.append(text((middle, bottom + 18), "no difference", "tick middle"))
    return picture(bottom + 26, title, description, shapes)


def _span(rows: Sequence[IntervalRow], axis: EffectAxis) -> tuple[float, float]:
    seen: list[Row] = []
    for row in rows:
        for low, high in (row.sequence or (None, None), row.fixed or (None, None)):
            seen.append((row.effect, low, high))
    margin = axis.margin or 0.0
    return in_view(seen, [-margin, margin, 0.0])


def _margin_words(axis: EffectAxis, scale: Scale, top: float) -> Iterator[str]:
    if axis.margin is not None:
        half = width(axis.margin_words) / 2
        middle = min(max(scale(0), half), WIDTH - half)
        yield text((middle, top - 8), axis.margin_words, "tick middle")


def _ground(axis: EffectAxis, scale: Scale, row: IntervalRow, top: float) -> Iterator[str]:
    """The margin and the line at 0 beside the intervals of a row, not behind its words."""
    start, stop = top + row.height - _PLAIN + 6 * bool(row.name), top + row.height
    if axis.margin is not None:
        yield box((scale(-axis.margin), start), (scale(axis.margin), stop), "margin")
    yield line((scale(0), start), (scale(0), stop), "zero")


def _ends(axis: EffectAxis, scale: Scale, y: float) -> Iterator[str]:
    left, right = axis.ends
    places = ((scale.start, left, "name"), (WIDTH / 2, axis.unit, "name middle"))
    for x, words, name in (*places, (scale.stop, right, "name end")):
        if words:
            yield text((x, y), words, name)


def _row(row: IntervalRow, scale: Scale, top: float) -> Iterator[str]:
    middle = top + row.height - 12
    if row.name:
        room = scale.stop - scale.start - width(row.value) - 12
        yield text((scale.start, top + 18), _without_middle(row.name, room), "label")
        yield text((scale.stop, top + 18), row.value, "label end strong")
    if row.sequence is not None:
        yield from _whisker(scale, row.sequence, middle)
    if row.fixed is not None:
        low, high = map(scale, row.fixed)
        yield box((low, middle - 4), (high, middle + 4), "fixed")
        yield from _arrows(scale, row.fixed, middle)
    x = scale(row.effect)
    corners = [(x, middle - 7), (x + 6, middle), (x, middle + 7), (x - 6, middle)]
    yield polygon(corners, "estimate")


def _without_middle(name: str, room: float) -> str:
    """A name cut to about so much width: the ends of segments differ more than their beginnings."""
    if shortened(name, room) == name:
        return name
    tail = name[-int(room / width("n") / 3) :]
    return shortened(name, room - width(tail)) + tail


def _whisker(scale: Scale, ends: Interval, y: float) -> Iterator[str]:
    """The line of a sequence: a bar at each end, an arrow where it goes on beyond the picture."""
    yield line((scale(ends[0]), y), (scale(ends[1]), y), "sequence")
    for end in ends:
        if scale.holds(end):
            yield polyline([(scale(end), y - 6), (scale(end), y + 6)], "sequence")
    yield from _arrows(scale, ends, y)


def _arrows(scale: Scale, ends: Interval, y: float) -> Iterator[str]:
    """An arrow for each end that lies beyond the picture."""
    for end, outwards in zip(ends, (-1, 1), strict=True):
        if not scale.holds(end):
            x, back = scale(end), scale(end) - 7 * outwards
            yield polyline([(back, y - 6), (x, y), (back, y + 6)], "sequence")
