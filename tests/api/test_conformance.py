"""Whatever the OpenAPI document allows is answered as the document says."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from httpx import AsyncClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS
from starlette.types import Receive, Scope, Send

from kullback.main import create_app
from kullback.payload.media import ARROW, ARROW_FILE, CSV, JSON, LINES, PARQUET
from kullback.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]


@schemathesis.serializer(ARROW, ARROW_FILE, PARQUET, CSV, *LINES)
def _as_it_is(_: schemathesis.SerializationContext, value: bytes) -> bytes:
    return value


APPS = [create_app(Settings())]


@pytest.fixture(scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An application that has been started, and that has a monitor."""
    url = f"sqlite:///{tmp_path_factory.mktemp('openapi')}/kullback.db"
    app = create_app(Settings(database_url=url))
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
    ):
        APPS.append(app)
        portal.call(_monitored, app)
        yield
        APPS.pop()


async def _monitored(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with AsyncClient(transport=transport, base_url="http://kullback") as client:
        await client.put("/v1/monitors/clicks", json={"slices": ["country"]})


async def unstopped(scope: Scope, receive: Receive, send: Send) -> None:
    """The application, which is not stopped after each request."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
    else:
        await APPS[-1](scope, receive, send)


schema = schemathesis.openapi.from_asgi("/openapi.json", unstopped)
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
CHOSEN: list[Any] = [check for check in CHECKS.get_all() if check.__name__ in WANTED]


@pytest.mark.usefixtures("_started")
@schema.include(path_regex="^/v1/|^/problems/|^/livez").parametrize()
@hypothesis_settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_the_document_allows_is_answered_as_it_says(case: schemathesis.Case[Any]) -> None:
    assert len(CHOSEN) == len(WANTED)
    if case.path.startswith("/v1/monitors/{name}") and case.method != "DELETE":
        case.path_parameters["name"] = "clicks"  # which is there
    if case.path.startswith("/v1/scores/") and case.media_type == JSON:
        case.query.clear()  # JSON has no options beside it
    case.call_and_validate(checks=CHOSEN)
