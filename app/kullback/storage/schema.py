"""The tables of the store, and the migrations that bring a database up to date."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    func,
    select,
    text,
)

from kullback.errors import StoreUnavailable

Execute = Callable[[str], Iterable[Sequence[Any]]]  # the rows that a statement answers

# Only what statements need to know: how a table is made is said once, by the migrations.
METADATA = MetaData()

RECORDS = Table(
    "records",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("created", Float, nullable=False),
    Column("era", BigInteger, nullable=False),  # keys of rows are of one era of their record
)
PARTS = Table(
    "parts",
    METADATA,
    Column("sequence", BigInteger, primary_key=True),
    Column("record", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("slice", String, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("width", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
COUNTS = Table(
    "counts",
    METADATA,
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)
ATTACHMENTS = Table(
    "attachments",
    METADATA,
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
WAITING = Table(  # a released migration named it: what has matched stays too, until it expires
    "waiting",
    METADATA,
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String, primary_key=True),
    Column("state", SmallInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("arrived", Float, nullable=False),
    Column("time", Float),  # of the row; NULL without a prediction, and in older releases' rows
    Column("outcome", Float),
)
KEYS = Table(  # a released migration named it
    "tokens",
    METADATA,
    Column("scope", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("status", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", Float, nullable=False),
    Column("record", BigInteger, nullable=False),  # whose key it is; 0 where nobody's
    Column("era", BigInteger),  # null where it wrote no rows: then it is of every era
    Column("start", BigInteger),  # the time of the rows that it wrote, null where it wrote none
    Column("stop", BigInteger),
)
OWNED = (PARTS, COUNTS, ATTACHMENTS, WAITING)

# Text is compared byte by byte: it sorts as Python sorts it, and a range of slices is an index
# range. A number is never given twice: what refers to a removed record refers to nothing.
_TYPES: Mapping[str, Mapping[str, str]] = {
    "sqlite": {
        "number": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "text": "TEXT",
        "bytes": "BLOB",
        "float": "REAL",
    },
    "postgresql": {
        "number": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "text": 'TEXT COLLATE "C"',
        "bytes": "BYTEA",
        "float": "DOUBLE PRECISION",
    },
}

_VERSIONS = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"
# A migration never changes once it was released: the next change is the next migration.
MIGRATIONS = (
    """
    CREATE TABLE records (
      id {number}, kind {text} NOT NULL, name {text} NOT NULL, revision BIGINT NOT NULL,
      document {bytes} NOT NULL, created {float} NOT NULL, UNIQUE (kind, name)
    );
    CREATE TABLE parts (
      sequence {number}, record BIGINT NOT NULL, kind {text} NOT NULL, slice {text} NOT NULL,
      start BIGINT NOT NULL, width BIGINT NOT NULL, content {bytes} NOT NULL
    );
    CREATE INDEX parts_by_cell ON parts (record, slice, start);
    -- wider than a search needs, so that what is to be folded is found without the parts
    CREATE INDEX parts_by_time ON parts (record, start, width, kind, slice, sequence);
    CREATE TABLE counts (
      record BIGINT NOT NULL, name {text} NOT NULL, amount BIGINT NOT NULL,
      PRIMARY KEY (record, name)
    );
    CREATE TABLE attachments (
      record BIGINT NOT NULL, name {text} NOT NULL, content {bytes} NOT NULL,
      PRIMARY KEY (record, name)
    );
    CREATE TABLE waiting (
      record BIGINT NOT NULL, id {text} NOT NULL, state SMALLINT NOT NULL,
      content {bytes} NOT NULL, arrived {float} NOT NULL, PRIMARY KEY (record, id)
    );
    CREATE INDEX waiting_by_arrival ON waiting (record, arrived);
    CREATE TABLE tokens (
      scope {text} NOT NULL, key {text} NOT NULL, digest {bytes} NOT NULL,
      status BIGINT NOT NULL, body {bytes} NOT NULL, created {float} NOT NULL,
      PRIMARY KEY (scope, key)
    )
    """,
    "CREATE INDEX tokens_by_creation ON tokens (created)",
    "ALTER TABLE tokens ADD COLUMN record BIGINT NOT NULL DEFAULT 0",
    """
    ALTER TABLE records ADD COLUMN era BIGINT NOT NULL DEFAULT 0;
    -- of keys from before nobody knows the time of their rows: it may be any
    ALTER TABLE tokens ADD COLUMN era BIGINT DEFAULT 0;
    ALTER TABLE tokens ADD COLUMN start BIGINT DEFAULT 0;
    ALTER TABLE tokens ADD COLUMN stop BIGINT DEFAULT 253402300800;
    UPDATE tokens SET era = NULL, start = NULL, stop = NULL WHERE scope LIKE '%PUT /%';
    CREATE INDEX tokens_by_record ON tokens (record) WHERE record <> 0
    """,
    """
    ALTER TABLE waiting ADD COLUMN time {float};
    ALTER TABLE waiting ADD COLUMN outcome {float};
    CREATE INDEX waiting_predictions ON waiting (record, arrived) WHERE state = 0
    """,
)


def migrate(connection: Connection, lock: Callable[[Connection], None]) -> None:
    """Bring the database to the newest version, each step in a transaction of its own.

    Raises:
        StoreUnavailable: a newer Kullback has written this database.
    """
    newest = len(MIGRATIONS)
    while True:
        with connection.begin():
            lock(connection)
            version = _version(connection)
            _check(version, "the database")
            if version == newest:
                return
            _step(connection, version)


class StoredCounts(NamedTuple):
    """What a database holds: its schema version, and how much of each kind."""

    schema_version: int
    counts: Mapping[str, int]


def stored_counts(execute: Execute, name: str) -> StoredCounts:
    """What a database holds that is called `name`; `execute` is of either driver.

    Raises:
        StoreUnavailable: a newer Kullback has written it.
    """
    ((version,),) = execute("SELECT max(version) FROM schema_version")
    _check(version or 0, name)
    kinds = execute("SELECT kind, count(*) FROM records GROUP BY kind ORDER BY kind")
    counts = {str(kind): int(number) for kind, number in kinds}
    for key, table in METADATA.tables.items():
        if table is not RECORDS:
            ((counts[key],),) = execute(str(select(func.count()).select_from(table)))
    return StoredCounts(version, counts)


def _check(version: int, name: str) -> None:
    if version > len(MIGRATIONS):
        raise StoreUnavailable(
            f"{name} has schema version {version}, this Kullback knows {len(MIGRATIONS)}: "
            "start a newer one"
        )


def is_current(connection: Connection) -> bool:
    """Whether the database is at the newest version; it is only read."""
    newest = connection.execute(text("SELECT max(version) FROM schema_version")).scalar()
    return newest == len(MIGRATIONS)


def _version(connection: Connection) -> int:
    connection.execute(text(_VERSIONS))
    return connection.execute(text("SELECT max(version) FROM schema_version")).scalar() or 0


def _step(connection: Connection, version: int) -> None:
    for statement in _statements(connection.dialect.name, version):
        connection.execute(text(statement))
    connection.execute(
        text("INSERT INTO schema_version (version) VALUES (:version)"), {"version": version + 1}
    )


def tables_of(dialect: str, version: int) -> Iterator[str]:
    """The statements that make the tables of some version."""
    yield _VERSIONS
    for before in range(version):
        yield from _statements(dialect, before)


def _statements(dialect: str, version: int) -> list[str]:
    return MIGRATIONS[version].format_map(_TYPES[dialect]).split(";")
