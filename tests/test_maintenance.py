"""The maintenance thread makes its rounds, whatever happens in one of them."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kullback.errors import StoreUnavailable
from kullback.maintenance import CELLS_AT_ONCE, MaintenanceThread
from kullback.storage.base import Store, Times, Transaction
from kullback.storage.sql import open_store
from tests.storage.writes import ALWAYS, LATE, add, cell, made, merge, rows, sums

WAIT_SECONDS = 30


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/kullback.db"
    store = open_store(url, merge, on_fatal=pytest.fail, clock=lambda: 1000.0)
    yield store
    store.close()


@pytest.fixture
def maintenance(store: Store) -> MaintenanceThread:
    return MaintenanceThread(store, 0.001, lambda: LATE)


class Round:
    """Something that is due again and again, and how often it was done."""

    def __init__(self, error: Exception | None = None) -> None:
        self.times = 0
        self.threads = set[str]()
        self._error = error
        self._enough = threading.Event()

    def __call__(self) -> None:
        self.times += 1
        self.threads.add(threading.current_thread().name)
        if self.times >= 3:
            self._enough.set()
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        assert self._enough.wait(WAIT_SECONDS)


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (
            StoreUnavailable("the disk is away"),
            "WARNING",
            "maintenance was put off: the disk is away",
        ),
        (ValueError("a bug"), "ERROR", "maintenance failed"),
    ],
)
def test_a_round_that_fails_is_told_and_keeps_no_other_from_being_made(
    maintenance: MaintenanceThread,
    error: Exception,
    level: str,
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing, after = Round(error), Round()
    with caplog.at_level(logging.INFO, "kullback.maintenance"):
        maintenance.start([failing, after])
        for one in (failing, after):
            one.wait()
        maintenance.stop()
    assert {(each.levelname, each.message) for each in caplog.records} == {(level, said)}
    assert len(caplog.records) == (1 if level == "WARNING" else failing.times)
    assert failing.threads == after.threads == {"maintenance"}
    assert failing.times == after.times


def test_what_was_stopped_makes_no_more_rounds(maintenance: MaintenanceThread) -> None:
    one, others = Round(), set(threading.enumerate())  # other services of this process
    maintenance.start([one])
    one.wait()
    maintenance.stop()
    times = one.times
    rest = {thread.name for thread in threading.enumerate() if thread not in others}
    assert "maintenance" not in rest
    assert one.times == times


def test_what_was_never_started_can_be_stopped(maintenance: MaintenanceThread) -> None:
    maintenance.stop()


def test_a_round_is_not_made_before_its_time(store: Store) -> None:
    one, later = Round(), MaintenanceThread(store, 1e6, lambda: LATE)
    later.start([one])
    later.stop()
    assert one.times == 0


@pytest.mark.parametrize(("done", "steps"), [([3, 3, 2], 3), ([3, 0], 2), ([1], 1), ([0], 1)])
def test_steps_are_taken_as_long_as_each_does_all_that_it_may(
    maintenance: MaintenanceThread, done: list[int], steps: int
) -> None:
    left = iter(done)
    taken: list[Transaction] = []

    def step(transaction: Transaction) -> int:
        taken.append(transaction)
        return next(left)

    maintenance.until_done(step, 3)
    assert len(taken) == len(set(map(id, taken))) == steps


def test_no_step_is_taken_once_it_is_to_end(maintenance: MaintenanceThread) -> None:
    taken = 0

    def step(_: Transaction) -> int:
        nonlocal taken
        taken += 1
        if taken == 2:
            maintenance.stop()
        return int(taken < 5)

    maintenance.until_done(step, 1)
    assert taken == 2


def test_what_a_step_raises_is_raised(maintenance: MaintenanceThread) -> None:
    def step(_: Transaction) -> int:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable, match="away"):
        maintenance.until_done(step, 1)


def test_more_cells_than_one_step_may_take_are_folded_all(
    store: Store, maintenance: MaintenanceThread
) -> None:
    record = made(store)
    places = {cell(60 * at): at for at in range(CELLS_AT_ONCE + 50)}
    for _ in range(2):
        add(store, record, places)
    before = sums(store, record)
    maintenance.compact(record, ALWAYS, 60)
    assert rows(store, record) == CELLS_AT_ONCE + 50
    assert sums(store, record) == before
    maintenance.compact(record, Times(0, 3600), 3600)
    assert rows(store, record) == CELLS_AT_ONCE + 50 - 59
    maintenance.compact(record, Times(-LATE, LATE), 10**6)
    assert sums(store, record) == {cell(0, 10**6): sum(before.values())}
