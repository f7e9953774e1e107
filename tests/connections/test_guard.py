"""Connections of one turn of the event loop are as few as those of many."""

import asyncio
from dataclasses import replace

import pytest
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

from kullback.connections.guard import ConnectionGuard
from kullback.connections.limits import ConnectionLimits
from kullback.connections.protocol import Connection
from tests.connections.wire import SECONDS

pytestmark = pytest.mark.anyio
LIMIT, NEWCOMERS = 2, 22
QUICK = ConnectionLimits(connections=LIMIT, linger_seconds=0.05, round_seconds=0.01)
START = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport whose end is told later, as that of a socket is."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return not self.ended.is_set()

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return not self.is_open

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        self.ended.set()

    abort = close


class Crowd:
    """Connections to one server, all in one turn of its event loop."""

    def __init__(self, limits: ConnectionLimits | None = None) -> None:
        limits = limits or ConnectionLimits(connections=LIMIT)
        self._guard = ConnectionGuard(limits, lambda _: None)
        self._config = uvicorn.Config(self._answer, log_config=None, lifespan="off")
        self._state = ServerState()
        self._made: list[tuple[Connection, Wire]] = []

    async def _answer(self, _: Scope, receive: ASGIReceiveCallable, __: ASGISendCallable) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    def come(self, data: bytes = b"") -> Wire:
        connection, wire = Connection(self._guard, self._config, self._state, {}), Wire()
        self._made.append((connection, wire))
        connection.connection_made(wire)
        if data:
            connection.data_received(data)
        return wire

    def send(self, wire: Wire, data: bytes) -> None:
        next(made for made, its in self._made if its is wire).data_received(data)

    async def leave(self) -> None:
        for connection, wire in self._made:
            wire.close()
            connection.connection_lost(None)
        await asyncio.gather(*self._state.tasks)

    def open(self) -> list[Wire]:
        return [wire for _, wire in self._made if wire.is_open]


async def test_newcomers_of_one_turn_do_not_pass_the_limit() -> None:
    crowd = Crowd()
    wires = [crowd.come() for _ in range(NEWCOMERS)]
    assert crowd.open() == wires[-LIMIT:]
    await crowd.leave()


async def test_who_is_refused_is_open_for_a_moment_more() -> None:
    crowd = Crowd()
    sending = [crowd.come(START) for _ in range(NEWCOMERS)]
    assert crowd.open() == sending[-LIMIT - 1 :]
    assert [wire.written[:12] for wire in sending] == [
        *[b"HTTP/1.1 503"] * (NEWCOMERS - LIMIT),
        *[b""] * LIMIT,
    ]
    newest = crowd.come()
    assert crowd.open() == [*sending[-LIMIT:], newest]
    await crowd.leave()


async def test_who_is_refused_and_stays_is_cut_off() -> None:
    crowd = Crowd(QUICK)
    wire = crowd.come(b"no request\r\n\r\n")
    assert (wire.written[:12], wire.is_open) == (b"HTTP/1.1 400", True)
    async with asyncio.timeout(SECONDS):
        await wire.ended.wait()
    await crowd.leave()


async def test_who_is_refused_and_goes_on_sending_is_cut_off_too() -> None:
    crowd = Crowd(replace(QUICK, linger_seconds=1000.0, body_seconds=0.05))
    wire = crowd.come(b"no request\r\n\r\n")
    async with asyncio.timeout(SECONDS):
        while wire.is_open:
            crowd.send(wire, b"x")
            await asyncio.sleep(0.01)
    await crowd.leave()
