"""Lifetime of one connection: its deadlines, its refusals and its end."""

import logging
from asyncio import AbstractEventLoop, Transport
from collections.abc import Callable
from enum import IntEnum
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from kullback.api.problem_types import REQUEST_TIMEOUT
from kullback.connections.guard import ConnectionGuard
from kullback.connections.refusals import Refusal

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_log = logging.getLogger("kullback.connections")


class Phase(IntEnum):
    """What a connection is waiting for."""

    HEAD = 0
    BODY = 1
    ANSWER = 2
    END = 3


HEAD, BODY, ANSWER, OVER = Phase  # names of a module are looked up faster


class Outlet:
    """The transport as the exchanges of a connection see it: its end is the connection's affair."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, which ends when its time is over or its place is needed."""

    def __init__(
        self,
        guard: ConnectionGuard,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.guard = guard
        self.deadline = self.began = 0.0
        self.received = 0  # bytes of the body
        self._phase = HEAD
        self._arrived = b""  # and not read yet: a part of a head, or what is behind a request
        self._unstarted: tuple[RequestResponseCycle, ASGI3Application] | None = None
        self._keep_alive = True

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._transport = transport
        self.transport = Outlet(transport, self.close)  # type: ignore[assignment]
        self.deadline = self.loop.time() + self.guard.limits.head_seconds
        self.guard.admit(self, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._phase = OVER
        super().connection_lost(exc)
        self.guard.forget(self)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        super().pause_writing()
        self.guard.takes_slowly(self, self.loop.time())

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        super().resume_writing()
        self.guard.takes_again(self)

    def shutdown(self) -> None:
        """See uvicorn: the server stops."""
        self._keep_alive = False
        if self._phase is OVER or self.cycle is None or self.cycle.response_complete:
            self._end()
            self._transport.close()
        else:
            self.cycle.keep_alive = False

    def close(self) -> None:
        """End when all that was written is taken and, at the latest, when its time is over."""
        if self._phase is BODY:
            self._linger()
        elif self._phase is not OVER:
            self._end()
            self._transport.close()

    # What the guard calls.

    @property
    def is_held_up(self) -> bool:
        """Whether it is this service that does not read on."""
        cycle = self.cycle
        return self.flow.read_paused or (
            cycle.waiting_for_100_continue and not cycle.response_complete
        )

    def unsent(self) -> int:
        """Bytes of answers that were not taken."""
        return self._transport.get_write_buffer_size()

    def wait(self, seconds: float) -> None:
        """Let the time of a body begin later."""
        self.deadline += seconds
        self.began += seconds

    def expire(self) -> None:
        """End what took too long."""
        if self._phase is BODY and not self.cycle.response_complete:
            self.refuse(Refusal(REQUEST_TIMEOUT, "the body did not come in time"))
        elif self._phase is HEAD and self._arrived:
            self.refuse(Refusal(REQUEST_TIMEOUT, "the head did not come in time"))
        else:
            self.abort()

    def abort(self) -> None:
        """End at once."""
        self._end()
        self._transport.abort()

    def refuse(self, refusal: Refusal) -> None:
        """Answer in the place of the application, and end."""
        cycle = self.cycle
        is_answered = cycle is None or cycle.response_complete
        if is_answered and self._phase is BODY:
            self._linger()
            return
        if is_answered or self._unstarted is not None:
            request_id = token_hex(16)
            self._record(refusal, request_id)
        elif cycle.response_started:
            self.abort()
            return
        else:  # it counts and logs the request as refused
            state = cycle.scope["state"]
            state["refused"] = refusal.kind.status
            request_id = state.setdefault("request_id", token_hex(16))
            cycle.disconnected, cycle.waiting_for_100_continue = True, False
            cycle.message_event.set()
        self._transport.write(refusal.answer(request_id, self.server_state.default_headers))
        self._linger()

    def _end(self) -> None:
        """Read no more requests, and be gone when this time is over."""
        self._phase = OVER
        self._arrived = b""
        self._unstarted = None
        self.guard.sending.pop(self, None)
        self.guard.waiting[self] = None
        limits = self.guard.limits
        self.began = self.loop.time()
        seconds = limits.answer_seconds if self.unsent() else limits.linger_seconds
        self.deadline = self.began + seconds

    def _linger(self) -> None:
        """Read and drop what still comes: who is cut off while sending never sees the answer."""
        self._end()
        self.flow.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _record(self, refusal: Refusal, request_id: str) -> None:
        self.guard.count(refusal.kind.status)
        _log.info(
            "refused: %s",
            refusal.detail,
            extra={"fields": {"status": refusal.kind.status, "request_id": request_id}},
        )
