"""Backups of PostgreSQL: pg_dump of one moment, and pg_restore in one transaction."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NoReturn

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from kullback.errors import Conflict, StoreUnavailable
from kullback.storage.backup_file import CHUNK, Report
from kullback.storage.postgresql import SCHEMA_LOCK, without_password
from kullback.storage.schema import METADATA, StoredCounts, stored_counts

Connection = psycopg.Connection[tuple[object, ...]]
_TABLES = (*METADATA.tables, "schema_version")
_DUMP = ("--format=custom", "--no-owner", "--no-privileges", *(f"--table={t}" for t in _TABLES))
_RESTORE = (
    *("--clean", "--if-exists", "--no-owner", "--no-privileges"),
    *("--single-transaction", "--exit-on-error"),
)
_version = re.compile(r"(\d+)(\.\d+)*").search
_IN_USE = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'kullback'"
)


def made_with() -> str:
    """The program that makes a backup, and its version.

    Raises:
        StoreUnavailable: it is not installed.
    """
    return _program_version("pg_dump")


def dump_postgresql(url: URL, part: Path, report: Report) -> StoredCounts:
    """Write the archive of a database as it is at one moment, and say what is in it.

    Raises:
        StoreUnavailable: the server cannot be reached, or pg_dump is not there, older, or fails.
    """
    made_by = made_with()
    with _connected(url) as connection, connection.transaction():
        _check_version(made_by, connection, "pg_dump")
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert snapshot is not None
        counts = _counts(connection, url)
        with part.open("wb") as file:
            _dump(url, f"--snapshot={snapshot[0]}", file, report)
        return counts


def _dump(url: URL, snapshot: str, file: IO[bytes], report: Report) -> None:
    with TemporaryFile() as said, _running(url, ["pg_dump", *_DUMP, snapshot], said) as process:
        assert process.stdout is not None
        done = 0
        while chunk := process.stdout.read(CHUNK):
            done += file.write(chunk)
            report("copying", done, None)
        if process.wait():
            _fail(url, "pg_dump", said)


@contextmanager
def replacing_postgresql(url: URL, *, force: bool) -> Iterator[None]:
    """Keep services from opening a database while another is put in its place.

    Raises:
        StoreUnavailable: the server cannot be reached, or pg_restore is not there or older.
        Conflict: services use the database; or there is something in it, and no `force`.
    """
    made_by = _program_version("pg_restore")
    with _connected(url) as connection:
        _check_version(made_by, connection, "pg_restore")
        connection.execute("SELECT pg_advisory_lock(%s)", [SCHEMA_LOCK])
        ((services,),) = connection.execute(_IN_USE)
        if services:
            raise StoreUnavailable(
                f"{url.database} is in use by a service ({services} connections): stop it, then "
                "restore"
            )
        if not force and not _is_empty(connection):
            raise Conflict(f"{url.database} is not empty: --force puts the backup in its place")
        yield


def restore_postgresql(url: URL, content: Iterable[bytes], expected: StoredCounts) -> None:
    """Put the content of an archive in the place of what is there: all of it, or nothing.

    Raises:
        StoreUnavailable: pg_restore fails.
    """
    arguments = ["pg_restore", *_RESTORE]
    with TemporaryFile() as said, _running(url, arguments, said) as process:
        assert process.stdin is not None
        try:
            with process.stdin as pipe:
                for chunk in content:
                    pipe.write(chunk)
        except BrokenPipeError:
            process.wait()
            _fail(url, "pg_restore", said)
        if process.wait():
            _fail(url, "pg_restore", said)
    with _connected(url) as connection:
        if _counts(connection, url) != expected:
            raise StoreUnavailable(f"{url.database} does not hold what the backup says: check it")


@contextmanager
def _running(
    url: URL, arguments: list[str], said: IO[bytes]
) -> "Iterator[subprocess.Popen[bytes]]":
    """A program that reads or writes an archive by a pipe, and the database by itself."""
    parameters = _parameters(url)
    password = parameters.pop("password", None)  # others see the arguments of a program
    environment = {**os.environ, "LC_ALL": "C", "PGAPPNAME": "kullback backup"}
    if password is not None:
        environment["PGPASSWORD"] = password
    is_dump = arguments[0] == "pg_dump"
    with subprocess.Popen(  # noqa: S603 - our own arguments
        [*arguments, f"--dbname={make_conninfo(**parameters)}"],
        env=environment,
        stdin=subprocess.DEVNULL if is_dump else subprocess.PIPE,
        stdout=subprocess.PIPE if is_dump else subprocess.DEVNULL,
        stderr=said,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _fail(url: URL, name: str, said: IO[bytes]) -> NoReturn:
    said.seek(0)
    lines = said.read().decode(errors="replace").splitlines()
    reason = next((line for line in lines if "error" in line.lower()), "".join(lines[:1]))
    raise StoreUnavailable(f"{name} failed: {without_password(url, reason)}")


def program(name: str) -> str:
    """Where a program of PostgreSQL is.

    Raises:
        StoreUnavailable: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise StoreUnavailable(
            f"{name} is not installed: a backup of PostgreSQL needs it (Debian: "
            "postgresql-client), of the version of the server or newer"
        )
    return path


def _program_version(name: str) -> str:
    result = subprocess.run(  # noqa: S603 - our own arguments
        [program(name), "--version"], capture_output=True, text=True, check=False
    )
    return result.stdout.strip()


def _check_version(made_by: str, connection: Connection, name: str) -> None:
    number = _version(made_by)
    major, server = int(number[1]) if number else 0, connection.info.server_version // 10_000
    if major < server:
        raise StoreUnavailable(
            f"{name} is of version {major}, the server of {server}: install that of the server"
        )


def _parameters(url: URL) -> dict[str, str]:
    _, parameters = PGDialect_psycopg().create_connect_args(url)  # type: ignore[no-untyped-call]
    return {name: str(value) for name, value in parameters.items() if name != "context"}


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    try:
        with psycopg.connect(
            make_conninfo(**_parameters(url)), application_name="kullback backup", autocommit=True
        ) as connection:
            yield connection
    except psycopg.Error as error:
        reason = without_password(url, str(error).partition("\n")[0])
        raise StoreUnavailable(f"the database at {url.host} cannot be used: {reason}") from None


def _counts(connection: Connection, url: URL) -> StoredCounts:
    def execute(statement: str) -> Iterable[tuple[object, ...]]:
        return connection.execute(statement.encode())

    return stored_counts(execute, str(url.database))


def _is_empty(connection: Connection) -> bool:
    ((records,),) = connection.execute("SELECT to_regclass('records') IS NOT NULL")
    if not records:
        return True
    missed = "SELECT 1 FROM records WHERE kind IN ('monitor', 'experiment', 'key') LIMIT 1"
    return connection.execute(missed).fetchone() is None
