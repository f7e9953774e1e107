"""The interface of a store: writes that count exactly once, and reads.

A store keeps bytes that it does not understand. Records (a monitor, an experiment) own cells,
counts, attachments and waiting rows. The bytes of a cell are added, never changed: whoever reads
one adds up all parts of it, and `Transaction.compact` puts parts together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from kullback.documents import to_json
from kullback.storage.rows import Expired, Joined, Looked, Row

Merge = Callable[[Sequence[bytes]], bytes]


class Cell(NamedTuple):
    """Where a part of a sum belongs: a window of time, all rows ("") or one slice of them."""

    kind: str
    slice: str
    start: int
    width: int


Part = tuple[Cell, bytes]


class Times(NamedTuple):
    """Windows that begin at `start` or later and end by `stop`.

    Those only that begin before `before`, where that is said: a multiple of what they become.
    """

    start: int
    stop: int
    before: int | None = None


class Reply(NamedTuple):
    """What a write is answered: kept with its key, so that it can be said again."""

    status: int
    body: bytes

    @classmethod
    def of(cls, document: object, status: int = 200) -> "Reply":
        """A reply of a document, as JSON."""
        return cls(status, to_json(document))


class IdempotencyKey(NamedTuple):
    """What makes a write happen once: the caller's key for one resource, and a digest of it all."""

    scope: str
    key: str
    digest: bytes


class Written(NamedTuple):
    """A reply that is on disk, and whether it had been before."""

    reply: Reply
    replayed: bool


def is_new(done: Future[Written]) -> bool:
    """Whether something was written, now and not before."""
    if done.cancelled() or done.exception() is not None:
        return False
    return not done.result().replayed


@dataclass(frozen=True, slots=True)
class Record:
    """A named thing that owns what is added to it; `revision` rises with each change of it.

    `era` changes with what is added from then on: keys of writes of another era are new again.
    """

    id: int
    kind: str
    name: str
    revision: int
    document: bytes
    created: float
    era: int = 0


class Transaction(Protocol):
    """What can be done inside of one write; all of it happens, or none.

    Whoever adds to a record has found it by `record` in the same transaction: the number of a
    record that somebody else removes meanwhile would own what nobody can see.
    """

    def record(self, kind: str, name: str, *, for_change: bool = False) -> Record | None:
        """The record of that name, which cannot change before the transaction ends.

        Say `for_change` before `change` or `delete`: then nobody else may look at it either.
        """

    def create(self, kind: str, name: str, document: bytes, now: float) -> Record:
        """A new record; the caller has found none of that name.

        Raises:
            Conflict: there is one of that name. Let it pass: the write may be tried again.
        """

    def change(self, record: int, document: bytes, *, revises: bool = True) -> None:
        """Give a record another document, and, where that `revises` it, the next revision."""

    def renew(self, record: int, era: int) -> None:
        """Put a record in an era: rows that come again with keys of another one are new."""

    def rename(self, record: int, name: str) -> None:
        """Give a record another name; the caller has found none of that name.

        Raises:
            Conflict: there is one of that name. Let it pass: the write may be tried again.
        """

    def delete(self, record: int) -> None:
        """Remove a record and all that it owns."""

    def attach(self, record: int, name: str, content: bytes) -> None:
        """Put bytes beside a record, in place of those of the same name."""

    def detach(self, record: int, name: str) -> None:
        """Remove the bytes that stand beside a record under a name."""

    def attachment(self, record: int, name: str) -> bytes | None:
        """The bytes that stand beside a record under a name."""

    def accumulate(self, record: int, name: str, content: bytes, merge: Merge) -> None:
        """Merge bytes with those that stand beside a record under a name.

        It is done at the end of the commit, once for all its writes and in order, so that two
        commits cannot wait for each other.
        """

    def counts(self, record: int) -> dict[str, int]:
        """All counts of a record."""

    def add(self, record: int, parts: Mapping[Cell, bytes]) -> None:
        """Add a part to each of these cells."""

    def count(self, record: int, amounts: Mapping[str, int]) -> None:
        """Add to counts that belong to the record."""

    def join(
        self, record: int, rows: Mapping[str, Row], now: float, *, corrects: bool = False
    ) -> Joined:
        """Bring rows, or one half of each of them, by id: the first of each half of an id counts.

        An outcome that comes in place of a default replaces it; of another one only where that
        `corrects`. A row is kept until it expires.
        """

    def rewrite(self, record: int, rows: Mapping[str, Row]) -> None:
        """Put the time and the content of rows in place of what is kept of these ids."""

    def settle(self, record: int, before: float, outcome: float, limit: int) -> dict[str, Row]:
        """Give predictions that came before, at most `limit`, this outcome by default; by id.

        They are none only where none are left.
        """

    def remove(self, record: int, start: float, stop: float, after: str, limit: int) -> Looked:
        """Remove rows whose time is in [start, stop), of the next `limit` ids behind `after`."""

    def compact(self, record: int, times: Times, width: int, limit: int) -> int:
        """Put together the parts of cells within some time, in windows of `width` or wider.

        Windows narrower than `width` become one window of `width`. At most `limit` cells are
        made; the number of cells made is returned, 0 when there is nothing more to do.
        """

    def forget(self, record: int, before: int, limit: int) -> int:
        """Remove cells that end by `before`, at most `limit` parts; how many were removed."""

    def expire(self, record: int, before: float, limit: int) -> Expired:
        """Remove rows by id that came before, matched or not, at most `limit` of them."""

    def parts(self, record: int, start: int, stop: int, name: str = "") -> Iterator[Part]:
        """The parts of all rows, or one slice's, of windows that lie within [start, stop)."""

    def straddles(self, record: int, moment: int) -> bool:
        """Whether there is a part of a window that begins before a moment and ends after it."""

    def arrived(self, record: int, start: float, stop: float) -> int:
        """How many rows are kept by id that arrived in [start, stop)."""

    def take(self, record: int, start: int, stop: int, limit: int) -> int:
        """Remove parts of windows that lie within [start, stop), at most `limit`; how many."""

    def withdraw(self, record: int, name: str, start: int, limit: int) -> list[Part]:
        """Remove parts of a slice from `start` on, at most `limit`, by start; what they were."""

    def forget_keys(self, record: int, start: int, stop: int, limit: int) -> int:
        """Forget keys whose rows all lie within [start, stop), at most `limit`.

        A key of which some rows do is kept, but its write is not answered again: whoever sends it
        is told so. Returns how many keys were forgotten or changed.
        """

    def move_keys(self, record: int, old: str, new: str, limit: int) -> int:
        """Take keys of what lies under a path to another, at most `limit`; how many."""

    def sweep(self, before: float, limit: int) -> int:
        """Forget keys that came before; how many, at most `limit`."""


Work = Callable[[Transaction], Reply]
DONE = Reply(200, b"")  # of writes that nobody asked for


class Store(Protocol):
    """Where all that Kullback remembers is kept."""

    def write(self, work: Work, key: IdempotencyKey | None = None) -> Future[Written]:
        """Do `work` in a transaction; the future holds its reply once that is on disk.

        `work` may be called more than once, each time in a transaction that knows nothing of the
        one before. It stands beside other writes in one commit, and fails alone.

        With a key the work is done once: a second write of the same key and digest gets the
        first one's reply. What `work` raises is the future's exception, and nothing is kept.

        Raises:
            Overloaded: too many writes are waiting, or the store is closing.

        The future raises:
            IdempotencyKeyReused: the key came before with another digest.
            IdempotencyKeyInProgress: the same key is being worked on now.
            StoreUnavailable: the store cannot be written; whether this was kept is unknown.
        """

    def records(self, kind: str, after: str = "", limit: int | None = None) -> list[Record]:
        """All records of a kind, by name; or the first so many of those behind a name."""

    def record(self, kind: str, name: str) -> Record | None:
        """The record of that name."""

    def attachment(self, record: int, name: str) -> bytes | None:
        """The bytes that stand beside a record under a name."""

    def counts(self, record: int) -> dict[str, int]:
        """All counts of a record."""

    def all_counts(self, kind: str) -> dict[int, dict[str, int]]:
        """All counts of every record of a kind that has any, by its number."""

    def parts(self, record: int, start: int, stop: int, slices: str | None = None) -> list[Part]:
        """The parts of all cells whose windows start in [start, stop).

        Of all rows (slice ""), or, with `slices` the name of a slice, of each of its values
        (slice "name=value"), or of the one value that `slices` names so. In one consistent
        state, in no particular order.
        """

    def stream(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> AbstractContextManager[Iterator[Part]]:
        """The same parts, a few of them in memory at a time, for as long as it is open."""

    def numbers(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> dict[tuple[int, int], tuple[int, ...]]:
        """The numbers of the same parts, sorted, by the start and the width of their windows.

        A part never changes, and no number is given twice: where the numbers are the same, all is.
        """

    def numbered(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> list[tuple[int, Part]]:
        """The same parts, each with its number."""

    def counted_parts(self, record: int, count: str) -> tuple[int, list[Part]]:
        """One of the counts and all parts, of all rows and of slices, in one consistent state."""

    def cells(self, record: int) -> list[Cell]:
        """The cells of all rows (slice "") that have parts, in no particular order."""

    def nth_start(self, record: int, start: int, number: int) -> int | None:
        """The start of a part's window: so many parts on from `start`; None if there are fewer."""

    def last_start(self, record: int) -> int | None:
        """The start of the latest window that has a part of all rows (slice "")."""

    def ping(self) -> None:
        """Do nothing, or raise StoreUnavailable, as everything here that reads can."""

    def close(self) -> None:
        """Finish the writes that wait, then close."""
