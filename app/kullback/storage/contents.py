"""All that a database or a backup holds, to be looked through: nothing is written to it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sqlalchemy import Engine, Table, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from kullback.errors import StoreUnavailable
from kullback.storage.archive import load_archive
from kullback.storage.backup import unpack, verify
from kullback.storage.backup_file import Report, manifest_of, payload
from kullback.storage.base import Cell, Record
from kullback.storage.committer import reason
from kullback.storage.database import KeptRow
from kullback.storage.joining import LABELLED, kept_row
from kullback.storage.schema import (
    ATTACHMENTS,
    MIGRATIONS,
    OWNED,
    PARTS,
    RECORDS,
    WAITING,
    StoredCounts,
    migrate,
    stored_counts,
)
from kullback.storage.sql import parsed_url
from kullback.storage.sqlite import READER, file_of
from kullback.storage.sqlite_backup import FROZEN
from kullback.storage.sqlite_connections import connect

_AT_ONCE = 500  # rows
_MOST_FLAWS = 100


class StoredPart(NamedTuple):
    """A part of a sum, and whose it is."""

    kind: str
    name: str
    cell: Cell
    content: bytes


class WaitingRow(NamedTuple):
    """What the columns of a row hold that is kept by id."""

    id: str
    state: int
    time: float | None
    content: bytes
    outcome: float | None

    def read(self) -> KeptRow:
        """The row."""
        return kept_row(*self)

    @property
    def has_prediction(self) -> bool:
        """Whether it is more than a label."""
        return self.state != LABELLED


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds, read a few rows at a time, so that nobody waits for it."""

    engine: Engine

    def flaws(self) -> Iterator[str]:
        """What is wrong with the file of SQLite, and rows that belong to nothing."""
        if self.engine.dialect.name == "sqlite":
            check = f"PRAGMA integrity_check({_MOST_FLAWS})"
            with self.engine.connect() as connection:
                lines = connection.exec_driver_sql(check).scalars().all()
            yield from (" ".join(str(line).split()) for line in lines if line != "ok")
        for table in OWNED:
            yield from self._orphans(table)

    def stored(self) -> StoredCounts:
        """Its schema version, and how much there is of each kind."""
        with self.engine.connect() as connection:
            return stored_counts(connection.exec_driver_sql, "it")

    def records(self) -> Iterator[Record]:
        """Every record."""
        chosen, last = select(RECORDS).order_by(RECORDS.c.id).limit(_AT_ONCE), -1
        while True:
            with self.engine.connect() as connection:
                rows = connection.execute(chosen.where(RECORDS.c.id > last)).all()
            for row in rows:
                last = row.id
                yield Record(*row)
            if len(rows) < _AT_ONCE:
                return

    def parts(self) -> Iterator[StoredPart]:
        """Every part of every record."""
        owner = (RECORDS.c.kind, RECORDS.c.name)
        cell = (PARTS.c.kind, PARTS.c.slice, PARTS.c.start, PARTS.c.width)
        chosen = select(PARTS.c.sequence, *owner, *cell, PARTS.c.content)
        chosen = chosen.join(RECORDS, RECORDS.c.id == PARTS.c.record)
        last = -1
        while True:
            page = chosen.where(PARTS.c.sequence > last).order_by(PARTS.c.sequence).limit(_AT_ONCE)
            with self.engine.connect() as connection:
                rows = connection.execute(page).all()
            for number, kind, name, *where, content in rows:
                last = number
                yield StoredPart(kind, name, Cell(*where), content)
            if len(rows) < _AT_ONCE:
                return

    def attachments(self, record: int) -> Iterator[tuple[str, bytes]]:
        """What stands beside a record, by name."""
        chosen = select(ATTACHMENTS.c.name).where(ATTACHMENTS.c.record == record)
        with self.engine.connect() as connection:
            names = connection.execute(chosen.order_by(ATTACHMENTS.c.name)).scalars().all()
        content = select(ATTACHMENTS.c.content).where(ATTACHMENTS.c.record == record)
        for name in names:
            with self.engine.connect() as connection:
                kept = connection.execute(content.where(ATTACHMENTS.c.name == name)).scalar()
            if kept is not None:  # it may have been removed since
                yield name, kept

    def rows(self, record: int) -> Iterator[list[WaitingRow]]:
        """The rows that a record keeps by id, some at a time, as their columns hold them."""
        columns = [WAITING.c[name] for name in WaitingRow._fields]
        chosen = select(*columns).where(WAITING.c.record == record)
        chosen, last = chosen.order_by(WAITING.c.id).limit(_AT_ONCE), ""
        while True:
            with self.engine.connect() as connection:
                rows = connection.execute(chosen.where(WAITING.c.id > last)).all()
            if rows:
                last = rows[-1].id
                yield [WaitingRow(*row) for row in rows]
            if len(rows) < _AT_ONCE:
                return

    def _orphans(self, table: Table) -> Iterator[str]:
        chosen = select(table.c.record, func.count()).outerjoin(
            RECORDS, RECORDS.c.id == table.c.record
        )
        chosen = chosen.where(RECORDS.c.id.is_(None)).group_by(table.c.record)
        with self.engine.connect() as connection:
            for record, number in connection.execute(chosen.limit(_MOST_FLAWS)):
                yield f"table {table.name}: {number} rows of record {record}, which is not there"


@contextmanager
def database_contents(url: str) -> Iterator[Contents]:
    """What the database at `url` holds, which services may be using.

    Raises:
        StoreUnavailable: it cannot be read, or its tables are not those of this release.
    """
    parsed = parsed_url(url)
    if parsed.drivername == "sqlite":
        path = file_of(parsed)
        if not path.is_file():
            raise StoreUnavailable(f"there is no database at {path}")
        with _opened(lambda: connect(path, "mode=ro", READER), str(path)) as contents:
            yield contents
        return
    from kullback.storage.postgresql import open_postgresql  # noqa: PLC0415 - see open_store

    database = open_postgresql(parsed)
    try:
        yield _current(Contents(database.readers), str(parsed.database))
    finally:
        database.close()


@contextmanager
def backup_contents(path: Path, report: Report) -> Iterator[Contents]:
    """What a backup holds, brought up to date in a copy where an older release has made it.

    Raises:
        StoreUnavailable: it is no backup, or its bytes are not those that were written.
    """
    manifest = manifest_of(path)
    with TemporaryDirectory(prefix="kullback-") as directory:
        copy = Path(directory) / "copy.db"
        if manifest.engine == "postgresql":
            load_archive(payload(path, manifest, report), manifest.schema_version, copy)
        elif manifest.schema_version < len(MIGRATIONS):
            unpack(path, manifest, copy, report)
        else:
            verify(path, manifest, report)
            with _opened(lambda: connect(path, FROZEN, READER), str(path)) as contents:
                yield contents
            return
        _bring_up_to_date(copy)
        with _opened(lambda: connect(copy, FROZEN, READER), str(path)) as contents:
            yield contents


@contextmanager
def _opened(connection: Callable[[], sqlite3.Connection], name: str) -> Iterator[Contents]:
    engine = create_engine("sqlite://", creator=connection, poolclass=NullPool)
    try:
        yield _current(Contents(engine), name)
    finally:
        engine.dispose()


def _current(contents: Contents, name: str) -> Contents:
    """The same, if its tables are those of this release."""
    try:
        version, newest = contents.stored().schema_version, len(MIGRATIONS)
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"{name} cannot be read: {reason(error)}") from error
    if version < newest:
        raise StoreUnavailable(
            f"{name} has schema version {version}, this Kullback {newest}: start a service on it "
            "first, or check a backup of it"
        )
    return contents


def _bring_up_to_date(copy: Path) -> None:
    engine = create_engine(f"sqlite:///{copy}", poolclass=NullPool)
    with engine.connect() as connection:
        migrate(connection, lambda _: None)
    engine.dispose()
