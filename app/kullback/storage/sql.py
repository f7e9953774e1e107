"""The SQL store: opening it on either engine, writing and reading."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from sqlalchemy import URL, ColumnElement, Connection, String, and_, func, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from kullback.errors import StoreUnavailable
from kullback.storage.base import Cell, IdempotencyKey, Merge, Part, Record, Store, Work, Written
from kullback.storage.committer import Committer, PendingWrite, for_callers, reason
from kullback.storage.database import Database, Fault
from kullback.storage.schema import ATTACHMENTS, COUNTS, PARTS, RECORDS, is_current, migrate
from kullback.storage.sqlite import open_sqlite
from kullback.storage.writer import Writer

LOGGER = logging.getLogger("kullback.storage")
_ROWS_AT_ONCE = 1000
_WANTED = "a store is at sqlite:///file or postgresql+psycopg://host/database"
_CELL = (PARTS.c.kind, PARTS.c.slice, PARTS.c.start, PARTS.c.width)


def open_store(
    url: str,
    merge: Merge,
    *,
    on_fatal: Callable[[str], None],
    clock: Callable[[], float] = time.time,
) -> Store:
    """The store at `sqlite:///file` or `postgresql+psycopg://user:password@host/database`.

    `merge` puts parts of one cell together. `on_fatal` is called with a sentence, from the thread
    that writes, when the disk has failed: then the process has to end. `clock` dates keys.

    Raises:
        StoreUnavailable: it cannot be opened; the message says why and holds no password.
    """
    database = _open(url)
    try:
        _bring_up_to_date(database)
    except SQLAlchemyError as error:
        database.close()
        raise StoreUnavailable(f"the store cannot be opened: {reason(error)}") from error
    except StoreUnavailable:
        database.close()
        raise
    return SqlStore(database, Committer(database, merge, clock), on_fatal)


def _bring_up_to_date(database: Database) -> None:
    try:
        with database.writer.connect() as connection:
            migrate(connection, database.lock_schema)
    except SQLAlchemyError as error:
        if database.meaning(error) is not Fault.AWAY:
            raise
        with database.readers.connect() as connection:  # there may be no room to write
            if not is_current(connection):
                raise


def parsed_url(url: str) -> URL:
    """The parts of the URL of a database.

    Raises:
        StoreUnavailable: it is none.
    """
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number
        raise StoreUnavailable(_WANTED) from None  # what it is may hold a password


def _open(url: str) -> Database:
    parsed = parsed_url(url)
    if parsed.drivername == "sqlite":
        return open_sqlite(parsed)
    if parsed.drivername == "postgresql+psycopg":
        # 10 MB of memory that a service on SQLite never needs
        from kullback.storage.postgresql import open_postgresql  # noqa: PLC0415

        return open_postgresql(parsed)
    raise StoreUnavailable(_WANTED)


class SqlStore:
    """See Store: the same code on every engine."""

    def __init__(
        self, database: Database, committer: Committer, on_fatal: Callable[[str], None]
    ) -> None:
        self._database = database
        self._committer = committer
        self._writer = Writer(committer.commit, on_fatal)

    def write(self, work: Work, key: IdempotencyKey | None = None) -> Future[Written]:
        """See Store."""
        self._check()
        return self._writer.submit(PendingWrite(work, key))

    def records(self, kind: str, after: str = "", limit: int | None = None) -> list[Record]:
        """See Store."""
        chosen = select(RECORDS).where(RECORDS.c.kind == kind, RECORDS.c.name > after)
        chosen = chosen.order_by(RECORDS.c.name).limit(limit)
        with self._reading() as connection:
            return [Record(*row) for row in connection.execute(chosen)]

    def record(self, kind: str, name: str) -> Record | None:
        """See Store."""
        chosen = select(RECORDS).where(RECORDS.c.kind == kind, RECORDS.c.name == name)
        with self._reading() as connection:
            row = connection.execute(chosen).first()
        return None if row is None else Record(*row)

    def attachment(self, record: int, name: str) -> bytes | None:
        """See Store."""
        chosen = select(ATTACHMENTS.c.content).where(
            ATTACHMENTS.c.record == record, ATTACHMENTS.c.name == name
        )
        with self._reading() as connection:
            return connection.execute(chosen).scalar()

    def counts(self, record: int) -> dict[str, int]:
        """See Store."""
        chosen = select(COUNTS.c.name, COUNTS.c.amount).where(COUNTS.c.record == record)
        with self._reading() as connection:
            return {row.name: row.amount for row in connection.execute(chosen)}

    def all_counts(self, kind: str) -> dict[int, dict[str, int]]:
        """See Store."""
        chosen = select(COUNTS).join(RECORDS, RECORDS.c.id == COUNTS.c.record)
        counts: dict[int, dict[str, int]] = defaultdict(dict)
        with self._reading() as connection:
            for record, name, amount in connection.execute(chosen.where(RECORDS.c.kind == kind)):
                counts[record][name] = amount
        return dict(counts)

    def parts(self, record: int, start: int, stop: int, slices: str | None = None) -> list[Part]:
        """See Store."""
        with self.stream(record, start, stop, slices) as parts:
            return list(parts)

    @contextmanager
    def stream(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> Iterator[Iterator[Part]]:
        """See Store."""
        chosen = select(*_CELL, PARTS.c.content).where(*_within(record, start, stop, slices))
        with (
            self._reading() as connection,
            connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(chosen) as rows,
        ):
            yield ((Cell(kind, name, at, width), part) for kind, name, at, width, part in rows)

    def numbers(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> dict[tuple[int, int], tuple[int, ...]]:
        """See Store."""
        window = (PARTS.c.start, PARTS.c.width)
        numbers = func.aggregate_strings(PARTS.c.sequence.cast(String), ",")
        chosen = select(*window, numbers).where(*_within(record, start, stop, slices))
        with self._reading() as connection:
            rows = connection.execute(chosen.group_by(*window)).all()
        return {(at, wide): tuple(sorted(map(int, text.split(",")))) for at, wide, text in rows}

    def numbered(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> list[tuple[int, Part]]:
        """See Store."""
        columns = (PARTS.c.sequence, *_CELL, PARTS.c.content)
        chosen = select(*columns).where(*_within(record, start, stop, slices))
        with self._reading() as connection:
            rows = connection.execute(chosen)
            return [(row[0], (Cell(*row[1:5]), row.content)) for row in rows]

    def counted_parts(self, record: int, count: str) -> tuple[int, list[Part]]:
        """See Store."""
        amount = select(COUNTS.c.amount).where(COUNTS.c.record == record, COUNTS.c.name == count)
        joined = RECORDS.outerjoin(PARTS, PARTS.c.record == RECORDS.c.id)
        chosen = select(amount.scalar_subquery(), *_CELL, PARTS.c.content).select_from(joined)
        with self._reading() as connection:
            rows = connection.execute(chosen.where(RECORDS.c.id == record)).all()
        parts = [(Cell(*row[1:5]), row.content) for row in rows if row.content is not None]
        return (rows[0][0] or 0 if rows else 0), parts

    def cells(self, record: int) -> list[Cell]:
        """See Store."""
        chosen = select(*_CELL).distinct().where(PARTS.c.record == record, _of_slices(None))
        with self._reading() as connection:
            return [Cell(*row) for row in connection.execute(chosen)]

    def nth_start(self, record: int, start: int, number: int) -> int | None:
        """See Store."""
        chosen = select(PARTS.c.start).where(PARTS.c.record == record, PARTS.c.start >= start)
        with self._reading() as connection:
            return connection.execute(
                chosen.order_by(PARTS.c.start).offset(number).limit(1)
            ).scalar()

    def last_start(self, record: int) -> int | None:
        """See Store."""
        chosen = select(func.max(PARTS.c.start)).where(PARTS.c.record == record, _of_slices(None))
        with self._reading() as connection:
            return connection.execute(chosen).scalar()

    def ping(self) -> None:
        """See Store."""
        with self._reading() as connection:
            connection.execute(select(1))
        self._check()

    def close(self) -> None:
        """See Store."""
        self._writer.close()
        self._database.close()

    def _check(self) -> None:
        if self._database.damage() is not None:  # where it is, the log says
            raise StoreUnavailable("the store is damaged, and nothing is written to it")

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._database.readers.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            if self._database.meaning(error) is Fault.OWN:
                raise
            LOGGER.warning("the store cannot be read: %s", reason(error))
            raise StoreUnavailable(f"the store cannot be read now{for_callers(error)}") from error


def _within(
    record: int, start: int, stop: int, slices: str | None
) -> tuple[ColumnElement[bool], ...]:
    is_within = (PARTS.c.record == record, PARTS.c.start >= start, PARTS.c.start < stop)
    return (*is_within, _of_slices(slices))


def _of_slices(name: str | None) -> ColumnElement[bool]:
    if name is None:
        return PARTS.c.slice == ""
    if "=" in name:
        return PARTS.c.slice == name
    return and_(PARTS.c.slice >= f"{name}=", PARTS.c.slice < f"{name}>")  # ">" comes after "="
