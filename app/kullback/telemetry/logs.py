"""Log lines: one event is one line, whatever text a caller sent."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, Literal

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
        event.update(_fields(record))
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _encode(event)


class TextLines(logging.Formatter):
    """A record as one line to be read; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        words = [_time(record), record.levelname.ljust(7), record.name, record.getMessage()]
        words += [f"{name}={value}" for name, value in _fields(record).items()]
        request_id = REQUEST_ID.get()
        if request_id is not None:
            words.append(f"request_id={request_id}")
        lines = [_printable(" ".join(words))]
        if record.exc_info:
            trace = self.formatException(record.exc_info).split("\n")
            lines += ["    | " + _printable(line) for line in trace]
        return "\n".join(lines)


def configure(log_format: Literal["json", "text"], level: str, stream: IO[str]) -> None:
    """Send every logger of this process, uvicorn's too, to `stream` in one format."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # No line names them, and looking them up costs half the making of a record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # What uvicorn says at info about its start and end, server.py says in one line.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: object = getattr(record, "fields", None)
    return fields if isinstance(fields, dict) else {}


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
