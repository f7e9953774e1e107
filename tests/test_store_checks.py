"""`kullback check` reads all that a database or a backup holds, and names each damaged thing."""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner, Result

from kullback.cli import app
from kullback.storage.backup import back_up
from kullback.storage.contents import database_contents
from kullback.storage.sql import open_store
from kullback.store_checks import reader_of
from kullback.tally.merge import merge
from tests.monitoring.release import EXPERIMENT, FILLED, fill
from tests.monitoring.service import NOON, Clock, running
from tests.monitoring.test_upgrade import DATA, RELEASE
from tests.postgresql import Server

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/kullback.db"
        return
    server = request.getfixturevalue("postgresql")
    assert isinstance(server, Server)
    with server.database() as name:
        yield server.url(name)


@pytest.fixture
async def filled(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with all kinds of things in it, which nobody has open."""
    async with running(url, clock=Clock(NOON)) as service:
        await fill(service)
        plan = {"arms": {"a": 0.5, "b": 0.5}, "control": "b", "design": "parallel"}
        await service.put(f"{EXPERIMENT}?epoch=new", **plan)  # the plan before is kept beside it
    monkeypatch.setenv("KULLBACK_DATABASE_URL", url)
    return url


def check(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, words)])


def flipped(url: str, table: str, column: str, where: str, content: bytes | None = None) -> None:
    """Change the last bit of some bytes in a database, or put others in their place."""
    engine = create_engine(url)
    with engine.begin() as connection:
        chosen = f"SELECT {column} FROM {table} WHERE {where}"  # noqa: S608 - ours
        (before,) = connection.execute(text(chosen)).scalars()
        after = bytes([*before[:-1], before[-1] ^ 1]) if content is None else content
        changed = text(f"UPDATE {table} SET {column} = :after WHERE {where}")  # noqa: S608 - ours
        connection.execute(changed, {"after": after})
    engine.dispose()


def of(name: str, more: str) -> str:
    return f"record = (SELECT id FROM records WHERE name = '{name}') AND {more}"  # noqa: S608


def backup_of(url: str, directory: Path) -> Path:
    file = directory / "kullback.backup"
    back_up(url, file, ("1", "now"), lambda *_: None, force=True)
    return file


def lines(result: Result, status: int = 1) -> list[str]:
    assert result.exit_code == status, result.output
    return result.stdout.splitlines()[:-1]


async def test_what_a_service_wrote_is_sound_while_it_runs_and_in_a_backup(
    filled: str, tmp_path: Path
) -> None:
    async with running(filled, clock=Clock(FILLED)):
        result = check()
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("sound: 1 clock, 1 experiment, 2 monitor, ")
    answer = json.loads(check(backup_of(filled, tmp_path), "--json").stdout)
    assert (answer["damaged"], answer["damage"]) == (0, [])
    assert answer["counts"]["monitor"] == 2
    assert answer["counts"]["waiting"] > 10
    with database_contents(filled) as contents:
        names = {
            name for record in contents.records() for name, _ in contents.attachments(record.id)
        }
    assert {"reference", "label delays", "slice values", "plan/1"} <= names
    assert [name for name in names if reader_of(name) is None] == []


@pytest.mark.parametrize("of_backup", [False, True])
async def test_each_damaged_thing_is_named(filled: str, tmp_path: Path, *, of_backup: bool) -> None:
    first = f"slice = 'country=DE' AND kind = 'observed' AND start = {int(NOON)}"
    flipped(filled, "parts", "content", of("clicks", first))
    flipped(filled, "parts", "content", of("ranking", "kind = '1/tally/a'"))
    flipped(filled, "parts", "content", of("ranking", "kind = '1/units/b'"))
    flipped(filled, "attachments", "content", of("clicks", "name = 'reference'"))
    flipped(filled, "attachments", "content", of("clicks", "name = 'label delays'"), b"short")
    flipped(filled, "attachments", "content", of("ranking", "name = 'plan/1'"), b"{}")
    flipped(filled, "records", "document", "name = 'classes'", b'{"task":\0')
    flipped(filled, "waiting", "content", of("clicks", "id = 'plain'"), b"x")
    engine = create_engine(filled)
    with engine.begin() as connection:
        connection.execute(text("UPDATE counts SET record = 4711 WHERE name = 'late'"))
    engine.dispose()
    found = lines(check(*[backup_of(filled, tmp_path)] if of_backup else []))
    window = "of the 3600 seconds from 2026-03-05T12:00:00Z are damaged on disk"
    expected = [
        "table counts: 1 rows of record 4711, which is not there",
        "monitor clicks: label delays: it is not what was written (ValueError)",
        "monitor clicks: reference: the stored reference is damaged",
        "monitor clicks: the row of id plain: it is not what was written (ValueError)",
        "monitor classes: the settings of the monitor classes are damaged on disk",
        "experiment ranking: plan/1: ",
        f"monitor clicks: the sums of country=DE (observed) {window}",
        "experiment ranking: the sums (1/tally/a) of the 3600 seconds from 2026-03-07T12:00:00Z",
        "experiment ranking: the sums (1/units/b) of the 3600 seconds from 2026-03-07T12:00:00Z",
    ]
    missing = [line for line in expected if not any(each.startswith(line) for each in found)]
    assert missing == [], found
    assert len(found) == len(expected), found


async def test_a_reference_is_read_down_to_its_tallies(filled: str) -> None:
    """As one of an older release, which has no checksum but those of its tallies."""
    engine = create_engine(filled)
    with engine.begin() as connection:
        chosen = "SELECT content FROM attachments WHERE name = 'reference'"
        (content,) = connection.execute(text(chosen)).scalars()
    engine.dispose()
    unchecked = content[8:-1] + bytes([content[-1] ^ 1])
    flipped(filled, "attachments", "content", "name = 'reference'", unchecked)
    (line,) = lines(check())
    assert line.startswith("monitor clicks: reference: ")
    assert "damaged" in line


def test_a_file_of_sqlite_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that lacks an entry gives wrong answers, and no error."""
    path = tmp_path / "kullback.db"
    path.write_bytes(gzip.decompress((DATA / f"{RELEASE}.db.gz").read_bytes()))
    monkeypatch.setenv("KULLBACK_DATABASE_URL", f"sqlite:///{path}")
    result = check()
    assert result.exit_code == 2
    assert "has schema version 3" in result.stderr
    assert "check a backup of it" in result.stderr
    assert check(backup_of(f"sqlite:///{path}", tmp_path)).exit_code == 0
    open_store(f"sqlite:///{path}", merge, on_fatal=pytest.fail).close()
    assert check().exit_code == 0
    without_index(
        path,
        "parts_by_cell",
        "DELETE FROM parts WHERE sequence IN (SELECT max(sequence) FROM parts)",
    )
    (line,) = lines(check())
    assert "wrong # of entries in index parts_by_cell" in line
    (line,) = lines(check(backup_of(f"sqlite:///{path}", tmp_path)))
    assert "wrong # of entries in index parts_by_cell" in line


def without_index(path: Path, index: str, statement: str) -> None:
    """Change a table while SQLite does not know of an index of it."""
    with closing(sqlite3.connect(path)) as file, file:
        chosen = "SELECT * FROM sqlite_master WHERE name = ?"
        row = file.execute(chosen, [index]).fetchone()
        file.execute("PRAGMA writable_schema=ON")
        file.execute("DELETE FROM sqlite_master WHERE name = ?", [index])
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(statement)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA writable_schema=ON")
        file.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)


def test_a_file_of_keys_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, keys = f"sqlite:///{tmp_path}/kullback.db", tmp_path / "keys.json"
    open_store(url, merge, on_fatal=pytest.fail).close()
    monkeypatch.setenv("KULLBACK_DATABASE_URL", url)
    monkeypatch.setenv("KULLBACK_KEYS_FILE", str(keys))
    assert lines(check()) == [f"{keys} cannot be read: No such file or directory"]
    keys.write_text("[]")
    assert lines(check(), status=0) == []
    keys.write_text('[{"id": 1}]')
    (line,) = lines(check())
    assert line.startswith(f"{keys} does not hold keys: 0/")


def test_what_cannot_be_looked_at_is_said_with_another_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KULLBACK_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    result = check()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"there is no database at {tmp_path}/none.db\n"
    (tmp_path / "note").write_text("a note")
    result = check(tmp_path / "note")
    assert result.exit_code == 2
    assert "is no backup that is whole" in result.stderr
