"""Streams that stop are found, those that pause are not, whatever process looks at them.

`python -m tests.monitoring.test_silence FILE` makes a database, with the code of a release.
"""

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from kullback.moments import DAY, HOUR
from tests.monitoring.service import MONITOR, NOON, Clock, Document, Service, running
from tests.postgresql import Server

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

MINUTE = 60.0
STREAM = "/v1/monitors/stream"
DATA = Path(__file__).parent / "data"
START = NOON - NOON % DAY  # a midnight


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database that outlives the processes on it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/kept.db"
        return
    server = request.getfixturevalue("postgresql")
    assert isinstance(server, Server)
    with server.database() as name:
        yield server.url(name)


@asynccontextmanager
async def at(url: str, moment: float) -> AsyncIterator[Service]:
    """A process that begins at a moment, on what those before it have left."""
    async with running(url, clock=Clock(moment)) as service:
        yield service


async def send(service: Service, times: list[float], path: str = MONITOR) -> None:
    """Rows of these times, now."""
    y = (np.arange(len(times)) % 5 == 0).astype(int).tolist()
    await service.post("observations", path, y_true=y, y_proba=[0.2] * len(times), timestamp=times)


async def upload(service: Service, day: int) -> None:
    """All rows of a day, 100 an hour, in two batches after the day has ended, at two o'clock."""
    begin = START + day * DAY
    for half in (0, 1):
        service.clock.now = begin + DAY + 2 * HOUR + half * MINUTE
        some = np.arange(half * 12, half * 12 + 12, 0.01)
        await send(service, (begin + some * HOUR).tolist())


async def flow(
    service: Service, start: float, stop: float, step: float = 10 * MINUTE, path: str = MONITOR
) -> None:
    """Rows of this very moment, again and again."""
    while service.clock.now + step <= START + stop:
        service.clock.now = max(service.clock.now + step, START + start)
        await send(service, [service.clock.now] * 60, path)


async def silence(service: Service, moment: float, path: str = MONITOR) -> Document:
    """What is said of silence at a moment, in seconds since the start."""
    service.clock.now = START + moment
    checks = (await service.get(f"{path}/checks"))["checks"]
    (check,) = (each for each in checks if each["name"] == "silence")
    return check  # type: ignore[no-any-return]


async def paged(service: Service) -> float | None:
    """How Prometheus reads it, after a pass of maintenance."""
    service.inside.monitor_maintenance.run_due()
    samples = await service.samples(monitor="clicks", check="silence")
    return next((value for name, value in samples.items() if "kullback_check{" in name), None)


async def test_uploads_once_a_day_do_not_alarm_after_a_restart(url: str) -> None:
    async with at(url, START) as service:
        await service.put(window_seconds=HOUR)
    for day in range(9):
        async with at(url, START + (day + 0.6) * DAY) as service:
            for hour in (15, 20, 24, 25.9):
                check = await silence(service, day * DAY + hour * HOUR)
                assert check["state"] in {"ok", "unknown"}, (day, hour, check)
            await upload(service, day)
    async with at(url, START + 9.6 * DAY) as service:
        assert (await silence(service, 10.05 * DAY))["state"] == "ok"
        found = await silence(service, 11.2 * DAY)
        assert (found["state"], found["threshold"]) == ("critical", 2 * (DAY - MINUTE))
        assert found["since"] == "2026-03-14T00:00:00Z"


async def test_a_dead_stream_is_found_after_a_restart(url: str) -> None:
    async with at(url, START) as service:
        await service.put(window_seconds=HOUR)
        await flow(service, 0, 8 * DAY, step=HOUR)
    async with at(url, START + 8 * DAY + 1.9 * HOUR) as service:
        assert (await silence(service, 8 * DAY + 1.9 * HOUR))["state"] == "ok"
        found = await silence(service, 8 * DAY + 3.1 * HOUR)
        assert (found["state"], found["threshold"]) == ("critical", 2 * HOUR)
        assert await paged(service) == 2


async def test_a_replica_that_got_no_rows_knows_when_the_others_did(postgresql: Server) -> None:
    with postgresql.database() as name:
        url = postgresql.url(name)
        async with at(url, START) as service, at(url, START) as other:
            await service.put(window_seconds=HOUR)
            await flow(service, 0, 2 * DAY, step=HOUR)
            assert (await silence(other, 2 * DAY + 7 * HOUR))["state"] == "ok"
            found = await silence(other, 2 * DAY + 9.5 * HOUR)
            assert (found["state"], found["threshold"]) == ("critical", 8 * HOUR)


async def test_a_young_monitor_is_not_spared_for_as_long_as_it_is_old(url: str) -> None:
    async with at(url, START + 9 * HOUR) as service:
        await service.put()
        await flow(service, 9 * HOUR, 33 * HOUR, step=10 * MINUTE)
        assert (await silence(service, 34 * HOUR))["state"] == "ok"
        assert (await silence(service, 36 * HOUR))["state"] == "critical"
    async with at(url, START + 57 * HOUR) as service:
        found = await silence(service, 57 * HOUR)
        assert found["state"] == "critical"
        assert found["statement"].startswith("No predictions since 2026-03-06T09:0")


async def test_a_day_that_was_not_seen_to_its_end_may_have_a_night(service: Service) -> None:
    service.clock.now = START + 9 * HOUR
    await service.put()
    await flow(service, 9 * HOUR, 22 * HOUR)
    for hour in (23, 26, 31, 43.9):
        assert (await silence(service, hour * HOUR))["state"] == "ok"
    assert (await silence(service, 45 * HOUR))["state"] == "critical"


async def test_of_one_upload_nobody_knows_when_the_next_is_due(service: Service) -> None:
    service.clock.now = START
    await service.put(window_seconds=HOUR)
    await upload(service, 0)
    for day in (2, 8, 20):
        check = await silence(service, day * DAY)
        assert check["state"] == "unknown"
        assert check["statement"].startswith("Rows have come for less than an hour")


async def test_what_has_been_dead_for_weeks_is_dead_for_api_and_pager(service: Service) -> None:
    service.clock.now = START
    await service.put(window_seconds=HOUR)
    for day in range(8):
        await upload(service, day)
    service.inside.monitor_maintenance.run_due()
    for hour in (26.0, 39.0, *np.arange(48.5, 54, 0.5).tolist(), 80.0, 300.0, 24.0 * 25):
        said = await silence(service, 8 * DAY + hour * HOUR)
        level = await paged(service)
        if not 50 <= hour < 51:  # what has been still for days is looked at once an hour
            assert level == {"ok": 0, "critical": 2}[said["state"]], hour
    assert said["state"] == "critical"
    assert said["value"] > 20 * DAY


async def test_an_outage_is_no_pause_for_ever(service: Service) -> None:
    service.clock.now = START
    await service.put(window_seconds=HOUR)
    await flow(service, 0, 8 * DAY, step=2 * HOUR)
    await flow(service, 8.5 * DAY, 9 * DAY, step=2 * HOUR)
    assert (await silence(service, 9 * DAY))["threshold"] == DAY
    await flow(service, 9 * DAY, 17 * DAY, step=2 * HOUR)
    assert (await silence(service, 17 * DAY + 2 * HOUR))["threshold"] == 4 * HOUR


async def test_rows_of_the_past_and_labels_are_no_sign_of_life(tmp_path: Path) -> None:
    url, ids = f"sqlite:///{tmp_path}/kept.db", ["a", "b"]
    async with at(url, START) as service:
        await service.put()
        await flow(service, 0, 2 * DAY, step=20 * MINUTE)
        await service.post("predictions", id=ids, y_proba=[0.1, 0.2])
    async with at(url, START + 2 * DAY) as service:  # it has noted no arrival yet
        for hour in (1, 2, 3, 4):
            service.clock.now = START + 2 * DAY + hour * HOUR
            await send(service, [START + 3 * HOUR] * 50)
            await service.post("labels", id=[f"{hour}", *ids], y_true=[1, 0, 1])
        found = await silence(service, 2 * DAY + 4.1 * HOUR)
        assert (found["state"], found["value"]) == ("critical", pytest.approx(4.1 * HOUR, abs=120))


async def fill(service: Service) -> None:
    """Three days of a stream that is uploaded once a day, and two of one that then stops."""
    service.clock.now = START
    for path in (MONITOR, STREAM):
        await service.put(path, window_seconds=HOUR)
    for day in range(3):
        if day < 2:
            await flow(service, day * DAY + HOUR, day * DAY + DAY, step=HOUR, path=STREAM)
        await upload(service, day)


async def test_what_a_release_wrote_that_did_not_note_arrivals_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "release.db"
    path.write_bytes(gzip.decompress((DATA / "b51dba6.db.gz").read_bytes()))
    async with at(f"sqlite:///{path}", START + 3.5 * DAY) as service:
        for hour in (12, 25.9):
            assert (await silence(service, 3 * DAY + hour * HOUR))["state"] == "ok"
        found = await silence(service, 3 * DAY + 12 * HOUR, STREAM)
        assert (found["state"], found["threshold"]) == ("ok", 2 * DAY)
        found = await silence(service, 4 * DAY + HOUR, STREAM)
        assert (found["state"], found["since"]) == ("critical", "2026-03-07T00:00:00Z")
        await upload(service, 3)
        assert (await silence(service, 5 * DAY))["state"] == "unknown"
        await upload(service, 4)
    async with at(f"sqlite:///{path}", START + 6 * DAY) as service:
        assert (await silence(service, 8 * DAY))["state"] == "ok"  # it may be a weekend
        assert (await silence(service, 9.2 * DAY))["state"] == "critical"


if __name__ == "__main__":

    async def make(path: str) -> None:
        async with at(f"sqlite:///{path}", START) as service:
            await fill(service)

    asyncio.run(make(sys.argv[1]))
