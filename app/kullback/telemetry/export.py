"""Export by OTLP: traces and metrics leave where OpenTelemetry's variables say where to."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fastapi.telemetry import TelemetryConfig
from prometheus_client.metrics_core import Metric
from starlette.types import Scope

# FastAPI would span and count as well.
OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
PROTOCOL = "http/protobuf"
_PREFIX = "OTEL_EXPORTER_OTLP"

_log = logging.getLogger("kullback.server")


def _nothing() -> None:
    """There is nothing to export."""


@dataclass(frozen=True, slots=True)
class Export:
    """What FastAPI spans and counts of requests, and the export of it from `start` to `stop`."""

    config: TelemetryConfig = field(default_factory=lambda: OFF)
    start: Callable[[], None] = _nothing
    stop: Callable[[], None] = _nothing

    @classmethod
    def of(
        cls,
        environment: Mapping[str, str],
        release: str,
        is_left_out: Callable[[Scope], bool],
        collect: Callable[[], Iterable[Metric]],
    ) -> "Export":
        """What the environment wants, of all requests but those that are left out.

        Beside what FastAPI counts of them leaves what `collect` has.

        The SDK is imported only where there is an endpoint. What cannot be done is said in a line
        of the log, and the service serves.
        """
        if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return cls()
        signals = {name for name in ("TRACES", "METRICS") if _leaves(environment, name)}
        if not signals:
            return cls()
        try:
            from kullback.telemetry.otlp import Providers  # noqa: PLC0415 - 20 MB of memory
        except ImportError:
            _log.warning(
                "%s_ENDPOINT is set, but no traces and metrics leave: they need the extra "
                "kullback[otel]",
                _PREFIX,
            )
            return cls()
        providers = Providers.of(release, signals, collect)
        config: TelemetryConfig = {
            "tracing": "TRACES" in signals,
            "metrics": "METRICS" in signals,
            "logs": False,  # the lines of the log have the ids of traces
            "operation_spans": False,
            "tracer_provider": providers.tracer,
            "meter_provider": providers.meter,
            "auto_configure": False,  # its end waits for a collector that does not answer
            "exclude": is_left_out,
        }

        def start() -> None:
            try:
                providers.start()
            except ValueError as error:
                _log.warning("not all traces and metrics leave: %s", error)

        return cls(config, start, providers.stop)


def _leaves(environment: Mapping[str, str], signal: str) -> bool:
    """Whether a signal has somewhere to go, and a way to get there."""

    def said(name: str) -> str:
        return environment.get(name, "").strip()

    if said(f"OTEL_{signal}_EXPORTER").lower() not in {"", "otlp"}:  # "none", or another one
        return False
    if not said(f"{_PREFIX}_{signal}_ENDPOINT") and not said(f"{_PREFIX}_ENDPOINT"):
        return False
    protocol = said(f"{_PREFIX}_{signal}_PROTOCOL") or said(f"{_PREFIX}_PROTOCOL") or PROTOCOL
    if protocol != PROTOCOL:
        _log.warning("no %s leave by OTLP over %s: say %s", signal.lower(), protocol, PROTOCOL)
    return protocol == PROTOCOL
