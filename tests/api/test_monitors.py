"""A monitor is created, changed as far as its rows allow, listed, read and removed."""

import json

import pytest
from httpx import ASGITransport, AsyncClient

from kullback.main import create_app
from kullback.settings import Settings
from tests.monitoring.service import MONITOR, Document, Service, done, refused

pytestmark = pytest.mark.anyio

DEFAULTS: Document = {
    "task": "binary",
    "labels": None,
    "pos_label": 1,
    "window_seconds": 60,
    "retention_days": 30,
    "slices": [],
    "convention": "sklearn",
    "ttl_seconds": 7 * 86_400,
    "timezone": None,
    "label_lag": None,
    "description": "",
    "owner": None,
    "tags": [],
    "links": [],
    "default_label": None,
    "label_window": None,
    "checks": {},
    "features": {},
}
ROWS: Document = {"y_true": [1, 0], "y_proba": [0.9, 0.2]}
COUNTS: Document = {
    "observations": 0,
    "predictions": 0,
    "labels": 0,
    "matched": 0,
    "defaulted": 0,
    "corrected": 0,
    "duplicates": 0,
    "rejected": 0,
    "late": 0,
    "backfilled": 0,
    "pending": {"predictions": 0, "labels": 0},
    "expired": {"predictions": 0, "labels": 0},
}


async def test_a_monitor_is_created_once_and_then_stays(service: Service) -> None:
    first = await service.client.put(MONITOR, json={})
    again = await service.client.put(MONITOR, json={})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"name": "clicks", **DEFAULTS}


async def test_a_monitor_is_read_with_what_came_and_what_waits(service: Service) -> None:
    await service.put()
    assert await service.get() == {
        "name": "clicks",
        **DEFAULTS,
        "created": "2026-03-05T12:00:30.500000Z",
        "counts": COUNTS,
        "last_window": None,
        "learned_label_lag": None,
        "state": "unknown",
        "reference": None,
    }


async def test_all_monitors_are_listed_by_name(service: Service) -> None:
    assert await service.get("/v1/monitors") == {"monitors": []}
    for name in ("b", "a", "a.b"):
        await service.put(f"/v1/monitors/{name}")
    listed = (await service.get("/v1/monitors"))["monitors"]
    assert [one["name"] for one in listed] == ["a", "a.b", "b"]
    created = "2026-03-05T12:00:30.500000Z"
    assert listed[0] == {"name": "a", **DEFAULTS, "created": created, "state": "unknown"}


@pytest.mark.parametrize(
    "chosen",
    [
        {"task": "multiclass", "labels": ["a", "b", "c"]},
        {"task": "multiclass", "labels": [3, 2]},
        {"labels": ["no", "yes"]},
        {"labels": ["no", "yes"], "pos_label": "no"},
        {"pos_label": 0},
        {"window_seconds": 1},
        {"window_seconds": 86_400},
        {"retention_days": 3650},
        {"slices": ["country", "device.type"]},
        {"convention": "exact"},
        {"retention_days": 1, "ttl_seconds": 86_400},
    ],
)
async def test_every_setting_is_kept(service: Service, chosen: Document) -> None:
    created = await service.put(**chosen)
    assert created == await service.put(**chosen)
    assert created.items() >= chosen.items()
    assert (await service.get()).items() >= created.items()


async def test_rows_wait_no_longer_than_they_are_kept(service: Service) -> None:
    assert (await service.put(retention_days=2))["ttl_seconds"] == 2 * 86_400


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        ({"task": "regression"}, "/task"),
        ({"task": "multiclass"}, "/labels"),
        ({"task": "multiclass", "labels": ["a"]}, "/labels"),
        ({"task": "multiclass", "labels": ["a", "b"], "pos_label": "a"}, "/pos_label"),
        ({"labels": ["a", "b", "c"]}, "/labels"),
        ({"labels": ["a", "a"]}, "/labels/1"),
        ({"labels": ["a", "b\n"]}, "/labels/1"),
        ({"labels": ["a", "b"], "pos_label": "c"}, "/pos_label"),
        ({"pos_label": "yes"}, "/labels"),
        ({"window_seconds": 0}, "/window_seconds"),
        ({"window_seconds": 7}, "/window_seconds"),
        ({"window_seconds": 60.0}, "/window_seconds"),
        ({"window_seconds": "60"}, "/window_seconds"),
        ({"window_seconds": True}, "/window_seconds"),
        ({"window_seconds": 5 * 3600}, "/window_seconds"),
        ({"retention_days": 0}, "/retention_days"),
        ({"retention_days": 3651}, "/retention_days"),
        ({"slices": ["country", "country"]}, "/slices/1"),
        ({"slices": ["a=b"]}, "/slices/0"),
        ({"slices": [str(i) for i in range(21)]}, "/slices"),
        ({"slices": "country"}, "/slices"),
        ({"convention": "mine"}, "/convention"),
        ({"ttl_seconds": 0}, "/ttl_seconds"),
        ({"retention_days": 1, "ttl_seconds": 86_401}, "/ttl_seconds"),
        ({"windows": 60}, "/windows"),
    ],
)
async def test_a_setting_that_cannot_be_is_named(
    service: Service, chosen: Document, place: str
) -> None:
    answer = await service.client.put(MONITOR, json=chosen)
    assert refused(answer) == ("invalid-input", place)
    assert await service.get("/v1/monitors") == {"monitors": []}


@pytest.mark.parametrize("name", ["a", "0", "a_b.c-d", "x" * 128, "Fraud_Model:V2", "9:"])
async def test_what_may_be_a_name(service: Service, name: str) -> None:
    assert (await service.put(f"/v1/monitors/{name}"))["name"] == name


@pytest.mark.parametrize("name", ["_a", ".a", "-a", ":a", "x" * 129, "a b", "ä", "a%0A", "a%00"])
async def test_what_may_not_be_a_name(service: Service, name: str) -> None:
    answer = await service.client.put(f"/v1/monitors/{name}", json={})
    assert refused(answer) == ("invalid-input", "/path/name")
    assert "letters a to z of either case, digits" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["fraud/v2", "fraud/v2/observations", "fraud%2Fv2"])
@pytest.mark.parametrize("kind", ["monitors", "experiments"])
async def test_a_name_with_a_slash_is_told_what_may_be_one(
    service: Service, kind: str, path: str
) -> None:
    answer = await service.client.put(f"/v1/{kind}/{path}", json={})
    assert refused(answer, 404)[0] == "not-found"
    assert "A slash is not part of a name" in answer.json()["detail"]


async def test_names_that_differ_by_case_are_two(service: Service) -> None:
    for name, rows in (("Fraud:v2", ROWS), ("fraud:v2", {"y_true": [1], "y_proba": [0.5]})):
        await service.put(f"/v1/monitors/{name}")
        await service.post("observations", f"/v1/monitors/{name}", **rows)
    assert [
        (await service.report(f"/v1/monitors/{name}"))["n"] for name in ("Fraud:v2", "fraud:v2")
    ] == [2, 1]
    assert (await service.samples(monitor="Fraud:v2"))[
        'kullback_examples_total{monitor="Fraud:v2"}'
    ] == 2
    assert (await service.client.get("/monitors/Fraud:v2")).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"task": "multiclass", "labels": [0, 1]},
        {"labels": [0, 1]},
        {"pos_label": 0},
        {"window_seconds": 30},
        {"convention": "exact"},
    ],
)
@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("observations", ROWS),
        ("predictions", {"id": ["a"], "y_proba": [0.5]}),
        ("labels", {"id": ["a"], "y_true": [1]}),
    ],
)
async def test_what_sums_depend_on_is_fixed_once_rows_have_come(
    service: Service, changed: Document, what: str, rows: Document
) -> None:
    await service.put(**changed)
    await service.client.delete(MONITOR)
    before = await service.put()
    await service.post(what, **rows)
    answer = await service.client.put(MONITOR, json=changed)
    assert refused(answer, 409) == ("conflict", f"/{next(iter(changed))}")
    assert (await service.get()).items() >= before.items()
    assert (await service.client.put(MONITOR, json={})).status_code == 200


async def test_what_sums_do_not_depend_on_may_always_change(service: Service) -> None:
    await service.put()
    await service.post("observations", **ROWS)
    changed = {"retention_days": 90, "slices": ["country"], "ttl_seconds": 60}
    assert (await service.put(**changed)).items() >= changed.items()
    await service.post("observations", **ROWS, slice={"country": ["DE", "FR"]})
    report = await service.report(by="country")
    assert (report["n"], [group["n"] for group in report["groups"]]) == (4, [1, 1])


async def test_a_monitor_that_is_removed_is_gone_with_all_it_held(service: Service) -> None:
    await service.put()
    await service.post("observations", **ROWS)
    await service.post("predictions", id=["a"], y_proba=[0.5])
    await service.put(f"{MONITOR}/reference", **ROWS)
    answer = await service.client.delete(MONITOR)
    assert (answer.status_code, answer.content) == (204, b"")
    for path in (MONITOR, f"{MONITOR}/report", f"{MONITOR}/series"):
        assert refused(await service.client.get(path), 404)[0] == "not-found"
    for what in ("observations", "predictions"):
        rows = ROWS if what == "observations" else {"id": ["a"], "y_proba": [0.5]}
        answer = await service.client.post(f"{MONITOR}/{what}", json=rows)
        assert refused(answer, 404)[0] == "not-found"
    assert refused(await service.client.delete(MONITOR), 404)[0] == "not-found"


async def test_a_monitor_that_is_created_again_is_empty(service: Service) -> None:
    for _ in range(2):
        created = await service.client.put(MONITOR, json={"window_seconds": 30})
        assert created.status_code == 201
        read = await service.get()
        assert (read["counts"], read["last_window"], read["reference"]) == (COUNTS, None, None)
        assert (await service.report())["n"] == 0
        assert await service.points() == []
        joined = await service.post("labels", id=["a"], y_true=[1])
        assert joined["pending"] == 1
        await service.post("observations", **ROWS)
        await service.post("predictions", id=["a"], y_proba=[0.5])
        await service.put(f"{MONITOR}/reference", **ROWS)
        await service.client.delete(MONITOR)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/monitors"),
        ("GET", MONITOR),
        ("PUT", MONITOR),
        ("DELETE", MONITOR),
        ("GET", f"{MONITOR}/report"),
        ("GET", f"{MONITOR}/series"),
        ("POST", f"{MONITOR}/observations"),
        ("POST", f"{MONITOR}/predictions"),
        ("POST", f"{MONITOR}/labels"),
        ("PUT", f"{MONITOR}/reference"),
    ],
)
async def test_parameters_that_nobody_knows_are_refused_by_name(
    service: Service, method: str, path: str
) -> None:
    await service.put()
    content: Document = {} if method in {"GET", "DELETE"} else {"json": {}}
    answer = await service.client.request(method, f"{path}?fro=1", **content)
    assert refused(answer) == ("invalid-input", "/fro")
    assert (await service.get())["counts"] == COUNTS


async def test_a_parameter_stands_once(service: Service) -> None:
    await service.put()
    answer = await service.client.get(f"{MONITOR}/report?by=a&by=b")
    assert refused(answer) == ("invalid-input", "/by")


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "text/plain", ""])
async def test_settings_are_json(service: Service, content_type: str) -> None:
    headers = {"content-type": content_type}
    answer = await service.client.put(MONITOR, content=b"{}", headers=headers)
    assert refused(answer, 415)[0] == "unsupported-body"
    assert answer.headers["accept"] == "application/json"


async def test_a_monitor_is_there_after_the_service_was_started_again(settings: Settings) -> None:
    for status in (201, 200):
        app = create_app(settings)
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
        ):
            assert (await client.put(MONITOR, json={})).status_code == status
            done(await client.post(f"{MONITOR}/observations", json=ROWS))
            n = done(await client.get(f"{MONITOR}/report"))["n"]
    assert n == 4


async def test_rows_of_the_service_are_json_without_constants_it_lacks(service: Service) -> None:
    await service.put(convention="exact")
    await service.post("observations", y_true=[1, 1], y_proba=[0.0, 0.5], sample_weight=[1, 1e100])
    for path in (MONITOR, f"{MONITOR}/report", f"{MONITOR}/series", "/v1/monitors"):
        answer = await service.client.get(path)
        assert answer.headers["content-type"] == "application/json"
        json.loads(answer.content, parse_constant=pytest.fail)
