"""Clients: each sends a request again until it is answered."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Condition
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import httpx

from tests.torture.names import Names
from tests.torture.pages import Job
from tests.torture.replicas import Target
from tests.torture.supply import Supply

CLIENTS = 6
REQUEST_SECONDS = 20.0
JOB_SECONDS = 120.0
RETRY_SECONDS = 0.05
DOWN_SECONDS = 0.5
OUTDATED = "/problems/idempotency-key-outdated"


@dataclass(slots=True)
class Ledger:
    """What was answered; safe to use from any thread."""

    answers: dict[str, bytes] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)  # answers that were no replays
    changed: set[str] = field(default_factory=set)  # answered once so, once otherwise
    counted: Counter[str] = field(default_factory=Counter)
    _more: Condition = field(default_factory=Condition)

    def count(self, what: str) -> None:
        """Count something that is no answer."""
        with self._more:
            self.counted[what] += 1

    def answered(self, job: Job, response: httpx.Response) -> None:
        """Keep an answer."""
        name, is_replay = job.name, "idempotency-replayed" in response.headers
        with self._more:
            kept = self.answers.setdefault(name, response.content)
            if job.is_keyed:
                self.changed |= {name} if kept != response.content else set()
                self.written[name] += not is_replay
            self.counted["replayed"] += is_replay
            self.counted["answers"] += 1
            self._more.notify_all()

    def names(self) -> set[str]:
        """The names of what was answered by now."""
        with self._more:
            return set(self.answers)

    def twice(self) -> list[str]:
        """The names of what was done more than once, as the answers say."""
        with self._more:
            return sorted(name for name, times in self.written.items() if times > 1)

    def wait_for(self, answers: int, check: Callable[[], None]) -> None:
        """Wait until so many more have come.

        Raises:
            AssertionError: they do not come.
        """
        with self._more:
            enough = self.counted["answers"] + answers
            until = monotonic() + JOB_SECONDS
            while self.counted["answers"] < enough:
                check()
                assert monotonic() < until, "nothing is answered any more"
                self._more.wait(0.1)


def send(client: httpx.Client, target: Target, job: Job, names: Names) -> httpx.Response:
    """Send a request once; again only where a monitor has another name."""
    headers = {"content-type": "application/json"} if job.body else {}
    if job.is_keyed:
        headers["idempotency-key"] = job.key
    address = target.address + job.path
    content = job.body or None

    def ask(url: str) -> httpx.Response:
        return client.request(job.method, url, content=content, headers=headers)

    return names.asked(address, ask)


def is_outdated(response: httpx.Response) -> bool:
    """Whether it is the refusal of a request whose rows were removed since."""
    return response.status_code == httpx.codes.CONFLICT and OUTDATED in response.text


class Clients:
    """Threads that send the jobs of a supply to whichever replica, until it has no more."""

    def __init__(
        self,
        targets: Sequence[Target],
        supply: Supply,
        ledger: Ledger,
        names: Names,
        rng: Random,
    ) -> None:
        self._targets = targets
        self._supply = supply
        self._ledger = ledger
        self._names = names
        self._pool = ThreadPoolExecutor(CLIENTS)
        seeds = [rng.randrange(2**32) for _ in range(CLIENTS)]
        self._running = [self._pool.submit(self._run, Random(seed)) for seed in seeds]  # noqa: S311 - chance that can be repeated

    def check(self) -> None:
        """Raise what made one of them give up, if one has."""
        for future in self._running:
            if future.done():
                future.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._supply.close()
        self._pool.shutdown()
        for future in self._running:
            future.result()

    def _run(self, rng: Random) -> None:
        with httpx.Client(trust_env=False, timeout=REQUEST_SECONDS) as client:
            while (job := self._supply.take()) is not None:
                self._deliver(client, job, rng)

    def _deliver(self, client: httpx.Client, job: Job, rng: Random) -> None:
        until = monotonic() + JOB_SECONDS
        while True:
            target = rng.choice(self._targets)
            response = self._sent(client, target, job)
            if response is not None and response.is_success:
                self._ledger.answered(job, response)
                self._supply.answered(job)
                return
            if response is not None and is_outdated(response) and job.name in self._ledger.names():
                return  # a twin of what was answered, and removed since
            self._ledger.count("retries")
            assert monotonic() < until, f"{job.name} was not answered"
            sleep(rng.uniform(0, RETRY_SECONDS))
            target.wait(DOWN_SECONDS)

    def _sent(self, client: httpx.Client, target: Target, job: Job) -> httpx.Response | None:
        try:
            response = send(client, target, job, self._names)
        except httpx.TransportError:
            return None
        if not response.is_success:
            self._ledger.count(str(response.status_code))
            assert response.status_code in {409, 503}, response.text
        return response
