"""Metrics of a monitor over time."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from kullback.documents import extended
from kullback.monitoring.report import Start, Stop
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
class MonitorSeries:
    """One metric over time: a point for each step of `step` seconds in which rows came."""

    monitor: str
    metric: str
    step: int
    points: tuple[MetricPoint, ...]
