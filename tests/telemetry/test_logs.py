"""One event is one line, whatever a caller put into it."""

import io
import json
import logging
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.telemetry.logs import REQUEST_ID, JsonLines, TextLines, configure

HOSTILE = "GET\nINFO: admin logged in\r\x1b[2J\u2028\x85\ud800"


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("kullback.test", logging.INFO, "file", 1, message, None, None)
    made.__dict__["fields"] = fields
    return made


def failed(message: str) -> logging.LogRecord:
    made = record("it failed")
    made.exc_info = (ValueError, ValueError(message), None)
    return made


def test_a_json_line_says_when_how_grave_who_and_what() -> None:
    made = record("ready", port=8000)
    made.created = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC).timestamp()
    assert json.loads(JsonLines().format(made)) == {
        "ts": "2026-03-01T12:00:00.250Z",
        "level": "info",
        "logger": "kullback.test",
        "message": "ready",
        "port": 8000,
    }


def test_a_text_line_says_the_same() -> None:
    made = record("ready", port=8000)
    made.created = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    assert TextLines().format(made) == (
        "2026-03-01T12:00:00.000Z INFO    kullback.test ready port=8000"
    )


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_a_line_names_the_request_it_belongs_to(formatter: logging.Formatter) -> None:
    token = REQUEST_ID.set("abc-1")
    line = formatter.format(record("scored"))
    REQUEST_ID.reset(token)
    assert "request_id" in line
    assert "abc-1" in line


@settings(max_examples=100)
@given(st.text(), st.text())
def test_an_event_is_one_printable_json_line(message: str, value: str) -> None:
    line = JsonLines().format(record(message.replace("%", ""), path=value))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["path"] == value


@settings(max_examples=100)
@given(st.text(), st.text())
def test_an_event_is_one_printable_text_line(message: str, value: str) -> None:
    line = TextLines().format(record(message.replace("%", ""), path=value))
    assert line.isascii()
    assert line.isprintable()


def test_a_traceback_stays_in_its_json_line() -> None:
    line = JsonLines().format(failed(HOSTILE))
    assert line.isprintable()
    assert "ValueError" in json.loads(line)["exception"]


def test_a_traceback_in_text_is_indented_so_that_it_forges_no_line() -> None:
    (_, *trace) = TextLines().format(failed(HOSTILE)).split("\n")
    assert all(line.startswith("    | ") for line in trace)
    assert all(line.isascii() and line.isprintable() for line in trace)


def test_what_json_cannot_hold_is_written_as_text() -> None:
    line = JsonLines().format(record("odd", when=datetime(2026, 1, 1, tzinfo=UTC)))
    assert json.loads(line)["when"] == "2026-01-01 00:00:00+00:00"


@pytest.mark.usefixtures("own_logging")
def test_every_logger_writes_in_the_format_that_was_asked_for() -> None:
    stream = io.StringIO()
    configure("json", "info", stream)
    logging.getLogger("kullback.server").info("one")
    logging.getLogger("uvicorn.error").warning("two")
    logging.getLogger("asyncio").error("three")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["one", "two", "three"]


@pytest.mark.usefixtures("own_logging")
def test_lines_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    configure("text", "warning", stream)
    logging.getLogger("kullback.access").info("request")
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("own_logging")
def test_uvicorn_does_not_chat() -> None:
    stream = io.StringIO()
    configure("text", "info", stream)
    logging.getLogger("uvicorn.error").info("Waiting for application startup.")
    assert stream.getvalue() == ""
