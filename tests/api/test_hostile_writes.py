"""Nothing that can be sent breaks a monitor: what is refused leaves no trace."""

import json
from collections.abc import Iterator

import httpx
import pytest

from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from tests.api.hostile import (
    BATCH_TYPES,
    LABEL_WRITES,
    MONITOR,
    WRITES,
    bodies,
    is_without_rows,
    write_all,
)
from tests.api.hostile.caller import Caller
from tests.api.hostile.rows import replaced
from tests.api.hostile.values import VALUES
from tests.api.test_hostile import check, number
from tests.monitoring.service import Document, Service
from tests.payload.bodies import typed

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

CORPUS = list(bodies())
FEATURES = {"age": "numeric", "country": "categorical"}
OPTIONAL = {
    "observations": ("sample_weight", "timestamp", "unit", "slice", "features"),
    "predictions": ("sample_weight", "timestamp", "unit", "slice", "features"),
    "labels": (),
    "reference": (
        *("sample_weight", "slice", "features", "from", "to", "score_histogram"),
        "label_distribution",
    ),
}
SETTINGS = (
    *("task", "labels", "pos_label", "window_seconds", "retention_days", "slices"),
    "features",
    *("convention", "ttl_seconds"),
)
PAIRS = (
    *("[0, 5e-324]", "[5e-324, 5e-324]", "[1e-320, 1e-310]", "[1e100, 1e-300]", "[1e100, 1e100]"),
    *("[0, 0]", "[1e308, 1]", "[1772712030, 1772712000]", '["a", "a"]', '["a", 1]', "[-1, -1]"),
    *('["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]', "[253402300799, 0]", "[true, false]"),
    *('{"country": ["DE", "FR"]}', '{"country": [1, true]}', '{"": ["DE", "FR"]}', "[0.1, 0.2]"),
    *('{"country": ["DE"]}', '{"country": ["DE", "FR"], "country": ["DE", "FR"]}', "[1e999, 1]"),
    *(
        '{"age": [1e300, -0.0]}',
        '{"age": [null, null]}',
        '{"age": ["1", "b"]}',
        '{"age": [true, 1]}',
    ),
    *('{"country": [1.5, null]}', '{"age": "numeric", "b": "categorical"}', '{"age": [1, 1e999]}'),
    *("[[1, 0], [0, 1]]", "[[0.5, 0.0], [-0.0, 1]]", "[[1e999, 0], [0, 0]]", "[[-1, 2], [0, 0]]"),
    *('[["", "b"], ["a", "b"]]', "[[true, false], [false, true]]", "[[0.5, null], [1, 0]]"),
    *("[[9223372036854775808, 0], [-1, 1]]", '[[{"a":1}, 0], [0, 0]]', "[[5e-324, 1], null]"),
    *('["\\ud800", "b"]', '["", "b"]', '["a\\u0000", "b"]', '["xyzzyplugh", 1.5]', "[1, 2, 3]"),
)


async def read(service: Service, path: str) -> Document:
    """An answer, which is JSON without constants that it lacks."""
    answer = await Caller(service.app).get(path)
    assert answer.status_code == 200, answer.text
    found: Document = json.loads(answer.content, parse_constant=number)
    return found


async def everything(service: Service) -> list[Document]:
    """All that can be read of the monitor."""
    paths = ("", "/report?from=0&by=country", "/series?from=0", "/series?from=0&metric=auc")
    return [await read(service, MONITOR + path) for path in paths]


@pytest.mark.parametrize("media_type", BATCH_TYPES)
async def test_every_write_refuses_every_hostile_body_and_keeps_nothing(
    service: Service, media_type: str
) -> None:
    await service.put(MONITOR, slices=["country"], features=FEATURES)
    refusing = [each for each in CORPUS if media_type != JSON or not each.may_write]
    before = await everything(service)
    for each, name, answer in await write_all(Caller(service.app), refusing, media_type):
        if is_without_rows(each, name, answer):
            continue
        try:
            assert check(answer).request_id == "hostile"
        except (AssertionError, ValueError) as error:
            error.add_note(f"{each.name} -> {name}: {answer.status_code} {answer.text[:300]}")
            raise
    assert await everything(service) == before


async def test_what_may_be_written_of_the_corpus_is_written(service: Service) -> None:
    await service.put(MONITOR)
    taking = [each for each in CORPUS if each.may_write]
    answers = await write_all(Caller(service.app), taking, JSON)
    assert taking
    for each, name, answer in answers:
        assert (answer.status_code == 200) == (name in each.may_write), (each.name, name)


def replaced_in_writes(media_type: str, task: str) -> Iterator[tuple[str, str, bytes]]:
    """Each field of each write with each hostile value in its place."""
    writes = LABEL_WRITES if task == "multilabel" else WRITES
    for name, request in writes.items():
        fields = (*request, *OPTIONAL[name])
        for what, body in replaced(request, fields, (*VALUES, *PAIRS), media_type):
            yield name, what, body


async def send(service: Service, name: str, body: bytes, media_type: str) -> httpx.Response:
    method = "PUT" if name == "reference" else "POST"
    return await Caller(service.app).request(
        method, f"{MONITOR}/{name}", content=body, headers=typed(media_type)
    )


@pytest.mark.parametrize(
    ("media_type", "convention", "task"),
    [
        (JSON, "sklearn", "binary"),
        (JSON, "exact", "binary"),
        (LINES[0], "sklearn", "binary"),
        (ARROW, "exact", "binary"),
        (PARQUET, "exact", "binary"),
        (JSON, "exact", "multilabel"),
        (LINES[0], "exact", "multilabel"),
        (ARROW, "sklearn", "multilabel"),
        (PARQUET, "exact", "multilabel"),
    ],
)
async def test_no_value_of_any_field_breaks_any_write_or_what_is_read_after_it(
    service: Service, media_type: str, convention: str, task: str
) -> None:
    chosen: Document = {"slices": ["country"], "features": FEATURES}
    chosen |= {"convention": convention, "task": task}
    chosen |= {"labels": ["a", "b"]} if task == "multilabel" else {}
    await service.put(MONITOR, **chosen)
    before, taken = await everything(service), 0
    for name, what, body in replaced_in_writes(media_type, task):
        answer = await send(service, name, body, media_type)
        try:
            if answer.status_code != 200:
                check(answer)
                continue
            told = json.loads(answer.content, parse_constant=number)
            assert told.get("accepted", 1) + told.get("duplicates", 0) > 0
            after = await everything(service)
            assert after != before
            service.inside.monitor_maintenance.refresh_recent()
            service.tidy()
            await service.samples()
        except (AssertionError, ValueError) as error:
            error.add_note(f"{name}: {what}: {answer.status_code} {answer.text[:300]}")
            raise
        taken += 1
        await service.client.delete(MONITOR)
        await service.put(MONITOR, **chosen)
    assert await everything(service) == before
    assert taken > 20


async def test_no_value_of_any_setting_breaks_anything(service: Service) -> None:
    for name in SETTINGS:
        for value in (*VALUES, *PAIRS):
            body = f'{{"{name}":{value}}}'.encode()
            caller = Caller(service.app)
            answer = await caller.request("PUT", MONITOR, content=body, headers=typed(JSON))
            if answer.status_code in {200, 201}:
                await everything_without_slices(service)
            else:
                check(answer)
            await service.client.delete(MONITOR)


async def everything_without_slices(service: Service) -> None:
    for path in ("", "/report", "/series"):
        await read(service, MONITOR + path)


@pytest.mark.parametrize(
    "query",
    [
        *("from=xyzzyplugh", "from=%00", "from=%ed%a0%80", "from=1&from=2", "to=1e308", "to=-0"),
        *("from=" + "9" * 5000, "by=%00", "by=" + "x" * 5000, "metric=%ed%a0%80", "step=1e3"),
        *("step=" + "9" * 5000, "step=-0", "=", "&&&", "unknown=xyzzyplugh", "FROM=1"),
        *("from=inf", "from=1_0", "from=٣", "from=2026-03-05T12:00:60Z", "step=%D9%A3"),
    ],
)
async def test_no_query_breaks_what_is_read(service: Service, query: str) -> None:
    await service.put(MONITOR)
    for what in ("", "/report", "/series"):
        answer = await service.client.get(f"{MONITOR}{what}?{query}")
        if answer.status_code != 200:
            check(answer)


@pytest.mark.parametrize("media_type", [ARROW, PARQUET])
@pytest.mark.parametrize("name", WRITES)
async def test_no_option_beside_a_batch_is_taken(
    service: Service, media_type: str, name: str
) -> None:
    await service.put(MONITOR)
    method = "PUT" if name == "reference" else "POST"
    path = f"{MONITOR}/{name}?y_true=[1]"
    answer = await service.client.request(method, path, content=b"", headers=typed(media_type))
    assert check(answer).errors[0].pointer == "/y_true"


@pytest.mark.parametrize(
    "name", ["%00", "%ed%a0%80", "..", "a%2Fb", "x" * 5000, "%F0%9F%98%80", "'"]
)
async def test_no_name_breaks_anything(service: Service, name: str) -> None:
    await service.put(MONITOR)
    path = f"/v1/monitors/{name}"
    for method, what in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/report")):
        content: Document = {"json": {}} if method == "PUT" else {}
        check(await service.client.request(method, path + what, **content))
    for what in WRITES:
        check(await service.client.post(f"{path}/{what}", json=WRITES[what]))
    assert len((await service.get("/v1/monitors"))["monitors"]) == 1
