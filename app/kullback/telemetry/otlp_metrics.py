"""What stands at /metrics of monitors, experiments and scores, exported by OTLP as well."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from time import time_ns
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

Collect = Callable[[], Iterable[Family]]
PREFIX = "kullback_"  # of requests FastAPI counts, of the process a collector
BUILD = "kullback_build"
_CUMULATIVE = AggregationTemporality.CUMULATIVE
_SCOPE = InstrumentationScope("kullback")


class RegistryExporter(OTLPMetricExporter):
    """Exports the families of a registry beside what the SDK has collected."""

    def __init__(self, collect: Collect) -> None:
        super().__init__()
        self._collect = collect
        self._began = time_ns()

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float | None = 10_000,
        **options: Any,  # noqa: ANN401 - theirs
    ) -> MetricExportResult:
        """See MetricExporter."""
        families = list(metrics_of(self._collect(), self._began, time_ns()))
        resources = [
            ResourceMetrics(
                each.resource,
                [*each.scope_metrics, ScopeMetrics(_SCOPE, families, "")],
                each.schema_url,
            )
            for each in metrics_data.resource_metrics
        ]
        return super().export(MetricsData(resources), timeout_millis, **options)


def metrics_of(families: Iterable[Family], began: int, now: int) -> Iterator[Metric]:
    """Families of Prometheus as metrics of OpenTelemetry, cumulative since `began` (ns).

    They keep their names, and counters lose `_total`, so that they come back to Prometheus as
    they are; so no unit is named, which would be added.
    """
    for family in families:
        if not family.name.startswith(PREFIX) or family.name == BUILD:
            continue
        data: Sum | Gauge | Histogram
        if family.type == "histogram":
            data = Histogram(_histograms(family, began, now), _CUMULATIVE)
        else:
            points = [
                NumberDataPoint(sample.labels, began, now, sample.value)
                for sample in family.samples
                if not sample.name.endswith("_created")
            ]
            is_counter = family.type == "counter"
            data = Sum(points, _CUMULATIVE, is_monotonic=True) if is_counter else Gauge(points)
        yield Metric(family.name, family.documentation, "", data)


def _histograms(family: Family, began: int, now: int) -> list[HistogramDataPoint]:
    def labels(sample: Sample) -> tuple[tuple[str, str], ...]:
        return tuple((name, text) for name, text in sample.labels.items() if name != "le")

    ordered = sorted(family.samples, key=labels)  # those of one histogram stay in their order
    return [
        _histogram(dict(own), list(samples), began, now)
        for own, samples in groupby(ordered, labels)
    ]


def _histogram(
    labels: dict[str, str], samples: Sequence[Sample], began: int, now: int
) -> HistogramDataPoint:
    buckets = [sample for sample in samples if sample.name.endswith("_bucket")]
    totals = [int(sample.value) for sample in buckets]
    sums = {sample.name.rpartition("_")[2]: sample.value for sample in samples}
    return HistogramDataPoint(
        labels,
        began,
        now,
        int(sums["count"]),
        sums["sum"],
        [after - before for before, after in zip([0, *totals], totals, strict=False)],
        [float(sample.labels["le"]) for sample in buckets[:-1]],  # the last is infinite
        min=None,  # type: ignore[arg-type] # nobody knows, and the field is optional
        max=None,  # type: ignore[arg-type]
    )
