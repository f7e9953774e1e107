"""A monitor gets another name with all that it holds; references are removed; lists have parts."""

import anyio
import httpx
import pytest

from kullback.monitoring import unfinished
from kullback.monitoring.stored import KIND, Renaming, StoredMonitor, document
from kullback.settings import Settings
from kullback.storage.base import DONE, Reply, Transaction
from tests.access.service import bearer, guarded
from tests.monitoring.service import MONITOR, Document, Service, done, refused, running
from tests.postgresql import Server
from tests.storage.writes import held

pytestmark = pytest.mark.anyio

TAPS = "/v1/monitors/Taps:v2"
ROWS: Document = {"y_true": [1, 0], "y_proba": [0.9, 0.2]}


async def send(service: Service, path: str, body: Document, key: str = "once") -> httpx.Response:
    return await service.client.post(path, json=body, headers={"idempotency-key": key})


async def renamed(service: Service, path: str = MONITOR, name: str = "Taps:v2") -> Document:
    return done(await service.client.post(f"{path}/rename", json={"name": name}))


async def test_all_that_a_monitor_holds_moves_along(service: Service) -> None:
    await service.put(owner="us")
    done(await send(service, f"{MONITOR}/observations", ROWS))
    await service.post("predictions", id=["a"], y_proba=[0.5])
    await service.put(f"{MONITOR}/reference", **ROWS)
    service.inside.monitor_maintenance.refresh_recent()
    before, report = await service.get(), await service.report()
    assert (await renamed(service)).items() >= {"name": "Taps:v2", "owner": "us"}.items()
    after = await service.get(TAPS)
    assert after == before | {"name": "Taps:v2", "state": after["state"]}
    assert await service.report(TAPS) == report | {"monitor": "Taps:v2"}
    assert refused(await service.client.get(MONITOR), 404)[0] == "not-found"
    samples = await service.samples(monitor="Taps:v2")
    assert samples['kullback_examples_total{monitor="Taps:v2"}'] == 0  # a new series grows from 0
    assert not await service.samples(monitor="clicks")
    assert (await service.post("labels", TAPS, id=["a"], y_true=[1]))["matched"] == 1
    samples = await service.samples(monitor="Taps:v2")
    assert samples['kullback_examples_total{monitor="Taps:v2"}'] == 1


async def test_keys_move_along(service: Service) -> None:
    await service.put()
    done(await send(service, f"{MONITOR}/observations", ROWS))
    await renamed(service)
    answer = await send(service, f"{TAPS}/observations", ROWS)
    assert answer.headers["idempotency-replayed"] == "true"
    assert (await service.report(TAPS))["n"] == 2
    assert refused(await send(service, f"{MONITOR}/observations", ROWS), 404)
    await service.put()
    answer = await send(service, f"{MONITOR}/observations", ROWS)
    assert "idempotency-replayed" not in answer.headers
    assert [(await service.report(path))["n"] for path in (MONITOR, TAPS)] == [2, 2]


async def test_a_rename_happens_once_under_its_key(service: Service) -> None:
    await service.put()
    path, body = f"{MONITOR}/rename", {"name": "Taps:v2"}
    first = await send(service, path, body)
    again = await send(service, path, body)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert refused(await send(service, path, body, "other"), 404)


async def test_a_name_that_is_taken_is_not_given(service: Service) -> None:
    await service.put()
    await service.put(TAPS)
    answer = await service.client.post(f"{MONITOR}/rename", json={"name": "Taps:v2"})
    assert refused(answer, 409) == ("conflict", "/name")
    for body, place in (({"name": "a/b"}, "/name"), ({}, "/name"), ({"name": 7}, "/name")):
        answer = await service.client.post(f"{MONITOR}/rename", json=body)
        assert refused(answer) == ("invalid-input", place)
    assert (await service.client.get(MONITOR)).status_code == 200


async def test_rows_on_their_way_fail_and_count_once(service: Service) -> None:
    await service.put()
    answers: list[httpx.Response] = []

    async def rename() -> None:
        await renamed(service)

    async def one() -> None:
        await anyio.sleep(0.05)
        answers.append(await send(service, f"{MONITOR}/observations", ROWS))

    async with anyio.create_task_group() as tasks:
        with held(service.store):
            tasks.start_soon(rename)
            tasks.start_soon(one)
            await anyio.sleep(0.3)
    assert refused(answers[0], 404)[0] == "not-found"
    assert (await service.report(TAPS))["n"] == 0
    done(await send(service, f"{TAPS}/observations", ROWS))
    assert (await service.report(TAPS))["n"] == 2


async def test_a_write_in_the_same_commit_keeps_its_key(service: Service) -> None:
    await service.put()
    answers: list[httpx.Response] = []

    async def one() -> None:
        answers.append(await send(service, f"{MONITOR}/observations", ROWS))

    async def rename() -> None:
        await anyio.sleep(0.1)
        await renamed(service)

    async with anyio.create_task_group() as tasks:
        with held(service.store):
            tasks.start_soon(one)
            tasks.start_soon(rename)
            await anyio.sleep(0.3)
    done(answers[0])
    answer = await send(service, f"{TAPS}/observations", ROWS)
    assert answer.headers["idempotency-replayed"] == "true"
    assert (await service.report(TAPS))["n"] == 2


async def test_a_rename_that_was_cut_short_is_finished(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "AT_ONCE", 2)
    await service.put()
    for key in range(5):
        done(await send(service, f"{MONITOR}/observations", ROWS, str(key)))

    def work(tx: Transaction) -> Reply:
        stored = StoredMonitor.of(tx.record(KIND, "clicks", for_change=True), "clicks")
        tx.change(stored.record.id, document(stored.monitor, Renaming("clicks")))
        tx.rename(stored.record.id, "Taps:v2")
        return DONE

    service.store.write(work).result()
    answer = await send(service, f"{TAPS}/observations", ROWS, "0")
    assert refused(answer, 503)[0] == "overloaded"
    service.tidy()
    for key in range(5):
        answer = await send(service, f"{TAPS}/observations", ROWS, str(key))
        assert answer.headers["idempotency-replayed"] == "true"
    assert (await service.report(TAPS))["n"] == 10


async def test_a_key_for_some_names_gives_only_such_names(settings: Settings) -> None:
    async with guarded(settings) as service:
        key = await service.issue("write", "read", prefixes=["Team:a."])
        headers = bearer(key)
        for path in ("Team:a.x", "Team:a.y"):
            answer = await service.client.put(f"/v1/monitors/{path}", json={}, headers=headers)
            assert answer.status_code == 201, answer.text
        answer = await service.client.put(
            "/v1/monitors/Team:b.z", json={}, headers=bearer(service.admin)
        )
        assert answer.status_code == 201

        async def rename(old: str, new: str) -> httpx.Response:
            path = f"/v1/monitors/{old}/rename"
            return await service.client.post(path, json={"name": new}, headers=headers)

        assert refused(await rename("Team:a.x", "Team:b.x"), 403)[0] == "insufficient-scope"
        assert refused(await rename("Team:a.x", "Team:b.z"), 403)[0] == "insufficient-scope"
        assert refused(await rename("Team:b.z", "Team:a.z"), 404)[0] == "not-found"
        done(await rename("Team:a.x", "Team:a.z"))


async def test_replicas_rename_for_each_other(postgresql: Server) -> None:
    with postgresql.database() as name:
        url = postgresql.url(name)
        async with running(url) as one, running(url) as other:
            await one.put()
            done(await send(one, f"{MONITOR}/observations", ROWS))
            for service in (one, other):
                service.inside.monitor_maintenance.run_due()
            await renamed(other)
            answer = await send(one, f"{TAPS}/observations", ROWS)
            assert answer.headers["idempotency-replayed"] == "true"
            assert refused(await send(one, f"{MONITOR}/observations", ROWS), 404)
            one.inside.monitor_maintenance.run_due()
            samples = await one.samples(monitor="Taps:v2")
            assert samples['kullback_examples_total{monitor="Taps:v2"}'] == 0
            await other.put()
            assert (await other.report())["n"] == 0


async def test_a_reference_is_removed(service: Service) -> None:
    await service.put()
    path = f"{MONITOR}/reference"
    assert refused(await service.client.delete(path), 404)[0] == "not-found"
    await service.put(path, **ROWS)
    await service.post("observations", **ROWS)
    before = await service.client.get(f"{MONITOR}/report")
    assert (await service.client.delete(path)).status_code == 204
    assert (await service.get())["reference"] is None
    headers = {"if-none-match": before.headers["etag"]}
    after = await service.client.get(f"{MONITOR}/report", headers=headers)
    assert after.json()["drift"]["score"]["reason"] == "no_reference"
    assert refused(await service.client.delete(path), 404)[0] == "not-found"


async def test_a_list_has_parts(service: Service) -> None:
    for name, tags in (("a", ["x"]), ("b", []), ("c", ["x", "y"]), ("d", ["x"])):
        await service.put(f"/v1/monitors/{name}", tags=tags)
    everything = await service.get("/v1/monitors")
    assert set(everything) == {"monitors"}

    async def names(**query: str | float) -> tuple[list[str], str | None]:
        listed = await service.get("/v1/monitors", **query)
        return [one["name"] for one in listed["monitors"]], listed.get("next", "absent")

    assert await names(limit=2) == (["a", "b"], "b")
    assert await names(limit=2, after="b") == (["c", "d"], None)
    assert await names(limit=2, tag="x") == (["a", "c"], "c")
    assert await names(tag="x", after="a") == (["c", "d"], "absent")
    assert await names(tag="z", limit=1) == ([], None)
    for query in ("limit=0", "limit=1001", "limit=a"):
        assert refused(await service.client.get(f"/v1/monitors?{query}"))[0] == "invalid-input"
