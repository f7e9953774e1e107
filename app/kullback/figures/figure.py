"""Figures: data of a chart, and the table with the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kullback.figures.typesetting import shown
from kullback.moments import moment

Style = Literal["line", "points", "bars", "area"]
Scale = Literal["linear", "log", "logit"]
Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One thing that is drawn over x: y, and where they are known its bounds.

    Attributes:
        label: what it is, in the legend and the table.
        y: a value for each x, None where there is none; with bounds alone it is a band.
        low, high: bounds for each x: a band of a line, bars of points.
        hue: 1 to 6, of the palette in style.css.
        is_faint: drawn behind the others, for comparison.
    """

    label: str
    y: Numbers
    low: Numbers | None = None
    high: Numbers | None = None
    hue: int = 1
    style: Style = "line"
    is_dashed: bool = False
    is_faint: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its caption; `x` are epoch seconds where `is_time`.

    Attributes:
        name: unique on its page: letters, digits and dashes.
        title, caption: what it shows, and how to read it.
        levels: horizontal lines, each with its label.
        x_names: what stands at x = 0, 1, 2, …, where that is words.
        y_holds: values that are always in view.
        y_span: what is in view, no more and no less, where figures share a scale.
    """

    name: str
    title: str
    caption: str
    x_label: str
    y_label: str
    x: Sequence[float]
    series: Sequence[ChartSeries]
    is_time: bool = False
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    levels: Sequence[tuple[float, str]] = ()
    x_names: Sequence[str] = ()
    y_holds: Sequence[float] = ()
    y_span: tuple[float, float] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(has_values(series.y) for series in self.series)

    def data(self) -> dict[str, object]:
        """What the chart is drawn from."""
        return {
            "x": list(self.x),
            "time": self.is_time,
            "xLabel": self.x_label,
            "yLabel": self.y_label,
            "xScale": self.x_scale,
            "yScale": self.y_scale,
            "xNames": list(self.x_names) or None,
            "yHolds": list(self.y_holds),
            "ySpan": self.y_span,
            "levels": [{"y": y, "label": label} for y, label in self.levels],
            "series": [
                {
                    "label": series.label,
                    "y": list(series.y),
                    "low": None if series.low is None else list(series.low),
                    "high": None if series.high is None else list(series.high),
                    "hue": series.hue,
                    "style": series.style,
                    "dashed": series.is_dashed,
                    "faint": series.is_faint,
                }
                for series in self.series
            ],
        }

    def columns(self) -> list[str]:
        """The heads of the table."""
        heads = [self.x_label]
        for series in self.series:
            heads += [series.label] if series.low is None or has_values(series.y) else []
            heads += [f"{series.label}, {end}" for end in ("low", "high") if series.low is not None]
        return heads

    def rows(self) -> list[list[str]]:
        """The cells of the table, to six digits."""
        columns = [list(self.x_names) or [self._place(at) for at in self.x]]
        for series in self.series:
            kept = [
                series.y if series.low is None or has_values(series.y) else None,
                series.low,
                series.high,
            ]
            columns += [[shown(value) for value in part] for part in kept if part is not None]
        return [list(row) for row in zip(*columns, strict=True)]

    def _place(self, at: float) -> str:
        return moment(at) if self.is_time else shown(at)


def has_values(values: Numbers) -> bool:
    """Whether any of the values is there."""
    return any(value is not None for value in values)
