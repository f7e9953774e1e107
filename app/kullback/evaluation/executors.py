"""Executors: this process, several on this machine, or a Dask cluster.

All say the same, bit by bit: sums are exact, so that it does not matter who added what to what.
"""

import signal
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib import import_module
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess

from kullback.evaluation.work import Task, evaluate_part

Done = Generator[tuple[Task, bytes], None, None]
Work = Callable[[Iterable[Task]], Done]
_LOOK_SECONDS = 1.0


class WorkStopped(Exception):
    """Those who did the work are gone, or were never there."""


def serial(tasks: Iterable[Task]) -> Done:
    """Each task after the other, in this process."""
    for task in tasks:
        yield task, evaluate_part(task)


def by_processes(workers: int) -> Work:
    """Processes on this machine.

    The work raises WorkStopped where one of them dies.
    """
    return partial(_processes, workers)


def by_dask(address: str, notify: Callable[[str], None], wait_seconds: float = 10.0) -> Work:
    """A Dask cluster whose scheduler is there, and whose workers see the files by the same names.

    A worker that dies changes nothing: the scheduler gives its tasks to another one, three times
    at most. Where none is left, `notify` is called with a sentence, and the work waits for one.
    The work raises WorkStopped where the scheduler gives up, or cannot be reached.
    """
    return partial(_dask, address, notify, wait_seconds)


def _processes(workers: int, tasks: Iterable[Task]) -> Done:
    others, ours = set(active_children()), set[BaseProcess]()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _leave_signals_to_the_parent)

    def look() -> None:
        ours.update(set(active_children()) - others)
        if any(child.exitcode is not None for child in ours):
            _let_go(pool, ours)

    try:
        for done in _in_flight(pool, tasks, 2 * workers, _LOOK_SECONDS, look):
            look()
            yield done
    except BrokenProcessPool as error:
        detail = "a worker process died, perhaps for want of memory: try fewer --workers"
        raise WorkStopped(detail) from error
    except BaseException:
        _let_go(pool, set(active_children()) - others)  # nobody waits for what they do
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _let_go(pool: ProcessPoolExecutor, children: Iterable[BaseProcess]) -> None:
    """End a pool, and its workers at once.

    Where one ends in the middle of its answer the pool waits for the rest, for ever: it has an end
    of that pipe itself. With all ends closed it finds that it is broken.
    """
    for child in children:
        child.kill()
    results = pool._result_queue  # noqa: SLF001 - there is no other way
    results._writer.close()  # type: ignore[attr-defined] # noqa: SLF001


def _dask(
    address: str, notify: Callable[[str], None], wait_seconds: float, tasks: Iterable[Task]
) -> Done:
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        detail = 'Dask is not installed here: pip install "kullback[dask]"'
        raise WorkStopped(detail) from error
    try:
        client = distributed.Client(address, timeout=wait_seconds, set_as_default=False)
    except (OSError, ValueError) as error:
        raise WorkStopped(f"no Dask scheduler answers at {address}: {error}") from error

    def idle() -> None:
        if not client.nthreads():
            notify(f"the Dask scheduler at {address} has no workers any more: waiting for one")

    with client:
        try:
            client.wait_for_workers(1, timeout=wait_seconds)
            # a result of an earlier run may be of files that have changed since: never reused
            pool = client.get_executor(pure=False)
            limit = 2 * sum(client.nthreads().values())
            yield from _in_flight(pool, tasks, limit, wait_seconds / 2, idle)
        except TimeoutError as error:
            raise WorkStopped(f"the Dask scheduler at {address} has no workers") from error
        except distributed.KilledWorker as error:
            raise WorkStopped(f"Dask gave up: {error}") from error
        except CancelledError as error:
            raise WorkStopped(f"the Dask scheduler at {address} is gone") from error
        except ImportError as error:
            detail = f"the Dask workers at {address} cannot do the work: {error}"
            raise WorkStopped(detail) from error


def _in_flight(
    pool: Executor,
    tasks: Iterable[Task],
    limit: int,
    seconds: float | None = None,
    idle: Callable[[], None] = lambda: None,
) -> Done:
    """Tasks as they are done, a limited number at a time; `idle` where none is for so long."""
    waiting: dict[Future[bytes], Task] = {}
    try:
        for task in tasks:
            if len(waiting) >= limit:
                yield from _done(waiting, seconds, idle)
            waiting[pool.submit(evaluate_part, task)] = task
        while waiting:
            yield from _done(waiting, seconds, idle)
    finally:
        for future in waiting:
            future.cancel()


def _done(
    waiting: dict[Future[bytes], Task], seconds: float | None, idle: Callable[[], None]
) -> Done:
    while not (done := wait(waiting, seconds, FIRST_COMPLETED).done):
        idle()
    for future in done:
        yield waiting.pop(future), future.result()


def _leave_signals_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
