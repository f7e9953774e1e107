"""A storm of callers: each sends again as soon as it is answered, whatever it is told.

`python -m tests.torture.storm` takes an order on its input and writes what its callers saw: a
process of its own, so that who measures and what is measured do not share an interpreter.
"""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from tests.serving import Served


@dataclass(frozen=True, slots=True)
class Order:
    """What to send, by how many callers, for how long; `pause` lies between two of one caller."""

    address: str
    path: str
    connections: int
    seconds: float
    rows: int = 0  # of log loss, as JSON; none is a GET
    pause: float = 0.0

    def request(self) -> bytes:
        """The bytes of a request."""
        host = urlsplit(self.address).netloc
        if not self.rows:
            return f"GET {self.path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        labels = ",".join(str(row % 2) for row in range(self.rows))
        shares = ",".join(f"{(row * 7919 % 9973 + 1) / 9975:.16f}" for row in range(self.rows))
        body = f'{{"y_true":[{labels}],"y_proba":[{shares}]}}'.encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(slots=True)
class Weather:
    """What the callers saw; times in seconds."""

    statuses: dict[str, int] = field(default_factory=dict)
    broken: int = 0  # connections that ended without an answer
    waits: list[float] = field(default_factory=list)
    unadvised: int = 0  # 503 without Retry-After
    seconds: float = 0.0
    processor: float = 0.0  # seconds that the server worked meanwhile

    def quantile(self, share: float) -> float:
        """The wait that this share of the answers did not exceed."""
        waits = sorted(self.waits) or [0.0]
        return waits[min(len(waits) - 1, int(share * len(waits)))]

    @property
    def served(self) -> int:
        """Answers 200."""
        return self.statuses.get("200", 0)


class _Caller(asyncio.Protocol):
    """One connection: sends, reads the answer, sends again."""

    def __init__(self, order: Order, request: bytes, until: float, weather: Weather) -> None:
        self._order = order
        self._request = request
        self._until = until
        self._weather = weather
        self._buffer = bytearray()
        self._began = 0.0
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lines = head.decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        if len(rest) < int(headers["content-length"]):
            return
        self._buffer.clear()
        self._count(lines[0].split(" ")[1], headers)
        if headers.get("connection") == "close":
            self._transport.abort()  # what was not sent yet is in vain
            return
        if self._order.pause:
            asyncio.get_running_loop().call_later(self._order.pause, self._send)
        else:
            self._send()

    def _count(self, status: str, headers: dict[str, str]) -> None:
        weather = self._weather
        weather.waits.append(perf_counter() - self._began)
        weather.statuses[status] = weather.statuses.get(status, 0) + 1
        weather.unadvised += status == "503" and "retry-after" not in headers
        self._began = 0.0

    def _send(self) -> None:
        if perf_counter() < self._until:
            self._began = perf_counter()
            self._transport.write(self._request)
        else:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._weather.broken += self._began != 0.0
        self.closed.set_result(None)


async def _calls(order: Order, request: bytes, until: float, weather: Weather) -> None:
    url = urlsplit(order.address)
    assert url.hostname is not None
    assert url.port is not None
    while perf_counter() < until:
        _, caller = await asyncio.get_running_loop().create_connection(
            lambda: _Caller(order, request, until, weather), url.hostname, url.port
        )
        await caller.closed


async def _storm(order: Order) -> Weather:
    weather, request, began = Weather(), order.request(), perf_counter()
    until = began + order.seconds
    await asyncio.gather(
        *(_calls(order, request, until, weather) for _ in range(order.connections))
    )
    weather.seconds = perf_counter() - began
    return weather


class Storm:
    """A storm that blows in a process of its own from the moment it is made."""

    def __init__(self, order: Order) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.torture.storm"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        self._process.stdin.flush()

    def weather(self, server: Served) -> Weather:
        """What its callers saw, once it is over; and what the server worked from now on."""
        before = processor_seconds(server)
        report, _ = self._process.communicate()
        weather = Weather(**json.loads(report))
        weather.processor = processor_seconds(server) - before
        return weather


def processor_seconds(server: Served) -> float:
    """Seconds of a processor that a server has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    order = Order(**json.loads(sys.stdin.readline()))
    sys.stdout.write(json.dumps(asdict(asyncio.run(_storm(order)))))
