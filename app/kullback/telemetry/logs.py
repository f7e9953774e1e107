"""Log lines: one event is one line, whatever text a caller sent."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, TextIO

from kullback.telemetry.log_queue import AUDIT, QueuedLines, Sampling
from kullback.telemetry.traces import TRACE

LINE_BYTES = 2048  # of one event, with its traceback and the end of its line
FRAMES = 8  # of a traceback, the innermost
_ELLIPSIS = "..."
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

_encode = json.JSONEncoder(ensure_ascii=True, default=str, separators=(", ", ": ")).encode


class JsonLines(logging.Formatter):
    """A record as one JSON object; fields come from `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        event: dict[str, object] = {
            "ts": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = REQUEST_ID.get()
        if request_id is not None:
            event["request_id"] = request_id
        trace = TRACE.get()
        if trace is not None:
            event["trace_id"], event["span_id"] = trace.trace_id, trace.span_id
        event.update(_fields(record))
        if record.exc_info:
            event["exception"] = _trace(record.exc_info[1])
        line = _encode(event)
        return line if len(line) < LINE_BYTES else _encode_shortened(event)


class TextLines(logging.Formatter):
    """A record as one line to be read; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        words = [_time(record), record.levelname.ljust(7), record.name, record.getMessage()]
        words += [f"{name}={value}" for name, value in _fields(record).items()]
        request_id = REQUEST_ID.get()
        if request_id is not None:
            words.append(f"request_id={request_id}")
        trace = TRACE.get()
        if trace is not None:
            words.append(f"trace_id={trace.trace_id} span_id={trace.span_id}")
        line = _fitted(" ".join(words), _printable, LINE_BYTES - 1)
        if record.exc_info is None:
            return line
        line = line[: LINE_BYTES // 2]
        return line + _fitted(_trace(record.exc_info[1]), _indented, LINE_BYTES - 1 - len(line))


@contextmanager
def written(
    log_format: Literal["json", "text"], level: str, each_second: int, stream: TextIO
) -> Iterator[None]:
    """Send every logger of this process, uvicorn's too, to `stream` in one format, for a while.

    Whoever logs never waits for who reads; of events alike, `each_second` are written each second,
    and a sample of the rest.
    """
    # The raw file: a thread that blocks inside a buffered one would hold its lock to the end.
    output = getattr(stream.buffer, "raw", stream.buffer)
    handler = QueuedLines(output, JsonLines() if log_format == "json" else TextLines())
    handler.addFilter(Sampling(each_second))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger(AUDIT).setLevel(logging.INFO)  # whoever wants few lines wants these
    logging.captureWarnings(capture=True)
    # No line names them, and looking them up costs half the making of a record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # What uvicorn says at info about its start and end, server.py says in one line.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        handler.close()


def flush() -> None:
    """Write what was logged so far, as far as somebody reads it."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: object = getattr(record, "fields", None)
    return fields if isinstance(fields, dict) else {}


def _encode_shortened(event: dict[str, object]) -> str:
    """The event on a line that is short enough: its longest texts lose their middles."""
    for name in sorted(event, key=lambda name: len(_encode(event[name])), reverse=True):
        excess = len(_encode(event)) - (LINE_BYTES - 1)
        if excess > 0:
            event[name] = _cut(str(event[name]), excess)
    return _encode(event)


def _fitted(text: str, render: Callable[[str], str], size: int) -> str:
    rendered = render(text)
    excess = len(rendered) - size
    return rendered if excess <= 0 else render(_cut(text, excess))


def _cut(text: str, excess: int) -> str:
    """The text without so many characters of its middle, each of which is a byte or more."""
    kept = max(len(text) - excess - len(_ELLIPSIS), 0)
    return text[: kept - kept // 2] + _ELLIPSIS + text[len(text) - kept // 2 :]


def _trace(error: BaseException | None) -> str:
    """What was raised, what led to it and where, without the marks below the lines of code."""
    lines = "".join(traceback.format_exception(error, limit=-FRAMES)).splitlines()
    return "\n".join(line for line in lines if line.strip(" ~^"))


def _indented(text: str) -> str:
    return "".join("\n    | " + _printable(line) for line in text.split("\n"))


def _printable(text: str) -> str:
    """The same text without line ends, terminal escapes or what a terminal may not show."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if character.isascii() and character.isprintable() else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
