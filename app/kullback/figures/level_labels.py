"""Where the label of a level can be read: beside its line, and on nothing that is drawn."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from kullback.figures.frame import LEFT, RIGHT, Frame
from kullback.figures.shapes import Point, line, text, width

_ABOVE, _BELOW = -5.0, 15.0  # from a line to the foot of words
_HEIGHT, _DEPTH = 12.0, 4.0  # of words, above and below their foot
_PARTS = 16  # of a piece of a line, each looked at
_SIDES = ((RIGHT - 4, "end"), (LEFT + 4, ""), ((LEFT + RIGHT) / 2, "middle"))

Box = tuple[float, float, float, float]


def levels(frame: Frame) -> Iterator[str]:
    """The levels, each with its label where that lies on no data; the legend has all of them."""
    taken: list[Box] = []
    drawn = list(_drawn(frame))
    for level, label in frame.figure.levels_in_view:
        y = frame.y(level)
        yield line((LEFT, y), (RIGHT, y), "zero" if level == 0 else "level")
        for away in (_ABOVE, _BELOW):
            free = (side for side in _SIDES if _is_free(_box(side, y + away, label), drawn, taken))
            if side := next(free, None):
                taken.append(_box(side, y + away, label))
                yield text((side[0], y + away), label, f"tick {side[1]}".strip())
                break


def _box(side: tuple[float, str], y: float, label: str) -> Box:
    x, anchor = side
    size = width(label)
    left = x - {"end": size, "middle": size / 2}.get(anchor, 0.0)
    return left, left + size, y - _HEIGHT, y + _DEPTH


def _is_free(box: Box, drawn: Sequence[Point], taken: Sequence[Box]) -> bool:
    left, right, top, bottom = box
    is_on_data = any(left <= x <= right and top <= y <= bottom for x, y in drawn)
    return not is_on_data and not any(
        left < other[1] and other[0] < right and top < other[3] and other[2] < bottom
        for other in taken
    )


def _drawn(frame: Frame) -> Iterator[Point]:
    """Points along the lines, the bars and the columns of a figure."""
    for series in frame.figure.series:
        for run in frame.runs(series.y):
            points = [frame.at(x, y) for x, y in run]
            yield from points
            if series.style == "line":
                for pair in pairwise(points):
                    yield from _between(*pair)
            for x, y in points if series.style == "bars" else ():
                yield from _between((x, y), (x, frame.y(0)))
        if series.style == "points" and series.low is not None and series.high is not None:
            for run in frame.runs(series.low, series.high):
                for x, low, high in run:
                    yield from _between(frame.at(x, low), frame.at(x, high))


def _between(start: Point, stop: Point) -> Iterator[Point]:
    for part in range(_PARTS + 1):
        along = part / _PARTS
        yield (start[0] + along * (stop[0] - start[0]), start[1] + along * (stop[1] - start[1]))
