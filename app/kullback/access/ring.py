"""The key ring: every key as it was read last, and whom it lets in."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from kullback.access.keys import AccessKey, Credentials, ScopeName, SecretDigest, has_prefix
from kullback.access.sessions import Session
from kullback.errors import Forbidden
from kullback.moments import Clock

REFRESH_SECONDS = 2.0
STALE_SECONDS = 5.0  # a revoked key opens nothing later than this, but for what needs no store
AWAY_SECONDS = 900.0  # nor that later than this, while keys cannot be read


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what they may do, and the names that are theirs."""

    key: str  # the id of a key; empty where none is needed
    scopes: frozenset[ScopeName]
    prefixes: tuple[str, ...] = ()
    requests_per_second: float | None = None
    salt: str = ""  # which of the key's secrets was sent
    has_session: bool = False

    def sees(self, name: str) -> bool:
        """Whether a monitor or an experiment of this name is there for them."""
        return has_prefix(name, self.prefixes)

    def may_create(self, name: str) -> None:
        """Let them give this name to something.

        Raises:
            Forbidden: it is not theirs to give.
        """
        if not self.sees(name):
            names = " or ".join(self.prefixes)
            raise Forbidden(f"this key is for names that begin with {names}")


ANYBODY = Caller("", frozenset({"score", "read", "write"}))
# What an unknown key is compared with, so that it takes as long as one that is known.
_NOBODY = AccessKey("", "", (), (SecretDigest("00" * 16, "00" * 32),), 0.0)


class KeyRing:
    """Keys in memory: a request costs no look at the store, and neither does a wrong key."""

    def __init__(
        self,
        load: Callable[[], Sequence[AccessKey]],
        pepper: bytes = b"",
        clock: Clock = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._pepper = pepper
        self._clock = clock
        self._monotonic = monotonic
        self._keys: Mapping[str, AccessKey] = {}
        self._read_at = float("-inf")
        self._lock = Lock()

    def refresh(self) -> None:
        """Read every key again.

        Raises:
            StoreUnavailable: they cannot be read; those that were read last stay.
        """
        began = self._monotonic()
        keys = {key.id: key for key in self._load()}
        with self._lock:
            if began >= self._read_at:  # a later look may have been the faster
                self._keys, self._read_at = keys, began

    @property
    def age(self) -> float:
        """Seconds since the keys were read."""
        return self._monotonic() - self._read_at

    @property
    def has_keys(self) -> bool:
        """Whether there is a key, even one that opens nothing any more: then all need one."""
        return bool(self._keys)

    def caller(self, text: bytes) -> Caller | None:
        """Whoever has this key; none where there is no such key, or it is not valid."""
        credentials = Credentials.of(text) or Credentials("", text)
        key, now = self._keys.get(credentials.id, _NOBODY), self._clock()
        salt = key.salt_of(credentials.secret, self._pepper, now)
        return None if salt is None else self._holder(key, salt, has_session=False)

    def ended(self, text: bytes) -> tuple[str, str] | None:
        """The id of a key that opens nothing any more, and why; none of a secret of no key."""
        credentials = Credentials.of(text)
        key = None if credentials is None else self._keys.get(credentials.id)
        if (
            credentials is None
            or key is None
            or not key.has_secret(credentials.secret, self._pepper)
        ):
            return None
        if key.is_valid(self._clock()):
            return key.id, "replaced"
        return key.id, "expired" if key.revoked is None else "revoked"

    def caller_of(self, session: Session) -> Caller | None:
        """Whoever has this session; none where its key or that key's secret is not valid."""
        key = self._keys.get(session.key, _NOBODY)
        if not key.has_salt(session.salt, self._clock()):
            return None
        return self._holder(key, session.salt, has_session=True)

    def _holder(self, key: AccessKey, salt: str, *, has_session: bool) -> Caller | None:
        if key is _NOBODY or not key.is_valid(self._clock()):
            return None
        scopes = frozenset(key.scopes)
        rate = key.requests_per_second
        return Caller(key.id, scopes, key.prefixes, rate, salt, has_session)
