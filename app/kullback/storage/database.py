"""What differs between database engines: connections, statements and the meaning of errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kullback.errors import Conflict
from kullback.storage.rows import Outcome, Row

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Insert = sqlite.Insert | postgresql.Insert

Among = Callable[
    [ColumnElement[int] | ColumnElement[str], Sequence[int] | Sequence[str]], ColumnElement[bool]
]
PATIENCE = 2.0  # seconds to wait for a lock
IMPATIENCE = 0.02  # seconds to wait for one when others have waited long already

READERS = 8
WAITING_READERS = 56


class Raced(Conflict):
    """Somebody else made the same thing meanwhile."""


class Fault(Enum):
    """What a failure means for the transaction it came in."""

    OWN = auto()  # the write is wrong: nobody else is touched
    RACED = auto()  # two at once: try again
    LOCKED = auto()  # somebody else holds it for too long
    AWAY = auto()  # nothing can be written now
    FATAL = auto()  # nothing that was written can be trusted any more


class KeptRow(NamedTuple):
    """What is kept of an id, and the state that it is in."""

    id: str
    state: int
    time: float | None
    content: bytes
    outcome: Outcome | None

    @property
    def row(self) -> Row:
        """The row itself."""
        return Row(self.time, self.content, self.outcome)

    @property
    def stored(self) -> "KeptRow":
        """The same as columns hold it."""
        return KeptRow(self.id, self.state, *self.row.stored())


class Arrival(NamedTuple):
    """Rows that come together to a record, and the state that they are new in."""

    record: int
    now: float
    state: int


@dataclass(frozen=True, slots=True)
class Database:
    """A database of either kind, as the rest of this package sees it."""

    writer: Engine  # one connection, used by one thread
    readers: Engine
    insert: "Callable[[Table], Insert]"
    among: Among  # whether a column is one of many values, as one parameter
    # Rows of these ids; the ids of those that were not there.
    insert_rows: Callable[[Connection, Arrival, Sequence[str], Mapping[str, Row]], Sequence[str]]
    update_rows: Callable[[Connection, int, Sequence[KeptRow]], None]
    diagnose: Callable[[BaseException | None], Fault]  # of an exception of the driver
    lock_schema: Callable[[Connection], None]
    wait: Callable[[Connection, float], None]  # so long for a lock, until the transaction ends
    damage: Callable[[], str | None]  # what is wrong with it, as far as that is known by now
    release: Callable[[], None]  # gives back what is left when the readers are gone

    def meaning(self, error: BaseException) -> Fault:
        """What any exception means that came out of a transaction."""
        if isinstance(error, Raced):
            return Fault.RACED
        if isinstance(error, PoolTimeout):
            return Fault.AWAY
        if not isinstance(error, DBAPIError):
            return Fault.OWN
        return Fault.AWAY if error.connection_invalidated else self.diagnose(error.orig)

    def close(self) -> None:
        """Close every connection."""
        self.readers.dispose()
        self.release()
