"""Workers take what they have room for, give back what came of it, and refuse the rest at once."""

import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import anyio
import pytest

from kullback.api.workers import MAX_LOST, Deadlines, WorkerPool
from kullback.errors import DeadlineExceeded, InvalidInput, Overloaded

pytestmark = pytest.mark.anyio
Result = TypeVar("Result")


class Gate:
    """Work that waits until it is let go."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self.entered = threading.Semaphore(0)

    def work(self) -> str:
        self.entered.release()
        assert self._opened.wait(30)
        return threading.current_thread().name

    def open(self) -> None:
        self._opened.set()


async def entered(gate: Gate) -> None:
    """Until one more piece of work has begun."""
    await anyio.to_thread.run_sync(gate.entered.acquire)


async def outcome(workers: WorkerPool, work: Callable[[], Result]) -> Result:
    """What comes of work, though its thread begins later than it may wait."""
    with anyio.fail_after(30):
        while True:
            try:
                return await workers.run(work)
            except DeadlineExceeded as error:
                if "waited" not in str(error):
                    raise


async def test_the_result_comes_from_another_thread() -> None:
    workers = WorkerPool(1, 0)
    name = await workers.run(lambda: threading.current_thread().name)
    workers.close()
    assert name.startswith("scorer")


async def test_an_exception_is_passed_on() -> None:
    workers = WorkerPool(1, 0)

    def refuse() -> None:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        await workers.run(refuse)
    assert await workers.run(lambda: 1) == 1
    workers.close()


@pytest.mark.parametrize(("threads", "queue"), [(1, 0), (2, 0), (1, 2), (2, 3)])
async def test_what_finds_no_place_is_refused_at_once(threads: int, queue: int) -> None:
    workers, gate = WorkerPool(threads, queue), Gate()
    names: list[str] = []

    async def run() -> None:
        names.append(await workers.run(gate.work))

    async with anyio.create_task_group() as group:
        for _ in range(threads + queue):
            group.start_soon(run)
        for _ in range(threads):
            await entered(gate)
        with pytest.raises(Overloaded):
            await workers.run(gate.work)
        gate.open()
    assert len(names) == threads + queue
    assert await workers.run(lambda: "there is room again") == "there is room again"
    workers.close()


async def test_closing_waits_for_nobody_and_tells_who_waits() -> None:
    workers, gate = WorkerPool(1, 1), Gate()
    results: list[str] = []

    async def run() -> None:
        results.append(await workers.run(gate.work))

    async def wait() -> None:
        with pytest.raises(Overloaded, match="stopping"):
            await workers.run(gate.work)

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await entered(gate)
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        workers.close()
        gate.open()
    assert len(results) == 1
    with pytest.raises(Overloaded, match="stopping"):
        await workers.run(lambda: None)


async def test_what_waits_is_not_begun_once_its_caller_has_left() -> None:
    workers, gate = WorkerPool(1, 2), Gate()
    begun: list[str] = []
    async with anyio.create_task_group() as group:
        group.start_soon(workers.run, gate.work)
        await entered(gate)
        async with anyio.create_task_group() as callers:
            for _ in range(2):
                callers.start_soon(workers.run, lambda: begun.append("work"))
            await anyio.wait_all_tasks_blocked()
            callers.cancel_scope.cancel()
        group.start_soon(workers.run, lambda: None)  # their places are free again
        await anyio.wait_all_tasks_blocked()
        gate.open()
    workers.close()
    assert begun == []


async def test_what_waits_too_long_is_refused_and_not_begun() -> None:
    workers, gate = WorkerPool(1, 1, deadlines=Deadlines(waiting=0.01)), Gate()
    begun: list[str] = []
    async with anyio.create_task_group() as group:
        group.start_soon(outcome, workers, gate.work)
        await entered(gate)
        with pytest.raises(DeadlineExceeded, match="waited"):
            await workers.run(lambda: begun.append("work"))
        gate.open()
    workers.close()
    assert begun == []


@pytest.mark.parametrize("is_left", [True, False])
async def test_work_that_does_not_end_holds_a_thread_and_not_the_pool(*, is_left: bool) -> None:
    workers = WorkerPool(2, 0, deadlines=Deadlines(waiting=0.01, working=0.05))
    gate = Gate()

    async def run() -> None:
        with pytest.raises(DeadlineExceeded, match="not done"):
            await outcome(workers, gate.work)

    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(run)
            await entered(gate)
        if is_left:
            group.cancel_scope.cancel()
    assert (await place(workers)).startswith("scorer")
    gate.open()
    workers.close()


async def place(workers: WorkerPool) -> str:
    """The thread that takes a piece of work, once there is a place."""
    for _ in range(3000):
        with suppress(Overloaded):
            return await workers.run(lambda: threading.current_thread().name)
        await anyio.sleep(0.01)
    raise AssertionError("there is no place")


async def test_threads_that_were_replaced_are_not_replaced_without_end() -> None:
    workers = WorkerPool(1, 0, deadlines=Deadlines(waiting=0.02, working=0.02))
    gate, last = Gate(), Gate()
    for endless in [gate] * MAX_LOST + [last]:
        with pytest.raises(DeadlineExceeded, match="not done"):
            await outcome(workers, endless.work)
    with pytest.raises(Overloaded, match="busy"):
        await workers.run(gate.work)
    gate.open()  # and the last is replaced, though it never ends
    assert await place(workers)
    last.open()
    workers.close()


async def test_late_work_that_ends_gives_its_thread_back() -> None:
    workers = WorkerPool(1, 0, deadlines=Deadlines(waiting=0.02, working=0.02))
    gate, last = Gate(), Gate()
    for endless in [gate] * MAX_LOST + [last]:
        with pytest.raises(DeadlineExceeded, match="not done"):
            await outcome(workers, endless.work)
    last.open()
    assert await place(workers)
    with pytest.raises(DeadlineExceeded, match="not done"):  # one thread, as before
        await outcome(workers, gate.work)
    with pytest.raises(Overloaded, match="busy"):
        await workers.run(gate.work)
    gate.open()
    workers.close()


async def test_the_last_result_is_not_kept() -> None:
    class Sheet: ...

    workers = WorkerPool(1, 0)
    freed = threading.Event()
    weakref.finalize(await workers.run(Sheet), freed.set)
    assert await anyio.to_thread.run_sync(freed.wait, 30)
    workers.close()
