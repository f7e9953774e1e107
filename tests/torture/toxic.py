"""A proxy that breaks what goes through it: answers are lost, requests cut, sent twice, slow."""

import asyncio
import re
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from threading import Event, Thread
from urllib.parse import urlsplit

LATEST = 0.3  # seconds after which a request may come once more
SLOWEST = 0.05
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ABORT = struct.pack("ii", 1, 0)  # no goodbye: the other side sees a reset
Fate = Callable[[bytes, asyncio.StreamWriter], Awaitable[bool]]


class ToxicProxy:
    """Stands before a server; every exchange has its own fate, by chance that can be repeated."""

    def __init__(self, server: Callable[[], str], seed: int, share: float = 0.6) -> None:
        self.faults = Counter[str]()
        self.address = ""
        self._server = server
        self._rng = Random(seed)  # noqa: S311 - chance that can be repeated
        self._share = share
        self._tasks = set[asyncio.Task[None]]()
        self._loop = asyncio.new_event_loop()
        self._is_ready, self._is_ending = Event(), asyncio.Event()
        self._fates = [
            self._lose_the_answer,
            self._cut_the_request,
            self._cut_the_answer,
            self._send_twice,
            self._send_again_later,
            self._slice,
            self._delay,
        ]
        self._thread = Thread(target=lambda: self._loop.run_until_complete(self._run()))
        self._thread.start()
        self._is_ready.wait()

    def wait(self, _: float) -> None:
        """It listens."""

    def close(self) -> None:
        """Deliver what is to be delivered late, then end."""
        self._loop.call_soon_threadsafe(self._is_ending.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        proxy = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        self._is_ready.set()
        await self._is_ending.wait()
        proxy.close()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            is_open = True
            while is_open:
                request = await _message(reader)
                fate: Fate = self._deliver
                if self._rng.random() < self._share:
                    fate = self._rng.choice(self._fates)
                    self.faults[fate.__name__.strip("_")] += 1
                is_open = await fate(request, writer)
        writer.close()

    async def _asked(self, request: bytes, pieces: int = 1) -> bytes:
        """What the server answers; nothing when it is away."""
        parts = urlsplit(self._server())
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            size = -(-len(request) // pieces)
            for start in range(0, len(request), size):
                writer.write(request[start : start + size])
                await writer.drain()
                await asyncio.sleep(0)
            return await _message(reader)
        finally:
            writer.close()

    async def _deliver(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(await self._asked(request))
        await writer.drain()
        return True

    async def _lose_the_answer(self, request: bytes, _: asyncio.StreamWriter) -> bool:
        await self._asked(request)
        return False

    async def _cut_the_request(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        parts = urlsplit(self._server())
        _, upstream = await asyncio.open_connection(parts.hostname, parts.port)
        upstream.write(request[: self._rng.randrange(len(request))])
        await upstream.drain()
        _reset(upstream)
        _reset(writer)
        return False

    async def _cut_the_answer(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        answer = await self._asked(request)
        writer.write(answer[: self._rng.randrange(len(answer))])
        await writer.drain()
        _reset(writer)
        return False

    async def _send_twice(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        answers = await asyncio.gather(self._asked(request), self._asked(request))
        writer.write(self._rng.choice(answers))
        await writer.drain()
        return True

    async def _send_again_later(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        is_open = await self._deliver(request, writer)
        task = asyncio.create_task(self._late(request, self._rng.uniform(0, LATEST)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return is_open

    async def _late(self, request: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._asked(request)

    async def _slice(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        for byte in await self._asked(request, self._rng.randrange(2, 40)):
            writer.write(bytes([byte]))
        await writer.drain()
        return True

    async def _delay(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(self._rng.uniform(0, SLOWEST))
        return await self._deliver(request, writer)


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A request or an answer, as a whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + await reader.readexactly(int(length.group(1)) if length else 0)


def _reset(writer: asyncio.StreamWriter) -> None:
    own: socket.socket = writer.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    writer.transport.abort()
