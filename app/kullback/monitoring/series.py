"""Metrics of a monitor over time."""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import Field

from kullback.documents import extended
from kullback.monitoring.report import SliceValues, Start, Stop
from kullback.monitoring.windows import Span
from kullback.numerics.reasons import Reason
from kullback.scoring.score import Status
from kullback.tally.metrics import TallyMetrics
from kullback.tally.report_types import MetricValue


class PointScope(NamedTuple):
    """What a point of a series is of: the step, how much of it has labels, if it is mature."""

    span: Span
    labelled_share: float | None
    mature: bool


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """A metric of the `n` rows with labels of one step; `error_bound` is of `auc` alone.

    `metric` and `slice` are there where the points of a series are of several.

    `labelled_share` is the share of all its rows that have labels; where it is not `mature`, more
    labels are to come.
    """

    start: Start
    stop: Stop
    n: int
    value: float | None
    status: Status
    reason: Reason | None
    standard_error: float | None
    labelled_share: float | None
    mature: bool
    error_bound: Annotated[float | None, Field(exclude_if=lambda bound: bound is None)] = None
    metric: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None
    slice: SliceValues = None

    @classmethod
    def of(cls, scope: PointScope, metrics: TallyMetrics, name: str) -> "MetricPoint":
        """The metric of this name."""
        estimate = metrics.metric(name)
        return extended(
            cls,
            MetricValue.of(estimate),
            start=scope.span.start,
            stop=scope.span.stop,
            n=metrics.rows,
            labelled_share=scope.labelled_share,
            mature=scope.mature,
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
