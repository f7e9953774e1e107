"""A request belongs to the trace that its caller names, as W3C Trace Context has it."""

import json
import logging
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from kullback.telemetry.logs import JsonLines, TextLines
from kullback.telemetry.metrics import Telemetry
from kullback.telemetry.traces import TRACE, TraceContext

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SPAN = TraceContext(TRACE_ID, SPAN_ID, is_sampled=True)
IS = f"{TRACE_ID}-{SPAN_ID}"


def families(text: str) -> list[Metric]:
    """What is read of OpenMetrics."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call] # of theirs


def read(*values: str) -> TraceContext | None:
    headers = [(b"host", b"x"), *((b"traceparent", value.encode("latin-1")) for value in values)]
    return TraceContext.of_request({"headers": headers})


@pytest.mark.parametrize(
    ("value", "is_sampled"),
    [
        (f"00-{IS}-01", True),
        (f"00-{IS}-00", False),
        (f"00-{IS}-ff", True),
        (f"00-{IS}-fe", False),
        (f" 00-{IS}-01 ", True),
        (f"01-{IS}-01", True),
        (f"cc-{IS}-01-what-the-future-will-be-like", True),
    ],
)
def test_a_span_is_read_of_its_header(value: str, is_sampled: bool) -> None:  # noqa: FBT001
    assert read(value) == SPAN._replace(is_sampled=is_sampled)


@pytest.mark.parametrize(
    "value",
    [
        "",
        IS,
        f"ff-{IS}-01",
        f"00-{IS}-01-more",
        f"00-{IS}-01-",
        f"00-{IS}-1",
        f"00-{IS}",
        f"00-{IS.upper()}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID[:-1]}é-{SPAN_ID}-01",
    ],
)
def test_what_is_no_span_is_none(value: str) -> None:
    assert read(value) is None


def test_two_headers_are_none() -> None:
    assert read(f"00-{IS}-01", f"00-{IS}-01") is None
    assert read() is None


@given(st.lists(st.tuples(st.just(b"traceparent"), st.binary(max_size=70)), max_size=2))
def test_whatever_comes_is_read(headers: Iterable[tuple[bytes, bytes]]) -> None:
    span = TraceContext.of_headers(headers)
    assert span is None or (len(span.trace_id), len(span.span_id)) == (32, 16)


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_a_line_names_the_span_it_belongs_to(formatter: logging.Formatter) -> None:
    record = logging.LogRecord("kullback.test", logging.INFO, "file", 1, "scored", None, None)
    token = TRACE.set(SPAN)
    line = formatter.format(record)
    TRACE.reset(token)
    if isinstance(formatter, JsonLines):
        event = json.loads(line)
        assert (event["trace_id"], event["span_id"]) == (TRACE_ID, SPAN_ID)
    else:
        assert line.endswith(f"scored trace_id={TRACE_ID} span_id={SPAN_ID}")
    assert "trace_id" not in formatter.format(record)


def test_exemplars_name_sampled_spans_to_whoever_takes_openmetrics() -> None:
    telemetry = Telemetry([], "1")
    series = telemetry.series("GET", "/readyz")
    series.observe(200, 0.003, 0, SPAN.exemplar())
    series.observe(200, 0.02, 0, SPAN._replace(is_sampled=False).exemplar())
    openmetrics = {"accept": "application/openmetrics-text"}
    (text, _) = telemetry.expose(openmetrics)
    samples = [
        sample
        for family in families(text.decode())
        for sample in family.samples
        if sample.exemplar is not None
    ]
    (sample,) = samples
    assert sample.labels["le"] == "0.005"
    assert sample.exemplar is not None
    assert sample.exemplar.labels == {"trace_id": TRACE_ID, "span_id": SPAN_ID}
    assert sample.exemplar.value == 0.003
    scraper = openmetrics | {"user-agent": "Prometheus/3.0"}
    texts = [telemetry.expose(scraper, ("192.0.2.1", 1))[0].decode() for _ in range(2)]
    # the first scrape of a new series is 0, and an exemplar is of what was counted
    assert [TRACE_ID in text for text in texts] == [False, True]
    assert TRACE_ID not in telemetry.expose({})[0].decode()
