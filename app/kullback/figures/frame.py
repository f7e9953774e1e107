"""The frame of a figure: where its two axes stand, and what lies between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from kullback.figures.axes import Scale, around, within_logits
from kullback.figures.figure import ChartSeries, Figure
from kullback.figures.in_view import Numbers
from kullback.figures.shapes import WIDTH, Point

LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 72.0, WIDTH - 16.0, 48.0, 260.0, 314.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a figure has its two axes; `y` runs upwards."""

    figure: Figure
    x: Scale
    y: Scale

    @classmethod
    def of(cls, figure: Figure) -> "Frame":
        """The frame that holds what is in view of a figure."""
        x = Scale(*_x_span(figure), LEFT, RIGHT, figure.x_scale == "logit")
        return cls(figure, x, Scale(*figure.y_range, BOTTOM, TOP, figure.y_scale == "logit"))

    def at(self, x: float, y: float) -> Point:
        """Where two numbers meet."""
        return self.x(x), self.y(y)

    def runs(self, *columns: Numbers) -> Iterator[list[tuple[float, ...]]]:
        """Rows of x and these columns, gap by gap, without the rows that lack a value."""
        rows = zip(self.figure.x, *columns, strict=True)
        for is_whole, run in groupby(rows, key=lambda row: None not in row):
            if is_whole:
                yield [tuple(value for value in row if value is not None) for row in run]

    @property
    def column(self) -> float:
        """The width of a bar."""
        several = sum(each.style == "bars" for each in self.figure.series)
        return min(60.0, 0.8 * (RIGHT - LEFT) / len(self.figure.x) / several)

    def offset(self, series: ChartSeries) -> float:
        """How far right of their x the bars of a series stand, beside those of others; else 0."""
        several = [each for each in self.figure.series if each.style == "bars"]
        if series not in several:
            return 0.0
        return (several.index(series) - (len(several) - 1) / 2) * self.column


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
