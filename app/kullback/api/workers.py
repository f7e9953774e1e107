"""Worker pool: a few threads and a bounded queue for work that would block the event loop."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from kullback.errors import DeadlineExceeded, Overloaded

Result = TypeVar("Result")
MAX_LOST = 8  # threads with work that does not end, beside those of the pool

_log = logging.getLogger("kullback.workers")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that work may wait for a thread, and those that it may then take."""

    waiting: float = 10.0
    working: float = 30.0


class WorkerPool:
    """Threads that nobody waits for when the process ends; what finds no place is refused at once.

    Work that waits is dropped when its caller leaves. A thread cannot be stopped: one whose work is
    past its deadline is replaced, so that work which does not end never holds the whole pool.
    """

    def __init__(
        self, threads: int, queue: int, name: str = "scorer", deadlines: Deadlines | None = None
    ) -> None:
        self._size = threads
        self._places = threads + queue
        self._name = name
        self._deadlines = deadlines or Deadlines()
        self._changed = threading.Condition()
        self._queue = deque[_Job]()
        self._late = deque[_Job]()  # answered, and in threads that are not replaced yet
        self._threads = self._idle = self._running = self._lost = 0
        self._closed = False

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, from one of the threads.

        Raises:
            Overloaded: there is no place, or the workers are closed.
            DeadlineExceeded: it waited or took too long.
        """
        job = _Job(work)
        self._submit(job)
        loop = asyncio.get_running_loop()
        late = loop.call_later(self._deadlines.waiting, self._end_waiting, job)
        try:
            result: Result = await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            self._drop(job)
            raise
        finally:
            if job.future.done():  # else its deadline is all that is left of it
                late.cancel()
        return result

    def close(self) -> None:
        """Refuse what waits and let the threads end, without waiting for what they do."""
        with self._changed:
            self._closed = True
            while self._queue:
                self._queue.popleft().refuse(Overloaded("the service is stopping"))
            self._changed.notify_all()

    def _submit(self, job: "_Job") -> None:
        with self._changed:
            if self._closed:
                raise Overloaded("the service is stopping")
            if self._running + len(self._queue) >= self._places:
                raise Overloaded("all workers are busy; try again in a moment")
            self._queue.append(job)
            self._staff()

    def _staff(self) -> None:
        """See that somebody takes what waits."""
        if len(self._queue) > self._idle and self._threads < self._size:
            self._threads += 1
            name = f"{self._name}-{self._threads + self._lost}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        self._changed.notify()

    def _drop(self, job: "_Job") -> None:
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
                job.future.cancel()

    def _end_waiting(self, job: "_Job") -> None:
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
                reason = f"this waited for {self._deadlines.waiting:g} seconds; try again"
                job.refuse(DeadlineExceeded(reason))
            elif not job.future.done():
                left = job.began + self._deadlines.working - monotonic()
                asyncio.get_running_loop().call_later(max(0.0, left), self._end_working, job)

    def _end_working(self, job: "_Job") -> None:
        """Another thread in place of one that may never end."""
        with self._changed:
            if job.future.done():
                return
            seconds = self._deadlines.working
            reason = f"this was not done in {seconds:g} seconds; send less at once"
            job.settle(_Failure(DeadlineExceeded(reason)))
            self._late.append(job)
            self._replace_late()
        _log.error("work of a %s has not ended in %g seconds", self._name, seconds)

    def _replace_late(self) -> None:
        """Other threads in place of late ones, as far as there may be."""
        while self._late and self._lost < MAX_LOST:
            self._late.popleft().is_lost = True
            self._lost += 1
            self._running -= 1
            self._threads -= 1
            self._staff()

    def _serve(self) -> None:
        while self._serve_next():
            pass

    def _serve_next(self) -> bool:
        """Do what waits first; False where this thread is to end."""
        job = self._next()
        if job is None:
            return False
        outcome = job.outcome()
        with self._changed:
            if job.is_lost:
                self._lost -= 1
                self._replace_late()
                return False
            if job in self._late:
                self._late.remove(job)
            self._running -= 1
            job.settle(outcome)
        return True

    def _next(self) -> "_Job | None":
        with self._changed:
            self._idle += 1
            job = None
            while job is None and (self._queue or not self._closed):
                if not self._queue:
                    self._changed.wait()
                elif self._queue[0].begins():
                    job = self._queue.popleft()
                    self._running += 1
                else:
                    self._queue.popleft()
            self._idle -= 1
            return job


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException


class _Job:
    """Work, and where its outcome is awaited."""

    __slots__ = ("_work", "began", "future", "is_lost")

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self.future = Future[Any]()
        self.began = 0.0
        self.is_lost = False

    def begins(self) -> bool:
        """Note that it begins; False where its caller left a moment ago."""
        self.began = monotonic()
        return self.future.set_running_or_notify_cancel()

    def outcome(self) -> object:
        """What the work returned, or what it failed of."""
        try:
            return self._work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller is told
            return _Failure(error)

    def settle(self, outcome: object) -> None:
        """Tell the caller what came of it, if there still is one."""
        if self.future.done():
            return
        if isinstance(outcome, _Failure):
            self.future.set_exception(outcome.error)
        else:
            self.future.set_result(outcome)

    def refuse(self, error: Overloaded) -> None:
        """Tell the caller, if there still is one, that this will not be done."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)
