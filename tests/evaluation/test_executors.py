"""Whoever does the work, it says the same; whoever dies, nothing is counted twice or lost."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kullback.errors import InvalidInput
from kullback.evaluation import executors
from kullback.evaluation.executors import Work, WorkStopped, by_dask, by_processes, serial
from kullback.evaluation.job import evaluate
from tests.evaluation.cluster import Cluster, cluster
from tests.evaluation.logs import PAIRED, PARALLEL, log, state_of, work_of, written

TABLE = log(6_000)
FILES = [500] * 11


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return written(tmp_path_factory.mktemp("logs"), TABLE, FILES, 130)


@pytest.fixture(scope="module")
def dask() -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    with cluster(2) as running:
        yield running


@pytest.fixture(params=["processes", "dask"])
def work(request: pytest.FixtureRequest) -> Work:
    if request.param == "processes":
        return by_processes(2)
    running = request.getfixturevalue("dask")
    assert isinstance(running, Cluster)
    return by_dask(running.address, pytest.fail)


def test_everyone_says_the_same_bit_by_bit(work: Work, files: list[str]) -> None:
    done: list[int] = []
    found = evaluate(reversed(work_of(files, PAIRED, 500)), work, done.append)
    assert found.encoded().hex() == state_of(files, PAIRED).encoded().hex()
    assert done == [500] * 12


def test_a_refusal_comes_through_as_it_was_meant(work: Work, tmp_path: Path) -> None:
    table = TABLE.set_column(2, "p_b", pa.array([0.5] * 5_000 + [7.0] * 1_000))
    names = written(tmp_path, table, FILES)
    with pytest.raises(InvalidInput) as refused:
        evaluate(work_of(names, PAIRED, 500), work, lambda _: None)
    assert "p_b holds 7 in row 1: a probability" in refused.value.message
    assert refused.value.offences[0].pointer == "/p_b/0"


def test_a_dask_worker_that_is_killed_changes_nothing(files: list[str]) -> None:
    pytest.importorskip("distributed")
    with cluster(2) as running:
        done: list[int] = []

        def kill_one(rows: int) -> None:
            done.append(rows)
            running.workers[0].kill()

        found = evaluate(
            work_of(files, PARALLEL, 500), by_dask(running.address, pytest.fail), kill_one
        )
        assert running.workers[0].wait() != 0
    assert found.encoded().hex() == state_of(files, PARALLEL).encoded().hex()
    assert sum(done) == 6_000


def test_a_cluster_that_has_lost_all_its_workers_is_named_and_waited_for(files: list[str]) -> None:
    pytest.importorskip("distributed")
    said: list[str] = []

    class Enough(Exception):
        pass

    def stop(text: str) -> None:
        said.append(text)
        raise Enough

    with cluster(1) as running:
        work, tasks = by_dask(running.address, stop, 4.0), work_of(files, PAIRED, 500)
        with pytest.raises(Enough):
            evaluate(tasks, work, lambda _: running.workers[0].kill())
    assert said == [
        f"the Dask scheduler at {running.address} has no workers any more: waiting for one"
    ]


def test_a_cluster_without_scheduler_or_workers_is_named(files: list[str]) -> None:
    pytest.importorskip("distributed")
    tasks = work_of(files, PAIRED, 500)
    with cluster(0) as running, pytest.raises(WorkStopped, match=r"tcp://.* has no workers"):
        evaluate(tasks, by_dask(running.address, pytest.fail, 4.0), lambda _: None)
    with pytest.raises(WorkStopped, match="no Dask scheduler answers at tcp:"):
        evaluate(tasks, by_dask("tcp://127.0.0.1:1", pytest.fail, 0.1), lambda _: None)
    with pytest.raises(WorkStopped, match="no Dask scheduler answers at ftp:"):
        evaluate(tasks, by_dask("ftp://nowhere", pytest.fail, 0.1), lambda _: None)


def test_without_dask_one_is_told_how_to_get_it(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(WorkStopped, match=r'pip install "kullback\[dask\]"'):
        evaluate(
            work_of(files, PAIRED, 500), by_dask("tcp://127.0.0.1:1", pytest.fail), lambda _: None
        )


def test_a_worker_process_that_dies_stops_the_work(files: list[str]) -> None:
    def kill_all(_: int) -> None:
        for child in active_children():
            child.kill()

    with pytest.raises(WorkStopped, match="a worker process died"):
        evaluate(work_of(files, PAIRED, 500), by_processes(2), kill_all)
    assert active_children() == []


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_worker_that_dies_in_the_middle_of_its_answer_stops_the_work(
    files: list[str],
    monkeypatch: pytest.MonkeyPatch,
    is_wanted: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    """What is left of a message that nobody ends, also where nobody wants the answer any more."""
    pools = list[ProcessPoolExecutor]()

    class Pool(ProcessPoolExecutor):
        def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 - as they come
            super().__init__(*arguments)
            pools.append(self)

    def half_an_answer(_: int) -> None:
        (pool,) = pools
        writer = pool._result_queue._writer  # type: ignore[attr-defined] # noqa: SLF001
        os.write(writer.fileno(), (100_000_000).to_bytes(4, "big") + b"x")
        if not is_wanted:
            raise KeyboardInterrupt
        for child in active_children():
            child.kill()

    monkeypatch.setattr(executors, "ProcessPoolExecutor", Pool)
    with pytest.raises(WorkStopped if is_wanted else KeyboardInterrupt):
        evaluate(work_of(files, PAIRED, 500), by_processes(2), half_an_answer)
    assert active_children() == []


def test_nobody_works_on_when_the_answer_is_not_wanted_any_more(files: list[str]) -> None:
    def leave(_: int) -> None:
        raise KeyboardInterrupt

    for work in (serial, by_processes(2)):
        with pytest.raises(KeyboardInterrupt):
            evaluate(work_of(files, PAIRED, 500), work, leave)
    assert active_children() == []
