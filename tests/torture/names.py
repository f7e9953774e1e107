"""Monitors that are renamed under load, and how everybody finds them all the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Event, Lock, Thread
from time import monotonic, sleep

import httpx

from tests.torture.replicas import Target

RENAMED: Mapping[str, Sequence[str]] = {
    name: (name, f"{name}-2", f"{name}-3") for name in ("renamed", "defaulted")
}
TRIES = 200
SECONDS = 120.0
REQUEST_SECONDS = 20.0
RETRY_SECONDS = 0.05
DOWN_SECONDS = 0.5
REST_SECONDS = 0.3


class Names:
    """What monitors are called, as far as anyone has seen; safe to use from any thread."""

    def __init__(self) -> None:
        self._seen = {monitor: names[0] for monitor, names in RENAMED.items()}
        self._lock = Lock()

    def asked(self, path: str, ask: Callable[[str], httpx.Response]) -> httpx.Response:
        """The answer under a path; where nobody has a name, under the next one."""
        head, monitor, rest = _parts(path)
        name = self._seen.get(monitor, monitor)
        answer = ask(head + name + rest)
        for _ in range(TRIES):
            if monitor not in RENAMED or answer.status_code != httpx.codes.NOT_FOUND:
                break
            name = self._other(monitor, name)
            answer = ask(head + name + rest)
        return answer

    def _other(self, monitor: str, tried: str) -> str:
        """What to try next; those who come later begin with it."""
        names = RENAMED[monitor]
        with self._lock:
            if self._seen[monitor] == tried:
                self._seen[monitor] = names[(names.index(tried) + 1) % len(names)]
            return self._seen[monitor]


class Renamer:
    """Gives monitors other names, again and again; `times` is how often it was answered."""

    def __init__(self, targets: Sequence[Target], rng: Random) -> None:
        self.times = 0
        self._targets = targets
        self._rng = rng
        self._names = {monitor: names[0] for monitor, names in RENAMED.items()}
        self._keys = count()
        self._error: Exception | None = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Rename, beside whatever else happens.

        Raises:
            AssertionError: a monitor is nowhere any more.
        """
        closed = Event()
        thread = Thread(target=self._run, args=(closed,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            closed.set()
            thread.join()
        if self._error is not None:
            raise self._error

    def _run(self, closed: Event) -> None:
        try:
            with httpx.Client(trust_env=False, timeout=REQUEST_SECONDS) as client:
                while not closed.wait(self._rng.uniform(0.0, REST_SECONDS)):
                    for monitor in RENAMED:
                        self._rename(client, monitor)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error

    def _rename(self, client: httpx.Client, monitor: str) -> None:
        name, until = self._names[monitor], monotonic() + SECONDS
        wanted = self._rng.choice([other for other in RENAMED[monitor] if other != name])
        headers = {"idempotency-key": f"rename-{next(self._keys)}"}
        while not self._is_done(client, name, wanted, headers):
            assert monotonic() < until, f"{name} does not become {wanted}"
            sleep(RETRY_SECONDS)
        self._names[monitor] = wanted
        self.times += 1

    def _is_done(
        self, client: httpx.Client, name: str, wanted: str, headers: Mapping[str, str]
    ) -> bool:
        target = self._rng.choice(self._targets)
        monitors = f"{target.address}/v1/monitors"
        try:
            answer = client.post(
                f"{monitors}/{name}/rename", json={"name": wanted}, headers=headers
            )
            if answer.status_code == httpx.codes.NOT_FOUND:  # what was not answered was done
                answer = client.get(f"{monitors}/{wanted}")
                assert answer.status_code != httpx.codes.NOT_FOUND, f"{name} is nowhere"
        except httpx.TransportError:
            target.wait(DOWN_SECONDS)
            return False
        assert answer.is_success or answer.status_code in {409, 503}, answer.text
        return answer.is_success


def _parts(path: str) -> tuple[str, str, str]:
    """What stands before the name of a monitor, the name, and what follows."""
    before, kind, rest = path.partition("/v1/monitors/")
    name, slash, more = rest.partition("/")
    return before + kind, name, slash + more
