"""A clock that leaps dates no row and removes nothing, until it is back or has long been steady."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from kullback.clock import (
    BESIDE_SECONDS,
    KEEP_SECONDS,
    LEAP_SECONDS,
    RECORD,
    SETTLE_SECONDS,
    ClockRecord,
    WatchedClock,
)
from kullback.errors import ClockLeapt
from kullback.moments import DAY, HOUR
from kullback.settings import Settings
from tests.experiments.service import EXPERIMENT, PARALLEL, TWO_APART
from tests.monitoring.service import MONITOR, Clock, Document, Service, running

pytestmark = pytest.mark.anyio
KEY = {"idempotency-key": "batch-1"}
ROW: Document = {"y_true": [1], "y_proba": [0.5]}


@dataclass
class Times:
    """What a clock on the wall says, and one that nobody sets."""

    wall: Clock = field(default_factory=Clock)
    steady: Clock = field(default_factory=lambda: Clock(1000.0))

    def leap(self, seconds: float) -> None:
        self.wall.now += seconds

    def pass_by(self, seconds: float) -> None:
        self.leap(seconds)
        self.steady.now += seconds

    def watched(self) -> WatchedClock:
        return WatchedClock(self.wall, self.steady)


@asynccontextmanager
async def served(settings: Settings, times: Times) -> AsyncIterator[Service]:
    async with running(settings.database_url, clock=times.wall, steady=times.steady) as service:
        yield service


async def filled(service: Service) -> None:
    """A monitor with a window, a prediction that waits and a key; an experiment with an hour."""
    await service.put(retention_days=30)
    await service.client.post(f"{MONITOR}/observations", json=ROW, headers=KEY)
    await service.post("predictions", id=["a"], y_proba=[0.5])
    await service.put(EXPERIMENT, **PARALLEL)
    await service.post("observations", EXPERIMENT, **TWO_APART)


def tidy(service: Service) -> None:
    """Every kind of maintenance."""
    service.tidy()
    service.inside.monitor_maintenance.run_due()
    service.inside.experiment_maintenance.run_due()


async def kept(service: Service) -> tuple[Any, ...]:
    """What is there of what may be too old: parts by width, rows that wait, whether a key is."""
    parts = sorted(
        (cell.kind, cell.width)
        for kind in ("monitor", "experiment")
        for record in service.store.records(kind)
        for cell, _ in service.store.parts(record.id, 0, 1 << 40)
    )
    counts = (await service.get())["counts"]
    return parts, counts["pending"], counts["expired"]


async def tidied(service: Service) -> tuple[Any, ...]:
    """What is there once it is filled and maintained."""
    await filled(service)
    tidy(service)
    return await kept(service)


async def is_replayed(service: Service) -> bool:
    answer = await service.client.post(f"{MONITOR}/observations", json=ROW, headers=KEY)
    assert answer.status_code == 200, answer.text
    return "idempotency-replayed" in answer.headers


@pytest.mark.parametrize("leap", [31 * DAY, -20_000 * DAY])
async def test_a_clock_that_leaps_for_a_while_removes_nothing(
    settings: Settings, leap: float, caplog: pytest.LogCaptureFixture
) -> None:
    times = Times()
    async with served(settings, times) as service:
        before = await tidied(service)
        for steps, seconds in ((1, 12.0), (3, 7 * HOUR)):
            caplog.clear()
            with caplog.at_level(logging.INFO, "kullback.clock"):
                times.leap(leap)
                for _ in range(steps):
                    tidy(service)
                    times.pass_by(seconds)
                times.leap(-leap)
                tidy(service)
            lines = [line.message for line in caplog.records if line.name == "kullback.clock"]
            assert [line.split(" seconds")[0] for line in lines[:1]] == [
                f"the clock leapt by {leap:+.0f}"
            ]
            assert "the clock is back" in lines[1]
            assert len(lines) == 2
            assert await kept(service) == before
            assert await is_replayed(service)
        times.pass_by(2 * DAY)
        tidy(service)
        assert await kept(service) != before  # hours and days are made again


async def test_a_clock_that_stays_where_it_leapt_is_believed_after_a_day(
    settings: Settings,
) -> None:
    times = Times()
    async with served(settings, times) as service:
        before = await tidied(service)
        times.leap(31 * DAY)
        for _ in range(4):
            tidy(service)
            times.pass_by(6 * HOUR - 1)
        tidy(service)
        assert await kept(service) == before
        times.pass_by(4)
        tidy(service)
        parts, _, expired = await kept(service)
        assert [kind for kind, _ in parts if "/" not in kind] == []
        assert expired["predictions"] == 1


@pytest.mark.parametrize("leap", [31 * DAY, -20_000 * DAY])
async def test_a_clock_that_leaps_between_two_starts_removes_nothing(
    settings: Settings, leap: float
) -> None:
    times = Times()
    async with served(settings, times) as service:
        before = await tidied(service)
    for rounds in (1, 2, 1):  # a day of another clock, in which it is started again and again
        here = Times(Clock(times.wall.now + leap))
        async with served(settings, here) as service:
            for _ in range(rounds):
                tidy(service)
                assert await kept(service) == before
                here.pass_by(5 * HOUR)
                times.pass_by(5 * HOUR)
    async with served(settings, times) as service:
        tidy(service)
        assert await kept(service) == before
        assert await is_replayed(service)
    here = Times(Clock(times.wall.now + abs(leap)))
    for rounds in (2, 2, 1):
        async with served(settings, here) as service:
            for _ in range(rounds):
                tidy(service)
                here.pass_by(6 * HOUR)
            after = await kept(service)
    assert after != before


async def test_a_service_that_was_away_for_a_night_goes_on(settings: Settings) -> None:
    times = Times()
    async with served(settings, times) as service:
        await filled(service)
        tidy(service)
    times.pass_by(0.9 * DAY)
    times.steady.now = 0.0  # another boot
    async with served(settings, times) as service:
        assert service.inside.maintenance.believed_now() == times.wall.now


async def test_a_replica_whose_clock_is_wrong_removes_nothing_while_another_is_right(
    settings: Settings,
) -> None:
    right = Times()
    async with served(settings, right) as service:
        before = await tidied(service)
        wrong = Times(Clock(right.wall.now + 31 * DAY))
        other = service.inside.maintenance
        replica = ClockRecord(service.store, wrong.watched())
        for _ in range(12):
            for times in (right, wrong):
                times.pass_by(3 * HOUR)
            assert replica.believed_now() is None
            assert other.believed_now() == right.wall.now
        assert before[1] == (await kept(service))[1]


async def test_what_a_believed_clock_says_stands_while_its_replica_is_there(
    settings: Settings,
) -> None:
    right = Times()
    async with served(settings, right) as service:
        other = service.inside.maintenance
        other.believed_now()
        wrong = Times(Clock(right.wall.now + 31 * DAY))
        replica = ClockRecord(service.store, wrong.watched())

        def said() -> tuple[float, bool]:
            record = service.store.record(*RECORD)
            assert record is not None
            seen, doubt = json.loads(record.document)
            return seen, doubt is None

        def pass_by(seconds: float) -> None:
            for times in (right, wrong):
                times.pass_by(seconds)

        written = []
        for _ in range(60):
            pass_by(5)
            other.believed_now()
            assert replica.believed_now() is None
            written.append(said())
        assert all(is_believed for _, is_believed in written[1:])
        assert len(set(written)) <= 2 + 60 * 5 / KEEP_SECONDS
        pass_by(BESIDE_SECONDS)  # and the other is gone
        assert replica.believed_now() is None
        assert said() == (written[-1][0], False)


async def test_rows_are_refused_for_a_minute_after_a_leap_and_replays_are_not(
    settings: Settings,
) -> None:
    times = Times()
    async with served(settings, times) as service:
        await filled(service)
        times.leap(8 * DAY)
        for path, body in (
            (f"{MONITOR}/observations", ROW),
            (f"{MONITOR}/predictions", {"id": ["b"], "y_proba": [0.5]}),
            (f"{EXPERIMENT}/observations", TWO_APART),
        ):
            answer = await service.client.post(path, json=body)
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"] == "60"
            assert "the clock of the server has leapt" in answer.json()["detail"]
        assert await is_replayed(service)
        assert (await service.report())["n"] == 0  # of the last day, which nobody waited for
        times.leap(-8 * DAY)
        assert (await service.post("observations", **ROW))["accepted"] == 1
        times.leap(8 * DAY)
        tidy(service)
        times.pass_by(SETTLE_SECONDS)
        assert (await service.post("observations", **ROW))["accepted"] == 1


def test_corrections_are_no_leaps() -> None:
    times = Times()
    clock = times.watched()
    for step in (1.0, -LEAP_SECONDS, LEAP_SECONDS / 2):
        times.leap(step)
        assert clock() == times.wall.now
        clock.check()
        assert clock.since is None


@pytest.mark.parametrize("leap", [LEAP_SECONDS + 1, -LEAP_SECONDS - 1])
def test_what_arrives_is_never_dated_before_its_time(leap: float) -> None:
    times = Times()
    clock, began = times.watched(), times.wall.now
    times.leap(leap)
    times.pass_by(10)
    assert clock.arrival() == began + 10 + max(leap, 0)
    with pytest.raises(ClockLeapt):
        clock.check()
