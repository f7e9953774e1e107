"""One group commit: the writes that share it, and the result of each."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from kullback.errors import StoreUnavailable
from kullback.storage import idempotency
from kullback.storage.base import IdempotencyKey, Merge, Reply, Written
from kullback.storage.database import IMPATIENCE, Database, Fault, Raced
from kullback.storage.sums import PendingSums
from kullback.storage.transaction import SqlTransaction

LOGGER = logging.getLogger("kullback.storage")
ATTEMPTS = 4  # the first, and three more for what two at once did to each other
Work = Callable[[SqlTransaction], Reply]
Outcome = Written | Exception


class PendingWrite(NamedTuple):
    """What is to be done, and the key by which it is done once."""

    work: Work
    key: IdempotencyKey | None


class Fatal(StoreUnavailable):
    """Nothing that was written can be trusted any more."""


class Committer:
    """Does writes together in one transaction; each happens as a whole, or not at all."""

    def __init__(self, database: Database, merge: Merge, clock: Callable[[], float]) -> None:
        self._database = database
        self._merge = merge
        self._clock = clock
        self._is_away = False

    def commit(self, writes: Sequence[PendingWrite]) -> list[Outcome]:
        """What became of each write.

        Raises:
            Fatal: the disk failed under it; what has happened is unknown.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                outcomes = self._attempt(writes, is_last=attempt == ATTEMPTS)
            except Exception as error:  # noqa: BLE001 - whatever it is, the callers are told
                fault = self._database.meaning(error)
                if fault is not Fault.RACED or attempt == ATTEMPTS or len(writes) > 1:
                    return self._failed(writes, fault, error)
            else:
                self._say_back()
                return outcomes

    def _attempt(self, writes: Sequence[PendingWrite], *, is_last: bool) -> list[Outcome]:
        database = self._database
        with database.writer.connect() as connection, connection.begin():
            wanted = [write.key for write in writes if write.key is not None]
            earlier = idempotency.claim(connection, database, wanted, self._clock())
            outcomes, sums = list[Outcome](), PendingSums()
            replies = dict[IdempotencyKey, idempotency.KeptReply | None]()
            for write in writes:
                if write.key is not None and write.key in earlier:
                    outcomes.append(earlier[write.key])
                    continue
                transaction = SqlTransaction(connection, database, self._merge, sums)
                outcome = self._apply(connection, write.work, transaction, is_last=is_last)
                outcomes.append(outcome)
                kept = None
                if isinstance(outcome, Written):
                    sums = transaction.sums()
                    kept = idempotency.KeptReply(outcome.reply, transaction.wrote)
                    if transaction.has_moved_keys:  # to those of writes that are still to come
                        earlier |= idempotency.answered(connection, wanted, self._clock())
                if write.key is not None:
                    replies[write.key] = kept
            sums.write(connection, database, self._merge)
            idempotency.settle(connection, replies)
        return outcomes

    def _apply(
        self, connection: Connection, work: Work, transaction: SqlTransaction, *, is_last: bool
    ) -> Outcome:
        """What one write came to."""
        savepoint = connection.begin_nested()
        try:
            reply = work(transaction)
        except Exception as error:
            fault = self._database.meaning(error)
            is_lost = is_last and isinstance(error, Raced)
            if not is_lost and fault not in (Fault.OWN, Fault.LOCKED):
                raise
            savepoint.rollback()
            if fault is Fault.LOCKED:
                self._database.wait(connection, IMPATIENCE)  # the others of this commit wait too
                return _unavailable(error)
            return error
        savepoint.commit()
        return Written(reply, replayed=False)

    def _failed(
        self, writes: Sequence[PendingWrite], fault: Fault, error: Exception
    ) -> list[Outcome]:
        if fault is Fault.AWAY:
            self._say_away(error)
        if fault is Fault.FATAL:
            raise Fatal(f"the store failed: {reason(error)}") from error
        if fault in (Fault.OWN, Fault.RACED) and len(writes) > 1:
            # Each alone: one that is wrong harms nobody, and a single write takes its locks in
            # order, so that it can be overtaken but not be caught in a deadlock again and again.
            return [self.commit([write])[0] for write in writes]
        return [error if fault is Fault.OWN else _unavailable(error) for _ in writes]

    def _say_away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            said = "the store cannot be written: %s; writes are answered 503 until it can"
            LOGGER.warning(said, reason(error))

    def _say_back(self) -> None:
        if self._is_away:
            self._is_away = False
            LOGGER.warning("the store can be written again")


def _unavailable(error: Exception) -> StoreUnavailable:
    unavailable = StoreUnavailable(f"the store cannot be written now{for_callers(error)}")
    unavailable.__cause__ = error
    return unavailable


def reason(error: Exception) -> str:
    """What the engine said: its first line, which holds no value that was sent."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return str(said).partition("\n")[0]


def for_callers(error: Exception) -> str:
    """What of a reason may leave the service: a server says where it is and who logs in."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return f": {original}" if isinstance(original, sqlite3.Error) else ""
