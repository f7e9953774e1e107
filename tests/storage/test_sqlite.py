"""One SQLite file belongs to one process, and is opened only if it is sound."""

import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

from kullback.errors import StoreUnavailable
from kullback.storage import sqlite
from kullback.storage.sql import open_store
from tests.storage.test_durability import ROOT
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


def test_an_old_library_is_warned_of_once(
    sqlite_url: str, opening: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    opening(sqlite_url)
    warnings = [line for line in caplog.records if line.levelno == logging.WARNING]
    assert len(warnings) == (sqlite3.sqlite_version_info < (3, 51, 3))
