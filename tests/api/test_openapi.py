"""The OpenAPI document says what the service does: every form, every refusal, nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pyarrow as pa
import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from httpx import AsyncClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS
from starlette.types import Receive, Scope, Send

from kullback.api.problems import MEDIA_TYPE
from kullback.main import create_app
from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from kullback.scoring.catalog import METRICS
from kullback.settings import Settings
from tests.payload.bodies import IS_ARROW, IS_JSON, IS_PARQUET, as_arrow, as_parquet

pytestmark = pytest.mark.anyio

Document = dict[str, Any]
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
REFERENCE = re.compile(r"#/components/schemas/(\w+)")
TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


@pytest.fixture
def document(app: FastAPI) -> Document:
    found: Document = app.openapi()
    return found


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Each path, method and operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def nodes(tree: object) -> Iterator[Document]:
    """Every object of the document."""
    if isinstance(tree, dict):
        yield tree
        for branch in tree.values():
            yield from nodes(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from nodes(branch)


def test_the_document_is_of_openapi_3_1(document: Document) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= document["info"].keys()
    for path, method, operation in operations(document):
        assert path.startswith("/")
        assert method in METHODS
        assert operation["responses"]
        named = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        for status, answer in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert answer["description"]


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: Document) -> None:
    schemas = document["components"]["schemas"]
    found = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    names = {match.group(1) for each in found if (match := REFERENCE.fullmatch(each))}
    assert len(names) == len(found)
    assert names == schemas.keys()


def test_no_schema_has_definitions_of_its_own_or_a_type_that_is_none(document: Document) -> None:
    for node in nodes(document):
        assert "$defs" not in node
        kind = node.get("type")
        if isinstance(kind, str) and ("properties" in node or "items" in node or "enum" in node):
            assert kind in TYPES


def test_every_operation_has_a_name_of_its_own(document: Document) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


def test_every_refusal_is_the_one_problem_schema(document: Document) -> None:
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "4":
                schema = {"$ref": "#/components/schemas/Problem"}
                assert answer["content"] == {MEDIA_TYPE: {"schema": schema}}


def test_fastapis_own_error_schemas_are_gone(document: Document) -> None:
    assert not {"HTTPValidationError", "ValidationError"} & document["components"]["schemas"].keys()


def test_there_is_a_post_for_every_metric(document: Document) -> None:
    posts = {path for path, method, _ in operations(document) if method == "post"}
    scores = {path for path in posts if path.startswith("/v1/scores/")}
    assert scores == {f"/v1/scores/{name}" for name in METRICS}


@pytest.mark.parametrize("metric", METRICS)
def test_every_post_names_its_forms_and_refusals(document: Document, metric: str) -> None:
    operation = document["paths"][f"/v1/scores/{metric}"]["post"]
    assert operation["requestBody"]["required"] is True
    assert operation["requestBody"]["content"].keys() == {JSON, ARROW, PARQUET}
    assert operation["responses"].keys() >= {"200", "400", "413", "415", "422", "503"}
    assert METRICS[metric].formula in operation["description"]
    schema = operation["requestBody"]["content"][JSON]["schema"]
    assert schema["additionalProperties"] is False
    assert all("description" in field for field in schema["properties"].values())


@pytest.mark.parametrize(
    ("path", "method"),
    [("observations", "post"), ("predictions", "post"), ("labels", "post"), ("reference", "put")],
)
def test_every_write_of_a_monitor_names_its_forms_and_refusals(
    document: Document, path: str, method: str
) -> None:
    operation = document["paths"][f"/v1/monitors/{{name}}/{path}"][method]
    content = operation["requestBody"]["content"]
    assert content.keys() == {JSON, ARROW, PARQUET, *LINES}
    refusals = {"400", "404", "409", "413", "415", "422", "503"}
    assert operation["responses"].keys() == {"200", *refusals}
    schema = content[JSON]["schema"]
    assert schema["additionalProperties"] is False
    assert all("description" in field for field in schema["properties"].values())


@pytest.mark.parametrize("metric", METRICS)
async def test_every_example_is_accepted(
    client: AsyncClient, document: Document, metric: str
) -> None:
    content = document["paths"][f"/v1/scores/{metric}"]["post"]["requestBody"]["content"]
    answer = await client.post(f"/v1/scores/{metric}", json=content[JSON]["example"])
    assert answer.status_code == 200


async def test_the_served_document_is_this_one(client: AsyncClient, document: Document) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_told_which_are_taken(
    client: AsyncClient, metric: str, method: str
) -> None:
    answer = await client.request(method, f"/v1/scores/{metric}")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}


async def test_the_catalog_is_only_read(client: AsyncClient) -> None:
    answer = await client.post("/v1/scores", json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


async def test_every_documented_refusal_happens(document: Document, settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"max_body_mb": 1, "inflight_mb": 1}))
    transport = httpx.ASGITransport(app)
    path = "/v1/scores/entropy"
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://kullback") as client,
    ):
        answers = [
            await client.post(path, content=b"[", headers=IS_JSON),
            await client.post(path, content=bytes(2 << 20), headers=IS_JSON),
            await client.post(path, content=b"", headers={"content-type": "text/plain"}),
            await client.post(path, content=b"{}", headers=IS_JSON),
            await client.post(path, content=as_arrow(pa.table({"p": [[1.0]]})), headers=IS_ARROW),
            await client.post(
                path, content=as_parquet(pa.table({"p": [[1.0]]})), headers=IS_PARQUET
            ),
        ]
    assert [answer.status_code for answer in answers] == [400, 413, 415, 422, 200, 200]
    declared = document["paths"][path]["post"]["responses"].keys()
    assert {str(answer.status_code) for answer in answers} <= declared


@schemathesis.serializer(ARROW, PARQUET, *LINES)
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
    async with AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kullback") as one:
        await one.put("/v1/monitors/clicks", json={"slices": ["country"]})


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
    case.call_and_validate(checks=CHOSEN)
