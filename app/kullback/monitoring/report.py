"""What a monitor reports: metrics, drift and slices of some time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from kullback.moments import Moment
from kullback.monitoring.crossed_slices import crossed_value, slice_values
from kullback.monitoring.drift_report import DriftReport, FeatureDriftReport
from kullback.monitoring.maturity import MatureTime
from kullback.monitoring.reference import Reference
from kullback.monitoring.window_tallies import WindowTallies
from kullback.monitoring.windows import Span
from kullback.scoring.labels import Label
from kullback.tally.feature_table import FeatureTable
from kullback.tally.inference import by_unit, occupied_buckets
from kullback.tally.metrics import RELIABILITY_BINS, TallyMetrics
from kullback.tally.multilabel import LabelMeans, label_means
from kullback.tally.report_types import (
    LogLossDecomposition,
    MetricValues,
    ReliabilityBin,
    finite,
    metric_values,
    reliability_bins,
)
from kullback.tally.tally import Layout, Tally

NO_FEATURES = FeatureTable()
Start = Annotated[Moment, Field(alias="from")]
Stop = Annotated[Moment, Field(alias="to")]
SliceValues = Annotated[
    Mapping[str, str] | None, Field(exclude_if=lambda values: values is None)
]  # by the name of the slice: what the rows have that an answer is of, where not of all


@dataclass(frozen=True, slots=True)
class ReportScope:
    """What a report is of: a monitor, the time, and the slices whose values are reported.

    `value` is a slice with its value as the store has them, "country=DE", or "" of all rows;
    `mature` is how much of the time is; `labels` are those of a multilabel monitor.
    """

    monitor: str
    layout: Layout
    span: Span
    mature: MatureTime
    by: tuple[str, ...] = ()
    value: str = ""
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferenceTime:
    """The time that a reference is of."""

    start: Start
    stop: Stop

    @classmethod
    def of(cls, reference: Reference | None) -> "ReferenceTime | None":
        """The time of a moving reference."""
        if reference is None or reference.offset is None or reference.period is None:
            return None
        return cls(*reference.period)


@dataclass(frozen=True, slots=True)
class MonitorDrift:
    """Drift of scores and of labels; of `slices`, how rows fall into the values of a slice.

    `features` are those of all rows, the one that changed most first. `reference` is the time that
    a moving reference is of.
    """

    score: DriftReport
    label: DriftReport
    slices: Annotated[Mapping[str, DriftReport], Field(exclude_if=lambda slices: not slices)] = (
        field(default_factory=dict)
    )
    features: Annotated[
        Mapping[str, FeatureDriftReport], Field(exclude_if=lambda features: not features)
    ] = field(default_factory=dict)
    reference: Annotated[
        ReferenceTime | None, Field(exclude_if=lambda reference: reference is None)
    ] = None

    @classmethod
    def of(
        cls,
        rows: WindowTallies,
        reference: Reference | None,
        name: str = "",
        slices: Mapping[str, DriftReport] | None = None,
        features: FeatureTable = NO_FEATURES,
    ) -> "MonitorDrift":
        """Drift of the rows of a slice, "" for all rows."""
        against = reference or Reference("none", 0.0)
        drifts = against.drifts(rows, name)
        score, label = (DriftReport.of(drifts[side]) for side in ("score", "label"))
        ranked = {
            feature: FeatureDriftReport.of_feature(each)
            for feature, each in against.feature_drifts(features).items()
        }
        return cls(score, label, slices or {}, ranked, ReferenceTime.of(reference))


@dataclass(frozen=True, slots=True)
class MonitorGroup:
    """The rows of one value of a slice; of these `predictions` were scored, `n` have labels.

    `labelled_share` is `n` / `predictions`, null where there are none.
    """

    slice: Mapping[str, str]
    n: int
    weight: float
    metrics: MetricValues
    predictions: int
    labelled_share: float | None
    drift: MonitorDrift

    @classmethod
    def of(
        cls, layout: Layout, name: str, rows: WindowTallies, reference: Reference | None
    ) -> "MonitorGroup":
        """The rows of `name`, a slice and its value as the store has them: "country=DE"."""
        metrics = TallyMetrics(rows.labelled or Tally(layout))
        return cls(
            slice=slice_values(name),
            n=metrics.rows,
            weight=metrics.weight,
            metrics=metric_values(metrics),
            predictions=rows.predictions,
            labelled_share=rows.rows.labelled_share,
            drift=MonitorDrift.of(rows, reference, name),
        )

    @property
    def value(self) -> str:
        """The value that the rows have, as the store has it."""
        return crossed_value(list(self.slice.values()))


@dataclass(frozen=True, slots=True)
class MonitorLabel:
    """A label of a multilabel monitor, over all rows: `log_loss` in nats, null where infinite.

    All three are null where no row has labels.
    """

    label: Label
    base_rate: float | None
    mean_prediction: float | None
    log_loss: float | None

    @classmethod
    def of(cls, label: Label, means: LabelMeans) -> "MonitorLabel":
        """The means as they are reported."""
        numbers = (means.base_rate, means.mean_prediction, means.log_loss)
        return cls(label, *map(finite, numbers))


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """Metrics and drift of a monitor between `from`, inclusive, and `to`, exclusive.

    Of the rows, `predictions` were scored and `n` have labels; the loss of `clipped` was bounded
    by the convention, that of `infinite` is infinite. `units` is how many buckets of units have
    rows, null where rows have none. `groups` are the values of the slices that were asked for, one
    slice after the other. `slice` is there where only rows of its value were asked for, `labels`
    of a multilabel monitor.

    `labelled_share` is the share of all rows that have labels, null where there are no rows. Up to
    `mature_until` the labels are in, as far as they come; null where none of the time is so old;
    `maturity` says in words what still waits.
    """

    monitor: str
    start: Start
    stop: Stop
    n: int
    weight: float
    metrics: MetricValues
    predictions: int
    labelled_share: float | None
    mature_until: Moment | None
    maturity: str
    clipped: int
    infinite: int
    units: int | None
    decomposition: LogLossDecomposition
    reliability: tuple[ReliabilityBin, ...]
    drift: MonitorDrift
    groups: tuple[MonitorGroup, ...]
    labels: Annotated[tuple[MonitorLabel, ...], Field(exclude_if=lambda labels: not labels)] = ()
    slice: SliceValues = None

    @classmethod
    def of(
        cls,
        scope: ReportScope,
        rows: WindowTallies,
        groups: Mapping[str, WindowTallies],
        reference: Reference | None,
        features: FeatureTable = NO_FEATURES,
    ) -> "MonitorReport":
        """The report of some rows.

        Args:
            scope: what the report is of.
            rows: all rows of it.
            groups: the rows of each value of the slices `scope.by`.
            reference: what drift is measured against.
            features: the counts of each feature of all rows.
        """
        metrics = TallyMetrics(rows.labelled or Tally(scope.layout))
        mixes: Mapping[str, DriftReport] = {}
        if reference is not None:
            mixes = {
                by: DriftReport.of(reference.slice_drift(values_of(by, groups), by, scope.value))
                for by in scope.by
            }
        return cls(
            monitor=scope.monitor,
            start=scope.span.start,
            stop=scope.span.stop,
            n=metrics.rows,
            weight=metrics.weight,
            metrics=metric_values(metrics),
            predictions=rows.predictions,
            labelled_share=rows.rows.labelled_share,
            mature_until=scope.mature.until,
            maturity=scope.mature.statement if rows.predictions else "No rows came in this time.",
            clipped=metrics.tally.scalar("clipped"),
            infinite=metrics.tally.scalar("infinite"),
            units=occupied_buckets(metrics.tally) if by_unit(metrics.tally) else None,
            decomposition=LogLossDecomposition.of(metrics.decomposition()),
            reliability=reliability_bins(metrics.reliability(RELIABILITY_BINS)),
            drift=MonitorDrift.of(rows, reference, scope.value, mixes, features),
            groups=tuple(
                MonitorGroup.of(scope.layout, name, group, reference)
                for by in scope.by
                for name, group in values_of(by, groups).items()
            ),
            labels=tuple(map(MonitorLabel.of, scope.labels, label_means(metrics.tally)))
            if scope.labels
            else (),
            slice=slice_values(scope.value) if scope.value else None,
        )


def values_of(by: str, groups: Mapping[str, WindowTallies]) -> Mapping[str, WindowTallies]:
    """Of some groups those that are the values of one slice."""
    return {name: group for name, group in groups.items() if name.startswith(f"{by}=")}
