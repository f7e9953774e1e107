"""Annotations: what happened when is kept beside a monitor, and answered by time."""

import asyncio

import pytest

from kullback.moments import DAY, moment
from tests.monitoring.service import MONITOR, NOON, Document, Service, refused

pytestmark = pytest.mark.anyio

NOTES = f"{MONITOR}/annotations"


async def annotated(service: Service, **fields: object) -> Document:
    return await service.post("annotations", MONITOR, **fields)


async def texts(service: Service, **query: str | float) -> list[str]:
    return [each["text"] for each in (await service.get(NOTES, **query))["annotations"]]


async def test_they_are_listed_by_time(service: Service) -> None:
    await service.put()
    late = await annotated(service, text="deploy 1.4", time=NOON - 60, link="https://ci.example/14")
    await annotated(service, text="deploy 1.3", time=moment(NOON - DAY))
    assert late == {
        "id": late["id"],
        "time": "2026-03-05T11:59:00Z",
        "text": "deploy 1.4",
        "link": "https://ci.example/14",
    }
    assert await texts(service) == ["deploy 1.3", "deploy 1.4"]
    assert (await service.get(NOTES))["annotations"][1] == late


async def test_unsaid_it_happened_now(service: Service) -> None:
    await service.put()
    assert (await annotated(service, text="rollback"))["time"] == moment(service.clock.now)


async def test_those_of_a_time(service: Service) -> None:
    await service.put()
    for hours in (1, 2, 3):
        await annotated(service, text=f"-{hours} h", time=NOON - hours * 3600)
    assert await texts(service, **{"from": NOON - 2 * 3600}) == ["-2 h", "-1 h"]
    assert await texts(service, to=moment(NOON - 2 * 3600)) == ["-3 h"]


async def test_one_is_removed(service: Service) -> None:
    await service.put()
    first = await annotated(service, text="wrong")
    await annotated(service, text="right")
    assert (await service.client.delete(f"{NOTES}/{first['id']}")).status_code == 204
    assert await texts(service) == ["right"]
    assert refused(await service.client.delete(f"{NOTES}/{first['id']}"), 404)[0] == "not-found"


async def test_a_time_without_offset_is_of_the_monitor_s_zone(service: Service) -> None:
    await service.put(timezone="Europe/Berlin", window_seconds=3600)
    noted = await annotated(service, text="deploy", time="2026-03-05T12:00:00")
    assert noted["time"] == "2026-03-05T11:00:00Z"
    assert await texts(service, **{"from": "2026-03-05T12:00:00"}) == ["deploy"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": "  "}, "/text"),
        ({"text": "a\x07"}, "/text"),
        ({"text": "x" * 201}, "/text"),
        ({"text": "a", "time": "yesterday"}, "/time"),
        ({"text": "a", "time": "2026-03-05T12:00:00"}, "/time"),
        ({"text": "a", "time": -1}, "/time"),
        ({"text": "a", "link": "javascript:alert(1)"}, "/link"),
        ({"text": "a", "color": "red"}, "/color"),
    ],
)
async def test_what_is_none_is_refused(service: Service, fields: Document, pointer: str) -> None:
    await service.put()
    assert refused(await service.client.post(NOTES, json=fields)) == ("invalid-input", pointer)
    assert await texts(service) == []


async def test_without_a_monitor_there_are_none(service: Service) -> None:
    assert (await service.client.post(NOTES, json={"text": "a"})).status_code == 404
    assert (await service.client.get(NOTES)).status_code == 404


async def test_a_retry_is_one(service: Service) -> None:
    await service.put()
    headers = {"idempotency-key": "deploy-1.4"}
    answers = [
        await service.client.post(NOTES, json={"text": "a"}, headers=headers) for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert len(await texts(service)) == 1


async def test_none_of_many_at_once_is_lost(service: Service) -> None:
    await service.put()
    await asyncio.gather(*(annotated(service, text=str(number)) for number in range(20)))
    assert sorted(await texts(service), key=int) == [str(number) for number in range(20)]


async def test_they_change_no_report_but_the_page(service: Service) -> None:
    await service.put()
    await service.post("observations", MONITOR, y_true=[1, 0], y_proba=[0.5, 0.25])
    tags = {}
    for path in (f"{MONITOR}/report", "/monitors/clicks"):
        tags[path] = (await service.client.get(path)).headers["etag"]
    await annotated(service, text="deploy")
    for path, status in ((f"{MONITOR}/report", 304), ("/monitors/clicks", 200)):
        answer = await service.client.get(path, headers={"if-none-match": tags[path]})
        assert (path, answer.status_code) == (path, status)


async def test_they_move_along_with_a_name(service: Service) -> None:
    await service.put()
    await annotated(service, text="deploy")
    await service.post("rename", MONITOR, name="taps")
    answer = await service.client.get("/v1/monitors/taps/annotations")
    assert [each["text"] for each in answer.json()["annotations"]] == ["deploy"]


async def test_old_ones_make_room(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kullback.monitoring.annotations.MOST", 2)
    await service.put(retention_days=7)
    await annotated(service, text="old", time=NOON - 8 * DAY)
    for text in ("new", "newer"):
        await annotated(service, text=text)
    assert await texts(service) == ["new", "newer"]
    full = await service.client.post(NOTES, json={"text": "too many"})
    assert refused(full, 409)[0] == "conflict"
    assert await texts(service) == ["new", "newer"]
