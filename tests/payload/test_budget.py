"""A budget gets back what was taken, once, whoever gives it back at the same time."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier, Lock

import pytest

from kullback.errors import Overloaded
from kullback.payload.budget import ByteBudget, Hold

ROOM = 1000


class MeetingLock:
    """A lock that lets one in when two want it."""

    def __init__(self) -> None:
        self._lock, self._both = Lock(), Barrier(2)

    def __enter__(self) -> None:
        self._both.wait(30)
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_what_two_threads_give_back_at_once_comes_back_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget = ByteBudget(ROOM)
    hold = Hold(budget)
    work = ExitStack()
    work.enter_context(hold)
    hold.take(ROOM)
    hold.release()
    assert budget.left == 0
    monkeypatch.setattr(hold, "_is_at_work", False)  # the other comes while the work ends
    monkeypatch.setattr(budget, "lock", MeetingLock())
    with ThreadPoolExecutor(2) as threads:
        for ended in [threads.submit(work.close), threads.submit(hold.release)]:
            ended.result()
    assert budget.left == ROOM


def test_what_is_at_work_is_kept_until_it_is_done() -> None:
    budget = ByteBudget(ROOM)
    hold = Hold(budget)
    with hold:
        hold.take(ROOM)
        hold.release()
        with pytest.raises(Overloaded):
            Hold(budget).take(1)
    Hold(budget).take(ROOM)
