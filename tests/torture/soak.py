"""Soak: half the load that a server can bear, with random faults, for as long as is asked.

`python -m tests.torture.soak [MINUTES]` prints what became of memory and descriptors.
"""

import re
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Lock
from time import monotonic
from urllib.parse import urlsplit

import httpx
import numpy as np

from tests.serving import Served, serving
from tests.torture.runs import seed
from tests.torture.storm import processor_seconds

CALLERS = 3
HALF = 0.5  # of one core
SAMPLE_SECONDS = 2.0
WARM_SHARE = 0.3  # of the samples, before memory is expected to stay
MONITOR = "/v1/monitors/soaked"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset
HOSTILE = (
    b'{"y_true": [1, 0], "y_proba": [0.5, NaN]}',
    b'{"y_true": [1], "y_proba": ["0.5"]}',
    b'{"y_true": [1' + b",1" * 9999,
    b'{"y_true": [1], "y_proba": [0.5], "y_ture": [1]}',
    b"\xff\xfe" * 500,
    b"[" * 100_000,
)


@dataclass(slots=True)
class Soak:
    """What was seen: of answers, of memory in MB, of open descriptors."""

    seed: int
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    counted: int = 0
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    processor: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def answered(self, status: int) -> None:
        """Count an answer."""
        with self._lock:
            self.statuses[status] += 1

    def suffered(self, fault: str) -> None:
        """Count a fault."""
        with self._lock:
            self.faults[fault] += 1

    def kept(self, rows: int) -> None:
        """Count rows whose answer says that they are on disk."""
        with self._lock:
            self.acknowledged += rows

    @property
    def slope(self) -> float:
        """MB an hour, by least squares over what came after the warm-up."""
        warm = int(len(self.seconds) * WARM_SHARE)
        times, sizes = np.array(self.seconds[warm:]), np.array(self.megabytes[warm:])
        return float(np.polyfit(times, sizes, 1)[0] * 3600)

    def lines(self) -> list[str]:
        """The figures as text."""
        warm = int(len(self.seconds) * WARM_SHARE)
        minutes, share = self.seconds[-1] / 60, self.processor / self.seconds[-1]
        memory = [self.megabytes[warm], self.megabytes[-1], max(self.megabytes)]
        return [
            f"seed {self.seed}, {minutes:.1f} minutes, {share:.0%} of a core",
            f"answers {dict(sorted(self.statuses.items()))}",
            f"faults {dict(sorted(self.faults.items()))}",
            f"rows acknowledged {self.acknowledged:,}, counted {self.counted:,}",
            "RSS {:.0f} MB when warm, {:.0f} MB at the end, {:.0f} MB at most".format(*memory),
            f"slope of RSS {self.slope:+.1f} MB/h",
            f"descriptors {self.descriptors[warm]} when warm, {self.descriptors[-1]} at the end",
        ]


class Caller:
    """Whoever calls: mostly as one should, sometimes not."""

    def __init__(self, server: Served, soak: Soak, rng: Random) -> None:
        self._url = urlsplit(server.address)
        self._client = httpx.Client(base_url=server.address, timeout=60, trust_env=False)
        self._soak = soak
        self._rng = rng
        self._faults: tuple[Callable[[], None], ...] = (
            self.abort,
            self.leave,
            self.read_nothing,
            self.send_what_is_hostile,
            self.connect_and_wait,
        )

    def call(self) -> None:
        """One request, or one fault."""
        if self._rng.random() < 0.2:
            fault = self._rng.choice(self._faults)
            fault()
            self._soak.suffered(fault.__name__)
            return
        self._rng.choice((self.score, self.score, self.write, self.write, self.read))()

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def score(self) -> None:
        n = self._rng.choice((1, 100, 1000, 20_000))
        answer = self._client.post("/v1/scores/log-loss", json=_rows(self._rng, n))
        self._count(answer)

    def write(self) -> None:
        """Rows that count once, however often it takes."""
        n, key = self._rng.randint(1, 300), f"{self._rng.getrandbits(128):032x}"
        body = _rows(self._rng, n)
        while True:
            answer = self._client.post(
                f"{MONITOR}/observations", json=body, headers={"idempotency-key": key}
            )
            self._count(answer)
            if answer.is_success:
                break
            assert answer.status_code in {409, 429, 503}, answer.text
        self._soak.kept(n)

    def read(self) -> None:
        for path in (f"{MONITOR}/report", f"{MONITOR}/series", "/metrics", "/", "/monitors/soaked"):
            self._count(self._client.get(path))

    def abort(self) -> None:
        """Half a body, and a reset."""
        with self._connection() as connection:
            body = b'{"y_true": [1' + b",1" * self._rng.randint(1, 50_000)
            connection.sendall(self._head(2 * len(body)) + body)

    def leave(self) -> None:
        """A whole request whose answer nobody waits for."""
        with self._connection() as connection:
            body = (
                b'{"y_true": [' + b"1," * 50_000 + b'1], "y_proba": [' + b".5," * 50_000 + b".5]}"
            )
            connection.sendall(self._head(len(body)) + body)

    def read_nothing(self) -> None:
        """An answer of some size that is not read."""
        with self._connection() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 5)

    def connect_and_wait(self) -> None:
        """Half a head."""
        with self._connection() as connection:
            connection.sendall(b"POST /v1/scores/log-loss HTTP/1.1\r\nHos")

    def send_what_is_hostile(self) -> None:
        """A body that is refused."""
        for path in ("/v1/scores/log-loss", f"{MONITOR}/observations", "/v1/scores/compare"):
            body = self._rng.choice(HOSTILE)
            answer = self._client.post(
                path, content=body, headers={"content-type": "application/json"}
            )
            assert 400 <= answer.status_code < 500 or answer.status_code == 503, answer.text
            self._count(answer)

    def _head(self, length: int) -> bytes:
        return (
            "POST /v1/scores/log-loss HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        ).encode()

    def _connection(self) -> socket.socket:
        address = (self._url.hostname or "", self._url.port or 0)
        connection = socket.create_connection(address, timeout=60)
        if self._rng.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return connection

    def _count(self, answer: httpx.Response) -> None:
        self._soak.answered(answer.status_code)


def soaked(seconds: float, tell: Callable[[Soak], None] = lambda _: None) -> Soak:
    """The figures of so many seconds, on a server of its own.

    Raises:
        AssertionError: a request failed; the lines of the log that say why.
    """
    number = seed()
    soak = Soak(number)
    with (
        serving() as server,
        httpx.Client(base_url=server.address, timeout=60, trust_env=False) as client,
    ):
        assert client.put(MONITOR, json={}).is_success
        began, stop = monotonic(), Event()
        with ThreadPoolExecutor(CALLERS) as pool:
            callers = [
                pool.submit(_calls, server, soak, Random(number + at), stop)  # noqa: S311 - chance that can be repeated
                for at in range(CALLERS)
            ]
            while monotonic() - began < seconds and not any(each.done() for each in callers):
                stop.wait(SAMPLE_SECONDS)
                _sample(server, soak, monotonic() - began)
                tell(soak)
            stop.set()
            for each in callers:
                each.result()
        soak.processor = processor_seconds(server)
        soak.counted = client.get(f"{MONITOR}/report").json()["n"]
        if soak.statuses[500]:
            lines = server.log.read_text().splitlines()
            raise AssertionError("\n".join(line for line in lines if '"level": "error"' in line))
    return soak


def _calls(server: Served, soak: Soak, rng: Random, stop: Event) -> None:
    caller, began, pause = Caller(server, soak, rng), monotonic(), 0.05
    before = processor_seconds(server)
    while not stop.is_set():
        caller.call()
        share = (processor_seconds(server) - before) / (monotonic() - began)
        pause = min(1.0, max(0.001, pause * (1.1 if share > HALF else 0.9)))
        stop.wait(pause)
    caller.close()


def _sample(server: Served, soak: Soak, now: float) -> None:
    process = Path(f"/proc/{server.process.pid}")
    match = re.search(r"VmRSS:\s+(\d+) kB", (process / "status").read_text())
    assert match is not None
    soak.seconds.append(now)
    soak.megabytes.append(int(match.group(1)) / 1024)
    soak.descriptors.append(len(list((process / "fd").iterdir())))


def _rows(rng: Random, n: int) -> dict[str, list[float]]:
    random = np.random.default_rng(rng.getrandbits(32))
    return {"y_true": random.integers(0, 2, n).tolist(), "y_proba": random.random(n).tolist()}


def main(minutes: float) -> None:
    """Print the figures."""
    for line in soaked(minutes * 60).lines():
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 30.0)
