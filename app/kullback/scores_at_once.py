"""Scores at once: small requests answered between their last byte and the next of anybody else.

For one row of ten numbers the way through tasks, messages and middleware costs more than the score.
Whatever would wait, is refused or is unusual goes that way: here nothing has happened then.
"""

from collections.abc import Iterable
from time import perf_counter

from starlette.routing import BaseRoute
from starlette.types import Scope

from kullback.api.gate import Gate
from kullback.api.scores import ScoreRoute
from kullback.payload.body import Body
from kullback.payload.media import JSON
from kullback.telemetry.logs import REQUEST_ID
from kullback.telemetry.metrics import Telemetry
from kullback.telemetry.middleware import (
    POLICY,
    REQUEST_ID_HEADER,
    SECURITY,
    Answered,
    record,
    request_id,
)

_PLAIN = (b"content-type", b"application/json")
_UNUSUAL = frozenset({b"content-encoding", b"cookie", b"traceparent", b"transfer-encoding"})
_HEADS = tuple(name + b": " + value + b"\r\n" for name, value in (*SECURITY, POLICY))


class ScoresAtOnce:
    """The answers to small score requests that ask for nothing else."""

    def __init__(self, routes: Iterable[BaseRoute], gate: Gate, telemetry: Telemetry) -> None:
        self._routes = {route.path: route for route in routes if isinstance(route, ScoreRoute)}
        self._gate = gate
        self._telemetry = telemetry

    def answer(self, scope: Scope, body: bytearray) -> bytes | None:
        """The fields of the head, an empty line and the body of an answer of status 200.

        Args:
            scope: of a request whose body is here.
            body: as it came, small: what fails here is read again.

        Returns:
            None where the application has to answer.
        """
        began = perf_counter()
        route = self._routes.get(scope["path"])
        if route is None or scope["method"] != "POST" or not _is_usual(scope, body):
            return None
        if not self._gate.admits_at_once(scope, route):
            return None
        content = route.at_once(Body(bytearray(body), JSON, "identity"))
        if content is None:
            return None
        scope["route"], named = route, request_id(scope)
        head = (
            b"content-length: %d\r\ncontent-type: application/json\r\n" % len(content),
            REQUEST_ID_HEADER + b": " + named.encode() + b"\r\n",
            *_HEADS,
            b"\r\n",
            content,
        )
        token = REQUEST_ID.set(named)
        answered = Answered(200, perf_counter() - began, len(body), len(content))
        record(self._telemetry, scope, answered)
        REQUEST_ID.reset(token)
        return b"".join(head)


def _is_usual(scope: Scope, body: bytearray) -> bool:
    headers = scope["headers"]
    is_plain = bool(body) and not scope["query_string"] and not scope["root_path"]
    return is_plain and _PLAIN in headers and _UNUSUAL.isdisjoint([name for name, _ in headers])
