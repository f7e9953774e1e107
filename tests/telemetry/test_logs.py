"""One event is one line, whatever a caller put into it."""

import io
import json
import logging
import sys
import warnings
from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.telemetry.logs import LINE_BYTES, REQUEST_ID, JsonLines, TextLines, written

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


def grown(size: int, letter: str) -> logging.LogRecord:
    made = failed(letter * size)
    made.__dict__["fields"] = {"path": letter * size, "status": 500, "user": {letter * size: None}}
    return made


@pytest.mark.parametrize("letter", ["a", "\n", "\ud800", "\U0001f600", '"', "\\"])
@pytest.mark.parametrize("size", [100, 700, 3000, 100_000])
@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_an_event_has_at_most_two_kilobytes(
    formatter: logging.Formatter, size: int, letter: str
) -> None:
    event = formatter.format(grown(size, letter))
    assert event.isascii()
    assert len(event) < LINE_BYTES
    if isinstance(formatter, JsonLines):
        assert json.loads(event)["status"] == 500


def test_a_long_traceback_keeps_where_it_was_raised_and_what_was_raised() -> None:
    def deep(levels: int) -> None:
        if levels == 0:
            raise ValueError("at the bottom")
        deep(levels - 1)

    try:
        deep(200)
    except ValueError:
        made = logging.LogRecord("k", logging.ERROR, "f", 1, "failed", None, sys.exc_info())
    event = json.loads(JsonLines().format(made))
    assert event["message"] == "failed"
    assert event["exception"].endswith(
        'raise ValueError("at the bottom")\nValueError: at the bottom'
    )


def test_only_the_longest_text_loses_its_middle() -> None:
    event = json.loads(
        JsonLines().format(record("ready", path="<" + "a" * 5000 + ">", name="b" * 99))
    )
    assert (event["message"], event["name"]) == ("ready", "b" * 99)
    assert event["path"].startswith("<aaa")
    assert "a...a" in event["path"]
    assert event["path"].endswith("aaa>")


def lines_of(log_format: Literal["json", "text"], level: str, *events: tuple[str, int, str]) -> str:
    """What is written of events: logger, level, message."""
    stream = io.TextIOWrapper(io.BytesIO())
    with written(log_format, level, 100, stream):
        for logger, grade, message in events:
            logging.getLogger(logger).log(grade, message)
    stream.seek(0)
    return stream.read()


@pytest.mark.usefixtures("own_logging")
def test_every_logger_writes_in_the_format_that_was_asked_for() -> None:
    lines = lines_of(
        "json",
        "info",
        ("kullback.server", logging.INFO, "one"),
        ("uvicorn.error", logging.WARNING, "two"),
        ("asyncio", logging.ERROR, "three"),
    ).splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["one", "two", "three"]


@pytest.mark.usefixtures("own_logging")
def test_a_warning_of_python_is_a_line_too() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    with warnings.catch_warnings(), written("json", "info", 100, stream):
        warnings.simplefilter("always")
        warnings.warn("two\nlines", stacklevel=1)
    stream.seek(0)
    (line,) = stream.read().splitlines()
    assert "UserWarning: two\nlines" in json.loads(line)["message"]


@pytest.mark.usefixtures("own_logging")
def test_lines_below_the_level_are_not_written() -> None:
    assert lines_of("text", "warning", ("kullback.access", logging.INFO, "request")) == ""


@pytest.mark.usefixtures("own_logging")
def test_changes_of_keys_are_written_at_every_level() -> None:
    lines = lines_of("text", "error", ("kullback.audit", logging.INFO, "key revoked"))
    assert "key revoked" in lines


@pytest.mark.usefixtures("own_logging")
def test_uvicorn_does_not_chat() -> None:
    assert lines_of("text", "info", ("uvicorn.error", logging.INFO, "Waiting for startup.")) == ""
