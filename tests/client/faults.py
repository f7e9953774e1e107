"""A proxy that loses answers, cuts, delays and repeats requests, and is busy at times."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.torture.toxic import ToxicProxy

BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-type: text/plain\r\n"
    b"content-length: 4\r\n\r\nbusy"
)


class FaultyProxy(ToxicProxy):
    """A proxy as others are, which also answers 503 of its own, before or after the request."""

    def __init__(self, server: Callable[[], str], seed: int, share: float = 0.6) -> None:
        super().__init__(server, seed, share)
        self._fates += [self._be_busy, self._be_busy_afterwards]

    async def _be_busy(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        del request  # nobody saw it
        writer.write(BUSY)
        await writer.drain()
        return True

    async def _be_busy_afterwards(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        await self._asked(request)
        return await self._be_busy(request, writer)


class LosingProxy(ToxicProxy):
    """A proxy that loses the first answer to each request, after it was done."""

    def __init__(self, server: Callable[[], str]) -> None:
        super().__init__(server, seed=0, share=0.0)
        self._seen = set[bytes]()

    async def _deliver(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        if request in self._seen:
            return await super()._deliver(request, writer)
        self._seen.add(request)
        return await self._lose_the_answer(request, writer)


@contextmanager
def losing(server: str) -> Iterator[LosingProxy]:
    """Such a proxy before a server."""
    proxy = LosingProxy(lambda: server)
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def faulty(server: str, seed: int, share: float = 0.6) -> Iterator[FaultyProxy]:
    """A proxy before a server, until the block ends and all it holds back is delivered."""
    proxy = FaultyProxy(lambda: server, seed, share)
    try:
        yield proxy
    finally:
        proxy.close()
