"""Authorization: the scope that each route needs, and the gate that asks for it."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any, Literal, NamedTuple, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from kullback.access.book import KeyBook
from kullback.access.limits import TokenBuckets, network
from kullback.access.ring import ANYBODY, REFRESH_SECONDS, STALE_SECONDS, Caller, KeyRing
from kullback.errors import (
    AccessRefused,
    Forbidden,
    KullbackError,
    NotFound,
    RateLimited,
    StoreUnavailable,
    Unauthenticated,
)
from kullback.experiments.writes import StoredExperiment
from kullback.monitoring.writes import StoredMonitor

Result = TypeVar("Result")
Need = Literal["open", "score", "read", "write", "admin"]
FAILURES_PER_SECOND = 1.0
FAILURES_AT_ONCE = 10.0

_audit = logging.getLogger("kullback.audit")


class Rule(NamedTuple):
    """What reading and writing under a path need; a need of everything means every name."""

    reading: Need
    writing: Need
    everything: bool = False
    missing: Callable[[None, str], object] | None = None  # raises NotFound of a name


# A path, or the beginning of one. What is not here does not start: nothing is open by oversight.
RULES: dict[str, Rule] = {
    "/v1/scores": Rule("open", "score"),  # to read is the catalog, which docs/metrics.md has too
    "/v1/monitors": Rule("read", "write", missing=StoredMonitor.of),
    "/v1/experiments": Rule("read", "write", missing=StoredExperiment.of),
    "/v1/keys": Rule("admin", "admin", everything=True),
    "/metrics": Rule("read", "read", everything=True),
    "/livez": Rule("open", "open"),
    "/readyz": Rule("open", "open"),
    "/problems": Rule("open", "open"),
    "/openapi.json": Rule("open", "open"),
    "/docs": Rule("open", "open"),
    "/static": Rule("open", "open"),
    "/": Rule("read", "read"),
    "/monitors": Rule("read", "read"),
    "/experiments": Rule("read", "read"),
    "/playground": Rule("score", "score"),
}
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def rule_of(path: str) -> Rule:
    """The rule of a route, by its path template.

    Raises:
        LookupError: there is none, so the service must not start.
    """
    begins = (at for at in RULES if path == at or (path.startswith(f"{at}/") and at != "/"))
    longest = max(begins, key=len, default=None)
    if longest is None:
        raise LookupError(f"{path} has no scope: name one in {__name__}.RULES")
    return RULES[longest]


class AuthorizedRoute(APIRoute):
    """A route that asks the gate before anything of the request is read."""

    def __init__(self, path: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(path, *arguments, **options)
        self.rule = rule_of(path)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See starlette.routing.Route."""
        gate: Gate = scope["app"].state.gate
        await gate.admit(scope, self)
        await self.serve(scope, receive, send)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request that was admitted."""
        await super().handle(scope, receive, send)


def check_routes(routes: Iterable[BaseRoute]) -> None:
    """Let no route be without a rule.

    Raises:
        TypeError: one would not ask the gate.
    """
    for route in routes:
        if not isinstance(route, AuthorizedRoute):
            raise TypeError(f"{route} does not ask who is there: make it an AuthorizedRoute")


def caller_of(request: Request) -> Caller:
    """Who asks, once they were admitted."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


class Gate:
    """Lets requests in, by their route and by the key they carry.

    Without any key everything is open, but only where nobody else can reach it, unless
    `is_open` says that somebody wants it so.
    """

    def __init__(self, *, is_open: bool) -> None:
        self._is_open = is_open
        self._ring: KeyRing | None = None
        self._book: KeyBook | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._requests = TokenBuckets()
        self._failures = TokenBuckets()

    def open(self, ring: KeyRing, book: KeyBook) -> None:
        """Begin to admit, by keys that were read from this book."""
        self._ring, self._book = ring, book

    def close(self) -> None:
        """Admit nobody any more, except where everybody is."""
        self._ring, self._book = None, None

    @property
    def book(self) -> KeyBook:
        """The book of all keys.

        Raises:
            StoreUnavailable: it is not open.
        """
        if self._book is None:
            raise StoreUnavailable("the store is not open")
        return self._book

    async def work(
        self, request: Request, event: str, work: Callable[[], tuple[str, Result]]
    ) -> Result:
        """Change keys, effective here at once, and say in the log who did.

        `work` returns the id of the key, and the result.
        """

        def changed() -> tuple[str, Result]:
            outcome = work()
            if self._ring is not None:
                self._ring.refresh()
            return outcome

        key, result = await asyncio.to_thread(changed)
        fields = {"event": event, "key": caller_of(request).key, "subject": key}
        _audit.info(event, extra={"fields": fields})
        return result

    async def admit(self, scope: Scope, route: AuthorizedRoute) -> None:
        """Say in the scope who asks.

        Raises:
            Unauthenticated: there is no valid key.
            Forbidden: the key lacks the scope, or the name is not its own to give.
            NotFound: there is something of another's name, or not.
            RateLimited: the key, or the address without a valid one, has asked too often.
            StoreUnavailable: keys cannot be read now.
        """
        need = route.rule.reading if scope["method"] in READING else route.rule.writing
        if need == "open":
            return
        ring = self._ring
        if ring is None:
            raise StoreUnavailable("the service is starting or stopping")
        if ring.age > REFRESH_SECONDS:
            await self._refresh(ring)
            if ring.age > STALE_SECONDS and need != "score":  # a score shows nothing of others
                raise StoreUnavailable("keys cannot be read now")
        try:
            caller = self._caller(ring, scope)
            scope["state"]["caller"] = caller
            _authorize(caller, need, route, scope)
        except AccessRefused as refusal:
            raise self._recorded(refusal, scope, route) from None
        if caller.requests_per_second is not None:
            seconds = self._requests.take(caller.key, caller.requests_per_second)
            if seconds:
                limit = f"{caller.requests_per_second:g} requests a second are for this key"
                raise RateLimited(limit, seconds)

    async def _refresh(self, ring: KeyRing) -> None:
        """Read the keys again; nobody waits for that before they are old."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(_refreshed(ring))
        if ring.age > STALE_SECONDS:
            await asyncio.shield(self._refreshing)

    def _caller(self, ring: KeyRing, scope: Scope) -> Caller:
        if not ring.has_keys and (self._is_open or is_local(scope)):
            return ANYBODY
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        if not sent:
            raise Unauthenticated("a key is needed: Authorization: Bearer kb_…")
        scheme, _, text = sent[0].partition(b" ")
        caller = ring.caller(text.strip()) if scheme.lower() == b"bearer" else None
        if caller is None or len(sent) > 1:
            raise Unauthenticated("this is no valid key")
        return caller

    def _recorded(
        self, refusal: AccessRefused, scope: Scope, route: AuthorizedRoute
    ) -> KullbackError:
        """The refusal, in the log too; of many from one address, those that are not too many."""
        client = scope.get("client") or ("",)
        seconds = self._failures.take(network(client[0]), FAILURES_PER_SECOND, FAILURES_AT_ONCE)
        if seconds and isinstance(refusal, Unauthenticated):
            return RateLimited("too many requests without a valid key came from here", seconds)
        if not seconds:
            caller: Caller | None = scope["state"].get("caller")
            fields = {
                "event": "refused",
                "key": caller.key if caller else "",
                "method": scope["method"][:16],
                "route": route.path_format,
                "address": client[0],
                "reason": refusal.message,
            }
            _audit.warning("access refused", extra={"fields": fields})
        return refusal


async def _refreshed(ring: KeyRing) -> None:
    try:
        await asyncio.to_thread(ring.refresh)
    except StoreUnavailable as error:
        _audit.warning("keys cannot be read: %s", error.message)


def _authorize(caller: Caller, need: Need, route: AuthorizedRoute, scope: Scope) -> None:
    """Let a caller do this, or refuse it."""
    if need not in caller.scopes:
        raise Forbidden(f"this needs a key with the scope {need}")
    rule = route.rule
    if rule.everything and caller.prefixes:
        raise Forbidden("this shows everything: it needs a key that is not bound to prefixes")
    name: str | None = scope["path_params"].get("name")
    if rule.missing is None or name is None or caller.sees(name):
        return
    if scope["method"] == "PUT" and route.path.endswith("/{name}"):
        caller.may_create(name)
    rule.missing(None, name)
    raise NotFound("there is nothing of this name")


def is_local(scope: Scope) -> bool:
    """Whether a request came by an address that only this machine has."""
    host = (scope.get("server") or ("",))[0]
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a socket of the file system, or no socket at all
        return True
