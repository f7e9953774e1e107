"""What forgets rows says how many, and does so only where it is told to."""

import pytest

from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused

pytestmark = pytest.mark.anyio

DAY = 86_400
ROWS: Document = {"y_true": [1, 0, 1], "y_proba": [0.9, 0.2, 0.4]}


async def with_past(service: Service) -> None:
    """A monitor of 100 days with 3 rows of 50 days ago, one prediction beside them, 3 of now."""
    await service.put(retention_days=100, slices=["country"], window_seconds=3600)
    past = NOON - 50 * DAY
    rows = ROWS | {"timestamp": [past] * 3, "slice": {"country": ["DE"] * 3}}
    await service.post("observations", **rows)
    await service.post("predictions", id=["a"], y_proba=[0.5], timestamp=[past])
    await service.post("observations", **ROWS)
    service.tidy()


async def all_rows(service: Service) -> tuple[int, int]:
    report = await service.report(**{"from": NOON - 90 * DAY})
    return report["n"], report["predictions"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_shorter_retention_asks_and_then_forgets(service: Service, method: str) -> None:
    await with_past(service)
    change = {"retention_days": 30, "owner": "us"}
    answer = await service.client.request(method, MONITOR, json=change)
    assert refused(answer, 409) == ("conflict", "/retention_days")
    detail = answer.json()["detail"]
    assert "4 rows, 3 of them with labels, of 2026-01-14T00:00:00Z to 2026-01-15" in detail
    assert "?forget=true" in detail
    assert (await service.get()).items() >= {"retention_days": 100, "owner": None}.items()
    service.tidy()
    assert await all_rows(service) == (6, 7)
    answer = await service.client.request(method, f"{MONITOR}?forget=true", json=change)
    assert done(answer).items() >= change.items()
    assert answer.json()["forgotten"] == {"rows": 4, "labelled": 3, "ids": 0}
    assert await all_rows(service) == (3, 3)
    groups = (await service.report(by="country", **{"from": NOON - 90 * DAY}))["groups"]
    assert groups == []
    assert "forgotten" not in await service.put(retention_days=20)


async def test_a_retention_that_leaves_nothing_older_is_changed(service: Service) -> None:
    await with_past(service)
    assert (await service.put(retention_days=60))["retention_days"] == 60
    assert await all_rows(service) == (6, 7)


async def test_what_is_due_anyway_is_not_asked_about(service: Service) -> None:
    await with_past(service)
    service.clock.now += 60 * DAY  # the upkeep has not come yet
    assert (await service.put(retention_days=65))["retention_days"] == 65


async def test_a_longer_retention_saves_what_the_upkeep_was_to_remove(service: Service) -> None:
    await with_past(service)
    service.clock.now += 60 * DAY
    await service.put(retention_days=365)
    service.tidy()
    assert (await service.report(**{"from": NOON - 90 * DAY}))["n"] == 6


async def test_a_shorter_wait_asks_about_ids(service: Service) -> None:
    await service.put()
    await service.post("predictions", id=["a", "b"], y_proba=[0.5, 0.6])
    service.clock.now += 3600
    await service.post("labels", id=["a", "c"], y_true=[1, 0])
    answer = await service.client.put(MONITOR, json={"ttl_seconds": 1800})
    assert refused(answer, 409) == ("conflict", "/ttl_seconds")
    assert "2 ids that are remembered" in answer.json()["detail"]
    changed = done(await service.client.put(f"{MONITOR}?forget=true", json={"ttl_seconds": 1800}))
    assert changed["forgotten"] == {"rows": 0, "labelled": 0, "ids": 2}
    service.tidy()
    assert (await service.get())["counts"]["pending"] == {"predictions": 0, "labels": 1}
    assert (await service.report())["n"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"task": "multiclass", "labels": ["a", "b", "c"]},
        {"labels": ["no", "yes"]},
        {"pos_label": 0},
        {"window_seconds": 60},
        {"convention": "exact"},
    ],
)
async def test_what_sums_depend_on_starts_anew_where_that_is_said(
    service: Service, change: Document
) -> None:
    await with_past(service)
    await service.put(f"{MONITOR}/reference", **ROWS)
    answer = await service.client.put(MONITOR, json=change)
    assert refused(answer, 409) == ("conflict", f"/{next(iter(change))}")
    keeps_reference = "window_seconds" in change
    detail = answer.json()["detail"]
    assert "7 rows, 6 of them with labels" in detail
    assert "1 ids" in detail
    assert ("the reference" in detail) is not keeps_reference
    assert await all_rows(service) == (6, 7)
    headers = {"idempotency-key": "old"}
    path = f"{MONITOR}/observations"
    done(await service.client.post(path, json=ROWS, headers=headers))
    answer = await service.client.put(f"{MONITOR}?forget=true", json=change)
    assert done(answer)["forgotten"] == {"rows": 10, "labelled": 9, "ids": 1}
    read = await service.get()
    assert read.items() >= change.items()
    assert (read["last_window"], read["counts"]["observations"]) == (None, 0)
    assert (read["reference"] is not None) is keeps_reference
    assert await all_rows(service) == (0, 0)
    if keeps_reference:
        answer = await service.client.post(path, json=ROWS, headers=headers)
        assert "idempotency-replayed" not in answer.headers
        assert await all_rows(service) == (3, 3)


async def test_a_monitor_that_holds_nothing_any_more_may_become_another(service: Service) -> None:
    await service.put(retention_days=1, ttl_seconds=60)
    await service.post("observations", **ROWS)
    service.clock.now += 3 * DAY
    service.tidy()
    assert (await service.put(convention="exact"))["convention"] == "exact"


async def test_nothing_is_forgotten_twice_under_one_key(service: Service) -> None:
    await with_past(service)
    headers = {"idempotency-key": "once"}
    change = {"retention_days": 30}
    first = await service.client.put(f"{MONITOR}?forget=true", json=change, headers=headers)
    again = await service.client.put(f"{MONITOR}?forget=true", json=change, headers=headers)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("value", ["", "2", "maybe"])
async def test_forget_is_true_or_false(service: Service, value: str) -> None:
    answer = await service.client.put(f"{MONITOR}?forget={value}", json={})
    assert refused(answer)[0] == "invalid-input"
