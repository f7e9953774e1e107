"""Removing windows of some time, and keeping idempotency keys right about what was removed."""

from collections.abc import Iterator, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)

from kullback.storage.base import Cell, Part
from kullback.storage.compaction import held
from kullback.storage.database import Database
from kullback.storage.idempotency import OF_KEY, OUTDATED
from kullback.storage.schema import KEYS, PARTS

_PARTS_AT_ONCE = 200


_PART = (PARTS.c.kind, PARTS.c.slice, PARTS.c.start, PARTS.c.width, PARTS.c.content)


def parts_within(
    connection: Connection, record: int, start: int, stop: int, name: str
) -> Iterator[Part]:
    """See Transaction.parts."""
    chosen = select(*_PART).where(_within(record, start, stop), PARTS.c.slice == name)
    options = {"yield_per": _PARTS_AT_ONCE}
    with connection.execute(chosen, execution_options=options) as rows:
        for kind, _, at, width, content in rows:
            yield Cell(kind, name, at, width), content


def withdraw_parts(
    connection: Connection, database: Database, chosen: Select[tuple[int]]
) -> list[Part]:
    """Remove parts; what they were, by start."""
    numbers = held(connection, chosen)
    removed = delete(PARTS).where(database.among(PARTS.c.sequence, numbers)).returning(*_PART)
    rows = connection.execute(removed)
    parts = [(Cell(kind, name, at, width), part) for kind, name, at, width, part in rows]
    return sorted(parts, key=lambda part: part[0].start)


def of_slice(record: int, name: str, start: int, limit: int) -> Select[tuple[int]]:
    """The numbers of the first parts of a slice from `start` on, at most `limit`."""
    is_of = (PARTS.c.record == record, PARTS.c.slice == name, PARTS.c.start >= start)
    chosen = select(PARTS.c.sequence).where(*is_of)
    return chosen.order_by(PARTS.c.start, PARTS.c.sequence).limit(limit)


def straddles(connection: Connection, record: int, moment: int) -> bool:
    """See Transaction.straddles."""
    is_around = and_(PARTS.c.start < moment, PARTS.c.start + PARTS.c.width > moment)
    return bool(
        connection.execute(select(exists().where(PARTS.c.record == record, is_around))).scalar()
    )


def take_parts(connection: Connection, database: Database, chosen: Select[tuple[int]]) -> int:
    """Remove parts; how many."""
    numbers = held(connection, chosen)
    connection.execute(delete(PARTS).where(database.among(PARTS.c.sequence, numbers)))
    return len(numbers)


def within(record: int, start: int, stop: int, limit: int) -> Select[tuple[int]]:
    """The numbers of parts of windows that lie within [start, stop), at most `limit`."""
    return select(PARTS.c.sequence).where(_within(record, start, stop)).limit(limit)


def forget_keys(connection: Connection, record: int, start: int, stop: int, limit: int) -> int:
    """See Transaction.forget_keys."""
    is_touched = (KEYS.c.record == record, KEYS.c.start < stop, KEYS.c.stop > start)
    columns = (KEYS.c.scope, KEYS.c.key, KEYS.c.start, KEYS.c.stop)
    chosen = select(*columns).where(*is_touched, KEYS.c.status != OUTDATED).limit(limit)
    rows = sorted(tuple(row) for row in connection.execute(chosen))
    gone = [_name(scope, key) for scope, key, first, last in rows if start <= first <= last <= stop]
    cut = [_name(scope, key) for scope, key, first, last in rows if first < start or last > stop]
    if gone:
        connection.execute(delete(KEYS).where(OF_KEY), gone)
    if cut:
        outdated = update(KEYS).where(OF_KEY).values(status=OUTDATED, body=b"")
        connection.execute(outdated, cut)
    return len(rows)


def move_keys(connection: Connection, record: int, old: str, new: str, limit: int) -> int:
    """See Transaction.move_keys."""
    ended = KEYS.c.scope + "/"
    is_under = func.replace(ended, f" {old}/", "") != ended  # LIKE of SQLite knows no case
    chosen = select(KEYS.c.scope, KEYS.c.key).where(KEYS.c.record == record, is_under).limit(limit)
    names = sorted(tuple(row) for row in connection.execute(chosen))
    moved = [(_moved(scope, old, new), scope, key) for scope, key in names]
    if moved:
        # what stands there is of a record that is gone, or claimed by a write that is refused
        connection.execute(delete(KEYS).where(OF_KEY), [_name(to, key) for to, _, key in moved])
        connection.execute(
            update(KEYS).where(OF_KEY).values(scope=bindparam("to_scope")),
            [{**_name(scope, key), "to_scope": to} for to, scope, key in moved],
        )
    return len(names)


def _moved(scope: str, old: str, new: str) -> str:
    head, _, path = scope.rpartition(" ")
    return f"{head} {new}{path[len(old) :]}".lstrip()


def _name(scope: str, key: str) -> dict[str, str]:
    return {"of_scope": scope, "of_key": key}


def _within(record: int, start: int, stop: int) -> ColumnElement[bool]:
    ends = PARTS.c.start + PARTS.c.width
    is_within: Sequence[ColumnElement[bool]] = (
        PARTS.c.record == record,
        PARTS.c.start >= start,
        PARTS.c.start < stop,
        ends <= stop,
    )
    return and_(*is_within)
