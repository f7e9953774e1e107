"""SQLite: opening and locking the file, its connections, and the meaning of its errors."""

import json
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from filelock import lock_descriptor
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from kullback.errors import StoreUnavailable
from kullback.storage.database import READERS, WAITING_READERS, Arrival, Database, Fault, KeptRow
from kullback.storage.rows import Row
from kullback.storage.soundness import SoundnessCheck
from kullback.storage.sqlite_connections import BUSY_SECONDS, FileConnections, reader_is_free

LOGGER = logging.getLogger("kullback.storage")


COMMON = ("mmap_size=0", "cell_size_check=ON", "trusted_schema=OFF", "temp_store=MEMORY")
WRITER = (
    *COMMON,
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=1000",
    "journal_size_limit=67108864",
    "secure_delete=OFF",
    "cache_size=-65536",
)
# Before SQLite 3.51.3 two connections that write or checkpoint at once can corrupt a WAL: there is
# one that can, and readers could not if they tried.
READER = (*COMMON, "query_only=ON", "wal_autocheckpoint=0")

FATAL = {
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
}
NO_ROOM = {  # for what connections share beside the file: nothing is lost by it
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMMAP,
}
OWN = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
}


def open_sqlite(url: URL) -> Database:
    """The database in the file of `url`, which no other process has open.

    `?max_page_count=` in the URL bounds how large the file may become.

    Raises:
        StoreUnavailable: the file cannot be opened, is open elsewhere, or is damaged.
    """
    if not url.database or url.database == ":memory:":
        raise StoreUnavailable("a store in SQLite needs a file: sqlite:///name.db")
    path = file_of(url)
    with ExitStack() as opened:
        opened.callback(locked(path))
        connections = FileConnections(path, [*WRITER, *_quota(url)], READER)
        writer = _engine(connections.writer, 1)
        opened.callback(writer.dispose)
        event.listen(writer, "begin", _begin)
        _begin_to_write(writer, path)
        check = _checked(path, connections)
        opened.callback(check.close)
        readers = _engine(connections.reader, READERS, WAITING_READERS)
        event.listen(readers, "checkin", reader_is_free)
        release = opened.pop_all().close
    return Database(
        writer,
        readers,
        insert,
        _among,
        _insert_rows,
        _update_rows,
        diagnose,
        lambda _: None,
        lambda _, __: None,
        lambda: check.damage,
        release,
    )


def diagnose(error: BaseException | None) -> Fault:
    """What an error of sqlite3 means."""
    if not isinstance(error, sqlite3.Error):
        return Fault.OWN
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
    code = extended & 0xFF
    if code in FATAL and extended not in NO_ROOM:
        return Fault.FATAL
    return Fault.OWN if code in OWN else Fault.AWAY


def file_of(url: URL) -> Path:
    """Where the file is that a URL leads to, by links too: it has one lock, whatever it is called.

    Source: SQLite as well puts what is beside a file where a link leads to.
    """
    return Path(url.database or "").resolve()


def locked(path: Path) -> Callable[[], None]:
    """Keep other processes from a database until the function that is returned is called.

    Raises:
        StoreUnavailable: one of them has it open.
    """
    beside = path.with_name(path.name + ".lock")
    try:
        with ExitStack() as opened:
            file = opened.enter_context(beside.open("a"))
            if not lock_descriptor(file.fileno(), blocking=False):
                raise StoreUnavailable(
                    f"{path} is open in another process: one process serves one "
                    "SQLite file, replicas need PostgreSQL"
                )
            return opened.pop_all().close
    except OSError as error:
        raise StoreUnavailable(f"{beside} cannot be opened: {error.strerror}") from error


def _engine(connect: Callable[[], sqlite3.Connection], size: int, more: int = 0) -> Engine:
    return create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=more,
        hide_parameters=True,
        pool_timeout=BUSY_SECONDS,
    )


def _quota(url: URL) -> list[str]:
    pages = url.query.get("max_page_count")
    if pages is None:
        return []
    if not isinstance(pages, str) or not pages.isascii() or not pages.isdecimal():
        raise StoreUnavailable("max_page_count in the URL of the store is not a number")
    return [f"max_page_count={pages}"]


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # a later upgrade would fail, however long


def _begin_to_write(writer: Engine, path: Path) -> None:
    """Open the file to write, or warn if there is no room for that."""
    try:
        writer.connect().close()
    except DBAPIError as error:
        if diagnose(error.orig) is not Fault.AWAY or not path.is_file():
            raise StoreUnavailable(f"{path} cannot be opened: {error.orig}") from error
        LOGGER.warning(
            "%s cannot be written now: %s; what is in it is read, and writes are answered 503 "
            "until it can",
            *(path, error.orig),
        )


def _checked(path: Path, connections: FileConnections) -> SoundnessCheck:
    try:
        check = SoundnessCheck(path, connections.reader)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(f"{path} cannot be opened: {error}") from error
    check.wait()
    if check.damage is not None:
        check.close()
        raise StoreUnavailable(check.damage)
    return check


def _among(
    column: ColumnElement[int] | ColumnElement[str], values: Sequence[int] | Sequence[str]
) -> ColumnElement[bool]:
    listed = func.json_each(json.dumps(values)).table_valued("value")
    return column.in_(select(listed.c.value))


def _insert_rows(
    connection: Connection, arrival: Arrival, names: Sequence[str], rows: Mapping[str, Row]
) -> Sequence[str]:
    """There is nobody who could have brought one of them since it was looked for."""
    connection.exec_driver_sql(
        "INSERT INTO waiting (record, arrived, state, id, time, content, outcome) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(*arrival, name, *rows[name].stored()) for name in names],
    )
    return names


def _update_rows(connection: Connection, record: int, rows: Sequence[KeptRow]) -> None:
    connection.exec_driver_sql(
        "UPDATE waiting SET state = ?, time = ?, content = ?, outcome = ? "
        "WHERE record = ? AND id = ?",
        [(*row.stored[1:], record, row.id) for row in rows],
    )
