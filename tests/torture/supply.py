"""What clients send next: the jobs of some pages at a time, and what is to follow each of them."""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count
from random import Random
from threading import Lock
from time import monotonic, sleep

from tests.torture.pages import Job, Page, Pages

TWINS = 0.15
LOOK_SECONDS = 0.02


class Supply:
    """Hands out the jobs of some pages at a time in random order, some of them to two at once."""

    def __init__(self, sources: Sequence[Pages], rng: Random) -> None:
        self.pages: list[Page] = []
        self._sources = sources
        self._rng = rng
        self._lock = Lock()
        self._ready: list[Job] = []
        self._later: list[tuple[float, int, Job]] = []
        self._order = count()
        self._is_closed = False

    def take(self) -> Job | None:
        """The next one; nothing once it is closed and all begun pages are handed out."""
        while True:
            with self._lock:
                if self._later and self._later[0][0] <= monotonic():
                    return heappop(self._later)[2]
                if not self._ready and not self._is_closed:
                    self._refill()
                if self._ready:
                    return self._ready.pop()
                if not self._later:
                    return None
            sleep(LOOK_SECONDS)

    def answered(self, job: Job) -> None:
        """Hand out what comes then."""
        if job.then is not None:
            with self._lock:
                due = monotonic() + job.then.pause
                heappush(self._later, (due, next(self._order), job.then))

    def close(self) -> None:
        """Begin no more pages."""
        with self._lock:
            self._is_closed = True

    def _refill(self) -> None:
        pages = [next(source) for source in self._sources]
        self.pages += pages
        jobs = [job for page in pages for job in _first(page)]
        self._rng.shuffle(jobs)
        for job in jobs:
            self._ready += [job] * (2 if self._rng.random() < TWINS else 1)


def _first(page: Page) -> list[Job]:
    """Those that follow no other one."""
    following = {job.then.name for job in page.jobs if job.then is not None}
    return [job for job in page.jobs if job.name not in following]
