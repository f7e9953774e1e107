"""Nothing that can be sent breaks the service: each hostile body is refused by a small document."""

import json
import sys

import httpx
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from kullback.api.problem_document import Problem
from kullback.payload.media import ARROW, JSON, MEDIA_TYPES, PARQUET
from kullback.scoring.catalog import METRICS
from tests.api.hostile import MARKER, MAX_BYTES, TYPES, bodies, counted, post_all, shown
from tests.api.hostile.caller import Caller
from tests.api.hostile.tables import Sent, documents, tables
from tests.payload.bodies import typed

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

CORPUS = list(bodies())
PART = 7  # of the optional fields and of the columns; make torture sends all


def check(answer: httpx.Response) -> Problem:
    """What holds for every refusal."""
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < MAX_BYTES
    assert MARKER not in answer.content
    problem = Problem.model_validate_json(answer.content, strict=True, extra="forbid")
    assert problem.status == answer.status_code
    assert problem.request_id == answer.headers["x-request-id"]
    assert len(problem.errors) <= 20
    assert problem.total_errors >= len(problem.errors)
    return problem


def number(name: str) -> object:
    raise ValueError(name)


def check_score(answer: httpx.Response) -> None:
    """What holds where the answer is a score after all: JSON, without constants it lacks."""
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content, parse_constant=number)["status"] in {
        "finite",
        "infinite",
        "undefined",
    }


@pytest.mark.parametrize("media_type", TYPES)
async def test_every_metric_refuses_every_hostile_body(caller: Caller, media_type: str) -> None:
    answers = await post_all(caller, CORPUS, media_type)
    for each, metric, answer in answers:
        if answer.status_code == 200 and metric in each.may_score and media_type == JSON:
            check_score(answer)
            continue
        try:
            assert check(answer).request_id == "hostile"
        except (AssertionError, ValueError) as error:
            error.add_note(f"{each.name} -> {metric}: {answer.status_code} {answer.text[:300]}")
            raise
    table = counted((answer for _, _, answer in answers), TYPES[media_type])
    sys.stdout.write("\n" + shown(len(CORPUS), table) + "\n")


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len(CORPUS) >= 150
    assert len({each.name for each in CORPUS}) == len(CORPUS)
    assert sum(MARKER in each.body("entropy") for each in CORPUS) >= 20


async def check_answer(caller: Caller, sent: Sent) -> None:
    """Check that a body is scored or refused as it should be."""
    path = f"/v1/scores/{sent.metric}{sent.query}"
    answer = await caller.post(path, content=sent.body, headers=typed(sent.media_type))
    try:
        if answer.status_code == 200:
            check_score(answer)
        else:
            check(answer)
    except (AssertionError, ValueError) as error:
        error.add_note(f"{sent.metric}: {sent.what}: {answer.status_code} {answer.text[:300]}")
        raise


async def test_no_value_of_any_field_breaks_any_metric(caller: Caller) -> None:
    for number, sent in enumerate(documents()):
        field = sent.what.partition(" ")[0]
        if number % PART == 0 or field in METRICS[sent.metric].example.request:
            await check_answer(caller, sent)


@pytest.mark.parametrize("media_type", [ARROW, PARQUET])
async def test_no_column_of_any_field_breaks_any_metric(caller: Caller, media_type: str) -> None:
    for sent in tables(media_type, PART):
        await check_answer(caller, sent)


@pytest.mark.parametrize("media_type", [ARROW, PARQUET])
@pytest.mark.parametrize(
    "query",
    [
        "base=xyzzyplugh",
        "base=e&base=2",
        "unknown=xyzzyplugh",
        "sample_weight=[1]",
        "gamma=1e999",
        "gamma=NaN",
        "labels=%ed%a0%80",
        'labels=["\\ud800"]',
        "labels=" + "[" * 5000,
        "alpha=" + "[" * 900 + "]" * 900,
        "alpha=" + "9" * 400,
        "pos_label=" + "9" * 5000,
        "sum_tolerance=%00",
        "p=[1]",
        "y_true=1",
        "=",
        "&&&",
    ],
)
async def test_no_query_breaks_any_metric(client: AsyncClient, media_type: str, query: str) -> None:
    for metric in METRICS:
        answer = await client.post(
            f"/v1/scores/{metric}?{query}", content=b"xyzzyplugh", headers=typed(media_type)
        )
        check(answer)


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonx",
        "application/json, text/html",
        "application/vnd.apache.arrow.files",
        "application/octet-stream",
        "text/html; application/json",
        "*/*",
        "x" * 10_000,
    ],
)
async def test_other_types_are_told_what_is_read(client: AsyncClient, media_type: str) -> None:
    for metric in METRICS:
        answer = await client.post(
            f"/v1/scores/{metric}", content=b'{"p":[1]}', headers=typed(media_type)
        )
        assert check(answer).status == 415
        assert answer.headers["accept"] == ", ".join(MEDIA_TYPES)


@pytest.mark.parametrize("media_type", ["Application/JSON", "application/json; charset=utf-8"])
async def test_types_are_read_without_case_and_parameters(
    client: AsyncClient, media_type: str
) -> None:
    answer = await client.post(
        "/v1/scores/entropy", content=b'{"p":[1]}', headers=typed(media_type)
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("media_type", TYPES)
async def test_garbage_that_claims_to_be_compressed_is_malformed(
    client: AsyncClient, media_type: str, encoding: str
) -> None:
    for metric in METRICS:
        for body in (b'{"p":[1]}', b"xyzzyplugh" * 1000, b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b""):
            answer = await client.post(
                f"/v1/scores/{metric}", content=body, headers=typed(media_type, encoding)
            )
            assert check(answer).status == 400


@pytest.mark.parametrize(
    ("item", "place", "total"),
    [
        ("2", "/y_proba/0", 200_000),
        ("1.5e300", "/y_proba/0", 200_000),
        ("-1e300", "/y_proba", 1),  # none is above 0: these may be logarithms
        ('"xyzzyplugh"', "/y_proba/0", 1),
        ("null", "/y_proba/0", 200_000),
        ("[2, 2]", "/y_proba/0", 200_000),
    ],
)
async def test_the_refusal_of_200_000_items_is_small(
    client: AsyncClient, item: str, place: str, total: int
) -> None:
    rows = ",".join([item] * 200_000)
    labels = ",".join(["1"] * 200_000)
    body = f'{{"y_proba":[{rows}],"y_true":[{labels}]}}'.encode()
    answer = await client.post("/v1/scores/log-loss", content=body, headers=typed(JSON))
    problem = check(answer)
    assert problem.status == 422
    assert problem.total_errors == total
    assert problem.errors[0].pointer.startswith(place)


@pytest.mark.parametrize(("fields", "total"), [(900, 900), (5000, 0), (200_000, 0)])
async def test_many_unknown_fields_are_refused_shortly(
    client: AsyncClient, fields: int, total: int
) -> None:
    body = "{" + ",".join(f'"f{i}":1' for i in range(fields)) + "}"
    answer = await client.post("/v1/scores/entropy", content=body, headers=typed(JSON))
    assert check(answer).total_errors == total


@pytest.mark.parametrize("sent", ["a-b_C.9", "x" * 128])
async def test_a_request_id_is_given_back(client: AsyncClient, sent: str) -> None:
    headers = typed(JSON) | {"x-request-id": sent}
    answer = await client.post("/v1/scores/entropy", content=b"[", headers=headers)
    assert check(answer).request_id == sent


async def test_a_refused_request_leaves_room_for_the_next(
    app: FastAPI, own_client: AsyncClient
) -> None:
    for each in CORPUS[:50]:
        await own_client.post(
            "/v1/scores/entropy", content=each.body("entropy"), headers=typed(JSON)
        )
    answer = await own_client.post("/v1/scores/entropy", content=b'{"p":[1]}', headers=typed(JSON))
    assert answer.status_code == 200
    assert app.state.readiness.is_ready
