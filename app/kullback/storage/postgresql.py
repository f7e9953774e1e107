"""PostgreSQL, which replicas share: connections, required settings, locks and errors."""

import logging
from collections.abc import Mapping, Sequence

import psycopg
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    any_,
    bindparam,
    create_engine,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError

from kullback.errors import StoreUnavailable
from kullback.storage.database import (
    PATIENCE,
    READERS,
    WAITING_READERS,
    Arrival,
    Database,
    Fault,
    KeptRow,
)
from kullback.storage.deadlines import NETWORK, STATEMENT_SECONDS, be_patient, with_deadlines
from kullback.storage.rows import Row
from kullback.storage.schema import WAITING

LOGGER = logging.getLogger("kullback.storage")
POOL_SECONDS = 5.0
SETTINGS = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": f"{round(PATIENCE * 1000)}",
    "idle_in_transaction_session_timeout": "10s",
}
SCHEMA_LOCK = 0x6B756C6C  # "kull": whoever holds it changes the tables

RACED = {"40001", "40P01"}  # serialization failure, deadlock
LOCKED = {"55P03"}
# Connections, a standby, resources, operator intervention (a time-out too), and server errors.
AWAY = ("08", "25006", "25P03", "53", "57", "58", "XX")


def open_postgresql(url: URL) -> Database:
    """The database that `url` names.

    Raises:
        StoreUnavailable: nobody answers there, or the server refuses us.
    """
    writer = _engine(url, 1, 0)
    try:
        with writer.connect() as connection:
            _warn_of_lost_writes(connection)
    except DBAPIError as error:
        writer.dispose()
        reason = without_password(url, str(error.orig).partition("\n")[0])
        raise StoreUnavailable(f"the database at {url.host} cannot be used: {reason}") from None
    readers = _engine(url, READERS, WAITING_READERS)
    return Database(
        writer,
        readers,
        insert,
        _among,
        _insert_rows,
        _update_rows,
        diagnose,
        _lock_schema,
        _wait,
        lambda: None,
        writer.dispose,
    )


def diagnose(error: BaseException | None) -> Fault:
    """What an error of psycopg means."""
    if not isinstance(error, psycopg.Error):
        return Fault.OWN
    state = error.sqlstate
    if state in RACED:
        return Fault.RACED
    if state in LOCKED:
        return Fault.LOCKED
    if state is None:  # not said by the server: the connection is gone
        return Fault.AWAY if isinstance(error, psycopg.OperationalError) else Fault.OWN
    return Fault.AWAY if state.startswith(AWAY) else Fault.OWN


def _engine(url: URL, size: int, more: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=more,
        hide_parameters=True,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={
            "application_name": "kullback",
            "client_encoding": "utf8",
            **NETWORK,
            "options": " ".join(f"-c {name}={value}" for name, value in SETTINGS.items()),
        },
    )
    return with_deadlines(engine)


def _warn_of_lost_writes(connection: Connection) -> None:
    for name in ("fsync", "synchronous_commit"):
        if connection.execute(text(f"SHOW {name}")).scalar() == "off":
            LOGGER.warning("PostgreSQL runs with %s off: answered writes can be lost", name)


def without_password(url: URL, message: str) -> str:
    """What a server says, without the password that it may repeat."""
    return message.replace(str(url.password), "***") if url.password else message


def _lock_schema(connection: Connection) -> None:
    _wait(connection, 60.0)
    be_patient(connection, 600)
    connection.execute(text("SET LOCAL statement_timeout = '10min'"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})"))


def _wait(connection: Connection, seconds: float) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {round(seconds * 1000)}"))


def _among(
    column: ColumnElement[int] | ColumnElement[str], values: Sequence[int] | Sequence[str]
) -> ColumnElement[bool]:
    listed = bindparam(None, list(values), type_=ARRAY(column.type), unique=True)
    return column == any_(listed)


def _insert_rows(
    connection: Connection, arrival: Arrival, names: Sequence[str], rows: Mapping[str, Row]
) -> Sequence[str]:
    listed = _listed([KeptRow(name, arrival.state, *rows[name]) for name in names])
    same = {"record": arrival.record, "arrived": arrival.now}
    values = (literal(value, WAITING.c[name].type).label(name) for name, value in same.items())
    columns = [*KeptRow._fields, *same]
    new = insert(WAITING).from_select(columns, select(*listed.c, *values).order_by(listed.c.id))
    inserted = new.on_conflict_do_nothing().returning(WAITING.c.id)
    return list(connection.execute(inserted).scalars())


def _update_rows(connection: Connection, record: int, rows: Sequence[KeptRow]) -> None:
    listed = _listed(rows)
    values = {name: listed.c[name] for name in KeptRow._fields[1:]}
    is_one = (WAITING.c.record == record) & (WAITING.c.id == listed.c.id)
    connection.execute(update(WAITING).where(is_one).values(values))


def _listed(rows: Sequence[KeptRow]) -> FromClause:
    """Many rows as one parameter for each column."""
    columns = [
        literal(list(values), ARRAY(WAITING.c[name].type))
        for name, values in zip(
            KeptRow._fields, zip(*(row.stored for row in rows), strict=True), strict=True
        )
    ]
    return func.unnest(*columns).table_valued(*KeptRow._fields).render_derived()
