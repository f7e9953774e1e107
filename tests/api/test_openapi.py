"""The OpenAPI document says what the service does: every form, every refusal, nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pyarrow as pa
import pytest
from httpx import AsyncClient

from kullback.api.parameters import BESIDE_COLUMNS, BESIDE_CSV
from kullback.api.problem_document import MEDIA_TYPE
from kullback.main import create_app
from kullback.payload.dialect import DIALECT
from kullback.payload.media import BATCH_TYPES, JSON, MEDIA_TYPES
from kullback.requests import REQUESTS
from kullback.requests.validation import array_fields
from kullback.scoring.catalog import METRICS
from kullback.settings import Settings
from tests.payload.bodies import IS_ARROW, IS_JSON, IS_PARQUET, as_arrow, as_parquet

pytestmark = pytest.mark.anyio

Document = dict[str, Any]
COMPUTED = ("/v1/scores", "/v1/keys", "/v1/experiments/plan")  # of which nothing is written once
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
REFERENCE = re.compile(r"#/components/(schemas|parameters|headers|responses)/([\w-]+)")
TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


@pytest.fixture(scope="module")
def document() -> Document:
    content: Document = create_app(Settings()).openapi()
    return content


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Each path, method and operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def resolved(document: Document, node: Document) -> Document:
    """What a reference leads to; else the node itself."""
    match = REFERENCE.fullmatch(node.get("$ref", ""))
    target: Document = document["components"][match[1]][match[2]] if match else node
    return target


def parameters(document: Document, operation: Document) -> Iterator[Document]:
    """The parameters of an operation."""
    for each in operation["parameters"]:
        yield resolved(document, each)


def answers(document: Document, operation: Document) -> dict[str, Document]:
    """The answers of an operation, by status."""
    return {status: resolved(document, answer) for status, answer in operation["responses"].items()}


def has_body(operation: Document) -> bool:
    return "requestBody" in operation


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
        named = {each["name"] for each in parameters(document, operation) if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        for status, answer in answers(document, operation).items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert answer["description"]


def test_every_reference_leads_somewhere_and_every_component_is_used(document: Document) -> None:
    references = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    places = [match.groups() for each in references if (match := REFERENCE.fullmatch(each))]
    assert len(places) == len(references)
    components = document["components"].copy()
    schemes = components.pop("securitySchemes")
    security = [
        each for _, _, operation in operations(document) if (each := operation.get("security"))
    ]
    assert {name for each in security for way in each for name in way} == set(schemes)
    assert set(places) == {(kind, name) for kind in components for name in components[kind]}


def test_no_schema_has_definitions_of_its_own_or_a_type_that_is_none(document: Document) -> None:
    for node in nodes(document):
        assert "$defs" not in node
        kind = node.get("type")
        if isinstance(kind, str) and ("properties" in node or "items" in node or "enum" in node):
            assert kind in TYPES


def test_every_answer_and_every_body_of_json_is_a_component(document: Document) -> None:
    for _, _, operation in operations(document):
        contents = [answer.get("content", {}) for answer in answers(document, operation).values()]
        if has_body(operation):
            contents.append(operation["requestBody"]["content"])
        schemas = [content[JSON]["schema"] for content in contents if JSON in content]
        assert all(schema.keys() == {"$ref"} for schema in schemas)


def test_every_answer_that_is_not_a_refusal_has_a_schema(document: Document) -> None:
    for path, method, operation in operations(document):
        accepted = {
            status: answer.get("content", {})
            for status, answer in answers(document, operation).items()
            if status < "3"
        }
        assert accepted
        for status, content in accepted.items():
            assert bool(content) == (status != "204"), (path, method, status)
            assert all(each.get("schema") for each in content.values()), (path, method, status)


def test_all_metrics_answer_with_the_same_schema(document: Document) -> None:
    paths = document["paths"]
    contents = [
        paths[f"/v1/scores/{name}"]["post"]["responses"]["200"]["content"] for name in METRICS
    ]
    assert contents == len(METRICS) * [
        {JSON: {"schema": {"$ref": "#/components/schemas/ScoreAnswer"}}}
    ]


def test_headers_are_parameters_of_the_operations_that_read_them(document: Document) -> None:
    for path, method, operation in operations(document):
        sent = {each["name"] for each in parameters(document, operation) if each["in"] == "header"}
        is_write = method != "get" and not path.startswith(COMPUTED)
        is_tagged = path.endswith(("/report", "/series"))
        assert sent == {
            "X-Request-ID",
            *({"Idempotency-Key"} if is_write else ()),
            *({"If-None-Match"} if is_tagged else ()),
        }


def test_headers_of_answers_are_declared(document: Document) -> None:
    for path, method, operation in operations(document):
        for status, answer in answers(document, operation).items():
            is_tagged = path.endswith(("/report", "/series")) and status in {"200", "304"}
            is_write = method != "get" and not path.startswith(COMPUTED)
            assert answer["headers"].keys() == {
                "X-Request-ID",
                *({"ETag"} if is_tagged else ()),
                *({"Idempotency-Replayed"} if is_write and status < "3" else ()),
                *({"Retry-After"} if status in {"409", "429", "503"} else ()),
                *({"WWW-Authenticate"} if status == "401" else ()),
            }


@pytest.mark.parametrize("metric", METRICS)
def test_options_that_stand_beside_columns_are_parameters(document: Document, metric: str) -> None:
    operation = document["paths"][f"/v1/scores/{metric}"]["post"]
    declared = [each for each in parameters(document, operation) if each["in"] == "query"]
    columns = array_fields(REQUESTS[metric])
    options = {name for name in REQUESTS[metric].model_fields if name not in columns}
    scalars = {name for name, column in columns.items() if column.may_be_option}
    assert {each["name"] for each in declared} == options | scalars | {*DIALECT}
    for each in declared:
        if each["name"] in DIALECT:
            assert each["description"].endswith(BESIDE_CSV)
            continue
        assert not each.get("required", False)
        assert each["description"].endswith(BESIDE_COLUMNS)
        schema = each.get("schema") or each["content"][JSON]["schema"]
        assert "default" not in schema  # a client would send it beside JSON, and be refused


def test_no_parameter_is_null_and_none_is_without_a_description(document: Document) -> None:
    for _, _, operation in operations(document):
        for each in parameters(document, operation):
            assert each.get("description"), each["name"]
            schema = each.get("schema") or each["content"][JSON]["schema"]
            assert {"type": "null"} not in (schema, *schema.get("anyOf", ()))  # within it may be


def test_every_operation_has_a_name_of_its_own(document: Document) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


def test_every_refusal_is_the_one_problem_schema(document: Document) -> None:
    for _, _, operation in operations(document):
        for status, answer in answers(document, operation).items():
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
    assert operation["requestBody"]["content"].keys() == {*MEDIA_TYPES}
    assert operation["responses"].keys() >= {"200", "400", "413", "415", "422", "503"}
    assert METRICS[metric].formula in operation["description"]
    schema = resolved(document, operation["requestBody"]["content"][JSON]["schema"])
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
    assert content.keys() == {*BATCH_TYPES}
    refusals = {"400", "401", "403", "404", "409", "413", "415", "421", "422", "429", "503"}
    assert operation["responses"].keys() == {"200", *refusals}
    schema = resolved(document, content[JSON]["schema"])
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


def test_no_two_operations_have_one_summary(document: Document) -> None:
    summaries = [each["summary"] for path in document["paths"].values() for each in path.values()]
    assert len(set(summaries)) == len(summaries)


async def test_the_catalog_is_read_and_nothing_is_put_there(client: AsyncClient) -> None:
    answer = await client.put("/v1/scores", json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


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
