"""Guard of all connections: how many there are, and whose time is over."""

import logging
from asyncio import AbstractEventLoop
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from kullback.api.problem_types import PROBLEM_TYPES
from kullback.connections.limits import ConnectionLimits
from kullback.connections.refusals import Refusal
from kullback.errors import Overloaded

if TYPE_CHECKING:
    from kullback.connections.lifetime import BoundedConnection

_FULL = Refusal(PROBLEM_TYPES[Overloaded], "too many connections are open; try again in a moment")

_log = logging.getLogger("kullback.connections")


class ConnectionGuard:
    """All connections of a server; a round now and then ends those whose time is over.

    Timers of their own would cost every request more than the rounds cost all of them.
    """

    def __init__(self, limits: ConnectionLimits, count: Callable[[int], None]) -> None:
        self.limits = limits
        self.count = count  # a refusal, by its status
        self.waiting: dict[
            BoundedConnection, None
        ] = {}  # for a request, or their end; the oldest first
        self.sending: dict[BoundedConnection, None] = {}  # a body
        self._open: set[BoundedConnection] = set()
        self._taking: dict[
            BoundedConnection, tuple[float, int]
        ] = {}  # an answer: since when, how much
        self._closed = Counter[str]()
        self._goes_round = False

    def admit(self, connection: "BoundedConnection", loop: AbstractEventLoop) -> None:
        """Give a connection a place: that of the oldest that is waiting, if none is free.

        Where none waits, one whose body is coming is refused, or the newcomer: it has to be told,
        so it is open for a moment more.
        """
        while len(self._open) >= self.limits.connections and self.waiting:
            self._drop(next(iter(self.waiting)), "places for newer connections")
        self._open.add(connection)
        self.waiting[connection] = None
        if len(self._open) > self.limits.connections:
            next(iter(self.sending), connection).refuse(_FULL)
        if not self._goes_round:
            self._goes_round = True
            loop.call_later(self.limits.round_seconds, self._go_round, loop)

    def forget(self, connection: "BoundedConnection") -> None:
        """Take a connection's place back."""
        self._open.discard(connection)
        self.waiting.pop(connection, None)
        self.sending.pop(connection, None)
        self._taking.pop(connection, None)

    def takes_slowly(self, connection: "BoundedConnection", now: float) -> None:
        """Keep an eye on an answer that is not taken as fast as it was written."""
        self._taking[connection] = now, connection.unsent()
        unsent = sum(taker.unsent() for taker in self._taking)
        while unsent > self.limits.unsent_bytes and len(self._taking) > 1:
            oldest = next(iter(self._taking))
            unsent -= oldest.unsent()
            self._drop(oldest, "answers that nobody took")

    def takes_again(self, connection: "BoundedConnection") -> None:
        """An answer was taken."""
        self._taking.pop(connection, None)

    def _go_round(self, loop: AbstractEventLoop) -> None:
        self._goes_round = bool(self._open)
        if self._goes_round:
            loop.call_later(self.limits.round_seconds, self._go_round, loop)
        now = loop.time()
        for connection in [waiting for waiting in self.waiting if waiting.deadline <= now]:
            connection.expire()
        for connection in list(self.sending):
            if connection.is_held_up:
                connection.wait(self.limits.round_seconds)
            elif connection.deadline <= now or self._is_slow(
                now - connection.began, connection.received
            ):
                connection.expire()
        for connection, (began, size) in list(self._taking.items()):
            seconds, taken = now - began, size - connection.unsent()
            if seconds > self.limits.answer_seconds or self._is_slow(seconds, taken):
                self._drop(connection, "answers taken too slowly")
        for why, number in self._closed.items():
            _log.info("closed %d connections: %s", number, why)
        self._closed.clear()

    def _is_slow(self, seconds: float, size: int) -> bool:
        limits = self.limits
        return seconds > limits.patience_seconds and size < limits.bytes_per_second * seconds

    def _drop(self, connection: "BoundedConnection", why: str) -> None:
        self._closed[why] += 1
        connection.abort()
        self.forget(connection)  # last: one that ends is waiting for its end
