"""Who has a report already is told so, until something that it depends on has changed."""

import pytest

from tests.monitoring.service import MONITOR, Document, Service, refused
from tests.statements import tables, watched

pytestmark = pytest.mark.anyio

ROWS: Document = {"y_true": [1, 0], "y_proba": [0.9, 0.2]}
HOUR = 3600
DAY = 24 * HOUR


async def tag(service: Service, what: str = "report", /, **query: str | float) -> str:
    answer = await service.client.get(f"{MONITOR}/{what}", params=query)
    assert answer.status_code == 200, answer.text
    found: str = answer.headers["etag"]
    assert found.startswith('"')
    return found


async def status(service: Service, known: str, what: str = "report") -> int:
    headers = {"if-none-match": known}
    answer = await service.client.get(f"{MONITOR}/{what}", headers=headers)
    if answer.status_code == 304:
        assert (answer.content, "etag" in answer.headers) == (b"", True)
    return answer.status_code


@pytest.mark.parametrize("what", ["report", "series"])
async def test_nothing_is_sent_again_that_has_not_changed(service: Service, what: str) -> None:
    await service.put()
    await service.post("observations", **ROWS)
    known = await tag(service, what)
    for form in (known, f"W/{known}", f'"x", {known}', f'"x" ,W/{known},"y"', "*"):
        assert await status(service, form, what) == 304
    for form in ("", '"x"', known.strip('"'), f"{known}x"):
        assert await status(service, form, what) == 200


@pytest.mark.parametrize("what", ["report", "series"])
async def test_an_answer_reads_nothing_twice(service: Service, what: str) -> None:
    await service.put(slices=["country"])
    await service.post("observations", **ROWS, slice={"country": ["DE", "FR"]})
    await service.put(f"{MONITOR}/reference", **ROWS)
    query = {"by": "country"} if what == "report" else {}
    with watched() as statements:
        await tag(service, what, **query)
    read = ["records", "counts", "attachments", "parts"]
    assert tables(statements) == read + ["parts", "attachments"] * (what == "report")
    assert len(set(statements)) == len(statements)


@pytest.mark.parametrize("what", ["report", "series"])
async def test_to_send_nothing_again_no_sum_and_no_reference_is_read(
    service: Service, what: str
) -> None:
    await service.put()
    await service.post("observations", **ROWS)
    await service.put(f"{MONITOR}/reference", **ROWS)
    known = await tag(service, what)
    with watched() as statements:
        assert await status(service, known, what) == 304
    assert tables(statements) == ["records", "counts", "attachments"]


@pytest.mark.parametrize("query", [{"step": 61}, {"metric": "loss"}])
async def test_what_no_series_has_is_refused_before_sums_are_read(
    service: Service, query: dict[str, str]
) -> None:
    await service.put()
    await service.post("observations", **ROWS)
    with watched() as statements:
        refused(await service.client.get(f"{MONITOR}/series", params=query))
    assert "parts" not in tables(statements)


async def test_a_series_has_another_tag_once_its_windows_are_wider(service: Service) -> None:
    await service.put()
    start = service.clock.now // HOUR * HOUR
    await service.post("observations", **ROWS, timestamp=[start, start + 60])
    query: Document = {"from": start - HOUR, "to": start + 3 * HOUR}
    service.clock.now = start + DAY + HOUR - 1
    before, fine = await tag(service, "series", **query), await service.points(**query)
    service.clock.now += 1
    after, wide = await tag(service, "series", **query), await service.points(**query)
    assert (len(fine), len(wide)) == (2, 1)
    assert after != before


async def test_several_headers_are_one_list(service: Service) -> None:
    await service.put()
    headers = [("if-none-match", '"x"'), ("if-none-match", await tag(service))]
    answer = await service.client.get(f"{MONITOR}/report", headers=headers)
    assert answer.status_code == 304


async def test_maintenance_changes_nothing_that_can_be_seen(service: Service) -> None:
    await service.put()
    for _ in range(3):
        await service.post("observations", **ROWS)
    known = await tag(service)
    service.tidy()
    assert await status(service, known) == 304


async def test_every_change_makes_another_tag(service: Service) -> None:
    await service.put(slices=["country"])
    seen = [await tag(service)]

    async def changed() -> None:
        now = await tag(service)
        assert now not in seen
        seen.append(now)

    await service.post("observations", **ROWS)
    await changed()
    await service.post("observations", **ROWS)
    await changed()
    await service.post("predictions", id=["a", "b"], y_proba=[0.5, 0.5])
    await changed()
    await service.post("labels", id=["a"], y_true=[1])
    await changed()
    await service.put(f"{MONITOR}/reference", **ROWS)
    await changed()
    await service.put(f"{MONITOR}/reference", score_histogram=[1, 2])
    await changed()
    await service.put(slices=["country", "device"])
    await changed()
    service.clock.now += 60
    await changed()
    await service.client.delete(MONITOR)
    await service.put(slices=["country"])
    await changed()


async def test_what_is_forgotten_makes_another_tag(service: Service) -> None:
    await service.put(retention_days=1)
    await service.post("observations", **ROWS)
    asked: Document = {"from": service.clock.now - 60, "to": service.clock.now + 60}
    service.clock.now += 3 * DAY
    before = await tag(service, **asked)
    assert (await service.report(**asked))["n"] == 2
    service.tidy()
    assert (await service.report(**asked))["n"] == 0
    assert await tag(service, **asked) != before


async def test_each_question_has_a_tag_of_its_own(service: Service) -> None:
    await service.put(slices=["country"])
    now = service.clock.now
    tags = [
        await tag(service),
        await tag(service, by="country"),
        await tag(service, **{"from": now - 60}),
        await tag(service, "series", metric="ece"),
        await tag(service, "series", step=120),
    ]
    assert len(set(tags)) == len(tags)


async def test_a_monitor_that_is_not_there_has_no_tag(service: Service) -> None:
    assert await status(service, "*") == 404
