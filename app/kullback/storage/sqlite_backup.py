"""Backups of a SQLite file: a copy while a service writes it, and putting one in its place."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from stat import S_IMODE

from kullback.errors import Conflict, StoreUnavailable
from kullback.storage.backup_file import Report, publish
from kullback.storage.schema import StoredCounts, stored_counts
from kullback.storage.sqlite import READER, locked
from kullback.storage.sqlite_connections import BUSY_SECONDS, connect

MADE_WITH = f"SQLite {sqlite3.sqlite_version}"
_PAGES = 1000  # between two reports of progress
_COPY = ("synchronous=OFF", "journal_mode=OFF")  # it is synchronized when it is whole
_HEAD = b"SQLite format 3\0"
FROZEN = "mode=ro&immutable=1"


def copy_sqlite(path: Path, part: Path, report: Report) -> StoredCounts:
    """Copy a database as it is at one moment, and say what is in the copy.

    The copy reads in one transaction of a connection that cannot write: whoever writes meanwhile
    does not wait, and nothing of that is in the copy.

    Raises:
        StoreUnavailable: it cannot be read, or is damaged.
    """
    if not path.is_file():
        raise StoreUnavailable(f"there is no database at {path}")
    before = path.stat()
    try:
        with (
            closing(connect(path, "mode=ro", READER)) as source,
            closing(connect(part, "mode=rw", _COPY)) as copy,
        ):
            size = source.execute("PRAGMA page_size").fetchone()[0]
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master").fetchone()  # from here on nothing changes

            def tell(_: int, left: int, pages: int) -> None:
                report("copying", (pages - left) * size, pages * size)

            source.backup(copy, pages=_PAGES, progress=tell, sleep=0.01)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file is the whole copy
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path} cannot be copied: {error}") from error
    if not os.path.samestat(before, path.stat()):
        raise StoreUnavailable(f"{path} was replaced while it was copied: try again")
    report("checking", 0, None)
    return checked_copy(part, str(path))


def checked_copy(part: Path, name: str) -> StoredCounts:
    """What is in a copy that nobody writes.

    Raises:
        StoreUnavailable: it is damaged, or no database of this Kullback; it is called `name`.
    """
    try:
        with closing(connect(part, FROZEN, READER)) as copy:
            (result,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            if result != "ok":
                raise StoreUnavailable(f"{name} is damaged: {' '.join(result.split())}")
            return stored_counts(copy.execute, name)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{name} cannot be read: {error}") from error


@contextmanager
def replacing_sqlite(path: Path, *, force: bool) -> Iterator[None]:
    """Keep a database from being opened while another is prepared that is to stand in its place.

    Raises:
        StoreUnavailable: a service has it open.
        Conflict: there is something in it, and no `force`.
    """
    try:
        release = locked(path)
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error.message}; stop it, then restore") from error
    try:
        if not force and not _is_empty(path):
            raise Conflict(f"{path} is not empty: --force puts the backup in its place")
        yield
    finally:
        release()


def replace_sqlite(path: Path, part: Path) -> None:
    """Put a copy in the place of a database that nobody has open: all of it, or nothing.

    What is in the log of the old one goes into its file first: a log beside another file than its
    own would be taken for a part of that. A file that cannot be read is kept.

    Raises:
        StoreUnavailable: another program reads it.
    """
    log, shared = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    if path.exists():
        before = path.stat()
        os.chown(part, before.st_uid, before.st_gid)
        part.chmod(S_IMODE(before.st_mode))
        try:
            _fold(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not _is_damage(error):
                raise StoreUnavailable(f"{path} cannot be replaced: {error}") from error
            _keep(path, log)
    for file in (log, shared):
        file.unlink(missing_ok=True)
    publish(part, path)


def _is_empty(path: Path) -> bool:
    """Whether there is nothing that anybody would miss."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    try:
        with closing(connect(path, "mode=ro", READER)) as file:
            tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
            missed = "SELECT 1 FROM records WHERE kind IN ('monitor', 'experiment', 'key') LIMIT 1"
            return not tables or ("records" in tables and not file.execute(missed).fetchone())
    except sqlite3.Error as error:
        raise Conflict(
            f"{path} cannot be read ({error}): --force puts the backup in its place, and keeps "
            f"what is there as {_kept(path)}"
        ) from error


def _fold(path: Path) -> None:
    """Put what is in the log into the file."""
    with path.open("rb") as start:
        if start.read(len(_HEAD)) not in {_HEAD, b""}:  # SQLite would remove the log of such a file
            raise sqlite3.DatabaseError("file is not a database")
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as file:
        (busy, *_) = file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreUnavailable(f"{path} is being read by another program: wait until it ends")
        file.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _keep(path: Path, log: Path) -> None:
    """Keep a damaged database, under another name and with its log."""
    kept = _kept(path)
    with suppress(FileNotFoundError):
        kept.unlink()
    os.link(path, kept)
    if log.exists():
        log.replace(kept.with_name(kept.name + "-wal"))


def _kept(path: Path) -> Path:
    return path.with_name(path.name + ".damaged")
