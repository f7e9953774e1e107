"""The routes of the service itself: probes, counters, and the pages about the API."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from kullback.api.authorization import AuthorizedRoute
from kullback.api.problems import problems
from kullback.api.workers import Deadlines, WorkerPool
from kullback.errors import NotFound, Overloaded

PROBE_SECONDS = 5.0
STUCK_SECONDS = 30.0  # without a turn of the event loop
# What stands at /metrics, for who sent these headers from this address and port.
Expose = Callable[[Mapping[str, str], tuple[str, int] | None], tuple[bytes, str]]

_EXPOSED = ("text/plain", "application/openmetrics-text")
STATIC = Path(__file__).parent.parent / "ui" / "static"


class Readiness:
    """Whether requests should be sent here: from start-up until the shutdown begins."""

    def __init__(self) -> None:
        self.is_ready = False
        self.check: Callable[[], None] = lambda: None  # raises StoreUnavailable
        self.beaten: Callable[[], None] = lambda: None  # who else is told that the loop turns
        self._turned_at: float | None = None

    def beat(self) -> None:
        """Say that the event loop turns; from now on it must."""
        self._turned_at = monotonic()
        self.beaten()

    def rest(self) -> None:
        """Send no more requests here; the event loop may end."""
        self.is_ready, self._turned_at = False, None

    @property
    def is_stuck(self) -> bool:
        """Whether the event loop has not turned for long."""
        return self._turned_at is not None and monotonic() - self._turned_at > STUCK_SECONDS


class Health(BaseModel):
    """State of the service."""

    status: str = Field(description="`alive` or `ready`.")


def probe_workers() -> WorkerPool:
    """Who asks the store whether it is there."""
    return WorkerPool(1, 8, "probe", Deadlines(PROBE_SECONDS, PROBE_SECONDS))


def router(
    readiness: Readiness, workers: WorkerPool, route_class: type[APIRoute] = AuthorizedRoute
) -> APIRouter:
    """Probes."""
    routes = APIRouter(tags=["system"], route_class=route_class)

    @routes.get("/livez", operation_id="livez", responses=problems(Overloaded))
    async def livez() -> Health:
        """Answer while the event loop turns; nothing else is checked."""
        if readiness.is_stuck:
            raise Overloaded(f"the event loop has not turned for {STUCK_SECONDS:g} seconds")
        return Health(status="alive")

    @routes.get("/readyz", operation_id="readyz", responses=problems(Overloaded))
    async def readyz() -> Health:
        """Answer 200 while requests may be sent here, 503 while it stops or its store is away."""
        if not readiness.is_ready:
            raise Overloaded("the service is starting or stopping")
        await workers.run(readiness.check)
        return Health(status="ready")

    return routes


def scrape_workers() -> WorkerPool:
    """Who writes metrics."""
    return WorkerPool(1, 8, "scrape")


def metrics_router(
    expose: Expose, workers: WorkerPool, route_class: type[APIRoute] = AuthorizedRoute
) -> APIRouter:
    """Metrics."""
    routes = APIRouter(tags=["system"], route_class=route_class)

    @routes.get(
        "/metrics",
        operation_id="metrics",
        response_class=Response,
        responses={200: {"content": {kind: {"schema": {"type": "string"}} for kind in _EXPOSED}}},
    )
    async def metrics(request: Request) -> Response:
        """Every counter for Prometheus; OpenMetrics where `Accept` asks for it."""
        text, media_type = await workers.run(lambda: expose(request.headers, request.client))
        return Response(text, headers={"content-type": media_type})

    return routes


class _ElsewhereRoute(AuthorizedRoute):
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See starlette.routing.Route; nobody needs a key to be told."""
        del scope, receive, send
        raise NotFound("metrics are on KULLBACK_METRICS_PORT here")


def metrics_elsewhere() -> APIRouter:
    """What is told where metrics have a port of their own."""
    routes = APIRouter(include_in_schema=False, route_class=_ElsewhereRoute)
    routes.get("/metrics")(lambda: None)
    return routes


class _CompressedRoute(AuthorizedRoute):
    """A route of what a browser gets faster where it is compressed."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See AuthorizedRoute."""
        await GZipMiddleware(super().serve, compresslevel=6)(scope, receive, send)


def pages(document: Callable[[], dict[str, Any]]) -> APIRouter:
    """The pages a person opens, and what they load."""
    routes = APIRouter(include_in_schema=False, route_class=AuthorizedRoute)
    files = StaticFiles(directory=STATIC)

    @routes.get("/openapi.json")
    async def openapi() -> JSONResponse:
        """Describe the API to programs."""
        return JSONResponse(document())

    # A mount would do, but a request to one is counted under no route.
    async def static(path: str, request: Request) -> Response:
        """Serve a file that a page loads."""
        return await files.get_response(path, request.scope)

    routes.add_api_route("/static/{path:path}", static, route_class_override=_CompressedRoute)

    return routes
