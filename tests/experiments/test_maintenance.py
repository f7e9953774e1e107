"""Maintenance of experiments keeps sums, gauges and first crossings as they should be."""

import anyio
import pytest

from kullback.experiments.stored import KIND
from kullback.settings import Settings
from kullback.storage.writer import PLACES
from tests.experiments.arms import paired
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
from tests.monitoring.service import NOON, Document, Service, running
from tests.postgresql import Server
from tests.storage.writes import DONE, held

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400


def parts(service: Service) -> list[tuple[int, int]]:
    """Start and width of each part of all rows."""
    (record,) = service.store.records(KIND)
    found = service.store.parts(record.id, -(1 << 40), 1 << 40)
    return sorted((cell.start, cell.width) for cell, _ in found)


def attend(service: Service) -> None:
    service.inside.experiment_maintenance.run_due()


async def test_parts_of_an_hour_are_put_together(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    for _ in range(4):
        await observe(service, **TWO)
    assert len(parts(service)) == 4 * 3  # two tallies and the units
    before = await report(service)
    attend(service)
    assert parts(service) == [(NOON, HOUR)] * 3
    assert await report(service) == before


async def test_hours_become_days_two_days_later(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(n=600), timestamp=hours(600, 20)))
    before = await report(service)
    for later, widths in (*((0, {HOUR}), (DAY, {HOUR}), (DAY, {HOUR, DAY}), (DAY, {DAY})),):
        service.clock.now += later
        attend(service)
        assert {width for _, width in parts(service)} == widths
        assert findings(await report(service)) == findings(before)
    assert len(parts(service)) == 2 * 3


async def test_epochs_are_folded_apart(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    for plan, rows in ((PAIRED, TWO), (PARALLEL, TWO_APART), (PAIRED | {"alpha": 0.1}, TWO)):
        await service.put(NEW_EPOCH, **plan)
        for _ in range(2):
            await observe(service, **rows)
    before = [await report(service, epoch=epoch) for epoch in (1, 2, 3)]
    service.clock.now += 4 * DAY
    attend(service)
    assert len(parts(service)) == 3 + 4 + 3
    assert [await report(service, epoch=epoch) for epoch in (1, 2, 3)] == before
    assert [[arm["n"] for arm in each["arms"]] for each in before] == [[4, 4], [2, 2], [4, 4]]


async def test_only_experiments_that_something_came_to_are_looked_at(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    maintenance = service.inside.experiment_maintenance
    attend(service)
    first = maintenance.states["ranker"]
    attend(service)
    assert maintenance.states["ranker"] is first
    await observe(service, **TWO)
    attend(service)
    second = maintenance.states["ranker"]
    assert (first.version, second.version) == (0, 1)
    await service.put(NEW_EPOCH, **PARALLEL)
    attend(service)
    assert maintenance.states["ranker"].epoch == 2


async def test_a_removed_experiment_is_forgotten(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await service.put("/v1/experiments/other", **PAIRED)
    attend(service)
    await service.client.delete(EXPERIMENT)
    attend(service)
    assert service.inside.experiment_maintenance.states.keys() == {"other"}
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    attend(service)
    assert service.inside.experiment_maintenance.states["ranker"].version == 1


async def test_a_first_crossing_is_kept_though_nobody_reads_a_report(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(noise=3.0, n=3000)))
    assert (await service.get(EXPERIMENT))["first_crossing"] == []
    attend(service)
    (kept,) = (await service.get(EXPERIMENT))["first_crossing"]
    assert (kept["arm"], kept["verdict"], kept["version"]) == ("b", "worse", 1)
    service.clock.now += HOUR
    await observe(service, **TWO)
    attend(service)
    assert (await report(service))["first_crossing"] == [kept]


async def test_a_crossing_that_cannot_be_kept_now_is_kept_in_the_next_round(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    attend(service)
    await observe(service, **sent(paired(noise=3.0, n=3000)))
    with held(service.store):
        for _ in range(PLACES):
            service.store.write(lambda _: DONE)
        attend(service)
    assert "a first crossing was not kept yet: too many writes are waiting" in caplog.text
    assert (await service.get(EXPERIMENT))["first_crossing"] == []
    (one,) = service.inside.experiment_maintenance.states["ranker"].findings.comparisons[""]
    assert one.verdict.word == "worse"
    attend(service)
    assert len((await service.get(EXPERIMENT))["first_crossing"]) == 1


async def test_a_report_is_answered_though_its_crossing_cannot_be_kept(
    settings: Settings,
) -> None:
    async with running(f"{settings.database_url}?max_page_count=60") as service:
        await service.put(EXPERIMENT, **PAIRED)
        rows = sent(paired(noise=3.0, n=3000))
        await observe(service, **rows)
        filler: Document = sent(paired(n=3000), timestamp=hours(3000, 30))
        written = 0
        while (await service.client.post(OBSERVATIONS, json=filler)).status_code == 200:
            written += 1
            assert written < 50
        assert (await report(service))["comparisons"][0]["effect"] is not None


async def test_a_report_is_the_same_while_maintenance_is_at_work(postgresql: Server) -> None:
    with postgresql.database() as name:
        async with running(postgresql.url(name)) as service:
            await service.put(EXPERIMENT, **PAIRED)
            await observe(service, **sent(paired(n=1000), timestamp=hours(1000, 30)))
            service.clock.now += 4 * DAY
            before, seen = await report(service), []
            finished = anyio.Event()

            async def compact() -> None:
                await anyio.to_thread.run_sync(lambda: attend(service))
                finished.set()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(compact)
                while not finished.is_set():
                    seen.append(await report(service))
            assert {width for _, width in parts(service)} == {DAY}
            assert seen
            assert all(each == before for each in seen)


async def test_maintenance_happens_by_itself(settings: Settings) -> None:
    async with running(settings.database_url, maintenance_seconds=0.001) as service:
        await service.put(EXPERIMENT, **PAIRED)
        for _ in range(3):
            await observe(service, **TWO)
        with anyio.fail_after(30):
            while len(parts(service)) > 3:
                await service.get(EXPERIMENT)
            while service.inside.experiment_maintenance.states["ranker"].version < 3:
                await service.get(EXPERIMENT)


async def test_series_by_the_hour_have_another_tag_once_their_hours_are_days(
    service: Service,
) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    rows = sent(paired(n=30), timestamp=hours(30, 30))
    await observe(service, **rows)
    path = f"{EXPERIMENT}/series?step=3600"
    before = await service.client.get(path)
    service.clock.now += 4 * DAY
    attend(service)
    cached = {"if-none-match": before.headers["etag"]}
    after = await service.client.get(path, headers=cached)
    assert (before.status_code, after.status_code) == (200, 200)
    assert len(after.json()["points"]) < len(before.json()["points"])
    page = await service.client.get("/experiments/ranker?step=3600")
    again = await service.client.get("/experiments/ranker?step=3600")
    assert page.headers["etag"] == again.headers["etag"]
