"""A backup is the database at one moment, whole or not there; so is what is restored of it."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from kullback.errors import Conflict, StoreUnavailable
from kullback.storage.backup import back_up, restore
from kullback.storage.backup_file import Manifest, is_backup, manifest_of
from kullback.storage.base import Store, Transaction
from tests.postgresql import Server, programs
from tests.storage.test_durability import ROOT
from tests.storage.writes import Opening, add, cell, do, made, sums

BY = "1.2.3", "2026-03-05T12:00:00Z"
PIECES = 40  # of 100 kB each, which do not compress

# A process that backs up or restores, and is killed at the nth thing that it does to a file.
KILLED = """
import os, signal, sys
from pathlib import Path
from kullback.storage import backup
command, url, file, last = sys.argv[1:]
left = int(last)
def step(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
def audit(event, _):
    if event in {"os.rename", "os.remove", "os.link", "os.truncate", "os.chmod"}:
        step()
sys.addaudithook(audit)
if command == "restore":
    backup.restore(url, Path(file), step, force=True)
else:
    backup.back_up(url, Path(file), ("1", "now"), step, force=True)
"""


def quiet(*_: object) -> None:
    """What nobody looks at."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup" / "kullback.backup"


@pytest.fixture(autouse=True)
def directory(file: Path) -> None:
    file.parent.mkdir()


@pytest.fixture
def other_url(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of another empty database of the same kind."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'other.db'}"
        return
    server = request.getfixturevalue("postgresql")
    assert isinstance(server, Server)
    with server.database() as name:
        yield server.url(name)


def beside(file: Path) -> list[str]:
    """What stands in the directory of a backup."""
    return [each.name for each in file.parent.iterdir()]


def filled(opening: Opening, url: str, rows: int = 5, pieces: int = 0) -> int:
    """The number of a record with some rows, in a database that is closed again."""
    store = opening(url)
    number = made(store)
    for row in range(rows):
        add(store, number, {cell(60 * row): row})
    attach_pieces(store, number, pieces)
    store.close()
    return number


def attach_pieces(store: Store, record: int, pieces: int) -> None:
    """Make a database larger."""

    def work(tx: Transaction) -> None:
        for piece in range(pieces):
            tx.attach(record, str(piece), os.urandom(100_000))

    do(store, work)


def backed_up(url: str, file: Path, *, force: bool = False) -> Manifest:
    return back_up(url, file, BY, quiet, force=force)


def read(opening: Opening, url: str, record: int) -> int:
    """The sum of all that is in a database, which any process can open and write."""
    store = opening(url)
    try:
        made(store, f"writable{time.monotonic_ns()}")
        return sum(sums(store, record).values())
    finally:
        store.close()


def refusal(url: str, file: Path, *, force: bool = True) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        restore(url, file, quiet, force=force)
    return caught.value.message


def killed(command: str, url: str, file: Path, last: int) -> bool:
    """Whether a process was killed at that step; else it came to its end."""
    result = subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-c", KILLED, command, url, str(file), str(last)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode in {0, -signal.SIGKILL}, result.stderr
    return result.returncode != 0


def test_what_is_restored_is_what_was_backed_up(
    url: str, other_url: str, file: Path, opening: Opening
) -> None:
    number = filled(opening, url)
    manifest = backed_up(url, file)
    assert manifest.counts["monitor"] == 1
    assert manifest.counts["parts"] == 5
    assert (manifest.kullback, manifest.created) == BY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert beside(file) == [file.name]
    assert manifest_of(file) == restore(other_url, file, quiet) == manifest
    assert read(opening, other_url, number) == 10
    store = opening(other_url)
    assert made(store, "next") > number  # no number is given twice
    store.close()


def test_a_backup_is_a_database_of_sqlite_and_names_its_own_checksum(
    sqlite_url: str, file: Path, opening: Opening
) -> None:
    filled(opening, sqlite_url)
    backed_up(sqlite_url, file)
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM parts").fetchone() == (5,)
    command = f"head -c -66 {file} | sha256sum; tail -n 1 {file}"
    shown = subprocess.run(  # noqa: S602 - as docs/operations.md has it
        command, shell=True, capture_output=True, text=True, check=True
    ).stdout.split()
    assert shown[0] == shown[2]


def test_writes_go_on_while_a_backup_is_made_and_it_has_the_commits_before_it(
    url: str, other_url: str, file: Path, opening: Opening
) -> None:
    store = opening(url)
    number, stop, written = made(store), threading.Event(), list[int]()
    attach_pieces(store, number, PIECES)

    def load() -> None:
        row = 0
        while not stop.is_set():
            add(store, number, {cell(60 * row): 1})
            written.append(row)
            row += 1

    writer = threading.Thread(target=load)
    writer.start()
    try:
        while len(written) < 20:
            time.sleep(0.001)
        before = len(written)
        manifest = backed_up(url, file)
        after = len(written)
    finally:
        stop.set()
        writer.join()
    store.close()
    assert before <= manifest.counts["parts"] <= after + 1
    assert after > before  # nobody waited for it
    restore(other_url, file, quiet)
    other = opening(other_url)
    rows = sums(other, number)
    other.close()
    assert rows == {cell(60 * row): 1 for row in range(manifest.counts["parts"])}


def test_a_file_is_replaced_only_by_force(url: str, file: Path, opening: Opening) -> None:
    filled(opening, url)
    file.write_text("mine")
    with pytest.raises(Conflict, match="is there already: --force"):
        backed_up(url, file)
    assert file.read_text() == "mine"
    backed_up(url, file, force=True)
    assert is_backup(file)
    with pytest.raises(StoreUnavailable, match="is a directory"):
        backed_up(url, file.parent, force=True)
    with pytest.raises(StoreUnavailable, match="no/such/place"):
        backed_up(url, Path("/no/such/place"))


def test_the_database_is_no_place_for_its_own_backup(
    sqlite_url: str, tmp_path: Path, opening: Opening
) -> None:
    filled(opening, sqlite_url)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "kullback.db")
    with pytest.raises(StoreUnavailable, match="is the database itself"):
        backed_up(sqlite_url, link, force=True)
    for end in ("-wal", "-shm", ".lock"):
        with pytest.raises(StoreUnavailable, match="is a part of the database"):
            backed_up(sqlite_url, tmp_path / f"kullback.db{end}", force=True)


def test_a_database_is_the_same_by_a_link_that_leads_to_it(
    sqlite_url: str, tmp_path: Path, file: Path, opening: Opening
) -> None:
    number = filled(opening, sqlite_url)
    linked = tmp_path / "elsewhere" / "link.db"
    linked.parent.mkdir()
    linked.symlink_to(tmp_path / "kullback.db")
    url = f"sqlite:///{linked}"
    backed_up(url, file)
    store = opening(sqlite_url)
    assert "stop it, then restore" in refusal(url, file)
    with pytest.raises(StoreUnavailable, match="is open in another process"):
        opening(url)
    store.close()
    restore(url, file, quiet, force=True)
    assert linked.is_symlink()
    assert read(opening, sqlite_url, number) == 10


def test_a_database_that_has_something_in_it_is_replaced_only_by_force(
    url: str, other_url: str, file: Path, opening: Opening
) -> None:
    number = filled(opening, url)
    backed_up(url, file)
    filled(opening, other_url, rows=3)
    with pytest.raises(Conflict, match="is not empty: --force"):
        restore(other_url, file, quiet)
    assert read(opening, other_url, number) == 3
    restore(other_url, file, quiet, force=True)
    assert read(opening, other_url, number) == 10


def test_a_database_in_use_is_not_replaced_even_by_force(
    url: str, file: Path, opening: Opening
) -> None:
    number = filled(opening, url)
    backed_up(url, file)
    store = opening(url)
    add(store, number, {cell(0): 7})
    assert "stop it, then restore" in refusal(url, file)
    assert sum(sums(store, number).values()) == 17


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 0.999])
def test_a_damaged_backup_is_refused_and_nothing_changes(
    place: float, url: str, other_url: str, file: Path, opening: Opening
) -> None:
    number = filled(opening, url, pieces=12)
    backed_up(url, file)
    filled(opening, other_url, rows=3)
    content = bytearray(file.read_bytes())
    content[int(place * manifest_of(file).bytes)] ^= 1
    file.write_bytes(content)
    assert "is damaged: its checksum is of other bytes" in refusal(other_url, file)
    assert read(opening, other_url, number) == 3


def test_what_is_no_whole_backup_is_refused(url: str, file: Path, opening: Opening) -> None:
    filled(opening, url)
    backed_up(url, file)
    content = file.read_bytes()
    lines = content.rsplit(b"\n", 3)
    later = lines[1].replace(b'"format":1', b'"format":2')
    for wrong, said in (
        (content[:-1], "does not end as one does"),
        (content[: len(content) // 2], "does not end as one does"),
        (b"", "does not end as one does"),
        (content.replace(lines[1], later), "a newer Kullback (1.2.3) has made"),
        (content.replace(lines[1], b"{}"), "cannot be read: it is damaged"),
        (content.replace(lines[1], lines[1].replace(b"1.2.3", b"1.2.4")), "is damaged"),
        (content[1:], "is damaged"),
    ):
        file.write_bytes(wrong)
        assert said in refusal(url, file)
    assert "cannot be read: No such file" in refusal(url, file.with_name("none"))


def test_a_backup_of_another_engine_is_refused(
    sqlite_url: str, postgresql_url: str, file: Path, opening: Opening
) -> None:
    filled(opening, sqlite_url)
    backed_up(sqlite_url, file)
    assert "a backup of SQLite, and the database is one of PostgreSQL" in refusal(
        postgresql_url, file
    )


def test_a_backup_of_a_newer_release_is_refused(
    url: str, other_url: str, file: Path, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(opening, url)
    backed_up(url, file)
    monkeypatch.setattr("kullback.storage.schema.MIGRATIONS", ())
    with pytest.raises(StoreUnavailable, match="has schema version 5, this Kullback knows 0"):
        backed_up(url, file, force=True)
    assert "has schema version 5" in refusal(other_url, file)


def test_a_backup_that_is_killed_leaves_the_one_before(
    url: str, other_url: str, file: Path, opening: Opening
) -> None:
    number = filled(opening, url, pieces=PIECES)
    backed_up(url, file)
    store = opening(url)
    add(store, number, {cell(0): 7})
    store.close()
    last = 1
    while killed("back_up", url, file, last):
        assert manifest_of(file).counts["parts"] == 5
        restore(other_url, file, quiet, force=True)
        last += 3
    assert last > 9
    assert manifest_of(file).counts["parts"] == 6
    assert beside(file) == [file.name]


def test_a_restore_that_is_killed_leaves_what_was_there(
    url: str, other_url: str, file: Path, opening: Opening
) -> None:
    number = filled(opening, url, pieces=PIECES)
    backed_up(url, file)
    last, results = 1, list[int]()
    while True:
        before = sqlite_with_a_log(other_url, opening) if url.startswith("sqlite") else None
        if before is None and not results:
            filled(opening, other_url, rows=3)
        was_killed = killed("restore", other_url, file, last)
        if before is None:
            until_nobody_restores(other_url)
        results.append(read(opening, other_url, number))
        if not was_killed:
            break
        last += 1 if before else 2
    assert set(results) == {3, 10}
    assert results == sorted(results)
    assert results[-1] == 10
    assert results.index(10) > 3


def sqlite_with_a_log(url: str, opening: Opening) -> Path:
    """A file as a process leaves it that was killed: its last commits are in the log alone."""
    path = Path(make_url(url).database or "")
    made_at = path.with_name("made.db")
    for file in (path, made_at):
        for end in ("", "-wal", "-shm"):
            file.with_name(file.name + end).unlink(missing_ok=True)
    store = opening(f"sqlite:///{made_at}")
    number = made(store)
    for row in range(3):
        add(store, number, {cell(60 * row): row})
    for end in ("", "-wal"):
        shutil.copy(made_at.with_name(made_at.name + end), path.with_name(path.name + end))
    store.close()
    return path


def until_nobody_restores(url: str) -> None:
    """Wait for the server to take back what a process that is gone had begun."""
    database = make_url(url)
    server, name = Server(database.port or 0), database.database
    gone = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name LIKE 'kullback%%' AND datname = %s"
    )
    end = time.monotonic() + 30
    with server.connect() as connection:
        while connection.execute(gone, [name]).fetchone() != (0,):
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_database_that_cannot_be_read_is_replaced_and_kept(
    sqlite_url: str, file: Path, tmp_path: Path, opening: Opening
) -> None:
    number = filled(opening, sqlite_url)
    backed_up(sqlite_url, file)
    database = tmp_path / "kullback.db"
    database.write_bytes(b"no database " * 1000)
    database.with_name("kullback.db-wal").write_bytes(b"of nothing")
    with pytest.raises(Conflict, match=r"cannot be read .*keeps what is there as .*\.damaged"):
        restore(sqlite_url, file, quiet)
    restore(sqlite_url, file, quiet, force=True)
    assert read(opening, sqlite_url, number) == 10
    assert database.with_name("kullback.db.damaged").read_bytes() == b"no database " * 1000
    assert database.with_name("kullback.db.damaged-wal").read_bytes() == b"of nothing"


def test_a_damaged_database_is_not_backed_up(
    sqlite_url: str, file: Path, tmp_path: Path, opening: Opening
) -> None:
    filled(opening, sqlite_url, rows=2000)
    database = tmp_path / "kullback.db"
    content = bytearray(database.read_bytes())
    content[8192:-8192:512] = b"\xff" * len(content[8192:-8192:512])
    database.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"kullback\.db is damaged"):
        backed_up(sqlite_url, file)
    assert beside(file) == []


def test_a_database_that_another_program_reads_is_not_replaced(
    sqlite_url: str, file: Path, tmp_path: Path, opening: Opening
) -> None:
    number = filled(opening, sqlite_url)
    backed_up(sqlite_url, file)
    sqlite_with_a_log(sqlite_url, opening)
    with closing(sqlite3.connect(tmp_path / "kullback.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM parts").fetchone()
        with closing(sqlite3.connect(tmp_path / "kullback.db")) as writer, writer:
            writer.execute("UPDATE counts SET amount = 9")
        assert "is being read by another program" in refusal(sqlite_url, file)
    assert read(opening, sqlite_url, number) == 3


def test_only_one_process_writes_a_backup(sqlite_url: str, file: Path, opening: Opening) -> None:
    filled(opening, sqlite_url)

    def second(*_: object) -> None:
        with pytest.raises(Conflict, match="is being written by another process"):
            backed_up(sqlite_url, file)

    back_up(sqlite_url, file, BY, second)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (None, "pg_dump is not installed"),
        ("echo 'pg_dump (PostgreSQL) 9.6.1'", "pg_dump is of version 9, the server of "),
        (
            'test "$1" = --version && echo 99.1 || { echo "error: for $PGPASSWORD" >&2; exit 1; }',
            r"pg_dump failed: error: for \*\*\*",
        ),
    ],
)
def test_a_pg_dump_that_is_of_no_use_is_named(  # noqa: PLR0913, PLR0917 - fixtures
    program: str | None,
    said: str,
    postgresql_url: str,
    file: Path,
    tmp_path: Path,
    opening: Opening,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled(opening, postgresql_url)
    if program is not None:
        (tmp_path / "pg_dump").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "pg_dump").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    url = postgresql_url.replace("postgres@", "postgres:geheim@")
    with pytest.raises(StoreUnavailable, match=said):
        backed_up(url, file)
    assert beside(file) == []


def test_a_password_is_on_no_command_line(
    postgresql_url: str, file: Path, opening: Opening
) -> None:
    filled(opening, postgresql_url, pieces=PIECES)  # more than a pipe holds: pg_dump is seen alive
    lines = set[bytes]()

    def look(*_: object) -> None:
        children = Path("/proc/self/task").glob("*/children")
        for child in " ".join(each.read_text() for each in children).split():
            lines.add(Path(f"/proc/{child}/cmdline").read_bytes())

    url = postgresql_url.replace("postgres@", "postgres:geheim@")
    back_up(url, file, BY, look)
    restore(url, file, look, force=True)
    assert any(b"pg_dump" in line for line in lines)
    assert not any(b"geheim" in line for line in lines)


def test_the_programs_of_the_server_are_there() -> None:
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL")
    assert shutil.which("pg_dump")
    assert shutil.which("pg_restore")
