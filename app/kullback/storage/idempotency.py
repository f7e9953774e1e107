"""Idempotency keys: the first request with a key does the work, later ones get its answer."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.exc import DBAPIError

from kullback.errors import IdempotencyKeyError, IdempotencyKeyInProgress, IdempotencyKeyReused
from kullback.storage.base import IdempotencyKey, Reply, Written
from kullback.storage.database import IMPATIENCE, PATIENCE, Database, Fault
from kullback.storage.schema import TOKENS

Answer = Written | IdempotencyKeyError
OF_TOKEN = (TOKENS.c.scope == bindparam("of_scope")) & (TOKENS.c.key == bindparam("of_key"))
IN_PROGRESS = "a request with this idempotency key is being worked on: try again in a moment"


def claim(
    connection: Connection, database: Database, tokens: Sequence[IdempotencyKey], now: float
) -> dict[IdempotencyKey, Answer]:
    """Claim these tokens; what those are to be answered that were claimed before.

    They are claimed in order and before anything else, so that two commits with the same tokens
    wait for one another, and not each for the other.
    """
    if not tokens:
        return {}
    wanted = sorted(tokens)
    savepoint = connection.begin_nested()
    try:
        mine = _insert(connection, database, wanted, now)
    except DBAPIError as error:
        if database.meaning(error) is not Fault.LOCKED:
            raise
        savepoint.rollback()
        return _claim_each(connection, database, wanted, now)
    savepoint.commit()
    return {token: _earlier(connection, token) for token in wanted if token[:2] not in mine}


def settle(connection: Connection, replies: dict[IdempotencyKey, Reply | None]) -> None:
    """Keep each reply with its token; a token without one may be claimed again."""
    names = {token: {"of_scope": token.scope, "of_key": token.key} for token in sorted(replies)}
    done = [
        {**name, "status": reply.status, "body": reply.body}
        for token, name in names.items()
        if (reply := replies[token]) is not None
    ]
    if done:
        connection.execute(update(TOKENS).where(OF_TOKEN), done)
    failed = [name for token, name in names.items() if replies[token] is None]
    if failed:
        connection.execute(delete(TOKENS).where(OF_TOKEN), failed)


def sweep(connection: Connection, before: float, limit: int) -> int:
    """Forget tokens that came before; how many, at most `limit`."""
    old = select(TOKENS.c.scope, TOKENS.c.key).where(TOKENS.c.created < before).limit(limit)
    names = [{"of_scope": row.scope, "of_key": row.key} for row in connection.execute(old)]
    if names:
        connection.execute(delete(TOKENS).where(OF_TOKEN), names)
    return len(names)


def _insert(
    connection: Connection, database: Database, tokens: Sequence[IdempotencyKey], now: float
) -> set[tuple[str, str]]:
    """Those that nobody had claimed. `rowcount` cannot tell: psycopg does not know it here."""
    new = database.insert(TOKENS).on_conflict_do_nothing().returning(TOKENS.c.scope, TOKENS.c.key)
    rows = [{**token._asdict(), "status": 0, "body": b"", "created": now} for token in tokens]
    return {(scope, key) for scope, key in connection.execute(new, rows)}


def _claim_each(
    connection: Connection, database: Database, tokens: Sequence[IdempotencyKey], now: float
) -> dict[IdempotencyKey, Answer]:
    """Claim one by one, now that another commit has held one of them for too long."""
    database.wait(connection, IMPATIENCE)
    answers = dict[IdempotencyKey, Answer]()
    for token in tokens:
        savepoint = connection.begin_nested()
        try:
            mine = _insert(connection, database, [token], now)
        except DBAPIError as error:
            if database.meaning(error) is not Fault.LOCKED:
                raise
            savepoint.rollback()
            answers[token] = IdempotencyKeyInProgress(IN_PROGRESS)
            continue
        savepoint.commit()
        if not mine:
            answers[token] = _earlier(connection, token)
    database.wait(connection, PATIENCE)
    return answers


def _earlier(connection: Connection, token: IdempotencyKey) -> Answer:
    chosen = select(TOKENS.c.digest, TOKENS.c.status, TOKENS.c.body).where(OF_TOKEN)
    name = {"of_scope": token.scope, "of_key": token.key}
    row = connection.execute(chosen, name).first()
    if row is None:
        return IdempotencyKeyInProgress(IN_PROGRESS)  # swept this very moment
    if row.digest != token.digest:
        return IdempotencyKeyReused("this idempotency key came before, with another request")
    return Written(Reply(row.status, row.body), replayed=True)
