"""What is answered is on disk: through kill -9, a full disk, and a disk that fails."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kullback.errors import StoreUnavailable
from kullback.storage.base import IdempotencyKey, Store, Transaction
from kullback.storage.sql import open_store
from tests.storage.child import FATAL
from tests.storage.writes import Opening, add, adding, cell, do, made, merge, results, sums

ROOT = Path(__file__).parent.parent.parent
STRACE = shutil.which("strace")
MODULE = (sys.executable, "-m", "tests.storage.child")


def child(*before: str, url: str, record: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own module, or strace with it
        [*before, *MODULE, url, str(record)],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def replayed(store: Store, record: int, number: int) -> bool:
    """Whether this write of the child was there when it was sent again."""
    work = adding(record, {cell(60 * (number % 5)): 1})
    return store.write(work, IdempotencyKey("child", f"{number}", b"")).result(30).replayed


@pytest.mark.parametrize("answered", [1, 20, 50])
def test_what_was_answered_outlives_kill_9_exactly_once(
    answered: int, url: str, opening: Opening
) -> None:
    store = opening(url)
    record = made(store)
    store.close()
    with child(url=url, record=record) as process:
        assert process.stdout is not None
        for number in range(answered):
            assert process.stdout.readline() == f"written {number}\n"
        process.kill()
        rest = process.stdout.read().splitlines()
    last = answered + sum(line.startswith("written") for line in rest)

    store = opening(url)
    found = sum(sums(store, record).values())
    assert found in {last, last + 1}  # one may have been written, and its answer lost
    assert all(replayed(store, record, number) for number in range(last))
    assert replayed(store, record, last) is (found == last + 1)
    assert sum(sums(store, record).values()) == last + 1
    assert store.counts(record) == {"rows": last + 1}


@pytest.mark.skipif(STRACE is None, reason="strace is missing: NO FAILING DISK IS TRIED HERE")
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_a_disk_that_fails_ends_the_process_and_loses_nothing_that_was_answered(
    call: str, sqlite_url: str, opening: Opening
) -> None:
    store = opening(sqlite_url)
    record = made(store)
    store.close()
    inject = f"inject={call}:error=EIO:when=60+"
    trace = (str(STRACE), "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", inject)
    with child(*trace, url=sqlite_url, record=record) as process:
        out, _ = process.communicate(timeout=60)
    written = [line for line in out.splitlines() if line.startswith("written")]
    assert process.returncode == FATAL
    assert "fatal the store failed: disk I/O error" in out
    assert written

    store = opening(sqlite_url)
    assert all(replayed(store, record, number) for number in range(len(written)))
    assert len(written) <= sum(sums(store, record).values()) <= len(written) + 1


@pytest.mark.skipif(STRACE is None, reason="strace is missing: NO KILL AT A CALL IS TRIED HERE")
@pytest.mark.parametrize(("call", "when"), [("pwrite64", 31), ("pwrite64", 64), ("fdatasync", 20)])
def test_a_kill_at_a_call_that_reaches_the_disk_loses_and_doubles_nothing(
    call: str, when: int, sqlite_url: str
) -> None:
    kill_at(call, when, sqlite_url)


def kill_at(call: str, when: int, url: str) -> int:
    """Kill a writer when it makes a call for the nth time; how many writes were answered.

    Raises:
        AssertionError: one of them is not there, or not once.
    """
    with closing(open_store(url, merge, on_fatal=pytest.fail)) as store:
        record = made(store)
    inject = f"inject={call}:signal=KILL:when={when}"
    trace = (str(STRACE), "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", inject)
    with child(*trace, url=url, record=record) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    answered = sum(line.startswith("written") for line in out.splitlines())
    with closing(open_store(url, merge, on_fatal=pytest.fail)) as store:
        found = sum(sums(store, record).values())
        assert found in {answered, answered + 1}
        assert all(replayed(store, record, number) for number in range(answered))
        assert replayed(store, record, answered) is (found == answered + 1)
        assert sum(sums(store, record).values()) == answered + 1
    return answered


def killed_at_every_call(
    times: int, directory: Path, told: Callable[[int], None]
) -> dict[str, object]:
    """Kill writers at one call after the other; what came of it."""
    answered = 0
    for number in range(times):
        call, when = ("pwrite64", 3 + number) if number % 3 else ("fdatasync", 3 + number // 3)
        answered += kill_at(call, when, f"sqlite:///{directory}/call-{number}.db")
        told(number + 1)
    return {"calls": times, "acknowledged": answered, "lost": 0, "doubled": 0}


def test_a_full_file_refuses_writes_serves_reads_and_recovers(
    sqlite_url: str, opening: Opening
) -> None:
    store = opening(f"{sqlite_url}?max_page_count=150")
    record, other = made(store, "a"), made(store, "b")
    add(store, record, {cell(0): 1})

    def attach(transaction: Transaction) -> None:
        transaction.attach(other, "reference", bytes(400_000))

    do(store, attach)
    for n in range(1000):
        future = store.write(adding(record, {cell(60 * m + 6000 * n): 1 for m in range(100)}))
        if future.exception(30) is not None:
            break
    with pytest.raises(StoreUnavailable, match="full"):
        future.result()

    before = sums(store, record)
    assert len(before) == 100 * n
    store.ping()
    do(store, lambda transaction: transaction.delete(other))
    results([store.write(adding(record, {cell(0): 1}))])
    assert sums(store, record)[cell(0)] == before[cell(0)] + 1
