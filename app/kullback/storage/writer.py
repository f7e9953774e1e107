"""The writer thread: takes all waiting writes and commits them together."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from kullback.errors import IdempotencyKeyInProgress, Overloaded
from kullback.storage.base import Written
from kullback.storage.committer import Fatal, Outcome, PendingWrite
from kullback.storage.idempotency import IN_PROGRESS

PLACES = 256
MORE = 32

Commit = Callable[[Sequence[PendingWrite]], list[Outcome]]


class QueuedWrite(NamedTuple):
    """A write, and where its outcome is awaited."""

    write: PendingWrite
    future: Future[Written]


class Writer:
    """A bounded queue and its thread; a future is resolved after the commit, never before."""

    def __init__(self, commit: Commit, on_fatal: Callable[[str], None]) -> None:
        self._commit = commit
        self._on_fatal = on_fatal
        self._queue = queue.Queue[QueuedWrite | None](PLACES)
        self._lock = threading.Lock()
        self._in_flight = set[tuple[str, str]]()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="kullback-writer", daemon=True)
        self._thread.start()

    def submit(self, write: PendingWrite) -> Future[Written]:
        """See Store.write."""
        waiting = QueuedWrite(write, Future())
        with self._lock:
            if self._is_closed:
                raise Overloaded("the store is closing")
            if write.key is not None and write.key[:2] in self._in_flight:
                waiting.future.set_exception(IdempotencyKeyInProgress(IN_PROGRESS))
                return waiting.future
            try:
                self._queue.put_nowait(waiting)
            except queue.Full as error:
                raise Overloaded("too many writes are waiting; try again in a moment") from error
            if write.key is not None:
                self._in_flight.add(write.key[:2])
        return waiting.future

    def close(self) -> None:
        """Finish what waits, then end the thread."""
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._next()
            try:
                self._finish(group)
            except Fatal as error:
                self._give_up(error)
                self._on_fatal(error.message)
                return

    def _next(self) -> tuple[list[QueuedWrite], bool]:
        """The first that waits and what waits behind it; whether there can be more."""
        group = list[QueuedWrite]()
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            if len(group) > MORE:
                return group, True
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _finish(self, group: list[QueuedWrite]) -> None:
        """Commit a group and tell everybody in it.

        Raises:
            Fatal: what everybody in it was told.
        """
        running = [queued for queued in group if queued.future.set_running_or_notify_cancel()]
        try:
            outcomes = self._commit([queued.write for queued in running]) if running else []
        except Fatal as error:
            self._tell(group, running, [error] * len(running))
            raise
        self._tell(group, running, outcomes)

    def _tell(
        self, group: list[QueuedWrite], running: list[QueuedWrite], outcomes: Sequence[Outcome]
    ) -> None:
        with self._lock:  # before anybody knows, so that whoever tries again is let in
            keys = (queued.write.key for queued in group)
            self._in_flight.difference_update(key[:2] for key in keys if key is not None)
        for queued, outcome in zip(running, outcomes, strict=True):
            if isinstance(outcome, Exception):
                queued.future.set_exception(outcome)
            else:
                queued.future.set_result(outcome)

    def _give_up(self, error: Fatal) -> None:
        """Tell everybody who still waits, and let nobody in any more."""
        with self._lock:
            self._is_closed = True
        while True:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting is not None and waiting.future.set_running_or_notify_cancel():
                waiting.future.set_exception(error)
