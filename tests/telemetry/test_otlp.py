"""Traces and metrics reach a real sink by OTLP, and trace ids stand in the log and in metrics."""

import gzip
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from typing import TYPE_CHECKING

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.serving import ROOT, Served, serving

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

pytestmark = pytest.mark.untraced

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = (f"00-{TRACE}-{PARENT}-{flags}" for flags in ("01", "00"))
SCORE, BODY = "/v1/scores/entropy", {"p": [0.5, 0.5]}
Attributes = dict[str, str | int]


class Sink:
    """A collector: an HTTP server that keeps what is exported to it."""

    def __init__(self) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    sent = gzip.decompress(sent)
                assert self.headers["content-type"] == "application/x-protobuf"
                sink.headers.append({name.lower(): value for name, value in self.headers.items()})
                if self.path == "/v1/traces":
                    sink.traces.append(ExportTraceServiceRequest.FromString(sent))
                elif self.path == "/v1/metrics":
                    sink.metrics.append(ExportMetricsServiceRequest.FromString(sent))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def listening(self) -> Iterator["Sink"]:
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def spans(self) -> list[Span]:
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resources(self) -> list[Attributes]:
        every = [each for request in self.traces for each in request.resource_spans]
        return [attributes(each.resource.attributes) for each in every]

    def instruments(self) -> dict[str, Metric]:
        """The last that came, by name."""
        return {
            metric.name: metric
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def attributes(pairs: "Iterable[KeyValue]") -> Attributes:
    def value(pair: "KeyValue") -> str | int:
        is_number = pair.value.HasField("int_value")
        return pair.value.int_value if is_number else pair.value.string_value

    return {pair.key: value(pair) for pair in pairs}


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink().listening() as sink:
        yield sink


@contextmanager
def exporting(sink: Sink, *command: str, **environment: str) -> Iterator[Served]:
    with serving(
        *command, directory=ROOT, **{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.address, **environment}
    ) as service:
        yield service


def ask(service: Served, *, traceparent: str | None = None, query: str = "") -> None:
    headers = {} if traceparent is None else {"traceparent": traceparent}
    answer = httpx.post(
        f"{service.address}{SCORE}{query}", json=BODY, headers=headers, trust_env=False
    )
    assert answer.status_code == 200


def lines(service: Served, path: str = SCORE) -> list[dict[str, object]]:
    """The lines of requests for a path."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        every = [json.loads(line) for line in service.log.read_text().splitlines()]
        found = [line for line in every if line.get("path") == path]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("no line came")


def exemplars(service: Served) -> list[str]:
    headers = {"accept": "application/openmetrics-text"}
    text = httpx.get(f"{service.address}/metrics", headers=headers, trust_env=False).text
    bucket = r"http_request_duration_seconds_bucket\{.*entropy.*\} \d.* # (\{.*?\})"
    every = re.findall(bucket, text)
    return sorted(set(every))


def test_spans_and_metrics_of_requests_leave(sink: Sink) -> None:
    environment = {
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,team=ads",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=ours",
    }
    with exporting(sink, **environment) as service:
        ask(service, traceparent=SAMPLED)
        assert httpx.get(f"{service.address}/v1/monitors/none", trust_env=False).status_code == 404
        for path in ("/livez", "/readyz", "/metrics"):
            httpx.get(f"{service.address}{path}", trust_env=False).raise_for_status()
        (line,) = lines(service)
        (seen,) = exemplars(service)
    scored, missing = sorted(sink.spans(), key=lambda span: span.name, reverse=True)
    assert (scored.name, scored.kind) == ("POST /v1/scores/entropy", Span.SPAN_KIND_SERVER)
    assert (scored.trace_id.hex(), scored.parent_span_id.hex()) == (TRACE, PARENT)
    assert (line["trace_id"], line["span_id"]) == (TRACE, scored.span_id.hex())
    assert seen == f'{{span_id="{scored.span_id.hex()}",trace_id="{TRACE}"}}'
    about = attributes(scored.attributes)
    assert about["http.route"] == SCORE
    assert about["http.response.status_code"] == 200
    assert missing.name == "GET /v1/monitors/{name}"
    assert missing.trace_id != scored.trace_id
    for resource in sink.resources():
        assert resource["service.name"] == "kullback"
        assert resource["team"] == "ads"
        assert resource["service.version"]
    (points,) = (
        metric.histogram.data_points
        for name, metric in sink.instruments().items()
        if name == "http.server.request.duration"
    )
    counts = {attributes(point.attributes)["http.route"]: point.count for point in points}
    assert counts == {SCORE: 1, "/v1/monitors/{name}": 1}
    assert {headers["x-tenant"] for headers in sink.headers} == {"ours"}


def test_the_variables_of_opentelemetry_are_honoured(sink: Sink) -> None:
    environment = {
        "OTEL_SERVICE_NAME": "scores",
        "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    with exporting(sink, **environment) as service:
        ask(service)
        ask(service, traceparent=UNSAMPLED)
        ask(service, traceparent=SAMPLED)
        (seen,) = exemplars(service)
    (span,) = sink.spans()
    assert span.trace_id.hex() == TRACE
    assert sink.resources()[0]["service.name"] == "scores"
    assert sink.metrics == []
    assert f'span_id="{span.span_id.hex()}"' in seen  # of the one that was sampled


def test_a_disabled_sdk_sends_nothing_and_the_callers_trace_is_in_the_log(sink: Sink) -> None:
    with exporting(sink, OTEL_SDK_DISABLED="true") as service:
        ask(service, traceparent=SAMPLED)
        (line,) = lines(service)
        (seen,) = exemplars(service)
    assert (sink.traces, sink.metrics) == ([], [])
    assert (line["trace_id"], line["span_id"]) == (TRACE, PARENT)
    assert seen == f'{{span_id="{PARENT}",trace_id="{TRACE}"}}'


def test_no_secret_of_a_key_leaves_with_an_address(sink: Sink) -> None:
    secret = f"kb_0123456789ab_{'s' * 43}"
    with exporting(sink) as service:
        for path in (f"/v1/monitors/{secret}", f"/v1/monitors?after={secret}"):
            httpx.get(f"{service.address}{path}", trust_env=False)
    sent = b"".join(request.SerializeToString() for request in sink.traces)
    assert b"kb_0123456789ab_***" in sent
    assert b"ssss" not in sent


def test_an_endpoint_without_the_extra_is_said_at_the_start(sink: Sink) -> None:
    without = (
        "import sys; sys.modules['opentelemetry.sdk'] = None;"
        "from kullback.cli import app; app(['serve', '--port', '0', '--log-format', 'json'])"
    )
    with exporting(sink, sys.executable, "-c", without) as service:
        ask(service, traceparent=SAMPLED)
        assert "they need the extra kullback[otel]" in service.log.read_text()
        (line,) = lines(service)
        assert (line["trace_id"], line["span_id"]) == (TRACE, PARENT)
    assert sink.traces == []


def test_a_service_serves_where_the_variables_say_what_cannot_be(sink: Sink) -> None:
    with exporting(sink, OTEL_BSP_MAX_QUEUE_SIZE="-1") as service:
        ask(service)
        assert "not all traces and metrics leave: " in service.log.read_text()


def test_without_an_endpoint_no_sdk_is_imported() -> None:
    code = (
        "import sys; from kullback.main import create_app; create_app();"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk',"
        "'opentelemetry.exporter', 'google.protobuf', 'requests'))])"
    )
    result = subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_service_serves_and_ends_in_time_where_nobody_takes_what_it_exports(
    protocol: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and answers nothing
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with serving(
            OTEL_EXPORTER_OTLP_ENDPOINT=address,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            KULLBACK_GRACE_SECONDS="2",
        ) as service:
            ask(service)
            is_refused = "no traces leave by OTLP over grpc" in service.log.read_text()
            assert is_refused == (protocol == "grpc")
            began = time.monotonic()
            service.process.terminate()
            status = service.process.wait(60)
            seconds = time.monotonic() - began
    assert (status, seconds < 3) == (-signal.SIGTERM, True), seconds


def test_what_metrics_say_of_monitors_and_scores_leaves_under_the_same_names(sink: Sink) -> None:
    rows = {"y_true": [0, 1, 1], "y_proba": [0.25, 0.5, 0.75], "slice": {"c": ["a", "b", "b"]}}
    with exporting(sink, OTEL_TRACES_EXPORTER="none") as service:
        place = f"{service.address}/v1/monitors/clicks"
        httpx.put(place, json={"slices": ["c"]}, trust_env=False).raise_for_status()
        httpx.post(f"{place}/observations", json=rows, trust_env=False).raise_for_status()
        ask(service)
        text = httpx.get(f"{service.address}/metrics", trust_env=False).text
    assert sink.traces == []
    expected = {
        line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("kullback_") and "kullback_build" not in line
    }
    exported = dict[str, float]()
    for name, metric in sink.instruments().items():
        if metric.HasField("sum") and name.startswith("kullback_"):
            assert metric.sum.is_monotonic
            exported |= numbers(f"{name}_total", metric.sum.data_points)
        elif metric.HasField("gauge") and name != "kullback_build":
            exported |= numbers(name, metric.gauge.data_points)
        elif metric.HasField("histogram") and name.startswith("kullback_"):
            for point in metric.histogram.data_points:
                totals = accumulate(point.bucket_counts)
                edges = [*map(repr, point.explicit_bounds), "+Inf"]
                pairs = zip(edges, totals, strict=True)
                exported |= {f'{name}_bucket{{le="{edge}"}}': float(n) for edge, n in pairs}
                exported |= {f"{name}_sum": point.sum, f"{name}_count": float(point.count)}
    clocks = [name for name in expected if "_seconds" in name and "commit" not in name]
    assert exported.keys() == expected.keys()
    assert len(exported) > 100
    assert exported['kullback_examples_total{monitor="clicks"}'] == 3
    assert {k: exported[k] for k in expected if k not in clocks} == {
        k: expected[k] for k in expected if k not in clocks
    }
    (resource, *_) = (
        attributes(each.resource.attributes)
        for request in sink.metrics
        for each in request.resource_metrics
    )
    assert resource["service.instance.id"]  # replicas are told apart


def numbers(name: str, points: "Iterable[NumberDataPoint]") -> dict[str, float]:
    """What Prometheus would make of them."""
    found = {}
    for point in points:
        pairs = sorted(attributes(point.attributes).items())
        labels = ",".join(f'{key}="{text}"' for key, text in pairs)
        found[f"{name}{{{labels}}}" if labels else name] = point.as_double
    return found
