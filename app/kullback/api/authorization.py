"""Authorized routes: those that ask who is there."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from kullback.api.credentials import check_host
from kullback.api.scopes import rule_of

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
