"""Joining rows that arrive in two halves, in either order, by their id."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, literal, select, text, update

from kullback.storage.base import Expired, Joined, Side
from kullback.storage.database import Database
from kullback.storage.schema import WAITING

WAITS: Mapping[Side, int] = {"prediction": 0, "label": 1}
MATCHED = 2


class WaitingRow(NamedTuple):
    """Halves of rows that come together."""

    record: int
    side: Side
    now: float


def join_rows(
    connection: Connection, database: Database, arrival: WaitingRow, rows: Mapping[str, bytes]
) -> Joined:
    """See Transaction.join."""
    joined = Joined([], {}, [])
    left = sorted(rows)
    while left:  # more than once only for what expires between the two statements
        new = _insert(connection, database, arrival, [(name, rows[name]) for name in left])
        joined.waiting.extend(new)
        left = _without(left, new)
        if left:
            left = _without(left, _meet(connection, database, arrival, left, joined))
    return joined


def expire_rows(
    connection: Connection, database: Database, record: int, before: float, limit: int
) -> Expired:
    """See Transaction.expire."""
    oldest = (
        select(WAITING.c.id)
        .where(WAITING.c.record == record, WAITING.c.arrived < before)
        .order_by(WAITING.c.arrived)
        .limit(limit)
    )
    of_record = WAITING.c.record == record
    held = select(WAITING.c.id).where(of_record, WAITING.c.id.in_(oldest))
    locked = connection.execute(held.order_by(WAITING.c.id).with_for_update()).scalars()
    gone = delete(WAITING).where(of_record, database.among(WAITING.c.id, list(locked)))
    states = list(connection.execute(gone.returning(WAITING.c.state)).scalars())
    return Expired(len(states), {side: states.count(state) for side, state in WAITS.items()})


def _insert(
    connection: Connection,
    database: Database,
    arrival: WaitingRow,
    rows: Sequence[tuple[str, bytes]],
) -> list[str]:
    """The ids of rows that were not there; in order, so that two joins cannot deadlock."""
    listed = database.listed(rows)
    same = {"record": arrival.record, "state": WAITS[arrival.side], "arrived": arrival.now}
    values = (literal(value, WAITING.c[name].type).label(name) for name, value in same.items())
    chosen = select(listed.c.id, listed.c.content, *values).where(text("true"))  # for the parser
    new = database.insert(WAITING).from_select(["id", "content", *same], chosen)
    inserted = new.on_conflict_do_nothing().returning(WAITING.c.id)
    return sorted(connection.execute(inserted).scalars())


def _meet(
    connection: Connection, database: Database, arrival: WaitingRow, ids: list[str], joined: Joined
) -> set[str]:
    """Match the rows whose other half waits; the ids of all rows that are there."""
    here = WAITING.c.record == arrival.record
    there = (
        select(WAITING.c.id, WAITING.c.state, WAITING.c.content)
        .where(here, database.among(WAITING.c.id, ids))
        .order_by(WAITING.c.id)
        .with_for_update()
    )
    met, matched = set[str](), dict[str, bytes]()
    for name, state, content in connection.execute(there).all():
        met.add(name)
        if state in (WAITS[arrival.side], MATCHED):
            joined.duplicates.append(name)
        else:
            matched[name] = content
    if matched:
        connection.execute(
            update(WAITING)
            .where(here, database.among(WAITING.c.id, list(matched)))
            .values(state=MATCHED, content=b"")
        )
    joined.matched.update(matched)
    return met


def _without(ids: Sequence[str], some: Sequence[str] | set[str]) -> list[str]:
    gone = set(some)
    return [name for name in ids if name not in gone]
