"""SVG shapes, styled by the class names of templates/style.css."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from kullback.evaluation.axes import Scale, labels

Point = tuple[float, float]
WIDTH = 480
_LETTER = 8.2  # the width of a letter, about
_MINUS = re.compile(r"(?<!\w)-(?=[\d.])")


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a picture has its two axes; `y` runs upwards."""

    x: Scale
    y: Scale

    def at(self, x: float, y: float) -> Point:
        """Where a point stands."""
        return self.x(x), self.y(y)

    def grid(self, x_name: str, y_name: str) -> str:
        """The axes with their marks and names."""
        left, right, bottom, top = self.x.start, self.x.stop, self.y.start, self.y.stop
        most = max(2, int((right - left) // 75))
        shapes = [text((left, top - 12), y_name, "name")]
        ticks = self.y.ticks(6)
        for value, name in zip(ticks, labels(ticks), strict=True):
            shapes.append(line((left, self.y(value)), (right, self.y(value)), "grid"))
            shapes.append(text((left - 6, self.y(value) + 4.5), name, "tick end"))
        ticks = self.x.ticks(most)
        for value, name in zip(ticks, labels(ticks), strict=True):
            shapes.append(line((self.x(value), bottom), (self.x(value), bottom + 5), "axis"))
            shapes.append(text((self.x(value), bottom + 19), name, "tick middle"))
        shapes.append(line((left, bottom), (right, bottom), "axis"))
        shapes.append(text((right, bottom + 37), x_name, "name end"))
        return "".join(shapes)

    def key(self, words: str, name: str) -> str:
        """What a line or an area of this class name is, above the picture at its right."""
        right, middle = self.x.stop, self.y.stop - 17
        left = right - 0.85 * width(words) - 8
        sample = [(left - 26, middle - 5), (left, middle - 5), (left, middle + 5)]
        sign = polygon([*sample, (left - 26, middle + 5)], name)
        if name == "diagonal":
            sign = line((left - 26, middle), (left, middle), name)
        return sign + text((right, middle + 5), words, "tick end")


def picture(height: float, title: str, description: str, shapes: Iterable[str]) -> str:
    """A picture with its name and what it shows, for those who do not see it."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {_n(height)}" role="img" xmlns="http://www.w3.org/2000/svg">'
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
    escaped = escape(_MINUS.sub("−", words))
    return f'<text class="{name}" x="{_n(at[0])}" y="{_n(at[1])}">{escaped}</text>'


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
