"""Worker pool: a few threads and a bounded queue for work that would block the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kullback.errors import Overloaded

Result = TypeVar("Result")


class WorkerPool:
    """Threads that score large bodies; what finds no place in the queue is refused at once."""

    def __init__(self, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="scorer")
        self._places = threads + queue
        self._taken = 0
        self._closed = False

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, from one of the threads.

        Raises:
            Overloaded: all threads are busy and the queue is full, or the workers are closed.
        """
        if self._closed:
            raise Overloaded("the service is stopping")
        if self._taken >= self._places:
            raise Overloaded("all workers are busy; try again in a moment")
        self._taken += 1
        future = self._executor.submit(work)
        try:
            return await asyncio.wrap_future(future)
        finally:
            self._taken -= 1

    def close(self) -> None:
        """Finish what is running; drop what waits."""
        self._closed = True
        self._executor.shutdown(wait=True, cancel_futures=True)
