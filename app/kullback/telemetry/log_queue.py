"""A bounded queue between those who log and whoever reads the log."""

import logging
import re
from contextlib import suppress
from logging.handlers import QueueHandler
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import sleep
from typing import Protocol

QUEUED_LINES = 2048
LINES_AT_ONCE = 256
BYTES_AT_ONCE = 4096  # that a pipe takes whole, whoever else writes to it
PAUSE_SECONDS = 0.01  # lets a burst gather: a thread that wakes for each line costs every request
FLUSH_SECONDS = 0.5
ONE_IN = 100
AUDIT = "kullback.audit"  # who changed keys, and who was refused
_SECRET = re.compile(r"(kb_[0-9a-f]{12}_)[A-Za-z0-9_-]+").sub


class Output(Protocol):
    """Where lines go: a raw file, so that no lock is held while it blocks."""

    def write(self, data: memoryview, /) -> int | None:
        """Write what there is room for; None where there is none now."""


class Sampling(logging.Filter):
    """Of events alike in one second the first few, then one in 100.

    Errors and changes of keys are all written.
    """

    def __init__(self, each_second: int) -> None:
        super().__init__()
        self._each_second = each_second
        self._second = 0
        self._counts: dict[tuple[object, ...], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """See logging.Filter."""
        fields = record.__dict__.get("fields") or {}
        status = fields.get("status")
        is_change = record.name == AUDIT and record.levelno == logging.INFO  # of keys
        if record.levelno >= logging.ERROR or status == 500 or is_change:
            return True
        if self._second != int(record.created):
            self._second, self._counts = int(record.created), {}
        kind = (record.name, record.msg, status)
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        beyond = count - self._each_second
        if beyond > 0:
            record.__dict__["fields"] = {**fields, "one_in": ONE_IN}
        return beyond <= 0 or beyond % ONE_IN == 0


class QueuedLines(QueueHandler):
    """A handler that never waits: a thread of its own writes what others log.

    Lines that come while the queue is full are dropped and counted; so are those that the output
    refuses. Once lines are read again, one line says how many were dropped.
    """

    queue: "SimpleQueue[bytes | Event | None]"

    def __init__(self, output: Output, formatter: logging.Formatter) -> None:
        super().__init__(SimpleQueue())
        self.setFormatter(formatter)
        self._output = output
        self._overflowed = 0  # written under the lock of the handler
        self._refused = self._reported = 0  # written by the thread
        self._is_closed = self._is_torn = False
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many lines were never written."""
        return self._overflowed + self._refused

    def prepare(self, record: logging.LogRecord) -> bytes:
        """See logging.handlers.QueueHandler."""
        line = self.format(record)
        if "kb_" in line:  # no secret of a key, or a part of one, however it came here
            line = _SECRET(r"\1***", line)
        return line.encode("ascii", "backslashreplace") + b"\n"

    def enqueue(self, record: bytes) -> None:  # type: ignore[override]  # what prepare returns
        """See logging.handlers.QueueHandler."""
        if self._is_closed or self.queue.qsize() >= QUEUED_LINES:
            self._overflowed += 1
        else:
            self.queue.put(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - of logging
        """Count what cannot be formatted: to print why could block."""
        self._overflowed += 1

    def flush(self) -> None:
        """Wait until what was logged so far is written, but not for long."""
        if not self._is_closed:
            written = Event()
            self.queue.put(written)
            written.wait(FLUSH_SECONDS)

    def close(self) -> None:
        """Write what is there, as far as it is read, and drop what comes later."""
        if not self._is_closed:
            self.flush()
            self._is_closed = True
            self.queue.put(None)
        super().close()

    def _run(self) -> None:
        items = list[bytes | Event | None]()
        while None not in items:
            items = [self.queue.get()]
            sleep(PAUSE_SECONDS)
            with suppress(Empty):
                while len(items) < LINES_AT_ONCE:
                    items.append(self.queue.get_nowait())
            self._write([item for item in items if isinstance(item, bytes)])
            self._say_what_was_dropped()
            for item in items:
                if isinstance(item, Event):
                    item.set()

    def _write(self, lines: list[bytes]) -> None:
        batch, size = list[bytes](), 0
        for line in lines:
            if batch and size + len(line) >= BYTES_AT_ONCE:
                self._write_at_once(batch)
                batch, size = [], 0
            batch.append(line)
            size += len(line)
        if batch:
            self._write_at_once(batch)

    def _write_at_once(self, lines: list[bytes]) -> None:
        # What follows half a line that was refused begins a line of its own.
        rest = memoryview(b"\n" * self._is_torn + b"".join(lines))
        try:
            while rest:
                size = self._output.write(rest)
                if size is None:
                    sleep(PAUSE_SECONDS)
                rest = rest[size or 0 :]
            self._is_torn = False
        except (OSError, ValueError):  # the disk is full, the reader gone, the file closed
            self._refused += len(lines)
            self._is_torn = True

    def _say_what_was_dropped(self) -> None:
        dropped = self.dropped
        if dropped == self._reported or not self.queue.empty():
            return
        record = logging.LogRecord(
            __name__, logging.WARNING, __file__, 0, "log lines were dropped", None, None
        )
        record.__dict__["fields"] = {"dropped": dropped - self._reported}
        refused = self._refused
        self._write([self.prepare(record)])
        if self._refused == refused:
            self._reported = dropped
        else:
            self._refused = refused  # it will be said again


def dropped_lines() -> int:
    """How many lines of this process were never written."""
    handlers = logging.getLogger().handlers
    return sum(handler.dropped for handler in handlers if isinstance(handler, QueuedLines))
