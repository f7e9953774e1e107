"""A real PostgreSQL for tests: one server per session, and a database of its own for each test."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

ABSENT = "PostgreSQL is not installed: WHAT REPLICAS SHARE IS NOT TESTED HERE (apt: postgresql)"
OFTEN = "-c fsync=on -c synchronous_commit=on -c max_connections=200 -c shared_buffers=32MB"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server of which everybody on this machine is the superuser."""

    port: int
    log: Path = Path()  # what it says

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True
        )

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new database, which is dropped in the end."""
        name = f"test_{uuid.uuid4().hex}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                yield name
            finally:
                dropped = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                connection.execute(dropped)


def programs() -> Path | None:
    """Where the newest initdb and postgres of this machine are."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@contextmanager
def running(programs: Path, more: str = "") -> Iterator[Server]:
    """A server in a directory of its own, run by somebody who is not root, with more options."""
    directory = Path(tempfile.mkdtemp(prefix="kullback-postgresql-"))
    try:
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
        data = directory / "data"
        _run(programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N")
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {directory} {OFTEN} {more}"
        log = directory / "log"
        control = programs / "pg_ctl"
        _run(control, "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield Server(port, log)
        finally:
            _run(control, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The server; the test is skipped where there is none."""
    found = programs()
    if found is None:
        pytest.skip(ABSENT)
    with running(found) as server:
        yield server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(program: Path, *arguments: str | Path) -> None:
    is_root = os.geteuid() == 0
    result = subprocess.run(  # noqa: S603 - the server's own programs
        [program, *arguments],
        user="postgres" if is_root else None,
        group="postgres" if is_root else None,
        extra_groups=[] if is_root else None,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
