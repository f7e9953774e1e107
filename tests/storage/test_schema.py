"""An older database becomes a new one and keeps what it holds; a newer one is refused."""

import pytest
from sqlalchemy import create_engine, inspect, text

from kullback.errors import StoreUnavailable
from kullback.storage.base import IdempotencyKey, Reply, Written
from kullback.storage.schema import METADATA, MIGRATIONS
from kullback.storage.sql import open_store
from tests.storage.writes import Opening, adding, cell, join, merge, sums

# As version 1 made it. Never to be changed, whatever becomes of the code.
VERSION_1 = """
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE records (id {number}, kind {text} NOT NULL, name {text} NOT NULL,
  revision BIGINT NOT NULL, document {bytes} NOT NULL, created {float} NOT NULL,
  UNIQUE (kind, name));
CREATE TABLE parts (sequence {number}, record BIGINT NOT NULL, kind {text} NOT NULL,
  slice {text} NOT NULL, start BIGINT NOT NULL, width BIGINT NOT NULL, content {bytes} NOT NULL);
CREATE INDEX parts_by_cell ON parts (record, slice, start);
CREATE INDEX parts_by_time ON parts (record, start, width, kind, slice, sequence);
CREATE TABLE counts (record BIGINT NOT NULL, name {text} NOT NULL, amount BIGINT NOT NULL,
  PRIMARY KEY (record, name));
CREATE TABLE attachments (record BIGINT NOT NULL, name {text} NOT NULL, content {bytes} NOT NULL,
  PRIMARY KEY (record, name));
CREATE TABLE waiting (record BIGINT NOT NULL, id {text} NOT NULL, state SMALLINT NOT NULL,
  content {bytes} NOT NULL, arrived {float} NOT NULL, PRIMARY KEY (record, id));
CREATE INDEX waiting_by_arrival ON waiting (record, arrived);
CREATE TABLE tokens (scope {text} NOT NULL, key {text} NOT NULL, digest {bytes} NOT NULL,
  status BIGINT NOT NULL, body {bytes} NOT NULL, created {float} NOT NULL,
  PRIMARY KEY (scope, key));
INSERT INTO schema_version VALUES (1);
INSERT INTO records (kind, name, revision, document, created)
  VALUES ('monitor', 'clicks', 3, {hello}, 5.0);
INSERT INTO parts (record, kind, slice, start, width, content)
  VALUES (1, 'binary', '', 60, 60, {seven}), (1, 'binary', '', 60, 60, {seven});
INSERT INTO counts VALUES (1, 'rows', 14);
INSERT INTO attachments VALUES (1, 'reference', {hello});
INSERT INTO waiting VALUES (1, 'a', 0, {hello}, 5.0);
INSERT INTO tokens VALUES ('scope', 'key', {hello}, 202, {seven}, 5.0)
"""
WORDS = {
    "sqlite": {
        "number": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "text": "TEXT",
        "bytes": "BLOB",
        "float": "REAL",
        "hello": "X'68656c6c6f'",
        "seven": "X'37'",
    },
    "postgresql": {
        "number": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "text": 'TEXT COLLATE "C"',
        "bytes": "BYTEA",
        "float": "DOUBLE PRECISION",
        "hello": r"'\x68656c6c6f'",
        "seven": r"'\x37'",
    },
}


@pytest.fixture
def version_1(url: str) -> str:
    """The address of a database that version 1 has written."""
    engine = create_engine(url)
    words = WORDS[engine.dialect.name]
    with engine.begin() as connection:
        for statement in VERSION_1.format_map(words).split(";"):
            connection.execute(text(statement))
    engine.dispose()
    return url


def structure(url: str) -> dict[str, object]:
    """Tables, columns, keys and indexes of a database."""
    engine = create_engine(url)
    found: dict[str, object] = {}
    seen = inspect(engine)
    for table in seen.get_table_names():
        columns = [(column["name"], str(column["type"])) for column in seen.get_columns(table)]
        indexes = sorted(str(index["column_names"]) for index in seen.get_indexes(table))
        found[table] = (columns, seen.get_pk_constraint(table)["constrained_columns"], indexes)
    engine.dispose()
    return found


def test_a_database_of_version_1_becomes_a_new_one_and_keeps_what_it_holds(
    version_1: str, opening: Opening
) -> None:
    store = opening(version_1)
    record = store.record("monitor", "clicks")
    assert record is not None
    assert (record.id, record.revision, record.document, record.created) == (1, 3, b"hello", 5.0)
    assert store.parts(1, 0, 120) == [(cell(60), b"7")] * 2
    assert store.counts(1) == {"rows": 14}
    assert store.attachment(1, "reference") == b"hello"
    assert join(store, 1, "label", ["a"]) == [0, 1, 0]
    again = store.write(adding(1, {cell(60): 1}), IdempotencyKey("scope", "key", b"hello")).result(
        30
    )
    assert again == Written(Reply(202, b"7"), replayed=True)
    store.write(adding(1, {cell(60): 1})).result(30)
    assert sums(store, 1) == {cell(60): 15}


def test_an_old_database_becomes_like_a_new_one(version_1: str, opening: Opening) -> None:
    before = structure(version_1)
    opening(version_1).close()
    after = structure(version_1)
    assert before != after
    assert "['created']" in str(after["tokens"])


def test_the_tables_are_as_the_code_describes_them(url: str, opening: Opening) -> None:
    opening(url).close()
    engine = create_engine(url)
    seen = inspect(engine)
    for table in METADATA.tables.values():
        columns = {column["name"]: column for column in seen.get_columns(table.name)}
        keys = seen.get_pk_constraint(table.name)["constrained_columns"]
        assert list(columns) == [column.name for column in table.columns]
        assert keys == [column.name for column in table.primary_key]
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    url: str, opening: Opening
) -> None:
    opening(url).close()
    engine = create_engine(url)
    newer = len(MIGRATIONS) + 1
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO schema_version VALUES (:it)"), {"it": newer})
    engine.dispose()
    before = structure(url)
    with pytest.raises(StoreUnavailable, match=f"schema version {newer}"):
        open_store(url, merge, on_fatal=pytest.fail)
    assert structure(url) == before


def test_a_database_is_made_new_once(url: str, opening: Opening) -> None:
    for _ in range(3):
        opening(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT version FROM schema_version ORDER BY 1"))
        assert list(versions.scalars()) == list(range(1, len(MIGRATIONS) + 1))
    engine.dispose()
