"""Intervals as small pictures that stand in the rows of a table, on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from markupsafe import Markup

from kullback.figures.shapes import box, dot, line, polyline

WIDTH, HEIGHT = 180, 22
_EDGE, _MIDDLE = 8.0, HEIGHT / 2
_ROOM = 1.25  # of the furthest value: what reaches further ends in an arrow


@dataclass(frozen=True, slots=True)
class Reach:
    """A value with its interval, as distances from what is right: below and above 0."""

    value: float
    low: float
    high: float


def widest(reaches: Sequence[Reach], tolerance: float) -> float:
    """How far the scale goes: to the usual interval of the furthest value, beyond what is fine."""
    usual = median((each.high - each.low) / 2 for each in reaches) if reaches else 0.0
    far = max((abs(each.value) for each in reaches), default=0.0)
    return max(_ROOM * (far + usual), 2 * tolerance)


def interval_bar(reach: Reach, far: float, tolerance: float, hue: str, words: str) -> Markup:
    """The interval on a scale from −far to far, above what is tolerated; `words` say it."""

    def at(distance: float) -> float:
        part = (min(max(distance, -far), far) / far + 1) / 2
        return _EDGE + part * (WIDTH - 2 * _EDGE)

    shapes = [
        box((at(-tolerance), 2.0), (at(tolerance), HEIGHT - 2.0), "tolerated"),
        line((at(0.0), 0.0), (at(0.0), float(HEIGHT)), "right"),
        line((at(reach.low), _MIDDLE), (at(reach.high), _MIDDLE), "reach"),
    ]
    for end, outwards in ((reach.low, -1), (reach.high, 1)):
        if abs(end) > far and end * outwards > 0:
            x, back = at(end), 5.0 * outwards
            shapes.append(
                polyline([(x, _MIDDLE - 4), (x + back, _MIDDLE), (x, _MIDDLE + 4)], "reach")
            )
    shapes.append(dot((at(reach.value), _MIDDLE), "value", 3.5))
    return Markup(  # noqa: S704 - numbers alone, and words that are escaped
        f'<svg class="interval {hue}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(words)}"><title>{escape(words)}</title>{"".join(shapes)}</svg>'
    )
