"""Protocol of one connection: uvicorn's, which sees one whole and checked head at a time."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from kullback.connections.framing import (
    CHUNKED,
    END,
    FRAMING,
    check_arriving,
    checked_head,
    length_of_body,
    malformed,
    path_of,
    unreadable,
)
from kullback.connections.guard import ConnectionGuard
from kullback.connections.lifetime import ANSWER, BODY, HEAD, OVER, BoundedConnection
from kullback.connections.refusals import Refusal

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

SMALL_BODY = 1 << 12
# The fields of a head, an empty line and the body of an answer of status 200, or None.
Answer = Callable[[dict[str, Any], bytearray], bytes | None]
_OK = b"HTTP/1.1 200 OK\r\n"
_MOST_FRAMING = 8  # bytes of chunked framing for each of the body; a chunk of one byte has five


class Connection(BoundedConnection):
    """A connection that sees one request at a time: what comes behind it waits for the answer."""

    def __init__(
        self,
        guard: ConnectionGuard,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
        *,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(guard, config, server_state, app_state, _loop)
        self._answer = answer
        self._head = self._version = b""
        self._framing: list[tuple[bytes, bytes]] = []
        self._left = 0  # bytes of the body that are still to come, or CHUNKED
        self._framed = 0  # bytes of a chunked body with its framing

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._phase is OVER:
            if not self.unsent():
                limits = self.guard.limits
                silence = self.loop.time() + limits.linger_seconds
                self.deadline = min(self.began + limits.body_seconds, silence)
        elif self._phase is ANSWER:
            self._arrived += data
            self.flow.pause_reading()
        else:
            self._read(self._arrived + data if self._arrived else data)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """See httptools."""
        if self._phase is not HEAD:
            raise malformed("nothing may come in one piece behind a chunked body")
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools; what trails a body is dropped."""
        if self._phase is HEAD:
            name = name.lower()
            if name in FRAMING:
                self._framing.append((name, value))
            elif name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """See httptools."""
        if self.parser.should_upgrade():
            raise malformed("CONNECT is for proxies")
        self._left = length_of_body(self._version, self._framing)
        self.url = path_of(self.url, self._framing)
        super().on_headers_complete()
        self._phase = BODY
        self.received = self._framed = 0
        # Behind an early answer nobody knows where the next request begins: whether a body comes
        # that was not asked for, or in which piece chunks end.
        self._keep_alive = self.cycle.keep_alive
        if self.expect_100_continue or self._left == CHUNKED:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        self.received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See httptools."""
        super().on_message_complete()
        self._phase = ANSWER
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keep_alive

    # What uvicorn calls.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        """Start once everything that has come is read: it may refuse the request."""
        self._unstarted = cycle, app

    def on_response_complete(self) -> None:
        """The answer is written: read on."""
        self.server_state.total_requests += 1
        if self._phase is OVER:
            return
        self.flow.resume_reading()
        if self._phase is ANSWER:
            self._await_head()

    def _read(self, data: bytes) -> None:
        self._arrived = b""
        try:
            while data:
                if self._phase is HEAD:
                    data = self._read_head(data)
                elif self._phase is BODY:
                    data = self._read_body(data)
                else:
                    self._arrived = data
                    self.flow.pause_reading()
                    break
        except Refusal as refusal:
            self.refuse(refusal)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self.refuse(cause if isinstance(cause, Refusal) else unreadable(str(error), self._head))
        else:
            if self._unstarted is not None:
                unstarted, self._unstarted = self._unstarted, None
                if not self._answer_at_once(unstarted[0]):
                    super()._start_asgi_task(*unstarted)
            if self._phase is BODY and self not in self.guard.sending:
                self.guard.sending[self] = None
                self.began = self.loop.time()
                self.deadline = self.began + self.guard.limits.body_seconds

    def _answer_at_once(self, cycle: RequestResponseCycle) -> bool:
        """Answer a small request that is here whole, with nothing behind it, if that can be."""
        is_here = self._phase is ANSWER and not self._arrived and len(cycle.body) <= SMALL_BODY
        if self._answer is None or not is_here or not cycle.keep_alive or self.flow.write_paused:
            return False
        answer = self._answer(cast("dict[str, Any]", cycle.scope), cycle.body)
        if answer is None:
            return False
        lines = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        cycle.response_started = cycle.response_complete = True
        self._transport.write(b"".join((_OK, *lines, answer)))
        self.on_response_complete()
        return True

    def _read_head(self, data: bytes) -> bytes:
        """Read a head; what comes behind it."""
        data = data.lstrip(b"\r\n")
        limits = self.guard.limits
        end = data.find(END, 0, limits.head_bytes)
        if end < 0:
            if data:
                check_arriving(data, limits)
                if not self._head:
                    self._head = data
                    self.deadline = min(self.deadline, self.loop.time() + limits.head_seconds)
            self._arrived = data
            return b""
        self._head, self._version = checked_head(data[: end + len(END)], limits)
        self._framing = []
        self.parser.feed_data(self._head)
        self.guard.waiting.pop(self, None)
        return data[end + len(END) :]

    def _read_body(self, data: bytes) -> bytes:
        """Read a part of a body; what comes behind it."""
        rest = b""
        if self._left == CHUNKED:
            self._framed += len(data)
            self._feed_chunks(data)
        else:
            size = self._left
            self._left -= min(size, len(data))
            data, rest = data[:size], data[size:]
            self.parser.feed_data(data)
            if self._left == 0 and self._phase is BODY:
                raise malformed("the parser reads another length")
        if self._phase is ANSWER:
            self.guard.sending.pop(self, None)
            if self.cycle.response_complete:
                self._await_head()
        return rest

    def _feed_chunks(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            if self._phase is not ANSWER:
                raise
            # Another request in the same piece: the parser does not say where it begins.
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self.close()
        if self._framed > self.guard.limits.head_bytes + _MOST_FRAMING * self.received:
            raise malformed("the body has more framing than content")

    def _await_head(self) -> None:
        self._phase = HEAD
        self._head = b""
        self.deadline = self.loop.time() + self.guard.limits.idle_seconds
        self.guard.waiting[self] = None
        if self._arrived:
            self._read(self._arrived)
