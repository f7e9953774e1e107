"""Windows of a time are removed with all that is of them, and rows of it can be sent again."""

import httpx
import pytest

from kullback.monitoring import unfinished
from kullback.monitoring.stored import KIND, Removal, StoredMonitor, document
from kullback.storage.base import DONE, Reply, Transaction
from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused, running
from tests.postgresql import Server

pytestmark = pytest.mark.anyio

PATH = f"{MONITOR}/windows"
MINUTES = (NOON - 180, NOON - 120, NOON - 60)


def batch(*times: float) -> Document:
    return {
        "y_true": [1] * len(times),
        "y_proba": [0.5] * len(times),
        "timestamp": list(times),
        "slice": {"country": ["DE"] * len(times)},
    }


async def observed(service: Service, key: str, *times: float) -> httpx.Response:
    headers = {"idempotency-key": key}
    return await service.client.post(f"{MONITOR}/observations", json=batch(*times), headers=headers)


async def removed(service: Service, start: float, stop: float) -> Document:
    return done(await service.client.delete(PATH, params={"from": start, "to": stop}))


async def rows(service: Service, **query: str) -> list[int]:
    """How many rows there are in each window."""
    points = await service.points(**{"from": NOON - 3600, "step": 60}, **query)
    return [point["n"] for point in points]


async def test_a_range_goes_and_says_what_went(service: Service) -> None:
    await service.put(slices=["country"])
    for key, at in enumerate(MINUTES):
        done(await observed(service, f"key-{key}", at, at + 1))
    await service.post("predictions", id=["a"], y_proba=[0.5], timestamp=[MINUTES[1]])
    before = await service.client.get(f"{MONITOR}/report")
    answer = await removed(service, MINUTES[1] + 20, MINUTES[1] + 30)
    assert answer == {
        "from": "2026-03-05T11:58:00Z",
        "to": "2026-03-05T11:59:00Z",
        "removed": 3,
        "labelled": 2,
    }
    assert await rows(service) == [2, 2]
    report = await service.report(by="country")
    assert (report["n"], report["predictions"], report["groups"][0]["n"]) == (4, 4, 4)
    headers = {"if-none-match": before.headers["etag"]}
    after = await service.client.get(f"{MONITOR}/report", headers=headers)
    assert after.status_code == 200
    again = await removed(service, MINUTES[1], MINUTES[1] + 60)
    assert (again["removed"], again["labelled"]) == (0, 0)


async def test_batches_of_a_range_count_again_under_their_keys(service: Service) -> None:
    await service.put(slices=["country"])
    for key, at in enumerate(MINUTES):
        done(await observed(service, f"key-{key}", at))
    done(await observed(service, "across", MINUTES[0], MINUTES[1]))
    await removed(service, MINUTES[1], MINUTES[2])
    assert await rows(service) == [2, 1]
    replayed = {}
    for key, at in enumerate(MINUTES):
        answer = await observed(service, f"key-{key}", at)
        assert answer.status_code == 200
        replayed[key] = "idempotency-replayed" in answer.headers
    assert replayed == {0: True, 1: False, 2: True}
    answer = await observed(service, "across", MINUTES[0], MINUTES[1])
    assert refused(answer, 409)[0] == "idempotency-key-outdated"
    assert "another key" in answer.json()["detail"]
    assert await rows(service) == [2, 1, 1]


async def test_the_reference_and_other_monitors_stay(service: Service) -> None:
    for path in (MONITOR, "/v1/monitors/other"):
        await service.put(path, slices=["country"])
        await service.post("observations", path, **batch(*MINUTES))
        await service.put(f"{path}/reference", **{"from": MINUTES[0], "to": NOON})
    await removed(service, NOON - 3600, NOON)
    assert (await service.get())["reference"]["n"] == 3
    assert await rows(service) == []
    assert (await service.report("/v1/monitors/other"))["n"] == 3
    found = await service.samples(monitor="clicks")
    assert found['kullback_examples_total{monitor="clicks"}'] == 3


async def test_old_windows_go_as_they_are_kept(service: Service) -> None:
    await service.put(slices=["country"])
    old = NOON - 3 * 86_400
    done(await observed(service, "old", old, old + 1800))
    service.tidy()
    answer = await removed(service, old + 60, old + 120)
    assert (answer["from"], answer["to"]) == ("2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z")
    assert answer["removed"] == 2
    assert "idempotency-replayed" not in (await observed(service, "old", old, old + 1800)).headers


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({}, "/query/from"),
        ({"from": "1"}, "/query/to"),
        ({"from": "2", "to": "1"}, "/from"),
        ({"from": "now", "to": "1"}, "/from"),
        ({"from": "1", "to": "2", "by": "x"}, "/by"),
    ],
)
async def test_a_range_has_two_ends(service: Service, query: dict[str, str], place: str) -> None:
    await service.put()
    assert refused(await service.client.delete(PATH, params=query)) == ("invalid-input", place)


async def test_a_removal_is_done_once_under_its_key(service: Service) -> None:
    await service.put(slices=["country"])
    done(await observed(service, "a", MINUTES[0]))
    query = {"from": MINUTES[0], "to": NOON}
    headers = {"idempotency-key": "removal"}
    first = await service.client.delete(PATH, params=query, headers=headers)
    done(await observed(service, "a", MINUTES[0]))
    again = await service.client.delete(PATH, params=query, headers=headers)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert await rows(service) == [1]


def begin(service: Service, removal: Removal) -> None:
    """What a service leaves that ends after the first step."""

    def work(tx: Transaction) -> Reply:
        stored = StoredMonitor.of(tx.record(KIND, "clicks", for_change=True), "clicks")
        tx.change(stored.record.id, document(stored.monitor, removal))
        return DONE

    service.store.write(work).result()


async def test_a_removal_that_was_cut_short_is_not_seen_and_is_finished(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "AT_ONCE", 2)
    await service.put(slices=["country"])
    for at in MINUTES:
        done(await observed(service, f"key-{at}", at))
    begin(service, Removal(int(MINUTES[0]), int(MINUTES[2])))
    assert await rows(service) == [1]
    assert (await service.report(by="country"))["groups"][0]["n"] == 1
    answer = await observed(service, "meanwhile", MINUTES[0])
    assert refused(answer, 503)[0] == "overloaded"
    assert int(answer.headers["retry-after"]) >= 1
    service.tidy()
    assert await rows(service) == [1]
    for at in MINUTES[:2]:
        assert "idempotency-replayed" not in (await observed(service, f"key-{at}", at)).headers
    assert await rows(service) == [1, 1, 1]


async def test_a_removal_that_was_cut_short_is_finished_by_the_next_one(service: Service) -> None:
    await service.put(slices=["country"])
    for at in MINUTES:
        done(await observed(service, f"key-{at}", at))
    begin(service, Removal(int(MINUTES[0]), int(MINUTES[1])))
    assert (await removed(service, MINUTES[0], MINUTES[2]))["removed"] == 1
    assert await rows(service) == [1]


async def test_replicas_remove_for_each_other(postgresql: Server) -> None:
    with postgresql.database() as name:
        url = postgresql.url(name)
        async with running(url) as one, running(url) as other:
            await one.put(slices=["country"])
            for at in MINUTES:
                done(await observed(one, f"key-{at}", at))
            assert (await removed(other, MINUTES[0], MINUTES[2]))["removed"] == 2
            assert await rows(one) == [1]
            answer = await observed(one, f"key-{MINUTES[0]}", MINUTES[0])
            assert "idempotency-replayed" not in answer.headers
            assert await rows(other) == [1, 1]


async def test_ids_of_a_range_are_new_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "AT_ONCE", 2)
    await service.put()
    ids, times = list("abcdef"), [*MINUTES, *MINUTES]
    sent = {"id": ids, "y_proba": [0.5] * 6, "timestamp": times}
    await service.post("predictions", **sent)
    await service.post("labels", id=["a", "b", "z"], y_true=[1, 0, 1])
    await service.post(
        "observations", id=["o", "p"], y_true=[1, 0], y_proba=[0.5, 0.5], timestamp=times[:2]
    )
    assert (await service.report())["n"] == 4
    answer = await removed(service, MINUTES[1], MINUTES[2])
    assert (answer["removed"], answer["labelled"]) == (3, 2)
    counts = (await service.get())["counts"]
    assert counts["pending"] == {"predictions": 3, "labels": 1}
    assert [(await service.report())[name] for name in ("n", "predictions")] == [2, 5]
    again = await service.post("predictions", **sent)
    assert (again["accepted"], again["duplicates"], again["pending"]) == (2, 4, 2)
    labels = await service.post("labels", id=["a", "b"], y_true=[1, 0])
    assert (labels["matched"], labels["duplicates"]) == (1, 1)
    again = await service.post(
        "observations", id=["o", "p"], y_true=[1, 0], y_proba=[0.5, 0.5], timestamp=times[:2]
    )
    assert (again["accepted"], again["duplicates"]) == (1, 1)
    assert [(await service.report())[name] for name in ("n", "predictions")] == [4, 8]


async def test_labels_that_waited_are_told_that_rows_were_removed(service: Service) -> None:
    await service.put()
    headers = {"idempotency-key": "labels"}
    body = {"id": ["a"], "y_true": [1]}
    done(await service.client.post(f"{MONITOR}/labels", json=body, headers=headers))
    await service.post("predictions", id=["a"], y_proba=[0.5], timestamp=[MINUTES[1]])
    await removed(service, MINUTES[1], MINUTES[2])
    await service.post("predictions", id=["a"], y_proba=[0.5], timestamp=[MINUTES[1]])
    answer = await service.client.post(f"{MONITOR}/labels", json=body, headers=headers)
    assert refused(answer, 409)[0] == "idempotency-key-outdated"
    assert (await service.post("labels", **body))["matched"] == 1
    assert (await service.report())["n"] == 1


async def test_readings_follow_a_removal(service: Service) -> None:
    await service.put(slices=["country"])
    done(await observed(service, "a", *MINUTES))
    upkeep = service.inside.monitor_maintenance
    upkeep.run_due()
    assert upkeep.recent["clicks"].predictions == 3
    await removed(service, MINUTES[0], MINUTES[2])
    upkeep.run_due()
    assert upkeep.recent["clicks"].predictions == 1
