"""Nothing that can be sent breaks an experiment: what is refused leaves no trace."""

import json
from collections.abc import Iterator

import pytest

from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from tests.api.hostile import BATCH_TYPES, EXPERIMENTS, bodies, is_without_rows, observe_all
from tests.api.hostile.caller import Caller
from tests.api.hostile.rows import replaced
from tests.api.hostile.values import VALUES
from tests.api.test_hostile import check
from tests.api.test_hostile_writes import PAIRS, read
from tests.monitoring.service import Document, Service
from tests.payload.bodies import typed

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

CORPUS = list(bodies())
OPTIONAL = ("sample_weight", "timestamp", "slice", "propensity", "target_propensity", "arm")
SETTINGS = (
    *("arms", "control", "design", "metric", "alpha", "minimum_effect", "minimum_units"),
    *("convention", "slices"),
)
OF_ARMS = (
    *('{"a": [0.5, 0.5]}', '{"a": [0.5, 0.5], "b": [5e-324, 1]}', '{"a": 1, "b": 2}', '["a", "a"]'),
    *(
        '{"a": [0.5, 0.5], "a": [0.5, 0.5]}',
        '{"a": {"b": [1]}, "b": [1, 1]}',
        '{"a": [1], "b": []}',
    ),
    *(
        '{"\\u0000": [1, 1], "b": [1, 1]}',
        '{"c": [1, 1], "b": [1, "xyzzyplugh"]}',
        '["a", "\\ud800"]',
    ),
    *('{"a": 1e999, "b": 0}', '{"a": 1e-320, "b": 1}', '[{"name": "a"}]', '["a", "xyzzyplugh"]'),
    *('[{"name": "a", "share": 1}, {"name": "b", "share": "xyzzyplugh"}]', '{"a": true, "b": 0.5}'),
)


async def put(service: Service, **more: object) -> None:
    for name in EXPERIMENTS:
        plan = {"arms": ["a", "b"], "design": name, "slices": ["country"]} | more
        await service.put(f"/v1/experiments/{name}", **plan)


async def everything(service: Service, name: str) -> list[Document]:
    """All that can be read of an experiment."""
    at = f"/v1/experiments/{name}"
    page = await Caller(service.app).get(f"{at}/report", headers={"accept": "text/markdown"})
    assert page.status_code == 200, page.text
    paths = ("", "/report", "/series", "/series?step=36000000")
    return [await read(service, at + path) for path in paths]


@pytest.mark.parametrize("media_type", BATCH_TYPES)
async def test_every_experiment_refuses_every_hostile_body_and_keeps_nothing(
    service: Service, media_type: str
) -> None:
    await put(service)
    refusing = [each for each in CORPUS if media_type != JSON or not each.may_write]
    before = [await everything(service, name) for name in EXPERIMENTS]
    for each, name, answer in await observe_all(Caller(service.app), refusing, media_type):
        if is_without_rows(each, name, answer):
            continue
        try:
            assert check(answer).request_id == "hostile"
        except (AssertionError, ValueError) as error:
            error.add_note(f"{each.name} -> {name}: {answer.status_code} {answer.text[:300]}")
            raise
    assert [await everything(service, name) for name in EXPERIMENTS] == before


async def test_what_may_be_written_of_the_corpus_is_written(service: Service) -> None:
    await put(service)
    taking = [each for each in CORPUS if each.may_write]
    for each, name, answer in await observe_all(Caller(service.app), taking, JSON):
        assert (answer.status_code == 200) == (name in each.may_write), (each.name, name)


async def test_every_plan_refuses_every_hostile_body(service: Service) -> None:
    for each in CORPUS:
        for name in EXPERIMENTS:
            answer = await Caller(service.app).request(
                "PUT", f"/v1/experiments/{name}", content=each.body(name), headers=typed(JSON)
            )
            check(answer)
    assert await service.get("/v1/experiments") == {"experiments": []}


def replaced_in_rows(media_type: str) -> Iterator[tuple[str, str, bytes]]:
    """Each field of the rows of each design with each hostile value in its place."""
    values = (*VALUES, *PAIRS, *OF_ARMS)
    for name, request in EXPERIMENTS.items():
        for what, body in replaced(request, (*request, *OPTIONAL), values, media_type):
            yield name, what, body


@pytest.mark.parametrize("media_type", [JSON, LINES[0], ARROW, PARQUET])
async def test_no_value_of_any_field_breaks_any_write_or_what_is_read_after_it(
    service: Service, media_type: str
) -> None:
    caller = Caller(service.app)
    chosen = {"convention": "exact", "minimum_effect": 1e-100, "minimum_units": 2}
    await put(service, **chosen)
    taken = 0
    for name, what, body in replaced_in_rows(media_type):
        at = f"/v1/experiments/{name}"
        answer = await caller.post(f"{at}/observations", content=body, headers=typed(media_type))
        try:
            if answer.status_code != 200:
                check(answer)
                continue
            assert json.loads(answer.content)["accepted"] > 0
            await everything(service, name)
            service.inside.experiment_maintenance.run_due()
            await service.samples()
        except (AssertionError, ValueError) as error:
            error.add_note(f"{name}: {what}: {answer.status_code} {answer.text[:300]}")
            raise
        taken += 1
        await service.client.delete(at)
        await put(service, **chosen)
    assert taken > 20


async def test_no_value_of_any_setting_breaks_anything(service: Service) -> None:
    at, caller = "/v1/experiments/any", Caller(service.app)
    for name in SETTINGS:
        for value in (*VALUES, *PAIRS, *OF_ARMS):
            others = "" if name == "arms" else '"arms":["a","b"],'
            body = f'{{{others}"{name}":{value}}}'.encode()
            answer = await caller.request("PUT", at, content=body, headers=typed(JSON))
            if answer.status_code in {200, 201}:
                await everything(service, "any")
            else:
                check(answer)
            await service.client.delete(at)


@pytest.mark.parametrize(
    "query",
    [
        *("by=%00", "by=" + "x" * 5000, "by=%ed%a0%80", "epoch=%00", "epoch=1e3", "epoch=-1"),
        *("epoch=" + "9" * 4000, "epoch=" + "9" * 5000, "epoch=1&epoch=2", "arm=xyzzyplugh"),
        *("arm=%00", "arm=" + "x" * 5000, "step=" + "9" * 4000, "step=" + "9" * 5000, "step=1e3"),
        *("step=36" + "0" * 30, "step=%D9%A3", "=", "&&&", "unknown=xyzzyplugh", "EPOCH=1"),
    ],
)
async def test_no_query_breaks_what_is_read(service: Service, query: str) -> None:
    await put(service)
    await service.post("observations", "/v1/experiments/paired", **EXPERIMENTS["paired"])
    for what in ("", "/report", "/series"):
        answer = await service.client.get(f"/v1/experiments/paired{what}?{query}")
        if answer.status_code != 200:
            check(answer)


@pytest.mark.parametrize("accept", [b"\xff", b"," * 5000, b"text/markdown" * 500, b";q=", b"*"])
async def test_no_accept_header_breaks_a_report(service: Service, accept: bytes) -> None:
    await put(service)
    for name in ("accept", "if-none-match"):
        answer = await service.client.get(
            "/v1/experiments/paired/report", headers={name.encode(): accept}
        )
        assert answer.status_code in {200, 304}


@pytest.mark.parametrize("media_type", [ARROW, PARQUET])
async def test_no_option_beside_rows_is_taken(service: Service, media_type: str) -> None:
    await put(service)
    for name in EXPERIMENTS:
        path = f"/v1/experiments/{name}/observations?arm=a"
        answer = await service.client.post(path, content=b"", headers=typed(media_type))
        assert check(answer).errors[0].pointer == "/arm"


@pytest.mark.parametrize(
    "name", ["%00", "%ed%a0%80", "..", "a%2Fb", "x" * 5000, "%F0%9F%98%80", "'"]
)
async def test_no_name_breaks_anything(service: Service, name: str) -> None:
    path = f"/v1/experiments/{name}"
    plan = {"arms": ["a", "b"]}
    for method, what in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/report")):
        body = plan if method == "PUT" else None
        check(await service.client.request(method, path + what, json=body))
    rows = EXPERIMENTS["paired"]
    check(await service.client.post(f"{path}/observations", json=rows))
    assert await service.get("/v1/experiments") == {"experiments": []}
