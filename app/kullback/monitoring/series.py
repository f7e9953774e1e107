"""Metrics of a monitor over time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from kullback.documents import extended
from kullback.monitoring.report import SliceValues, Start, Stop
from kullback.monitoring.windows import Span
from kullback.numerics.reasons import Reason
from kullback.scoring.score import Status
from kullback.tally.metrics import TallyMetrics
from kullback.tally.report_types import MetricValue


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """A metric of the `n` rows with labels of one step; `error_bound` is of `auc` alone."""

    start: Start
    stop: Stop
    n: int
    value: float | None
    status: Status
    reason: Reason | None
    standard_error: float | None
    error_bound: Annotated[float | None, Field(exclude_if=lambda bound: bound is None)] = None

    @classmethod
    def of(cls, span: Span, metrics: TallyMetrics, name: str) -> "MetricPoint":
        """The metric of this name."""
        estimate = metrics.metric(name)
        return extended(
            cls,
            MetricValue.of(estimate),
            start=span.start,
            stop=span.stop,
            n=metrics.rows,
            error_bound=estimate.error_bound,
        )


@dataclass(frozen=True, slots=True)
class SlicePoint(MetricPoint):
    """A metric of one step, of all rows or of those that have the values of `slice`."""

    metric: str = field(kw_only=True)
    slice: Mapping[str, str] = field(kw_only=True)

    @classmethod
    def at(cls, point: MetricPoint, metric: str, values: Mapping[str, str]) -> "SlicePoint":
        """A point, and what it is of."""
        return extended(cls, point, metric=metric, slice=values)


@dataclass(frozen=True, slots=True)
class MonitorSeries:
    """One metric over time: a point for each step of `step` seconds in which rows came.

    `slice` is there where only the rows that have its value were asked for.
    """

    monitor: str
    metric: str
    step: int
    points: tuple[MetricPoint, ...]
    slice: SliceValues = None


@dataclass(frozen=True, slots=True)
class SeveralSeries:
    """Metrics over time, side by side: each point says which metric it is, and of which rows.

    Of `by` each value of each slice has its points; without it they are of all rows, or of those
    of `slice`.
    """

    monitor: str
    metrics: tuple[str, ...]
    by: tuple[str, ...]
    step: int
    points: tuple[SlicePoint, ...]
    slice: SliceValues = None
