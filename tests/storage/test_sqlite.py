"""One SQLite file belongs to one process, and is opened only if it is sound."""

import logging
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url
from sqlalchemy.exc import OperationalError

from kullback.errors import StoreUnavailable
from kullback.storage import sqlite
from kullback.storage.sql import open_store
from kullback.storage.sqlite_connections import FileConnection
from tests.storage.test_durability import ROOT, STRACE
from tests.storage.writes import Opening, add, cell, made, merge, rows

OPEN = """
import sys
from kullback.errors import StoreUnavailable
from kullback.storage.sql import open_store
try:
    open_store(sys.argv[1], b"".join, on_fatal=print).close()
except StoreUnavailable as error:
    print(error)
"""

READ_AND_WRITE = """
import sys, threading
from kullback.storage.sql import open_store
from tests.storage.writes import add, cell, made, merge
store = open_store(sys.argv[1], merge, on_fatal=print)
number, done = made(store), threading.Event()
def read():
    print(f"{threading.get_native_id()} ", end="")
    while not done.wait(0.01):
        store.counts(number)
readers = [threading.Thread(target=read) for _ in range(4)]
for reader in readers: reader.start()
for round in range(8): add(store, number, {cell(60 * n): 1 for n in range(5000)})
done.set()
for reader in readers: reader.join()
last = store._database.readers.connect()
last.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar()
last.detach()
store.close()
def close_last():
    print(f"{threading.get_native_id()} ", end="")
    last.close()
closing = threading.Thread(target=close_last)
closing.start()
closing.join()
"""


def opened_elsewhere(url: str) -> str:
    """What another process says that opens and closes the same file."""
    result = subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-c", OPEN, url], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return result.stdout


def refused(url: str) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url, merge, on_fatal=pytest.fail)
    return str(caught.value)


def test_a_second_process_is_refused_until_the_first_closes(
    sqlite_url: str, opening: Opening
) -> None:
    store = opening(sqlite_url)
    assert "kullback.db is open in another process" in opened_elsewhere(sqlite_url)
    store.close()
    assert opened_elsewhere(sqlite_url) == ""


def test_a_file_that_could_not_be_opened_is_not_kept_locked(
    sqlite_url: str, tmp_path: Path, opening: Opening
) -> None:
    file = tmp_path / "kullback.db"
    file.write_bytes(b"not a database, but long enough to be looked at" * 100)
    assert "kullback.db cannot be opened: file is not a database" in refused(sqlite_url)
    file.unlink()
    opening(sqlite_url).ping()


def test_a_damaged_file_is_refused(sqlite_url: str, tmp_path: Path, opening: Opening) -> None:
    store = opening(sqlite_url)
    number = made(store)
    add(store, number, {cell(60 * n): 1 for n in range(5000)})
    store.close()
    file = tmp_path / "kullback.db"
    content = bytearray(file.read_bytes())
    content[8192:-8192:512] = b"\xff" * len(content[8192:-8192:512])
    file.write_bytes(content)
    assert "kullback.db" in refused(sqlite_url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:////no/such/directory/file.db", "No such file or directory"),
        ("mysql://user:geheim@host/database", "postgresql+psycopg"),
        ("postgresql://user:geheim@host/database", "postgresql+psycopg"),
        ("geheim", "sqlite:///file"),
        ("sqlite:///{}/file.db?max_page_count=geheim", "max_page_count"),
    ],
)
def test_a_wrong_address_is_refused_and_not_repeated(url: str, said: str, tmp_path: Path) -> None:
    message = refused(url.format(tmp_path))
    assert said in message
    assert "geheim" not in message


def test_a_name_may_hold_what_means_something_in_addresses(
    tmp_path: Path, opening: Opening
) -> None:
    directory = tmp_path / "a %20#b"
    directory.mkdir()
    url = URL.create("sqlite", database=str(directory / "file.db"))
    store = opening(url.render_as_string())
    number = made(store)
    add(store, number, {cell(0): 1})
    assert rows(store, number) == 1
    assert (directory / "file.db").is_file()


def test_the_file_is_written_with_a_log_and_synchronously(
    sqlite_url: str, tmp_path: Path, opening: Opening
) -> None:
    opening(sqlite_url)
    with sqlite3.connect(tmp_path / "kullback.db") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    assert "synchronous=FULL" in sqlite.WRITER


@pytest.mark.skipif(STRACE is None, reason="strace is missing: WHO WRITES IS NOT SEEN HERE")
def test_one_connection_writes_and_checkpoints_and_no_reader_even_if_it_is_the_last(
    sqlite_url: str, tmp_path: Path, opening: Opening
) -> None:
    calls = "openat,pwrite64,pwritev,ftruncate"
    trace = (str(STRACE), "-f", "-y", "-qq", "--seccomp-bpf", "-o", str(tmp_path / "calls"))
    result = subprocess.run(  # noqa: S603 - our own Python
        [*trace, "-e", f"trace={calls}", sys.executable, "-c", READ_AND_WRITE, sqlite_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    readers = set(result.stdout.split())
    assert len(readers) == 5
    lines = (tmp_path / "calls").read_text().splitlines()
    file = re.escape(str(tmp_path / "kullback.db"))
    opened = [line for line in lines if re.search(f'openat.*"{file}", O_RDWR', line)]
    assert len(opened) == 1
    assert sum(f'"{tmp_path}/kullback.db", O_RDONLY' in line for line in lines) > 1
    change = re.compile(rf"(\d+) +(?:pwrite64|pwritev|ftruncate)\((\d+)<{file}(-wal)?>")
    changes = [match.groups() for match in map(change.match, lines) if match]
    (number,) = re.findall(r"= (\d+)<", opened[0])
    assert {descriptor for _, descriptor, log in changes if log is None} == {number}
    assert sum(log is None for _, _, log in changes) > 100  # pages that checkpoints moved
    assert readers & {thread for thread, _, _ in changes} == set()
    assert rows(opening(sqlite_url), 1) == 8 * 5000


def test_a_reader_cannot_checkpoint_even_if_it_tries_or_is_the_last_to_close(
    sqlite_url: str, tmp_path: Path
) -> None:
    file, log = tmp_path / "kullback.db", tmp_path / "kullback.db-wal"
    database = sqlite.open_sqlite(make_url(sqlite_url))
    with database.writer.begin() as writer:
        writer.exec_driver_sql("CREATE TABLE t AS SELECT 1 AS n")
    reader = database.readers.connect()
    assert reader.exec_driver_sql("SELECT n FROM t").scalar() == 1
    before = file.read_bytes(), log.read_bytes()
    with pytest.raises(OperationalError):
        reader.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    reader.detach()
    database.close()
    reader.close()
    assert (file.read_bytes(), log.read_bytes()) == before

    database = sqlite.open_sqlite(make_url(sqlite_url))  # the writer takes over what is left
    with database.readers.connect() as reader:
        assert reader.exec_driver_sql("SELECT n FROM t").scalar() == 1
    database.close()
    assert not log.exists()


def test_a_fresh_start_says_nothing_alarming(
    sqlite_url: str, opening: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    opening(sqlite_url)
    assert [line for line in caplog.records if line.levelno >= logging.WARNING] == []


def test_a_connection_that_is_closed_again_says_once_that_it_is() -> None:
    closed: list[bool] = []
    connection = sqlite3.connect(":memory:", factory=FileConnection)
    connection.on_close = lambda: closed.append(True)
    for _ in range(2):
        connection.close()
    assert closed == [True]


def test_a_new_file_is_for_its_owner_alone_and_one_that_is_there_stays_as_it_is(
    sqlite_url: str, tmp_path: Path, opening: Opening
) -> None:
    made(opening(sqlite_url))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("kullback.db*")}
    assert modes.pop("kullback.db.lock") & 0o111 == 0
    assert modes == dict.fromkeys(("kullback.db", "kullback.db-wal", "kullback.db-shm"), 0o600)
    there = tmp_path / "there.db"
    there.touch()
    there.chmod(0o640)
    opening(f"sqlite:///{there}")
    assert stat.S_IMODE(there.stat().st_mode) == 0o640
