"""Sessions of browsers: a random token in a cookie, and a digest of it in the store."""

import re
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe

from pydantic import TypeAdapter

from kullback.documents import to_json
from kullback.moments import HOUR, Clock
from kullback.storage.base import DONE, Reply, Store, Transaction

KIND = "session"
LIFETIME_SECONDS = 12 * HOUR
SWEEP_SECONDS = HOUR  # between two looks for what has expired

_token = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch


@dataclass(frozen=True, slots=True)
class Session:
    """Whose session it is: the key that it was begun with, and which secret of that."""

    key: str
    salt: str
    expires: float


_SESSION = TypeAdapter(Session)


class Sessions:
    """Sessions that all replicas share; none outlives its time, its key or its key's secret."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._swept = float("-inf")

    def begin(self, key: str, salt: str) -> str:
        """A new session; its token. Now and then those that have expired are removed."""
        token, now = token_urlsafe(32), self._clock()
        document = to_json(Session(key, salt, now + LIFETIME_SECONDS))
        expired = []
        if abs(now - self._swept) >= SWEEP_SECONDS:
            self._swept = now
            expired = [
                record.id
                for record in self._store.records(KIND)
                if _SESSION.validate_json(record.document).expires <= now
            ]

        def work(tx: Transaction) -> Reply:
            for record in expired:
                tx.delete(record)
            tx.create(KIND, name_of(token), document, now)
            return DONE

        self._store.write(work).result()
        return token

    def find(self, token: str) -> Session | None:
        """The session of a token, while it lasts."""
        record = self._store.record(KIND, name_of(token))
        session = None if record is None else _SESSION.validate_json(record.document)
        return session if session is not None and self._clock() < session.expires else None

    def end(self, token: str) -> None:
        """Let a token open nothing any more."""

        def work(tx: Transaction) -> Reply:
            record = tx.record(KIND, name_of(token), for_change=True)
            if record is not None:
                tx.delete(record.id)
            return DONE

        self._store.write(work).result()


def is_token(text: str) -> bool:
    """Whether it looks like a token."""
    return _token(text) is not None


def name_of(token: str) -> str:
    """What is kept of a token: a digest."""
    return sha256(token.encode()).hexdigest()
