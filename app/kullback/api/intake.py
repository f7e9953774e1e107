"""Bodies as they arrive: counted and bounded, each and all together."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NamedTuple, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from kullback.errors import BodyTooLarge
from kullback.payload.body import Body, content_encoding
from kullback.payload.budget import ByteBudget, Hold
from kullback.payload.media import media_type
from kullback.payload.room import size_text

Result = TypeVar("Result")
MAX_DIGITS = 18  # of a Content-Length


def declared_length(value: bytes) -> int:
    """What a Content-Length says; 0 where it says nothing, which who read the head refuses."""
    return int(value) if value.isdigit() and len(value) <= MAX_DIGITS else 0


class BodyHeaders(NamedTuple):
    """What the headers of a request say of its body."""

    media_type: str
    encoding: str
    length: int

    @classmethod
    def of(cls, scope: Scope) -> "BodyHeaders":
        """Read them in one pass.

        Raises:
            UnsupportedBody: the encoding is not read here.
        """
        kind, encodings, length = "", [], 0
        for name, value in scope["headers"]:
            if name == b"content-type":
                kind = media_type(value.decode("latin-1"))
            elif name == b"content-length":
                length = declared_length(value)
            elif name == b"content-encoding":
                encodings.append(value.decode("latin-1"))
        return cls(kind, content_encoding(encodings), length)


class Intake:
    """The bytes of all bodies that are held at once; more is refused for the moment."""

    def __init__(self, cap: int, room: int) -> None:
        self.cap = cap
        self._budget = ByteBudget(max(room, 2 * cap))  # as it came, and inflated

    async def read(self, request: Request, headers: BodyHeaders | None = None) -> Body:
        """The body of a request; release its hold when it is done with.

        Raises:
            UnsupportedBody: its encoding is not read here.
            BodyTooLarge: it is longer than the cap.
            Overloaded: there is no room for it now.
        """
        headers = headers or BodyHeaders.of(request.scope)
        # What is only declared takes no room: who declares much and sends nothing stops nobody.
        self._check(headers.length)
        self._budget.check(headers.length)
        raw, hold = bytearray(), Hold(self._budget)
        try:
            more = True
            while more:
                chunk, more = await _next_chunk(request.receive)
                self._check(len(raw) + len(chunk))
                hold.take(len(chunk))
                raw += chunk
        except BaseException:
            hold.release()
            raise
        return Body(raw, headers.media_type, headers.encoding, hold)

    def _check(self, size: int) -> None:
        if size > self.cap:
            raise BodyTooLarge(f"the body is larger than {size_text(self.cap)}")


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """What the work for a caller returns, whose body was read; it is cancelled when they leave.

    Raises:
        ClientDisconnect: the caller has left.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_departure(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        working.cancel()
        leaving.cancel()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _next_chunk(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)
