"""The gate: lets requests in, by their route and by whoever asks."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from starlette.requests import Request
from starlette.types import Scope

from kullback.access.book import KeyBook
from kullback.access.limits import TokenBuckets
from kullback.access.ring import (
    ANYBODY,
    AWAY_SECONDS,
    REFRESH_SECONDS,
    STALE_SECONDS,
    Caller,
    KeyRing,
)
from kullback.access.sessions import Session, Sessions
from kullback.access.tokens import TokenVerifier
from kullback.api.authorization import authorize
from kullback.api.credentials import (
    NO_VALID_KEY,
    EndedKey,
    NoCredentials,
    bearer,
    check_host,
    check_origin,
    is_local,
    session_token,
)
from kullback.api.failures import Failures, audit
from kullback.api.scopes import READING, Protected
from kullback.api.session_lookups import SessionLookups
from kullback.errors import (
    AccessRefused,
    Misdirected,
    RateLimited,
    StoreUnavailable,
    Unauthenticated,
)

Result = TypeVar("Result")
PATIENCE_SECONDS = 1.0
NO_KEYS = "browsers need a key, and there is none: kullback keys create makes one"


def caller_of(request: Request) -> Caller:
    """Who asks, once they were admitted."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def has_session(request: Request) -> bool:
    """Whether whoever asks has logged in, and can log out."""
    caller: Caller | None = request.scope.get("state", {}).get("caller")
    return caller is not None and caller.has_session


class Gate:
    """Lets requests in, by their route and by the key they carry.

    Without any key everything is open, but only where nobody else can reach it, unless
    `is_open` says that somebody wants it so.
    """

    def __init__(
        self, *, is_open: bool, hosts: frozenset[str], tokens: TokenVerifier | None = None
    ) -> None:
        self._is_open = is_open
        self._tokens = tokens
        self._hosts = hosts
        self._ring: KeyRing | None = None
        self._book: KeyBook | None = None
        self._sessions: SessionLookups | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._away_until = 0.0
        self._requests = TokenBuckets()
        self._failures = Failures()

    def open(self, ring: KeyRing, book: KeyBook, sessions: Sessions) -> None:
        """Begin to admit, by keys that were read from this book, and sessions of them."""
        self._ring, self._book, self._sessions = ring, book, SessionLookups(sessions)

    def close(self) -> None:
        """Admit nobody any more, except where everybody is."""
        if self._sessions is not None:
            self._sessions.close()
        self._ring, self._book, self._sessions = None, None, None

    @property
    def book(self) -> KeyBook:
        """The book of all keys.

        Raises:
            StoreUnavailable: it is not open.
        """
        if self._book is None:
            raise StoreUnavailable("the store is not open")
        return self._book

    @property
    def sessions(self) -> SessionLookups:
        """The sessions of browsers.

        Raises:
            StoreUnavailable: the store is not open.
        """
        if self._sessions is None:
            raise StoreUnavailable("the store is not open")
        return self._sessions

    async def work(
        self, request: Request, event: str, work: Callable[[], tuple[str, Result]]
    ) -> Result:
        """Change keys, effective here at once, and say in the log who did.

        `work` returns the id of the key, and the result.
        """

        def changed() -> tuple[str, Result]:
            outcome = work()
            if self._ring is not None:
                _refreshed(self._ring)
            return outcome

        key, result = await asyncio.to_thread(changed)
        _say(event, caller_of(request).key, key)
        return result

    async def admit(self, scope: Scope, route: Protected) -> None:
        """Say in the scope who asks.

        Raises:
            Unauthenticated: there is no valid key.
            Forbidden: the key lacks the scope, or the name is not its own to give.
            NotFound: there is something of another's name, or not.
            RateLimited: the key, or the address without a valid one, has asked too often.
            StoreUnavailable: keys cannot be read now.
        """
        rule = route.rule
        need = rule.reading if scope["method"] in READING else rule.writing
        if need != "open" or rule.page:
            check_host(scope, self._hosts)
        if need == "open":
            return
        ring = await self._current()
        longest = AWAY_SECONDS if rule.from_memory else STALE_SECONDS
        if ring.age > longest and (ring.has_keys or not rule.from_memory):
            raise StoreUnavailable("keys cannot be read now")
        try:
            caller = await self._caller(ring, scope)
            scope["state"]["caller"] = caller
            self._count(caller)
            authorize(caller, need, route, scope)
        except AccessRefused as refusal:
            raise self._failures.recorded(refusal, scope, route) from None

    def admits_at_once(self, scope: Scope, route: Protected) -> bool:
        """Whether `admit` would let a request in without waiting; then the scope says who asks.

        Where it would wait, count or refuse, nothing has happened.
        """
        ring, need = self._ring, route.rule.writing
        if ring is None or ring.age > REFRESH_SECONDS or route.rule.missing is not None:
            return False
        try:
            check_host(scope, self._hosts)
            key = None if self._tokens is not None else bearer(scope)
            is_anybody = self._admits_anybody(ring, scope)
        except (AccessRefused, Misdirected):
            return False
        caller = ANYBODY if is_anybody else None if key is None else ring.caller(key)
        if caller is None or caller.requests_per_second is not None or need not in caller.scopes:
            return False
        scope["state"]["caller"] = caller
        return True

    async def log_in(self, request: Request, key: bytes) -> str | None:
        """The token of a new session of whoever has this key; none where none is needed.

        Raises:
            Unauthenticated: the key is not valid.
            Forbidden: the page that asks is not ours.
            RateLimited: too many wrong keys came from there, or this one came too often.
            StoreUnavailable: the session cannot be kept.
            Overloaded: too many log in.
        """
        scope = request.scope
        check_origin(scope)
        ring, sessions = await self._current(), self.sessions
        if self._admits_anybody(ring, scope):
            return None
        caller = ring.caller(key)
        if caller is None and not ring.has_keys:
            raise self._failures.recorded(Unauthenticated(NO_KEYS), scope, scope["route"])
        if caller is None:
            raise self._failures.recorded(_unknown(ring, key), scope, scope["route"])
        self._count(caller)
        token = await sessions.begin(caller.key, caller.salt, session_token(scope))
        _say("logged in", caller.key, caller.key)
        return token

    async def log_out(self, request: Request) -> None:
        """End the session of a browser, if it has one.

        Raises:
            Forbidden: the page that asks is not ours.
            RateLimited: too many tokens of no session came from there.
            StoreUnavailable: the session cannot be ended.
        """
        scope = request.scope
        check_origin(scope)
        token = session_token(scope)
        if token is None:
            return
        if await self._session(scope, token) is not None:
            await self.sessions.end(token)
        else:
            self._failures.recorded(Unauthenticated(NO_VALID_KEY), scope, scope["route"])

    async def _current(self) -> KeyRing:
        """The keys, read again where that is due.

        Nobody waits for that before they are old, and not again while the store is away.

        Raises:
            StoreUnavailable: the service is starting or stopping.
        """
        ring = self._ring
        if ring is None:
            raise StoreUnavailable("the service is starting or stopping")
        if ring.age > REFRESH_SECONDS:
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(asyncio.to_thread(_refreshed, ring))
            if ring.age > STALE_SECONDS and monotonic() > self._away_until:
                await asyncio.wait({self._refreshing}, timeout=PATIENCE_SECONDS)
                if ring.age > STALE_SECONDS:
                    self._away_until = monotonic() + STALE_SECONDS
        return ring

    def _admits_anybody(self, ring: KeyRing, scope: Scope) -> bool:
        has_keys = ring.has_keys or self._tokens is not None
        return not has_keys and (self._is_open or is_local(scope))

    async def _caller(self, ring: KeyRing, scope: Scope) -> Caller:
        if self._admits_anybody(ring, scope):
            return ANYBODY
        key = bearer(scope)
        if key is not None and self._tokens is not None and not key.startswith(b"kb_"):
            if self._tokens.is_due(key):
                await asyncio.to_thread(_refreshed, self._tokens)
            caller = self._tokens.caller(key)
        elif key is not None:
            caller = ring.caller(key)
        elif (token := session_token(scope)) is not None:
            if scope["method"] not in READING:
                check_origin(scope)
            session = await self._session(scope, token)
            caller = None if session is None else ring.caller_of(session)
        else:
            raise NoCredentials("a key is needed: Authorization: Bearer kb_…")
        if caller is None:
            raise _unknown(ring, key)
        return caller

    async def _session(self, scope: Scope, token: str) -> Session | None:
        """The session of a token, looked up only for those who may have one."""
        if not self.sessions.was_valid(token):
            self._failures.check(scope)
        return await self.sessions.find(token)

    def _count(self, caller: Caller) -> None:
        """Count a request of a key that may make so many."""
        if caller.requests_per_second is None:
            return
        seconds = self._requests.take(caller.key, caller.requests_per_second)
        if seconds:
            rate = caller.requests_per_second
            times = f"{rate:g} time{'' if rate == 1 else 's'}"
            raise RateLimited(f"this key may ask {times} a second", seconds)


def _unknown(ring: KeyRing, key: bytes | None) -> Unauthenticated:
    ended = None if key is None else ring.ended(key)
    return Unauthenticated(NO_VALID_KEY) if ended is None else EndedKey(*ended)


def _say(event: str, key: str, subject: str) -> None:
    fields = {"event": event, "key": key, "subject": subject}
    audit.info(event, extra={"fields": fields})


def _refreshed(keys: KeyRing | TokenVerifier) -> None:
    try:
        keys.refresh()
    except StoreUnavailable as error:
        audit.warning("keys cannot be read: %s", error.message)
