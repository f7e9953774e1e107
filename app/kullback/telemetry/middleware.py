"""Middleware around every request: its id, counters, log line and security headers."""

import asyncio
import logging
import re
from secrets import token_hex
from time import perf_counter
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kullback.telemetry.logs import REQUEST_ID
from kullback.telemetry.metrics import Telemetry
from kullback.telemetry.traces import TRACE, TraceContext

UNMATCHED = "__unmatched__"
CLIENT_GONE = 499
PATH_LENGTH = 256
METHOD_LENGTH = 16

REQUEST_ID_HEADER = b"x-request-id"
SECURITY = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
_CSP = b"content-security-policy"
POLICY = (_CSP, b"default-src 'self'; frame-ancestors 'none'")
_IS_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}").fullmatch

_IS_PRINTABLE = re.compile(rb"[!-~]*").fullmatch

_errors = logging.getLogger("kullback.errors")
_access = logging.getLogger("kullback.access")


class RequestTelemetry:
    """ASGI middleware that sees each request from its first byte to its last.

    An exception that nobody handled ends here: it is logged once, with the request id, and
    `failure` answers if no answer has begun; so does `stopping` where the server ends.
    """

    def __init__(
        self, app: ASGIApp, telemetry: Telemetry, failure: ASGIApp, stopping: ASGIApp
    ) -> None:
        self._app = app
        self._telemetry = telemetry
        self._failure = failure
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See starlette.types.ASGIApp."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        exchange = _Exchange(scope, receive, send)
        token = REQUEST_ID.set(exchange.request_id)
        trace = None if exchange.trace is None else TRACE.set(exchange.trace)
        try:
            await self._answer(scope, exchange)
        finally:
            self._record(scope, exchange, perf_counter() - began)
            REQUEST_ID.reset(token)
            if trace is not None:
                TRACE.reset(trace)

    async def _answer(self, scope: Scope, exchange: "_Exchange") -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # its time to end is over
            if exchange.status != CLIENT_GONE:
                raise
            await self._stopping(scope, exchange.receive, exchange.send)
        except Exception:  # noqa: BLE001 - nothing may pass: what comes here is logged and is a 500
            _errors.exception("the request failed: this is a bug in Kullback")
            if exchange.status == CLIENT_GONE:
                await self._failure(scope, exchange.receive, exchange.send)

    def _record(self, scope: Scope, exchange: "_Exchange", seconds: float) -> None:
        exemplar = None if exchange.trace is None else exchange.trace.exemplar()
        status, (came, went) = exchange.final_status, (exchange.bytes_in, exchange.bytes_out)
        record(self._telemetry, scope, Answered(status, seconds, came, went, exemplar))


class Answered(NamedTuple):
    """What became of a request; `exemplar` names a trace of it."""

    status: int
    seconds: float
    bytes_in: int
    bytes_out: int
    exemplar: dict[str, str] | None = None


def record(telemetry: Telemetry, scope: Scope, answered: Answered) -> None:
    """Count and log a request."""
    method = scope["method"]
    route = getattr(scope.get("route"), "path_format", UNMATCHED)
    status, seconds, bytes_in, bytes_out, exemplar = answered
    telemetry.series(method, route).observe(status, seconds, bytes_in, exemplar)
    if _access.isEnabledFor(logging.INFO):
        fields = {
            "method": method[:METHOD_LENGTH],
            "route": route,
            "path": _path(scope),
            "status": status,
            "ms": round(seconds * 1000, 3),
            "bytes_in": bytes_in,
            "bytes_out": bytes_out,
        }
        key = getattr(scope["state"].get("caller"), "key", "")
        if key:
            fields["key"] = key
        line = logging.LogRecord(_access.name, logging.INFO, __file__, 0, "request", None, None)
        line.__dict__["fields"] = fields
        _access.handle(line)


class _Exchange:
    """One request and its answer: what has come in, what has gone out."""

    __slots__ = (
        *("_receive", "_send", "_state", "bytes_in", "bytes_out", "request_id", "status"),
        "trace",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._state = scope.setdefault("state", {})
        self.request_id = self._state.setdefault("request_id", request_id(scope))
        self.trace = TraceContext.of_request(scope)
        self.status = CLIENT_GONE  # until an answer begins
        self.bytes_in = 0
        self.bytes_out = 0

    @property
    def final_status(self) -> int:
        """That of the answer, which the connection may have given in the application's place."""
        if self.status == CLIENT_GONE:
            return int(self._state.get("refused", CLIENT_GONE))
        return self.status

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.bytes_in += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [
                *message.get("headers", ()),
                (REQUEST_ID_HEADER, self.request_id.encode()),
                *SECURITY,
            ]
            if all(name != _CSP for name, _ in headers):
                headers.append(POLICY)
            message["headers"] = headers
        else:
            self.bytes_out += len(message.get("body", b""))
        await self._send(message)


def request_id(scope: Scope) -> str:
    """The id of a request: its own, if it has a sensible one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID_HEADER and _IS_REQUEST_ID(value):
            return str(value, "ascii")
    return token_hex(16)


def _path(scope: Scope) -> str:
    """The path as it stood in the request line, without the query, safe to print."""
    raw: bytes | None = scope.get("raw_path")
    if raw is None or "kb_" in scope["path"]:  # a key is hidden later, if it is not escaped
        raw = scope["path"][:PATH_LENGTH].encode("utf-8", "replace")
    path = raw[:PATH_LENGTH]
    if _IS_PRINTABLE(path):
        return str(path, "ascii")
    return quote(path, safe="/%")[:PATH_LENGTH]
