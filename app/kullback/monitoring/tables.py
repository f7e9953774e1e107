"""Tables of what a monitor answers: a row for each group of a report, or point of a series."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kullback.monitoring.report import MonitorDrift, MonitorGroup, MonitorReport
from kullback.monitoring.series import MetricPoint, MonitorSeries
from kullback.numerics.reasons import Reason
from kullback.tally.report_types import AucValue, EceValue, MetricValue, MetricValues

Entry = str | float | int | bool | None
Kind = Literal["text", "time", "count", "number", "flag"]  # a time is epoch seconds


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: None where a row has no value."""

    name: str
    kind: Kind
    entries: Sequence[Entry]


Table = Sequence[TableColumn]


def report_table(report: MonitorReport) -> Table:
    """All rows of a report first, then each of its groups.

    A metric that is infinite is so here too; what is undefined is None.
    """
    rows: list[MonitorReport | MonitorGroup] = [report, *report.groups]
    columns = [
        TableColumn("monitor", "text", [report.monitor] * len(rows)),
        TableColumn("from", "time", [report.start] * len(rows)),
        TableColumn("to", "time", [report.stop] * len(rows)),
        *_slices([row.slice or {} for row in rows]),
        TableColumn("n", "count", [row.n for row in rows]),
        TableColumn("weight", "number", [row.weight for row in rows]),
        TableColumn("predictions", "count", [row.predictions for row in rows]),
        TableColumn("labelled_share", "number", [row.labelled_share for row in rows]),
    ]
    numbers = [{**_metrics(row.metrics), **_drift(row.drift)} for row in rows]
    columns += [TableColumn(name, "number", [row[name] for row in numbers]) for name in numbers[0]]
    return columns


def series_table(series: MonitorSeries) -> Table:
    """A row for each point, with the metric and the values of slices that it is of."""
    rows, values = series.points, series.slice or {}
    bounds = [point.error_bound for point in rows]
    return [
        TableColumn("monitor", "text", [series.monitor] * len(rows)),
        TableColumn("metric", "text", [point.metric or series.metric for point in rows]),
        *_slices([values if point.slice is None else point.slice for point in rows]),
        TableColumn("from", "time", [point.start for point in rows]),
        TableColumn("to", "time", [point.stop for point in rows]),
        TableColumn("n", "count", [point.n for point in rows]),
        TableColumn("value", "number", [_number(point) for point in rows]),
        TableColumn("standard_error", "number", [point.standard_error for point in rows]),
        TableColumn("error_bound", "number", bounds),
        TableColumn("status", "text", [point.status for point in rows]),
        TableColumn("reason", "text", [point.reason for point in rows]),
        TableColumn("labelled_share", "number", [point.labelled_share for point in rows]),
        TableColumn("mature", "flag", [point.mature for point in rows]),
    ]


def _slices(rows: Sequence[Mapping[str, str]]) -> Iterable[TableColumn]:
    """A column for each slice, named as it is where rows are sent as columns."""
    names = dict.fromkeys(name for row in rows for name in row)
    return (TableColumn(f"slice.{name}", "text", [row.get(name) for row in rows]) for name in names)


def _metrics(metrics: MetricValues) -> Mapping[str, float | None]:
    numbers: dict[str, float | None] = {}
    for name, metric in metrics.items():
        numbers[name] = _number(metric)
        numbers[f"{name}_standard_error"] = metric.standard_error
        if isinstance(metric, AucValue):
            numbers[f"{name}_error_bound"] = metric.error_bound
        if isinstance(metric, EceValue):
            numbers[f"{name}_debiased"] = metric.debiased
            numbers[f"{name}_expected_if_calibrated"] = metric.expected_if_calibrated
    return numbers


def _drift(drift: MonitorDrift) -> Mapping[str, float | None]:
    sides = {"score": drift.score, "label": drift.label}
    return {
        f"drift_{name}_{number}": getattr(side, number)
        for name, side in sides.items()
        for number in ("psi", "p_value")
    }


def _number(metric: MetricValue | MetricPoint) -> float | None:
    infinite = {Reason.POSITIVE_INFINITY: math.inf, Reason.NEGATIVE_INFINITY: -math.inf}
    return metric.value if metric.reason is None else infinite.get(metric.reason)
