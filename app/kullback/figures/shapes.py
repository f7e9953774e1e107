"""SVG shapes, styled by the class names that the style of a page knows."""

from collections.abc import Iterable, Iterator
from html import escape

from kullback.figures.axes import Scale
from kullback.figures.typesetting import typeset

Point = tuple[float, float]
WIDTH = 480
_LETTER = 7.6  # the width of a letter, about


def picture(height: float, title: str, description: str, shapes: Iterable[str]) -> str:
    """A picture with its name and what it shows, for those who do not see it."""
    return (
        f'<svg class="figure" viewBox="0 0 {WIDTH} {_n(height)}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{''.join(shapes)}</svg>"
    )


def line(start: Point, stop: Point, name: str) -> str:
    """A line from here to there."""
    (x1, y1), (x2, y2) = start, stop
    place = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
    return f'<line class="{name}" {place}/>'


def box(start: Point, stop: Point, name: str) -> str:
    """A rectangle between two corners."""
    (x1, y1), (x2, y2) = start, stop
    size = f'width="{_n(abs(x2 - x1))}" height="{_n(abs(y2 - y1))}"'
    return f'<rect class="{name}" x="{_n(min(x1, x2))}" y="{_n(min(y1, y2))}" {size}/>'


def dot(at: Point, name: str, radius: float = 4.5) -> str:
    """A round mark."""
    return f'<circle class="{name}" cx="{_n(at[0])}" cy="{_n(at[1])}" r="{_n(radius)}"/>'


def polyline(points: Iterable[Point], name: str) -> str:
    """A line through points."""
    return f'<polyline class="{name}" points="{_points(points)}"/>'


def polygon(points: Iterable[Point], name: str) -> str:
    """What points enclose."""
    return f'<polygon class="{name}" points="{_points(points)}"/>'


def text(at: Point, words: str, name: str) -> str:
    """Words from a point on; up to it with the class `end`, around it with `middle`."""
    escaped = escape(typeset(words))
    return f'<text class="{name}" x="{_n(at[0])}" y="{_n(at[1])}">{escaped}</text>'


def hoverable(shape: str, words: str, shown: str) -> str:
    """A shape that tells something where a pointer is on it, by its title and by what is shown."""
    return f'<g class="hit"><title>{escape(typeset(words))}</title>{shape}{shown}</g>'


def horizontal_axis(x: Scale, y: float, ticks: Iterable[tuple[float, str]]) -> Iterator[str]:
    """An axis with its ticks, each a place and its label."""
    yield line((x.start, y), (x.stop, y), "axis")
    for value, label in ticks:
        yield line((x(value), y), (x(value), y + 5), "axis")
        yield text((x(value), y + 19), label, "tick middle")


def width(words: str) -> float:
    """About how wide words are."""
    return _LETTER * len(words)


def shortened(words: str, room: float) -> str:
    """Words cut to about so much width."""
    most = max(4, int(room / _LETTER))
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
