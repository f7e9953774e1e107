"""Bars that lie one under another, each with its name before it, as SVG."""

from collections.abc import Iterator

from kullback.figures.axes import Scale, labelled
from kullback.figures.figure import Figure
from kullback.figures.shapes import (
    WIDTH,
    box,
    horizontal_axis,
    hoverable,
    line,
    picture,
    shortened,
    text,
    width,
)

_BAR, _GAP, _HEAD = 12.0, 8.0, 28.0
_RIGHT = WIDTH - 24.0
_MOST_NAME = 190.0


def rows_of_bars(figure: Figure) -> str:
    """A figure whose x are names: the bars of each series from 0 to the right."""
    left = min(_MOST_NAME, 14 + max(map(width, figure.x_names)))
    scale = Scale(*figure.y_range, left, _RIGHT)
    row = _GAP + _BAR * len(figure.series)
    bottom = _HEAD + row * len(figure.x_names)
    shapes = [text((left, 15), figure.y_label, "name")]
    ticks = labelled(scale.ticks(4))
    shapes += [line((scale(value), _HEAD), (scale(value), bottom), "grid") for value, _ in ticks]
    shapes += horizontal_axis(scale, bottom, ticks)
    shapes.append(line((scale(0), _HEAD), (scale(0), bottom), "axis"))
    for at, (name, reading) in enumerate(zip(figure.x_names, figure.readings(), strict=True)):
        top = _HEAD + row * at
        shapes += _bars(figure, at, scale, top + _GAP / 2)
        shapes.append(text((left - 8, top + row / 2 + 4.5), shortened(name, left - 12), "tick end"))
        strip = box((0, top), (WIDTH, top + row), "catch")
        shapes.append(hoverable(strip, reading, text((_RIGHT, 15), _short(reading), "tip end")))
    return picture(bottom + 28, figure.title, figure.description(), shapes)


def _bars(figure: Figure, at: int, scale: Scale, top: float) -> Iterator[str]:
    for place, series in enumerate(figure.series):
        value = series.y[at]
        if value is not None:
            y = top + place * _BAR
            yield box((scale(0), y), (scale(value), y + _BAR - 2), f"column c{series.hue}")


def _short(reading: str) -> str:
    return shortened(reading, _RIGHT)
