"""Maintenance of monitors changes no sum, and forgets what is old."""

import anyio
import anyio.to_thread
import numpy as np
import pytest
from sqlalchemy import Connection, select

from kullback.monitoring.queries import MonitorReader
from kullback.settings import Settings
from kullback.storage.base import Merge
from kullback.storage.compaction import Compaction, compact_cells
from kullback.storage.database import Database
from kullback.storage.schema import PARTS
from tests.monitoring.service import NOON, Document, Service, running
from tests.postgresql import Server

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400
LONG: Document = {"retention_days": 400, "slices": ["country"], "window_seconds": 300}


def rows(n: int, start: float, stop: float) -> Document:
    random = np.random.default_rng(4)
    return {
        "y_true": random.integers(0, 2, n).tolist(),
        "y_proba": random.random(n).tolist(),
        "sample_weight": random.random(n).tolist(),
        "unit": random.integers(0, 30, n).tolist(),
        "timestamp": random.uniform(start, stop, n).tolist(),
        "slice": {"country": random.choice(["DE", "FR"], n).tolist()},
    }


async def widths(service: Service) -> set[int]:
    """How wide the windows are that the store has."""
    (record,) = service.store.records("monitor")
    return {cell.width for cell, _ in service.store.parts(record.id, 0, 1 << 40)}


async def count(service: Service) -> int:
    (record,) = service.store.records("monitor")
    return len(service.store.parts(record.id, 0, 1 << 40))


async def test_windows_become_hours_after_a_day_and_days_after_thirty(service: Service) -> None:
    await service.put(**LONG)
    await service.post("observations", **rows(300, NOON - 4 * HOUR, NOON))
    everything: Document = {"from": NOON - 5 * HOUR, "to": NOON + HOUR, "by": "country"}
    before = await service.report(**everything)
    assert before["n"] == 300
    for later, expected in (
        (0, {300}),
        (DAY - 4 * HOUR, {300}),
        (3 * HOUR, {300, HOUR}),
        (HOUR + HOUR, {HOUR}),
        (29 * DAY, {HOUR}),
        (DAY + 12 * HOUR, {DAY}),
        (300 * DAY, {DAY}),
    ):
        service.clock.now += later
        seen = await service.report(**everything)
        service.tidy()
        assert await widths(service) == expected
        after = await service.report(**everything)
        assert after == seen
        times = {"from": "", "to": "", "mature_until": "", "maturity": ""}
        assert after | times == before | times
    assert await count(service) == 1


async def test_parts_of_a_window_are_put_together(service: Service) -> None:
    await service.put()
    for _ in range(5):
        await service.post("observations", y_true=[1], y_proba=[0.5])
    assert await count(service) == 5
    service.tidy()
    assert await count(service) == 1
    assert (await service.report())["n"] == 5


async def test_what_is_asked_for_is_widened_to_the_windows_that_are_left(
    service: Service,
) -> None:
    await service.put(**LONG)
    times = [NOON - 2 * HOUR - 1, NOON - 2 * HOUR, NOON - HOUR - 1, NOON - HOUR]
    await service.post("observations", y_true=[1] * 4, y_proba=[0.5] * 4, timestamp=times)
    asked: Document = {"from": NOON - HOUR - 200, "to": NOON - HOUR}
    for later, first, n in (
        (0, "2026-03-05T10:55:00Z", 1),
        (DAY, "2026-03-05T10:00:00Z", 2),
        (31 * DAY, "2026-03-05T00:00:00Z", 4),
    ):
        service.clock.now += later
        for _ in range(2):
            report = await service.report(**asked)
            assert (report["from"], report["n"]) == (first, n)
            service.tidy()


@pytest.mark.parametrize("step", [300, 900, HOUR, 5400, 2 * HOUR, DAY, 7 * DAY])
async def test_a_series_does_not_depend_on_how_far_maintenance_has_come(
    service: Service, step: int
) -> None:
    await service.put(**LONG)
    now = service.clock.now
    await service.post("observations", **rows(900, now - 40 * DAY, now))
    asked: Document = {"from": NOON - 50 * DAY, "to": NOON + DAY, "step": step}
    before = await service.points(**asked)
    service.tidy()
    assert await widths(service) == {300, HOUR, DAY}
    assert await service.points(**asked) == before
    assert sum(point["n"] for point in before) == 900
    ends = [point["to"] for point in before]
    assert all(end <= point["from"] for end, point in zip(ends, before[1:], strict=False))
    for point in before[:: len(before) // 5 or 1]:
        report = await service.report(**{"from": point["from"], "to": point["to"]})
        assert report["n"] == point["n"]
        assert report["metrics"]["log_loss"]["value"] == point["value"]
        error = report["metrics"]["log_loss"]["standard_error"]
        assert error == point["standard_error"]


async def test_rows_older_than_what_is_kept_are_forgotten(service: Service) -> None:
    await service.put(retention_days=2)
    now = service.clock.now
    times = [now - 1.9 * DAY, now - DAY, now]
    await service.post("observations", y_true=[1] * 3, y_proba=[0.5] * 3, timestamp=times)
    asked: Document = {"from": now - 30 * DAY, "to": now + DAY}
    for later, left in ((0, 3), (0.3 * DAY, 2), (DAY, 1), (0.8 * DAY, 0)):
        service.clock.now += later
        service.tidy()
        assert (await service.report(**asked))["n"] == left
    assert (await service.get())["counts"]["observations"] == 3


async def test_every_monitor_is_tidied(service: Service) -> None:
    for name in ("a", "b"):
        await service.put(f"/v1/monitors/{name}", retention_days=1)
        await service.post("observations", f"/v1/monitors/{name}", y_true=[1], y_proba=[0.5])
    service.clock.now += 2 * DAY
    service.tidy()
    for record in service.store.records("monitor"):
        assert service.store.parts(record.id, 0, 1 << 40) == []


async def test_a_report_is_the_same_while_maintenance_is_at_work(postgresql: Server) -> None:
    with postgresql.database() as name:
        async with running(postgresql.url(name)) as service:
            await service.put(**LONG)
            await service.post("observations", **rows(2000, NOON - 20 * HOUR, NOON))
            service.clock.now += 2 * DAY
            asked: Document = {"from": NOON - 24 * HOUR, "to": NOON + HOUR, "by": "country"}
            before, seen = await service.report(**asked), []
            finished = anyio.Event()

            async def tidy() -> None:
                await anyio.to_thread.run_sync(service.tidy)
                finished.set()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(tidy)
                while not finished.is_set():
                    seen.append(await service.report(**asked))
            assert await widths(service) == {HOUR}
            assert all(each == before for each in seen)
            assert len(seen) > 1


async def test_only_monitors_that_something_came_to_are_looked_after_at_once(
    service: Service,
) -> None:
    await service.put()
    maintenance = service.inside.monitor_maintenance
    for due in (True, False):
        for _ in range(2):
            await service.post("observations", y_true=[1], y_proba=[0.5])
        maintenance.run_due()
        assert await count(service) == 1, due
    maintenance.run_due()
    service.clock.now += 2 * DAY
    maintenance.run_due()
    assert await widths(service) == {HOUR}


async def test_monitors_without_rows_of_late_are_not_read_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await service.put(f"/v1/monitors/idle{number}")
    await service.put()
    opened: list[str] = []
    queries, maintenance = service.inside.monitor_queries, service.inside.monitor_maintenance
    read = queries.open

    def open_(name: str) -> MonitorReader:
        opened.append(name)
        return read(name)

    monkeypatch.setattr(queries, "open", open_)
    maintenance.run_due()
    assert len(set(opened)) == 6
    for expected in ([], ["clicks"], ["clicks"]):
        opened.clear()
        service.clock.now += 61
        maintenance.run_due()
        assert list(dict.fromkeys(opened)) == expected
        at = service.clock.now
        await service.post("observations", y_true=[1], y_proba=[0.5], timestamp=[at])
        opened.clear()
        maintenance.run_due()
        assert set(opened) == {"clicks"}
        assert maintenance.recent["clicks"].rows > 0
    service.clock.now += 2 * DAY + 3 * HOUR  # an hour with labels is looked for a day further back
    maintenance.run_due()
    assert maintenance.recent["clicks"].rows == 0
    opened.clear()
    service.clock.now += 61
    maintenance.run_due()
    assert opened == []


@pytest.mark.parametrize("at_once", [1, 7, 100])
async def test_parts_are_put_together_a_few_at_a_time(
    service: Service, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("kullback.maintenance.PARTS_AT_ONCE", at_once)
    looked_at: list[int] = []

    def compact(
        connection: Connection, database: Database, merge: Merge, compaction: Compaction
    ) -> int:
        first, stop, before = compaction.times
        last = stop if before is None else before
        within = select(PARTS.c.start).where(PARTS.c.start >= first, PARTS.c.start < last)
        starts = [start // compaction.width for start in connection.execute(within).scalars()]
        looked_at.append(len(starts) - starts.count(max(starts, default=0)))
        return compact_cells(connection, database, merge, compaction)

    monkeypatch.setattr("kullback.storage.transaction.compact_cells", compact)
    await service.put(**LONG)
    for start in range(4):
        await service.post("observations", **rows(40, NOON - (start + 2) * HOUR, NOON))
    everything: Document = {"from": NOON - 6 * HOUR, "to": NOON + HOUR, "by": "country"}
    before = await service.report(**everything)
    service.clock.now += DAY + 2 * HOUR
    service.tidy()
    after = await service.report(**everything)
    assert (after["n"], after["metrics"]) == (before["n"], before["metrics"])
    assert await widths(service) == {HOUR}
    assert await count(service) == 5  # hours
    assert max(looked_at) <= at_once


async def test_maintenance_happens_by_itself(settings: Settings) -> None:
    async with running(settings.database_url, maintenance_seconds=0.001) as service:
        await service.put(**LONG)
        for _ in range(3):
            await service.post("observations", y_true=[1], y_proba=[0.5])
        with anyio.fail_after(30):
            while await count(service) > 1:
                await service.get()
            service.clock.now += 2 * DAY
            while await widths(service) != {HOUR}:
                await service.get()
            while service.inside.monitor_maintenance.recent["clicks"].rows:
                await service.get()


async def test_the_last_hour_is_read_for_gauges(service: Service) -> None:
    await service.put()
    service.inside.monitor_maintenance.refresh_recent()
    assert service.inside.monitor_maintenance.recent["clicks"].rows == 0
    times = [service.clock.now, service.clock.now - 2 * HOUR]
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5], timestamp=times)
    service.inside.monitor_maintenance.refresh_recent()
    assert service.inside.monitor_maintenance.recent["clicks"].rows == 1
