"""Idempotency keys: the first request with a key does the work, later ones get its answer.

A key belongs to the record that its write was about, and ends with it: whoever sends rows again to
a new record of the same name is not told that they are there. A key of rows ends with the era of
its record too, and with the windows that its rows lie in.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, exists, select, update
from sqlalchemy.exc import DBAPIError

from kullback.errors import (
    IdempotencyKeyError,
    IdempotencyKeyInProgress,
    IdempotencyKeyOutdated,
    IdempotencyKeyReused,
)
from kullback.storage.base import IdempotencyKey, Reply, Written
from kullback.storage.database import IMPATIENCE, PATIENCE, Database, Fault
from kullback.storage.schema import KEYS, RECORDS

Answer = Written | IdempotencyKeyError
OF_KEY = (KEYS.c.scope == bindparam("of_scope")) & (KEYS.c.key == bindparam("of_key"))
IS_OF_ERA = KEYS.c.era.is_(None) | (KEYS.c.era == RECORDS.c.era)
HAS_OWNER = (KEYS.c.record == 0) | exists().where(RECORDS.c.id == KEYS.c.record, IS_OF_ERA)
OUTDATED = -1  # the status of a key whose write cannot be answered again
IN_PROGRESS = "a request with this idempotency key is being worked on: try again in a moment"


class Wrote(NamedTuple):
    """What a write was about: a record, 0 where there is none or no more, and rows of some time."""

    record: int = 0
    era: int | None = None
    start: int | None = None
    stop: int | None = None


class KeptReply(NamedTuple):
    """A reply, and what its write was about."""

    reply: Reply
    wrote: Wrote


_CLAIMED = {"status": 0, "body": b"", **Wrote()._asdict()}


def claim(
    connection: Connection, database: Database, keys: Sequence[IdempotencyKey], now: float
) -> dict[IdempotencyKey, Answer]:
    """Claim these keys; what those are to be answered that were claimed before.

    They are claimed in order and before anything else, so that two commits with the same keys
    wait for one another, and not each for the other.
    """
    if not keys:
        return {}
    wanted = sorted(keys)
    savepoint = connection.begin_nested()
    try:
        mine = _insert(connection, database, wanted, now)
    except DBAPIError as error:
        if database.meaning(error) is not Fault.LOCKED:
            raise
        savepoint.rollback()
        return _claim_each(connection, database, wanted, now)
    savepoint.commit()
    answers = {key: _earlier(connection, key, now) for key in wanted if key[:2] not in mine}
    return {key: answer for key, answer in answers.items() if answer is not None}


def answered(
    connection: Connection, keys: Sequence[IdempotencyKey], now: float
) -> dict[IdempotencyKey, Answer]:
    """What those of these keys are to be answered that have their answer by now."""
    answers = {}
    for key in keys:
        name = {"of_scope": key.scope, "of_key": key.key}
        if connection.execute(select(KEYS.c.status).where(OF_KEY), name).scalar():
            answers[key] = _earlier(connection, key, now)
    return {key: answer for key, answer in answers.items() if answer is not None}


def settle(connection: Connection, replies: dict[IdempotencyKey, KeptReply | None]) -> None:
    """Keep each reply with its key; a key without one may be claimed again."""
    names = {key: {"of_scope": key.scope, "of_key": key.key} for key in sorted(replies)}
    done = [
        {**name, **kept.reply._asdict(), **kept.wrote._asdict()}
        for key, name in names.items()
        if (kept := replies[key]) is not None
    ]
    if done:
        connection.execute(update(KEYS).where(OF_KEY), done)
    failed = [name for key, name in names.items() if replies[key] is None]
    if failed:  # what was moved to this place meanwhile is not ours to remove
        connection.execute(delete(KEYS).where(OF_KEY, KEYS.c.status == 0), failed)


def sweep(connection: Connection, before: float, limit: int) -> int:
    """Forget keys that came before; how many, at most `limit`."""
    old = select(KEYS.c.scope, KEYS.c.key).where(KEYS.c.created < before).limit(limit)
    names = [{"of_scope": row.scope, "of_key": row.key} for row in connection.execute(old)]
    if names:
        connection.execute(delete(KEYS).where(OF_KEY), names)
    return len(names)


def _insert(
    connection: Connection, database: Database, keys: Sequence[IdempotencyKey], now: float
) -> set[tuple[str, str]]:
    """Those that nobody had claimed. `rowcount` cannot tell: psycopg does not know it here."""
    new = database.insert(KEYS).on_conflict_do_nothing().returning(KEYS.c.scope, KEYS.c.key)
    rows = [{**key._asdict(), **_CLAIMED, "created": now} for key in keys]
    return {(scope, key) for scope, key in connection.execute(new, rows)}


def _claim_each(
    connection: Connection, database: Database, keys: Sequence[IdempotencyKey], now: float
) -> dict[IdempotencyKey, Answer]:
    """Claim one by one, now that another commit has held one of them for too long."""
    database.wait(connection, IMPATIENCE)
    answers = dict[IdempotencyKey, Answer]()
    for key in keys:
        savepoint = connection.begin_nested()
        try:
            mine = _insert(connection, database, [key], now)
        except DBAPIError as error:
            if database.meaning(error) is not Fault.LOCKED:
                raise
            savepoint.rollback()
            answers[key] = IdempotencyKeyInProgress(IN_PROGRESS)
            continue
        savepoint.commit()
        answer = None if mine else _earlier(connection, key, now)
        if answer is not None:
            answers[key] = answer
    database.wait(connection, PATIENCE)
    return answers


def _earlier(connection: Connection, key: IdempotencyKey, now: float) -> Answer | None:
    """What a key that was claimed before is answered; None of one that is ours by now."""
    columns = (KEYS.c.digest, KEYS.c.status, KEYS.c.body, KEYS.c.record, KEYS.c.era)
    chosen = select(*columns, HAS_OWNER.label("has_owner")).where(OF_KEY)
    name = {"of_scope": key.scope, "of_key": key.key}
    row = connection.execute(chosen, name).first()
    if row is not None and not row.has_owner:
        ours = {"digest": key.digest, "created": now, **_CLAIMED}
        is_left = KEYS.c.record == row.record, KEYS.c.era == row.era
        left = update(KEYS).where(OF_KEY, *is_left).values(ours)
        # Another process may take it first: then it waits for that one, and finds it owned.
        is_ours = connection.execute(left, name).rowcount == 1
        return None if is_ours else _earlier(connection, key, now)
    if row is None:
        return IdempotencyKeyInProgress(IN_PROGRESS)  # swept this very moment
    if row.digest != key.digest:
        return IdempotencyKeyReused("this idempotency key came before, with another request")
    if row.status == OUTDATED:
        return IdempotencyKeyOutdated(
            "of what this idempotency key wrote a part was removed since: send what is to count "
            "with another key"
        )
    return Written(Reply(row.status, row.body), replayed=True)
