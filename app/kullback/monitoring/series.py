"""Metrics of a monitor over time."""

from dataclasses import dataclass
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
    """A metric of the `n` rows with labels of one step; `error_bound` is of `auc` alone.

    `metric` and `slice` are there where the points of a series are of several.
    """

    start: Start
    stop: Stop
    n: int
    value: float | None
    status: Status
    reason: Reason | None
    standard_error: float | None
    error_bound: Annotated[float | None, Field(exclude_if=lambda bound: bound is None)] = None
    metric: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None
    slice: SliceValues = None

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
class MonitorSeries:
    """Metrics over time: a point for each step of `step` seconds in which rows came.

    Of one metric `metric` names it. Where several `metrics` were asked for, or slices (`by`), each
    point says of which metric it is, and of which values. `slice` is there where only the rows that
    have its value were asked for.
    """

    monitor: str
    metric: Annotated[str | None, Field(exclude_if=lambda name: name is None)]
    metrics: Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)]
    by: Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)]
    step: int
    points: tuple[MetricPoint, ...]
    slice: SliceValues = None
