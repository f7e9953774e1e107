"""Every refusal is one kind of document, small, without the input, and explained by the service."""

import json
import logging
from collections.abc import Iterator
from typing import Annotated

import anyio
import httpx
import pytest
from fastapi import FastAPI, HTTPException, Query
from httpx import ASGITransport, AsyncClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, FiniteFloat
from starlette.middleware import Middleware

from kullback import errors
from kullback.api import problem_types, problems
from kullback.telemetry.metrics import Telemetry
from kullback.telemetry.middleware import RequestTelemetry

pytestmark = pytest.mark.anyio

FIELDS = {"type", "title", "status", "detail", "errors", "total_errors", "request_id"}
HOSTILE = "\x00\x1b\u2028\ud800</script>😀"
REFUSALS = [
    (errors.MalformedBody("no"), 400, "malformed-body"),
    (errors.NotFound("no"), 404, "not-found"),
    (errors.NotAcceptable("no"), 406, "not-acceptable"),
    (errors.BodyTooLarge("no"), 413, "body-too-large"),
    (errors.UnsupportedBody("no", "Accept", ["application/json"]), 415, "unsupported-body"),
    (errors.InvalidInput("no"), 422, "invalid-input"),
    (errors.Overloaded("no"), 503, "overloaded"),
    (errors.DeadlineExceeded("no"), 503, "deadline-exceeded"),
    (errors.Conflict("no"), 409, "conflict"),
    (errors.TallyMismatch("no"), 409, "tally-mismatch"),
    (errors.IdempotencyKeyInProgress("no"), 409, "idempotency-key-in-progress"),
    (errors.IdempotencyKeyReused("no"), 422, "idempotency-key-reused"),
    (errors.StoreUnavailable("no"), 503, "store-unavailable"),
    (errors.ClockLeapt("no"), 503, "clock-leapt"),
    (errors.DamagedTally("no"), 503, "damaged-tally"),
]


class Losses(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    losses: list[FiniteFloat]


def raising(error: Exception) -> AsyncClient:
    """A client of an application whose routes refuse."""
    telemetry = Middleware(
        RequestTelemetry,
        telemetry=Telemetry([], "0"),
        failure=problems.failure,
        stopping=problems.stopping,
    )
    app = FastAPI(exception_handlers=problems.handlers(), middleware=[telemetry])

    @app.get("/raise")
    async def refuse() -> None:
        raise error

    @app.post("/losses")
    async def losses(body: Losses, base: Annotated[int, Query()] = 2) -> None: ...

    return AsyncClient(transport=ASGITransport(app), base_url="http://test")


def read(answer: httpx.Response) -> dict[str, object]:
    """The problem document of an answer, after checking what holds for all of them."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 16 * 1024
    document: dict[str, object] = answer.json()
    assert document.keys() == FIELDS
    assert document["status"] == answer.status_code
    assert document["request_id"] == answer.headers["x-request-id"]
    return document


def leaves(cls: type[errors.KullbackError]) -> Iterator[type[errors.KullbackError]]:
    below = cls.__subclasses__()
    if not below:
        yield cls
    for each in below:
        yield from leaves(each)


def test_every_refusal_of_the_error_tree_has_a_status() -> None:
    tree = [cls for cls in leaves(errors.KullbackError) if cls.__module__ == errors.__name__]
    types = problem_types.PROBLEM_TYPES
    assert [cls for cls in tree if types.keys().isdisjoint(cls.__mro__)] == []


@pytest.mark.parametrize(("error", "status", "slug"), REFUSALS)
async def test_a_refusal_answers_with_its_status_and_type(
    error: errors.KullbackError, status: int, slug: str
) -> None:
    answer = await raising(error).get("/raise")
    document = read(answer)
    assert (answer.status_code, document["type"]) == (status, f"/problems/{slug}")
    assert (document["detail"], document["errors"], document["total_errors"]) == ("no", [], 0)


@pytest.mark.parametrize("error", [error for error, _, _ in REFUSALS])
async def test_an_expected_refusal_leaves_no_traceback(
    error: errors.KullbackError, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "kullback")
    await raising(error).get("/raise")
    assert [line.levelname for line in caplog.records if line.name.startswith("kullback")] == [
        "INFO"
    ]


@pytest.mark.parametrize("header", ["Accept", "Accept-Encoding"])
async def test_an_unsupported_body_is_told_what_is_read_instead(header: str) -> None:
    error = errors.UnsupportedBody("no", header, ["gzip", "zstd"])
    answer = await raising(error).get("/raise")
    assert answer.headers[header] == "gzip, zstd"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (errors.Overloaded("full"), "1"),
        (errors.IdempotencyKeyInProgress("wait"), "1"),
        (errors.StoreUnavailable("away"), "5"),
        (errors.Conflict("never"), None),
    ],
)
async def test_who_may_try_again_is_told_when(
    error: errors.KullbackError, seconds: str | None
) -> None:
    answer = await raising(error).get("/raise")
    assert answer.headers.get("retry-after") == seconds


async def test_wrong_places_are_pointed_at() -> None:
    error = errors.InvalidInput.at("2.0 is not a probability", "y_proba", 3)
    document = read(await raising(error).get("/raise"))
    assert document["errors"] == [{"pointer": "/y_proba/3", "detail": "2.0 is not a probability"}]
    assert document["total_errors"] == 1


async def test_twenty_places_are_named_and_all_are_counted() -> None:
    places = [errors.FieldError(f"/{row}", "wrong") for row in range(100)]
    error = errors.InvalidInput("many", places, total=200_000)
    document = read(await raising(error).get("/raise"))
    assert isinstance(document["errors"], list)
    assert len(document["errors"]) == 20
    assert document["total_errors"] == 200_000


@pytest.mark.parametrize("text", ["x" * 10**6, "\x00" * 10**5, "😀" * 10**5, HOSTILE * 10**4])
async def test_a_document_stays_small_whatever_it_is_about(text: str) -> None:
    places = [errors.FieldError(text, text)] * 30
    document = read(await raising(errors.InvalidInput(text, places)).get("/raise"))
    assert document["errors"]
    assert document["total_errors"] == 30


@settings(max_examples=100)
@given(st.text(), st.text())
def test_whatever_a_refusal_says_can_be_written(detail: str, place: str) -> None:
    async def law() -> None:
        error = errors.InvalidInput.at(detail, place)
        read(await raising(error).get("/raise"))

    anyio.run(law)


@pytest.mark.parametrize(
    "body",
    [
        b'{"losses": [NaN]}',
        b'{"losses": [Infinity, -Infinity, 1e999]}',
        b'{"losses": ["\\ud800"]}',
        b'{"losses": "opensesame"}',
        b'{"losses": [true], "extra": "opensesame"}',
        b'{"losses": ["opensesame", [[[[',
        b"",
        b"[" * 10**5,
        b"1" * 5000,
        b"\xff\xfe",
        b'{"losses": [' + b'"opensesame",' * 50_000 + b"1]}",
    ],
)
async def test_a_body_that_fastapi_refuses_is_never_echoed(body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await raising(ValueError()).post("/losses", content=body, headers=headers)
    read(answer)
    assert answer.status_code in {400, 422}
    assert b"opensesame" not in answer.content


async def test_parameters_and_fields_are_pointed_at() -> None:
    answer = await raising(ValueError()).post("/losses?base=x", json={"losses": [1, "a/b"]})
    document = read(answer)
    assert isinstance(document["errors"], list)
    assert [place["pointer"] for place in document["errors"]] == ["/query/base", "/losses/1"]


async def test_a_failure_says_nothing_but_its_request_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await raising(RuntimeError("opensesame")).get("/raise")
    document = read(answer)
    assert (answer.status_code, document["type"]) == (500, "/problems/internal")
    assert b"opensesame" not in answer.content
    assert b"RuntimeError" not in answer.content
    assert "opensesame" in caplog.text


async def test_a_status_without_a_kind_of_its_own_is_named_by_its_phrase() -> None:
    document = read(await raising(HTTPException(418, "short and stout")).get("/raise"))
    assert (document["type"], document["title"]) == ("about:blank", "I'm a Teapot")
    assert document["detail"] == "short and stout"


async def test_an_unknown_path_is_a_problem(client: AsyncClient) -> None:
    document = read(await client.get("/nowhere"))
    assert document["type"] == "/problems/not-found"
    assert document["detail"] == problem_types.PROBLEM_TYPES[errors.NotFound].explanation


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(client: AsyncClient) -> None:
    answer = await client.delete("/livez")
    assert read(answer)["type"] == "/problems/method-not-allowed"
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    "kind",
    [
        *problem_types.PROBLEM_TYPES.values(),
        problem_types.INTERNAL,
        problem_types.METHOD_NOT_ALLOWED,
    ],
)
async def test_every_type_leads_to_its_explanation(
    kind: problem_types.ProblemType, client: AsyncClient
) -> None:
    answer = await client.get(kind.type)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert kind.title in answer.text
    assert str(kind.status) in answer.text


async def test_a_type_that_is_none_is_not_found(client: AsyncClient) -> None:
    assert read(await client.get("/problems/no-such"))["type"] == "/problems/not-found"


def test_a_route_declares_its_refusals_by_class_or_by_status() -> None:
    by_class = problems.problems(errors.InvalidInput, errors.Overloaded)
    assert by_class == problems.problems(422, 503)
    (media_type,) = by_class[422]["content"]
    assert media_type == "application/problem+json"


async def test_problem_is_the_one_error_schema_of_the_documentation(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    schemas, shared = (document["components"][kind] for kind in ("schemas", "responses"))
    assert {"Problem", "FieldErrorEntry"} <= schemas.keys()
    assert "HTTPValidationError" not in json.dumps(document)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            refusals = {k: v for k, v in operation["responses"].items() if k[0] in "45"}
            for status, reference in refusals.items():
                assert reference == {"$ref": f"#/components/responses/{status}"}, path
                answer = shared[status]
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, path
                assert answer["content"].keys() == {"application/problem+json"}, path
