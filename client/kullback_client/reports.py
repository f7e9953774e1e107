"""Reports and series, each also as a table."""

from collections.abc import Mapping
from typing import Any

from .schemas import experiment_reports, monitor_reports
from .schemas.monitor_reports import AucValue, EceValue, MetricPoint, MetricValue, MonitorDrift
from .tables import Row, Table


class MonitorReport(Table, monitor_reports.MonitorReport):
    """All metrics of some time; as a table, a row of all rows and one of each group."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        """A row of all rows, then one of each group."""
        slices = dict.fromkeys(name for group in self.groups for name in group.slice)
        return [
            {
                "monitor": self.monitor,
                "from": self.from_,
                "to": self.to,
                **{f"slice.{name}": place.get(name) for name in [*(self.slice or {}), *slices]},
                "n": part.n,
                "weight": part.weight,
                "predictions": part.predictions,
                "labelled_share": part.labelled_share,
                **_metric_columns(part.metrics),
                **_drift_columns(part.drift),
            }
            for place, part in [
                (self.slice or {}, self),
                *(({**(self.slice or {}), **group.slice}, group) for group in self.groups),
            ]
        ]


class MonitorSeries(Table, monitor_reports.MonitorSeries):
    """Metrics over time; as a table, a row of each point."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        """A row of each point."""
        own = self.slice or {}
        names = dict.fromkeys([*own, *(name for p in self.points for name in p.slice or {})])
        return [
            {
                "monitor": self.monitor,
                "metric": point.metric or self.metric,
                **{f"slice.{name}": {**own, **(point.slice or {})}.get(name) for name in names},
                "from": point.from_,
                "to": point.to,
                "n": point.n,
                "value": number(point),
                "standard_error": point.standard_error,
                "error_bound": point.error_bound,
                "status": point.status,
                "reason": point.reason,
                "labelled_share": point.labelled_share,
                "mature": point.mature,
            }
            for point in self.points
        ]


class ExperimentReport(Table, experiment_reports.ExperimentReport):
    """What may be said of an experiment; as a table, a row of each comparison."""

    __slots__ = ()

    @property
    def verdict(self) -> str:
        """What may be said of the only treatment.

        Raises:
            ValueError: there are several: `verdicts` has each.
        """
        if len(self.comparisons) != 1:
            raise ValueError(f"{len(self.comparisons)} arms are compared: see verdicts")
        return self.comparisons[0].verdict

    @property
    def verdicts(self) -> Mapping[str, str]:
        """What may be said of each treatment, against the control."""
        return {comparison.arm: comparison.verdict for comparison in self.comparisons}

    def rows(self) -> list[Row]:
        """A row of each comparison of all rows, then of those of each segment."""
        slices = dict.fromkeys(name for group in self.groups for name in group.slice)
        parts: list[tuple[dict[str, str], Any]] = [({}, each) for each in self.comparisons]
        parts += [(group.slice, each) for group in self.groups for each in group.comparisons]
        return [
            {
                "experiment": self.experiment,
                "epoch": self.epoch,
                "metric": self.metric,
                **{f"slice.{name}": place.get(name) for name in slices},
                "arm": each.arm,
                "control": each.control,
                "verdict": each.verdict,
                "reason": each.reason,
                "effect": each.effect,
                "relative_effect": each.relative_effect,
                "standard_error": each.standard_error,
                "low": each.sequence and each.sequence[0],
                "high": each.sequence and each.sequence[1],
                "e_value": each.e_value,
                "p_value": each.p_value,
                "information_needed": each.information_needed,
            }
            for place, each in parts
        ]


class ExperimentSeries(Table, experiment_reports.ExperimentSeries):
    """A comparison as it grew; as a table, a row of each point."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        """A row of each point."""
        return [
            {
                "experiment": self.experiment,
                "arm": self.arm,
                "control": self.control,
                "from": point.from_,
                "to": point.to,
                "n": point.n,
                "effect": point.effect,
                "standard_error": point.standard_error,
                "low": point.sequence and point.sequence[0],
                "high": point.sequence and point.sequence[1],
                "e_value": point.e_value,
            }
            for point in self.points
        ]


def number(value: MetricValue | AucValue | EceValue | MetricPoint) -> float | None:
    """A metric as a number: infinite where it is, None where it is undefined."""
    if value.status == "infinite":
        return float("-inf" if value.reason == "negative_infinity" else "inf")
    return value.value


def _metric_columns(metrics: Mapping[str, MetricValue | AucValue | EceValue]) -> Row:
    columns: Row = {}
    for name, value in metrics.items():
        columns[name] = number(value)
        columns[f"{name}_standard_error"] = value.standard_error
        if isinstance(value, AucValue):
            columns[f"{name}_error_bound"] = value.error_bound
        if isinstance(value, EceValue):
            columns[f"{name}_debiased"] = value.debiased
            columns[f"{name}_expected_if_calibrated"] = value.expected_if_calibrated
    return columns


def _drift_columns(drift: MonitorDrift) -> Row:
    return {
        f"drift_{name}_{field}": getattr(part, field)
        for name, part in (("score", drift.score), ("label", drift.label))
        for field in ("psi", "p_value")
    }
