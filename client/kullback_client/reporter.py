"""A reporter: sends rows from a thread as they come, and never holds up who reports them."""

import atexit
import os
import sys
import time
from collections import deque
from dataclasses import dataclass
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self, TypedDict
from weakref import WeakSet

from .connection import Connection
from .delivery import Delivery

_LONGEST_INTERVAL = 86_400.0
Row = tuple[str, dict[str, object]]


class Options(TypedDict, total=False):
    """How a reporter works. See Reporter."""

    flush_at: int
    flush_interval: float
    max_queue: int
    close_timeout: float


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of the rows.

    Attributes:
        sent: taken by the service, what it had already too.
        pending: not sent yet.
        dropped: not kept, as the queue was full or the reporter closed.
        refused: wrong in themselves: the other rows of their batches were taken.
        problem: why the first row was refused; before that what went wrong first, and may be well.
    """

    sent: int
    pending: int
    dropped: int
    refused: int
    problem: str | None


class Reporter:
    """Sends rows to a monitor from a thread of its own, in batches, as they come.

    Who reports a row is never held up and sees no error: it is put into a queue, and while that is
    full it is dropped and counted. Each batch has a key, and is sent until the service has answered
    it, so that its rows count once. A row that is wrong costs no other row. What is pending is sent
    when the process ends; a process that forks keeps its rows, and each child has its own.

    Args:
        connection: the service.
        path: the monitor.
        flush_at: rows of a batch: it is sent when there are so many.
        flush_interval: seconds after which fewer are sent.
        max_queue: rows that may wait.
        close_timeout: seconds that `close`, and the end of the process, may wait for the service.
    """

    def __init__(  # noqa: PLR0913 - each is an option
        self,
        connection: Connection,
        path: str,
        *,
        flush_at: int = 1_000,
        flush_interval: float = 1.0,
        max_queue: int = 50_000,
        close_timeout: float = 5.0,
    ) -> None:
        if flush_at < 1 or max_queue < flush_at:
            raise ValueError("flush_at is from 1 to max_queue")
        if not 0 < flush_interval <= _LONGEST_INTERVAL:
            raise ValueError(f"flush_interval is above 0, and up to {_LONGEST_INTERVAL} seconds")
        self._connection, self._path = connection, path
        self._flush_at, self._flush_interval = flush_at, flush_interval
        self._max_queue, self._close_timeout = max_queue, close_timeout
        self._start_over()
        _REPORTERS.add(self)

    def prediction(self, id: object = None, y_proba: object = None, **others: object) -> None:  # noqa: A002
        """A prediction whose label comes apart.

        Args:
            id: what its label will name.
            y_proba: the probability of the positive label, or of each.
            others: `timestamp` (now, unless it is said), `sample_weight`, `unit`, `features`; all
                other names are slices.
        """
        others["id"] = id
        others["y_proba"] = y_proba
        self._put("predictions", others)

    def label(self, id: object = None, y_true: object = None) -> None:  # noqa: A002 - the field
        """The label of a prediction."""
        self._put("labels", {"id": id, "y_true": y_true})

    def observation(self, y_true: object = None, y_proba: object = None, **others: object) -> None:
        """A prediction with its label. See `prediction`."""
        others["y_true"] = y_true
        others["y_proba"] = y_proba
        self._put("observations", others)

    @property
    def stats(self) -> Stats:
        """What became of the rows so far."""
        with self._change:
            return Stats(
                sent=self._delivery.sent,
                pending=len(self._queue) + self._taken,
                dropped=self._dropped + self._delivery.dropped,
                refused=self._delivery.refused,
                problem=self._delivery.problem,
            )

    def flush(self, timeout: float | None = None) -> bool:
        """Send what is pending; whether that was done in `timeout` seconds."""
        self._start()
        with self._change:
            end = self._settled + self._taken + len(self._queue)
            self._wake.set()
            return self._change.wait_for(lambda: self._settled >= end, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send what is pending, as far as that is done in time, and drop all that comes later."""
        seconds = self._close_timeout if timeout is None else timeout
        if self._queue:
            self._start()
        self._is_closed = True
        self._delivery.end_by(time.monotonic() + seconds)
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds + 1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _put(self, rows: str, row: dict[str, object]) -> None:
        queue = self._queue
        if len(queue) >= self._max_queue or self._is_closed:
            with self._change:
                self._dropped += 1
            return
        if rows != "labels" and "timestamp" not in row:
            row["timestamp"] = time.time()
        queue.append((rows, row))
        if self._thread is None:
            self._start()
        if len(queue) >= self._flush_at and not self._wake.is_set():
            self._wake.set()

    def _start_over(self) -> None:
        """Begin with nothing: at first, and in a child, where no thread and no lock is left."""
        self._queue: deque[Row] = deque()
        self._change, self._wake = Condition(), Event()
        self._delivery = Delivery(self._connection, self._path)
        self._thread: Thread | None = None
        self._taken = self._settled = self._dropped = 0
        self._is_closed = False

    def _start(self) -> None:
        with self._change:
            if self._thread is not None:
                return
            thread = Thread(target=self._run, name=f"kullback {self._path}", daemon=True)
            self._thread = thread
        try:
            thread.start()
        except RuntimeError as error:  # the process is ending, or has no room for threads
            self._delivery.note(str(error))
            self._thread = None
            return
        _close_with_process(self)

    def _run(self) -> None:
        with self._delivery:
            while not self._is_closed or self._queue:
                if not self._is_closed:
                    self._wake.wait(self._flush_interval)
                self._wake.clear()
                while self._queue:
                    self._deliver()

    def _deliver(self) -> None:
        with self._change:
            size = min(len(self._queue), self._flush_at)
            batch = [self._queue.popleft() for _ in range(size)]
            self._taken = size
        self._delivery.deliver(batch)
        with self._change:
            self._settled, self._taken = self._settled + size, 0
            self._change.notify_all()


_REPORTERS: "WeakSet[Reporter]" = WeakSet()


@atexit.register
def _close_all() -> None:
    for reporter in list(_REPORTERS):
        reporter.close()


def _start_over_all() -> None:
    for reporter in list(_REPORTERS):
        reporter._start_over()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over_all)


def _close_with_process(reporter: Reporter) -> None:
    """Close it where a child of multiprocessing ends, which runs nothing of atexit."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(reporter, reporter.close, exitpriority=0)
