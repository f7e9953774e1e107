"""OpenTelemetry's SDK and its exporters: imported only where there is an endpoint."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic
from uuid import uuid4

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_VERSION,
    Resource,
)
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from kullback.telemetry.otlp_metrics import BUILD, Collect, RegistryExporter

STOP_SECONDS = 1.0  # for the last export: a collector that is away ends nobody's time
_SECRET = re.compile(r"(kb_[0-9a-f]{12}_)[A-Za-z0-9_-]+")
_ADDRESS = ("url.path", "url.query")


@dataclass(frozen=True, slots=True)
class Providers:
    """What makes spans and instruments, and exports those of `signals`, as the environment says."""

    tracer: TracerProvider
    meter: MeterProvider
    signals: Collection[str]
    collect: Collect
    exporting: list[BatchSpanProcessor | PeriodicExportingMetricReader] = field(
        default_factory=list
    )

    @classmethod
    def of(cls, release: str, signals: Collection[str], collect: Collect) -> "Providers":
        """Those of this release; what the environment says of the resource comes first.

        `collect` has what is exported beside what FastAPI counts.
        """
        own = {SERVICE_VERSION: release, SERVICE_INSTANCE_ID: str(uuid4())}
        resource = Resource(own).merge(Resource.create())
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "kullback"}))
        tracer = TracerProvider(resource=resource, shutdown_on_exit=False)
        tracer.add_span_processor(SecretFilter())
        meter = MeterProvider(resource=resource, shutdown_on_exit=False)
        build = {"version": release}
        meter.get_meter("kullback").create_observable_gauge(
            BUILD, [lambda _: [Observation(1, build)]], description="The version that runs."
        )  # so that something is collected before the first request
        return cls(tracer, meter, signals, collect)

    def start(self) -> None:
        """Begin to export, by threads of the SDK.

        Raises:
            ValueError: a variable of OpenTelemetry says what cannot be.
        """
        if "TRACES" in self.signals:
            processor = BatchSpanProcessor(OTLPSpanExporter())
            self.tracer.add_span_processor(processor)
            self.exporting.append(processor)
        if "METRICS" in self.signals:
            reader = PeriodicExportingMetricReader(RegistryExporter(self.collect))
            self.meter.add_metric_reader(reader)
            self.exporting.append(reader)

    def stop(self) -> None:
        """Export what is left, as far as somebody takes it."""
        end = monotonic() + STOP_SECONDS
        threads = [
            Thread(target=part.shutdown, name="otlp", daemon=True) for part in self.exporting
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, end - monotonic()))


class SecretFilter(SpanProcessor):
    """Lets no secret of a key leave that a caller has put into an address."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """See SpanProcessor."""
        del parent_context
        for name in _ADDRESS:
            value = (span.attributes or {}).get(name)
            if isinstance(value, str) and "kb_" in value:
                span.set_attribute(name, _SECRET.sub(r"\1***", value))
