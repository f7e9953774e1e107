"""Workers take what they have room for, give back what came of it, and refuse the rest at once."""

import threading

import anyio
import pytest

from kullback.api.workers import WorkerPool
from kullback.errors import InvalidInput, Overloaded

pytestmark = pytest.mark.anyio


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


async def test_closing_waits_for_what_runs() -> None:
    workers, gate = WorkerPool(1, 1), Gate()
    done: list[str] = []

    async def run() -> None:
        done.append(await workers.run(gate.work))

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await entered(gate)
        group.start_soon(anyio.to_thread.run_sync, workers.close)
        gate.open()
    assert len(done) == 1
    with pytest.raises(Overloaded, match="stopping"):
        await workers.run(lambda: None)
