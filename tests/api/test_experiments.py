"""An experiment is planned, changed and removed under its name, and takes rows of its arms."""

import gzip
from typing import Any

import httpx
import pytest

from kullback.main import Runtime, create_app
from kullback.payload.media import ARROW, BATCH_TYPES, JSON, LINES
from kullback.settings import Settings
from tests.experiments.arms import paired, split
from tests.experiments.service import (
    EXPERIMENT,
    NEW_EPOCH,
    OBSERVATIONS,
    PAIRED,
    PARALLEL,
    TWO,
    TWO_APART,
    findings,
    hours,
    observe,
    report,
    sent,
)
from tests.monitoring.service import NOON, Document, Service, done, refused
from tests.payload.batch_bodies import as_lines, bodies, rows_of
from tests.payload.bodies import typed

pytestmark = pytest.mark.anyio

ALL: Document = {
    "arms": [{"name": "a", "share": 0.25}, {"name": "b", "share": 0.75}],
    "control": "b",
    "design": "parallel",
    "assignment": "unit",
    "metric": "brier",
    "alpha": 0.01,
    "minimum_effect": 0.5,
    "minimum_units": 7,
    "convention": "exact",
    "slices": ["country"],
    "other_arms": "ignore",
    "objective": "non_inferiority",
    "power": 0.9,
}


async def one(service: Service) -> Document:
    return await service.get(EXPERIMENT)


async def post(service: Service, body: bytes, kind: str, **headers: str) -> httpx.Response:
    return await service.client.post(OBSERVATIONS, content=body, headers=typed(kind) | headers)


async def test_an_experiment_is_created_once_and_says_its_plan(service: Service) -> None:
    answer = await service.client.put(EXPERIMENT, json=ALL)
    assert answer.status_code == 201
    assert answer.json() == {"name": "ranker", "epoch": 1} | ALL
    again = await service.client.put(EXPERIMENT, json=ALL)
    nothing = {
        "fields": [],
        "opens_epoch": False,
        "opens_stratum": False,
        "rows_left_behind": 0,
        "rows_kept": 0,
    }
    assert (again.status_code, again.json()) == (200, answer.json() | {"change": nothing})
    found = await one(service)
    assert found == answer.json() | {
        "created": "2026-03-05T12:00:30.500000Z",
        "version": 0,
        "observations": {"1": 0},
        "last_window": None,
        "first_crossing": [],
        "first_answers": [],
    }
    for name in ("arms", "control", "design", "slices"):
        same = {key: found[key] for key in ALL}
        assert (await service.put(EXPERIMENT, **same))[name] == ALL[name]


async def test_what_is_not_planned_has_its_default(service: Service) -> None:
    plan = await service.put(EXPERIMENT, arms=["x", "y"])
    assert plan == {
        "name": "ranker",
        "epoch": 1,
        "arms": [{"name": "x", "share": 0.5}, {"name": "y", "share": 0.5}],
        "control": "x",
        "design": "parallel",
        "assignment": "unit",
        "metric": "log_loss",
        "alpha": 0.05,
        "minimum_effect": None,
        "minimum_units": 100,
        "convention": "sklearn",
        "slices": [],
        "other_arms": "error",
        "objective": "superiority",
        "power": None,
    }


async def test_a_plan_changes_in_its_epoch_until_rows_come(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    assert (await service.put(EXPERIMENT, **ALL))["epoch"] == 1
    assert (await one(service)).items() >= ALL.items()
    assert (await service.put(EXPERIMENT, **PAIRED))["epoch"] == 1
    await observe(service, **TWO)
    assert (await service.put(EXPERIMENT, **PAIRED))["epoch"] == 1
    assert (await service.put(NEW_EPOCH, **PARALLEL))["epoch"] == 2


async def test_a_changed_plan_begins_anew_and_the_old_one_stays_readable(
    service: Service,
) -> None:
    rows = sent(paired(noise=2.0, n=800))
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **rows)
    old, series = await report(service), await service.get(f"{EXPERIMENT}/series")
    await service.put(NEW_EPOCH, **(PARALLEL | {"metric": "brier"}))
    fresh = await report(service)
    assert (fresh["epoch"], fresh["metric"], fresh["design"]) == (2, "brier", "parallel")
    assert [arm["n"] for arm in fresh["arms"]] == [0, 0]
    assert (await service.get(f"{EXPERIMENT}/series"))["points"] == []
    assert await report(service, epoch=1) == old
    assert await service.get(f"{EXPERIMENT}/series", epoch=1) == series
    await observe(service, **TWO_APART)
    assert findings(await report(service, epoch=1)) == findings(old)
    assert [arm["n"] for arm in (await report(service, epoch=2))["arms"]] == [1, 1]
    found = await one(service)
    assert (found["observations"], found["version"]) == ({"1": 800, "2": 2}, 2)


async def test_experiments_are_listed_by_name(service: Service) -> None:
    assert await service.get("/v1/experiments") == {"experiments": []}
    for name in ("b", "a", "c.d-e_9"):
        await service.put(f"/v1/experiments/{name}", **PAIRED)
    await service.put("/v1/monitors/monitor")
    found = (await service.get("/v1/experiments"))["experiments"]
    assert [each["name"] for each in found] == ["a", "b", "c.d-e_9"]
    assert all(each["created"] and each["design"] == "paired" for each in found)
    assert len((await service.get("/v1/monitors"))["monitors"]) == 1


async def test_a_removed_experiment_leaves_nothing(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    await service.put(NEW_EPOCH, **PARALLEL)
    answer = await service.client.delete(EXPERIMENT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await service.get("/v1/experiments") == {"experiments": []}
    assert (await service.client.put(EXPERIMENT, json=PAIRED)).status_code == 201
    found = await one(service)
    assert (found["epoch"], found["version"], found["observations"]) == (1, 0, {"1": 0})
    assert [arm["n"] for arm in (await report(service))["arms"]] == [0, 0]


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/report"),
        ("GET", "/series"),
        ("POST", "/observations"),
        ("POST", "/stop"),
    ],
)
async def test_what_is_not_there_is_404(service: Service, method: str, what: str) -> None:
    body = {"/observations": TWO, "/stop": {"note": "enough"}}.get(what)
    answer = await service.client.request(method, f"/v1/experiments/none{what}", json=body)
    assert refused(answer, 404)[0] == "not-found"
    assert "no experiment is named none" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "what", "allowed"),
    [
        ("POST", "", "DELETE, GET, PUT"),
        ("PUT", "/observations", "POST"),
        ("POST", "/report", "GET"),
        ("DELETE", "/series", "GET"),
        ("GET", "/stop", "POST"),
    ],
)
async def test_other_methods_are_told_which_there_are(
    service: Service, method: str, what: str, allowed: str
) -> None:
    answer = await service.client.request(method, EXPERIMENT + what)
    assert refused(answer, 405)[0] == "method-not-allowed"
    assert answer.headers["allow"] == allowed


async def test_bodies_of_other_types_are_415(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    for kind in ("text/csv", ""):
        answer = await post(service, b"y_true,arm", kind)
        assert refused(answer, 415)[0] == "unsupported-body"
        assert answer.headers["accept"] == ", ".join(BATCH_TYPES)
    answer = await service.client.put(EXPERIMENT, content=b"", headers=typed(ARROW))
    assert refused(answer, 415)[0] == "unsupported-body"
    assert answer.headers["accept"] == JSON


async def test_a_body_that_is_too_large_is_413_and_one_that_is_none_400(
    settings: Settings,
) -> None:
    small = Settings(database_url=settings.database_url, max_body_mb=1)
    app = create_app(small, Runtime(on_fatal=pytest.fail))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://k") as client,
    ):
        done(await client.put(EXPERIMENT, json=PAIRED))
        large = b'{"y_true":[' + b"1," * (1 << 19) + b"1]}"
        for body, headers in (
            (large, typed(JSON)),
            (gzip.compress(large), typed(JSON, "gzip")),
        ):
            answer = await client.post(OBSERVATIONS, content=body, headers=headers)
            assert refused(answer, 413)[0] == "body-too-large"
        answer = await client.post(OBSERVATIONS, content=b"{", headers=typed(JSON))
        assert refused(answer, 400)[0] == "malformed-body"


@pytest.mark.parametrize("design", ["paired", "parallel"])
async def test_every_type_of_body_brings_the_same_rows(service: Service, design: str) -> None:
    rows = paired(n=200)
    columns = sent(rows if design == "paired" else split(rows), timestamp=hours(200, 30))
    columns["slice"] = {"country": ["DE", "FR"] * 100}
    found = []
    for kind, body in bodies(columns):
        await service.put(EXPERIMENT, **(PAIRED | {"design": design, "slices": ["country"]}))
        answer = done(await post(service, body, kind))
        screened = {"ignored": 0, "rejected": 0, "rejections": []}
        assert answer == {"accepted": 200, "clipped": 0, "infinite": 0, "epoch": 1} | screened
        found.append((await report(service), await service.get(f"{EXPERIMENT}/series", step=3600)))
        await service.client.delete(EXPERIMENT)
    assert all(each == found[0] for each in found)
    assert len(found[0][1]["points"]) == 30


async def test_what_is_clipped_and_infinite_is_told_of_all_arms(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    rows = TWO | {"y_proba": {"a": [0.0, 0.5], "b": [0.0, 1.0]}}
    assert (await observe(service, **rows))["clipped"] == 3
    await service.put(NEW_EPOCH, **(PAIRED | {"convention": "exact"}))
    assert (await observe(service, **rows)).items() >= {"infinite": 3, "epoch": 2}.items()


async def test_rows_lie_in_the_hour_of_their_timestamp(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    times = ["2026-03-05T10:00:00Z", "2025-01-29T12:59:59.999+00:00"]
    await observe(service, **TWO, timestamp=times)
    await observe(service, **TWO)
    await observe(service, **TWO, timestamp=[NOON + 330, NOON + 330.5])
    points = (await service.get(f"{EXPERIMENT}/series", step=3600))["points"]
    assert [(point["from"], point["n"]) for point in points] == [
        ("2025-01-29T12:00:00Z", 1),
        ("2026-03-05T10:00:00Z", 2),
        ("2026-03-05T12:00:00Z", 6),
    ]
    assert (await one(service))["last_window"] == "2026-03-05T12:00:00Z"


async def test_rows_of_the_future_are_refused(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    late = {"timestamp": [NOON, NOON + 330.6]}
    answer = await service.client.post(OBSERVATIONS, json=TWO | late)
    assert refused(answer) == ("invalid-input", "/timestamp/1")
    assert (await one(service))["version"] == 0


BROKEN: list[tuple[Document, Document, str]] = [
    (PAIRED, {"y_proba": {"a": [0.5, 0.5]}}, "/y_proba/b"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "b": [0.5, 0.5], "c": [0.5, 0.5]}}, "/y_proba/c"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "b": [0.5, 2]}}, "/y_proba/b/1"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "b": [0.5]}}, "/y_proba/b"),
    (PAIRED, {"y_proba": [0.5, 0.5], "arm": ["a", "b"]}, "/y_proba"),
    (PAIRED, {"y_proba": [0.5, 0.5]}, "/arm"),
    (PAIRED, {"arm": ["a", "b"]}, "/arm"),
    (PAIRED, {"unit": None}, "/unit"),
    (PAIRED, {"unit": ["ann"]}, "/unit"),
    (PAIRED, {"y_true": [1, 3]}, "/y_true/1"),
    (PAIRED, {"y_true": ["yes", "no"]}, "/y_true"),
    (PAIRED, {"slice": {"city": ["x", "y"]}}, "/slice/city"),
    (PAIRED, {"sample_weight": [1, -1]}, "/sample_weight/1"),
    (PAIRED, {"timestamp": ["2026-03-05T10:00:00Z", "now"]}, "/timestamp/1"),
    (PAIRED, {"target_propensity": [1, 1]}, "/propensity"),
    (PAIRED, {"propensity": [1e-300, 1], "target_propensity": [1, 1]}, "/propensity/0"),
    (PAIRED, {"control": "a"}, "/control"),
    (PARALLEL, {}, "/y_proba"),
    (PARALLEL, {"y_proba": [0.5, 0.5], "arm": ["a", "c"]}, "/arm/1"),
    (PARALLEL, {"y_proba": [0.5, 7], "arm": ["a", "b"]}, "/y_proba/1"),
]


@pytest.mark.parametrize(("plan", "fields", "place"), BROKEN)
async def test_rows_that_do_not_fit_are_refused_by_their_place_and_not_kept(
    service: Service, plan: Document, fields: Document, place: str
) -> None:
    await service.put(EXPERIMENT, **plan)
    rows: dict[str, Any] = TWO | fields
    rows = {name: values for name, values in rows.items() if values is not None}
    answer = await service.client.post(OBSERVATIONS, json=rows)
    assert refused(answer)[1] == place
    assert (await one(service))["version"] == 0
    assert [arm["n"] for arm in (await report(service))["arms"]] == [0, 0]


async def test_a_line_that_is_wrong_is_named(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    lines = as_lines(rows_of(TWO)) + b"\n" + as_lines(rows_of(TWO)).replace(b"0.25", b"1.25")
    assert refused(await post(service, lines, LINES[0])) == ("invalid-input", "/3/y_proba/b")
