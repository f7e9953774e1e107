"""Connections to PostgreSQL that do not wait for ever, whatever has become of the server.

Its own deadlines do not hold when the process that serves a connection is frozen, nor those of TCP
as long as its kernel answers.
"""

from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

STATEMENT_SECONDS = 15  # the server's deadline, for one statement
ANSWER_SECONDS = STATEMENT_SECONDS + 2.0  # ours
PING_SECONDS = 3.0  # for the question whether a connection that has rested is still there
LOOK_SECONDS = 0.1

Answer = TypeVar("Answer")
Waiting = Generator[Any, Any, Answer]
NETWORK = {  # of a peer that is gone without a word
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection that is closed when no answer comes in `patience` seconds."""

    patience = ANSWER_SECONDS

    def wait(self, gen: Waiting[Answer], *_: object, **__: object) -> Answer:
        """See psycopg.Connection."""
        try:
            return super().wait(_until(gen, monotonic() + self.patience), LOOK_SECONDS)
        except TimeoutError:
            self.pgconn.finish()
            seconds = f"{self.patience:.0f} seconds"
            raise psycopg.OperationalError(f"no answer in {seconds}: connection closed") from None


def with_deadlines(engine: Engine) -> Engine:
    """The engine, whose connections are of this kind."""

    @event.listens_for(engine, "do_connect")
    def connect(_: object, __: object, arguments: Any, options: Any) -> DeadlineConnection:  # noqa: ANN401 - as the driver is called
        return DeadlineConnection.connect(*arguments, **options)

    @event.listens_for(engine, "checkin")
    def rests(connection: object, _: ConnectionPoolEntry) -> None:
        if isinstance(connection, DeadlineConnection):  # nobody's when it was given up
            connection.patience = PING_SECONDS

    @event.listens_for(engine, "checkout")
    def works(connection: DeadlineConnection, *_: object) -> None:
        connection.patience = ANSWER_SECONDS

    return engine


def be_patient(connection: Connection, seconds: float) -> None:
    """Wait for so long for each answer, until the connection is given back."""
    driver: object = connection.connection.dbapi_connection
    assert isinstance(driver, DeadlineConnection)
    driver.patience = seconds


def _until(waiting: Waiting[Answer], end: float) -> Waiting[Answer]:
    """Wait as the driver does, until it is too late.

    Raises:
        TimeoutError: it is.
    """
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            if not ready and monotonic() > end:
                raise TimeoutError
            wanted = waiting.send(ready)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
