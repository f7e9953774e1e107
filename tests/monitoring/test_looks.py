"""Who opens the page of a monitor sees what came a moment ago, at the price of a look or none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from kullback.monitoring.looks import UNKNOWN_EVERY, MonitorLooks
from kullback.monitoring.queries import MonitorReader
from kullback.monitoring.stored import KIND
from tests.monitoring.service import MONITOR, Document, Service

pytestmark = pytest.mark.anyio

SOUND: Document = {
    "y_true": [1, 1, 1, 0, 0, 1, 1, 0, 0, 0] * 40,
    "y_proba": ([0.6] * 5 + [0.4] * 5) * 40,
}


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """When somebody looked at checks."""
    times: list[float] = []
    look = MonitorReader.checks

    def checks(reader: MonitorReader) -> object:
        times.append(reader.now)
        return look(reader)

    monkeypatch.setattr(MonitorReader, "checks", checks)
    return iter([times])


def looks(service: Service) -> MonitorLooks:
    return service.inside.monitor_maintenance.looks


def state(service: Service) -> tuple[str, int]:
    """The state of the monitor as its page has it, and how many rows its calibration is of."""
    _, checks = looks(service).fresh(service.inside.monitor_queries.open("clicks"))
    assert checks is not None
    return checks.state, next(each.n for each in checks.checks if each.name == "calibration")


async def test_the_first_rows_are_seen_at_once(
    service: Service, looked: Iterator[list[float]]
) -> None:
    times = next(looked)
    await service.put()
    assert state(service) == ("unknown", 0)
    service.clock.now += UNKNOWN_EVERY
    await service.post("observations", y_true=[1, 0], y_proba=[0.8, 0.3])
    assert state(service)[1] == 2
    service.clock.now += UNKNOWN_EVERY
    await service.post("observations", **SOUND)
    assert state(service)[0] == "ok"
    assert len(times) == 3


async def test_a_look_that_says_something_is_not_repeated(
    service: Service, looked: Iterator[list[float]]
) -> None:
    times = next(looked)
    await service.put()
    await service.post("observations", **SOUND)
    for _ in range(3):
        assert state(service) == ("ok", 400)
        service.clock.now += 10
    assert len(times) == 1
    assert looks(service).checks["clicks"].state == "ok", "everybody sees what one has looked at"


async def test_an_unknown_state_is_not_looked_at_with_every_request(
    service: Service, looked: Iterator[list[float]]
) -> None:
    times = next(looked)
    await service.put()
    for _ in range(10):
        await service.post("observations", y_true=[1, 0], y_proba=[0.8, 0.3])
        state(service)
        service.clock.now += UNKNOWN_EVERY / 4
    assert len(times) == 3


async def test_an_unknown_state_to_which_nothing_came_is_not_looked_at_again(
    service: Service, looked: Iterator[list[float]]
) -> None:
    times = next(looked)
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.8, 0.3])
    for _ in range(3):
        assert state(service)[1] == 2
        service.clock.now += UNKNOWN_EVERY
    assert len(times) == 1


async def test_upkeep_looks_soon_at_what_could_not_be_judged_once_rows_come(
    service: Service,
) -> None:
    await service.put()
    upkeep = service.inside.monitor_maintenance
    upkeep.run_due()
    assert upkeep.checks["clicks"].state == "unknown"
    service.clock.now += UNKNOWN_EVERY
    await service.post("observations", **SOUND)
    upkeep.run_due()
    assert upkeep.checks["clicks"].state == "ok"


async def test_another_setup_is_looked_at_at_once(
    service: Service, looked: Iterator[list[float]]
) -> None:
    times = next(looked)
    await service.put()
    await service.post("observations", **SOUND)
    assert state(service) == ("ok", 400)
    await service.put(checks={"calibration": {"minimum_rows": 500}})
    state(service)
    await service.client.delete(MONITOR)
    await service.put()
    assert state(service) == ("unknown", 0), "another monitor of the same name"
    assert len(times) == 3


async def test_a_look_that_took_long_is_not_kept_over_a_later_one(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.put()
    await service.post("observations", **SOUND)
    look, later = MonitorReader.checks, service.clock.now + 10

    def slow(reader: MonitorReader) -> object:
        checks = look(reader)
        if "clicks" not in looks(service).checks:
            service.clock.now = later
            monkeypatch.setattr(MonitorReader, "checks", look)
            looks(service).refresh(["clicks"])
        return checks

    monkeypatch.setattr(MonitorReader, "checks", slow)
    assert state(service) == ("ok", 400)
    assert looks(service).checks["clicks"].time == later
    service.clock.now = later - 100
    looks(service).renew(service.store.records(KIND), [])
    assert looks(service).checks["clicks"].time == later - 100, "of a clock that was set back"


@pytest.mark.parametrize("is_made_again", [False, True])
async def test_a_look_at_a_monitor_that_is_gone_is_not_kept(
    service: Service, *, is_made_again: bool
) -> None:
    await service.put()
    reader = service.inside.monitor_queries.open("clicks")
    await service.client.delete(MONITOR)
    if is_made_again:
        await service.put()
    looks(service).fresh(reader)
    assert "clicks" not in looks(service).checks
    assert "clicks" not in looks(service).recent


async def test_who_comes_while_somebody_looks_waits_for_that_look(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.put()
    await service.post("observations", **SOUND)
    look, first, second, go = MonitorReader.checks, Event(), Event(), Event()

    def slow(reader: MonitorReader) -> object:
        (second if first.is_set() else first).set()
        assert go.wait(30)
        return look(reader)

    monkeypatch.setattr(MonitorReader, "checks", slow)
    with ThreadPoolExecutor(2) as threads:
        tabs = [threads.submit(state, service)]
        assert first.wait(30)
        tabs.append(threads.submit(state, service))
        is_repeated = second.wait(0.3)
        go.set()
        assert [tab.result(30) for tab in tabs] == [("ok", 400)] * 2
    assert not is_repeated
    assert not second.is_set()
