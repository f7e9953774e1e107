"""Authorized routes: those that ask who is there."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from kullback.access.ring import ANYBODY, Caller
from kullback.api.credentials import check_host
from kullback.api.scopes import Need, Protected, rule_of
from kullback.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from kullback.api.gate import Gate


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


class ManagementRoute(APIRoute):
    """A route on the port of probes and metrics: open to whoever reaches that by its own name."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See starlette.routing.Route."""
        check_host(scope, frozenset())
        await super().handle(scope, receive, send)


def check_routes(routes: Iterable[BaseRoute]) -> None:
    """Let no route be without a rule.

    Raises:
        TypeError: one would not ask the gate.
    """
    for route in routes:
        if not isinstance(route, AuthorizedRoute):
            raise TypeError(f"{route} does not ask who is there: make it an AuthorizedRoute")


def authorize(caller: Caller, need: Need, route: Protected, scope: Scope) -> None:
    """Let a caller do this.

    Raises:
        Forbidden: the key lacks the scope, or the name is not its own to give.
        NotFound: there is something of another's name, or not.
    """
    if need == "admin" and caller is ANYBODY:
        raise Forbidden("there are no keys yet: stop the service and run `kullback keys create`")
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
