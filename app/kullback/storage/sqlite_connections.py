"""Connections to one SQLite file, which can be read when there is no room to write."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from sqlalchemy.pool import ConnectionPoolEntry

BUSY_SECONDS = 5.0


class FileConnection(sqlite3.Connection):
    """A connection; one with `on_close` reads a file that does not change while it is open."""

    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        """See sqlite3.Connection."""
        super().close()
        on_close, self.on_close = self.on_close, None  # a pool may close twice
        if on_close is not None:
            on_close()


class FileConnections:
    """Makes the connections to one file.

    What connections share (`-shm`) takes room. Where there is none for it, nobody can write either;
    then a file whose log is empty is read as one that does not change, and one whose log is not by
    one connection after the other. Such a connection serves one reader, and no connection that
    writes is made as long as there is one.
    """

    def __init__(self, path: Path, writing: Sequence[str], reading: Sequence[str]) -> None:
        self._path = path
        self._writing, self._reading = writing, reading  # pragmas
        self._lock = Lock()
        self._is_written = False
        self._frozen = 0

    def writer(self) -> FileConnection:
        """A connection that writes."""
        with self._lock:
            if self._frozen:
                error = sqlite3.OperationalError("there was no room a moment ago: try again")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            with suppress(OSError):  # it is there already, or nobody can make it, as is said next
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, 0o600))
            connection = connect(self._path, "mode=rwc", self._writing)
            self._is_written = True
            return connection

    def reader(self) -> FileConnection:
        """A connection that reads."""
        try:
            return connect(self._path, "mode=ro", self._reading)
        except sqlite3.OperationalError:
            with self._lock:
                if self._is_written or self._path.stat().st_size == 0:
                    raise
                if self._is_whole():
                    frozen = connect(self._path, "mode=ro&immutable=1", self._reading)
                else:
                    alone = ("locking_mode=EXCLUSIVE", *self._reading)
                    frozen = connect(self._path, "mode=rw", alone)
                frozen.on_close = self._thaw
                self._frozen += 1
                return frozen

    def _thaw(self) -> None:
        with self._lock:
            self._frozen -= 1

    def _is_whole(self) -> bool:
        log = self._path.with_name(self._path.name + "-wal")
        return not log.exists() or log.stat().st_size == 0


def reader_is_free(connection: FileConnection | None, entry: ConnectionPoolEntry) -> None:
    """Close a connection to a file that does not change: from now on it may."""
    if connection is not None and connection.on_close is not None:
        entry.invalidate()


def connect(path: Path, mode: str, pragmas: Sequence[str]) -> FileConnection:
    """A connection to a file, `mode` as in a URI of SQLite.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    # Each connection is used by one thread at a time, but not always by the same.
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=FileConnection,
    )
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # now, if it cannot be read
    except sqlite3.Error:
        connection.close()
        raise
    return connection
