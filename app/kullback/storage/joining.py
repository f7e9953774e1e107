"""Rows that are kept by id: joined of two halves, in either order, until they expire."""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    literal_column,
    select,
    update,
)

from kullback.storage.database import Arrival, Database, KeptRow
from kullback.storage.rows import Correction, Expired, Joined, Looked, Row, Side
from kullback.storage.schema import WAITING

PREDICTED, LABELLED, MATCHED, DEFAULTED = range(4)  # the states of what is kept
WAITS: Mapping[Side, int] = {"prediction": PREDICTED, "label": LABELLED}
_OLD_OUTCOME = struct.Struct("<d")  # how releases before kept a label that waits: as the content


class Coming(NamedTuple):
    """Rows of one kind that come together: predictions, labels, or both."""

    record: int
    now: float
    corrects: bool


class Due(NamedTuple):
    """Which rows have waited long enough: those that came before, so many of them."""

    record: int
    before: float
    limit: int


class Range(NamedTuple):
    """Rows whose time is in [start, stop)."""

    record: int
    start: float
    stop: float

    def has(self) -> ColumnElement[bool]:
        """Whether a row is one of them."""
        is_within = (WAITING.c.time >= self.start) & (WAITING.c.time < self.stop)
        return (WAITING.c.record == self.record) & is_within


def join_rows(
    connection: Connection, database: Database, coming: Coming, rows: Mapping[str, Row]
) -> Joined:
    """See Transaction.join."""
    joined, changed = Joined(), list[KeptRow]()
    left = sorted(rows)  # in order, so that two joins cannot deadlock
    arrival = Arrival(coming.record, coming.now, _state(rows[left[0]]) if left else MATCHED)
    while left:  # more than once only for what others bring between the two statements
        there = _locked(connection, database, arrival.record, left)
        for kept in there:
            after = _met(kept, rows[kept.id], joined, corrects=coming.corrects)
            if after is not None:
                changed.append(after)
        if there:
            present = {kept.id for kept in there}
            left = [name for name in left if name not in present]
        inserted = database.insert_rows(connection, arrival, left, rows) if left else []
        joined.new.extend(inserted)
        left = [] if len(inserted) == len(left) else sorted(set(left).difference(inserted))
    if changed:
        database.update_rows(connection, arrival.record, changed)
    return joined


def rewrite_rows(connection: Connection, record: int, rows: Mapping[str, Row]) -> None:
    """See Transaction.rewrite."""
    if rows:
        named = (WAITING.c.record == record, WAITING.c.id == bindparam("of_id"))
        values = [
            {"of_id": name, "time": row.time, "content": row.stored().content}
            for name, row in sorted(rows.items())
        ]
        connection.execute(update(WAITING).where(*named), values)


def settle_rows(
    connection: Connection, database: Database, due: Due, outcome: float
) -> dict[str, Row]:
    """See Transaction.settle."""
    waits: ColumnElement[bool] = literal_column("state = 0")  # in the words of the index
    oldest = (
        select(WAITING.c.id)
        .where(WAITING.c.record == due.record, waits, WAITING.c.arrived < due.before)
        .order_by(WAITING.c.arrived)
        .limit(due.limit)
    )
    while ids := sorted(connection.execute(oldest).scalars()):
        settled = [
            kept._replace(state=DEFAULTED, outcome=outcome)
            for kept in _locked(connection, database, due.record, ids)
            if kept.state == PREDICTED  # still: its label may have come, or another replica
        ]
        if settled:
            database.update_rows(connection, due.record, settled)
            return {kept.id: kept.row for kept in settled}
    return {}


def expire_rows(connection: Connection, database: Database, due: Due) -> Expired:
    """See Transaction.expire."""
    of_record = WAITING.c.record == due.record
    oldest = (
        select(WAITING.c.id)
        .where(of_record, WAITING.c.arrived < due.before)
        .order_by(WAITING.c.arrived)
        .limit(due.limit)
    )
    held = select(WAITING.c.id).where(of_record, WAITING.c.id.in_(oldest))
    locked = connection.execute(held.order_by(WAITING.c.id).with_for_update()).scalars()
    return _deleted(connection, of_record, database.among(WAITING.c.id, list(locked)))


def remove_rows(
    connection: Connection, database: Database, some: Range, after: str, limit: int
) -> Looked:
    """See Transaction.remove."""
    of_record = WAITING.c.record == some.record
    following = select(WAITING.c.id).where(of_record, WAITING.c.id > after).order_by(WAITING.c.id)
    ids = connection.execute(following.limit(limit).with_for_update()).scalars().all()
    if not ids:
        return Looked(Expired(0, dict.fromkeys(WAITS, 0)), None)
    removed = _deleted(connection, some.has(), database.among(WAITING.c.id, ids))
    return Looked(removed, ids[-1] if len(ids) == limit else None)


def _deleted(connection: Connection, *chosen: ColumnElement[bool]) -> Expired:
    gone = delete(WAITING).where(*chosen).returning(WAITING.c.state)
    states = connection.execute(gone).scalars().all()
    return Expired(len(states), {side: states.count(state) for side, state in WAITS.items()})


def _locked(
    connection: Connection, database: Database, record: int, ids: Sequence[str]
) -> list[KeptRow]:
    """What is kept of these ids, which nobody else changes until the end."""
    columns = (WAITING.c.id, WAITING.c.state, WAITING.c.time, WAITING.c.content, WAITING.c.outcome)
    there = (
        select(*columns)
        .where(WAITING.c.record == record, database.among(WAITING.c.id, ids))
        .order_by(WAITING.c.id)
        .with_for_update()
    )
    return [kept_row(*row) for row in connection.execute(there)]


def kept_row(
    name: str, state: int, time: float | None, content: bytes, outcome: float | None
) -> KeptRow:
    """What is kept of an id, by what its columns hold."""
    if state == LABELLED and outcome is None:
        (outcome,), content = _OLD_OUTCOME.unpack(content), b""
    return KeptRow(name, state, *Row.read(time, content, outcome))


def _state(row: Row) -> int:
    if row.outcome is None:
        return PREDICTED
    return LABELLED if row.time is None else MATCHED


def _met(kept: KeptRow, came: Row, joined: Joined, *, corrects: bool) -> KeptRow | None:
    """Note in `joined` what becomes of a row whose id is known; how it is kept from now on."""
    name, state, is_same = kept.id, kept.state, came.outcome == kept.outcome
    if state == LABELLED and came.time is not None:
        whole = KeptRow(name, MATCHED, came.time, came.content, kept.outcome)
        joined.awaited[name] = whole.row
        return whole
    if came.outcome is None or (
        state in (LABELLED, MATCHED) and (is_same or not corrects or kept.outcome is None)
    ):
        joined.duplicates.append(name)
        return None
    after = kept._replace(state=LABELLED if state == LABELLED else MATCHED, outcome=came.outcome)
    if state == PREDICTED:
        joined.matched[name] = after.row
    elif state == LABELLED:
        joined.replaced.append(name)
    elif is_same:
        joined.confirmed.append(name)
    else:
        joined.corrected[name] = Correction(kept.row, after.row, state == DEFAULTED)
    return after
