"""A database that an earlier release wrote says the same, and what waits in it goes on."""

import gzip
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from kullback.storage.schema import _TYPES, METADATA, MIGRATIONS
from tests.monitoring.release import CLASSES, CLICKS, FILLED, KEY, ONCE, fill, read
from tests.monitoring.service import NOON, Clock, Document, Service, running
from tests.postgresql import Server

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

DATA = Path(__file__).parent / "data"
RELEASE = "655f791"
VERSION = 3  # of its tables
WORDS = ("statement", "reason", "warnings")  # they may be better ones by now
# what is concluded from the same sums, which may be sharper by now
INFERRED = (
    *("standard_error", "degrees_of_freedom", "fixed_interval", "fixed_p_value"),
    *("sequence", "e_value", "log_e_value", "p_value", "information", "adjusted"),
    *("information_needed", "benjamini_hochberg", "largest_share", "slope", "intercept"),
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The file of the release."""
    path = tmp_path / "release.db"
    path.write_bytes(gzip.decompress((DATA / f"{RELEASE}.db.gz").read_bytes()))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, written: Path) -> Iterator[str]:
    """The address of a database with the rows of the file."""
    if request.param == "sqlite":
        yield f"sqlite:///{written}"
        return
    server = request.getfixturevalue("postgresql")
    assert isinstance(server, Server)
    with server.database() as name:
        copied(written, server.url(name))
        yield server.url(name)


def copied(path: Path, url: str) -> None:
    """Put the rows of a file into PostgreSQL, in the tables of its release."""
    engine = create_engine(url)
    with closing(sqlite3.connect(path)) as file, engine.begin() as connection:
        connection.execute(text("CREATE TABLE schema_version (version INTEGER NOT NULL)"))
        for statements in MIGRATIONS[:VERSION]:
            for statement in statements.format_map(_TYPES["postgresql"]).split(";"):
                connection.execute(text(statement))
        for table in ("schema_version", *METADATA.tables):
            cursor = file.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of ours
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor]
            marks = ", ".join(f":{name}" for name in names)
            columns = ", ".join(names)
            inserted = f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({marks})"  # noqa: S608
            if rows:
                connection.execute(text(inserted), rows)
        for table, column in (("records", "id"), ("parts", "sequence")):
            restart = f"ALTER TABLE {table} ALTER COLUMN {column} RESTART WITH 100000"
            connection.execute(text(restart))
    engine.dispose()


@asynccontextmanager
async def upgraded(url: str) -> AsyncIterator[Service]:
    """A service of today on the database of the release, a moment later."""
    async with running(url, clock=Clock(FILLED)) as service:
        yield service


def assert_says(found: object, expected: object, place: str = "") -> None:
    """What is said now holds all that was said before."""
    name = place.rpartition("/")[2]
    if name in WORDS:
        assert type(found) is type(expected), place
    elif name in INFERRED and place.startswith("/experiment/"):
        assert found is None or type(found) is type(expected), place
    elif isinstance(expected, dict):
        assert isinstance(found, dict), place
        for name, value in expected.items():
            assert_says(found[name], value, f"{place}/{name}")
    elif isinstance(expected, list):
        assert isinstance(found, list), place
        assert len(found) == len(expected), place
        for at, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_says(one, other, f"{place}/{at}")
    elif isinstance(expected, float):  # another processor adds products in another order
        assert found == pytest.approx(expected, rel=1e-14, abs=0.0), place
    else:
        assert found == expected, place


def without_entropy(answers: Document) -> None:
    """Leave out what the release had not of several classes, and of which it has no squares."""
    for metric in ("normalized_entropy", "relative_information_gain"):
        del answers["classes report"]["metrics"][metric]


async def test_it_says_what_it_said(url: str) -> None:
    expected = json.loads(gzip.decompress((DATA / f"{RELEASE}.json.gz").read_bytes()))
    without_entropy(expected)
    async with upgraded(url) as service:
        assert_says(await read(service), expected)
        service.tidy()
        assert_says(await read(service), expected)


async def go_on(service: Service) -> list[Document]:
    """Send the halves that lack, then correct some labels; what was answered."""
    ids, y = [f"p{at}" for at in range(12)], [at % 2 for at in range(12)]
    answers = [
        await service.post("labels", CLICKS, id=[*ids, "plain"], y_true=[*y, 1]),
        await service.post(
            "predictions",
            CLICKS,
            id=["l0", "l1"],
            y_proba=[0.625, 0.125],
            slice={"country": ["DE", "IT"]},
        ),
        await service.post("labels", CLASSES, id=["y", "z"], y_true=["c", "a"]),
        await service.post("predictions", CLASSES, id=["w"], y_proba=[[0.25, 0.25, 0.5]]),
    ]
    for path, name, label in ((CLICKS, "p5", 0), (CLICKS, "l0", 0), (CLASSES, "y", "a")):
        sent = {"id": [name], "y_true": [label], "on_duplicate": "correct"}
        answers.append(await service.post("labels", path, **sent))
    return answers


async def test_what_waits_finds_its_other_half_and_can_be_corrected(
    url: str, tmp_path: Path
) -> None:
    async with upgraded(url) as service:
        old = await go_on(service), await read(service)
    async with running(f"sqlite:///{tmp_path}/new.db", clock=Clock(NOON)) as service:
        await fill(service)
        new = await go_on(service), await read(service)
    assert old[0] == new[0]
    assert [answer["duplicates"] for answer in old[0]] == [4, 0, 0, 0, 0, 0, 0]
    assert [answer["corrected"] for answer in old[0]] == [0, 0, 0, 0, 1, 1, 1]
    for answers in (old[1], new[1]):
        without_entropy(answers)
    for name in ("report", "points", "classes report", "experiment"):
        assert old[1][name] == new[1][name], name
    old_counts, new_counts = (answers["clicks"]["counts"] for answers in (old[1], new[1]))
    assert old_counts == new_counts | {"backfilled": old_counts["backfilled"]}  # not counted then


async def test_what_it_matched_cannot_be_corrected(url: str) -> None:
    async with upgraded(url) as service:
        sent = {"id": ["p0", "p1"], "y_true": [0, 0], "on_duplicate": "correct"}
        answer = await service.post("labels", CLICKS, **sent)
        assert (answer["duplicates"], answer["corrected"]) == (2, 0)


async def test_what_waits_gets_a_default_that_is_set_now(url: str) -> None:
    async with upgraded(url) as service:
        asked: Document = {"from": NOON - 86_400}
        before = (await service.report(CLICKS, **asked))["n"]
        await service.put(CLICKS, default_label=0, label_window=60)
        service.clock.now += 61
        service.tidy()
        assert (await service.report(CLICKS, **asked))["n"] == before + 9
        late = await service.post("labels", CLICKS, id=["p4", "p5"], y_true=[1, 0])
        assert (late["corrected"], late["matched"]) == (1, 1)


async def test_its_idempotency_keys_are_known(url: str) -> None:
    async with upgraded(url) as service:
        answer = await service.client.post(f"{CLICKS}/observations", json=ONCE, headers=KEY)
        assert answer.headers["idempotency-replayed"] == "true"
        assert answer.json()["accepted"] == 2
