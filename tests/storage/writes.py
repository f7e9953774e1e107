"""Writes to a store in tests: parts are numbers, and merging adds them."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Protocol, TypeVar

from kullback.storage.base import (
    Cell,
    IdempotencyKey,
    Reply,
    Store,
    Times,
    Transaction,
    Work,
    Written,
)
from kullback.storage.rows import Row, Side

Found = TypeVar("Found")
DONE = Reply(200, b"done")
LATE = 10**12
ALWAYS = Times(-LATE, LATE)


class Opening(Protocol):
    """Opens a store, which is closed when the test ends."""

    def __call__(self, url: str, clock: Callable[[], float] = ...) -> Store: ...


def merge(parts: Sequence[bytes]) -> bytes:
    """Parts of a sum, as one."""
    return b"%d" % sum(map(int, parts))


def do(store: Store, work: Callable[[Transaction], Found]) -> Found:
    """What `work` returned the last time it was called, once that is on disk."""
    found: list[Found] = []

    def kept(transaction: Transaction) -> Reply:
        found.append(work(transaction))
        return DONE

    store.write(kept).result(30)
    return found[-1]


def made(store: Store, name: str = "clicks") -> int:
    """The number of a new record."""
    return do(store, lambda transaction: transaction.create("monitor", name, b"{}", 1.0)).id


def cell(start: int, width: int = 60, slice: str = "") -> Cell:  # noqa: A002 - as Cell calls it
    return Cell("binary", slice, start, width)


def adding(record: int, parts: Mapping[Cell, int], reply: Reply = DONE) -> Work:
    """The work of adding these numbers, which are counted too."""

    def work(transaction: Transaction) -> Reply:
        transaction.add(record, {cell: b"%d" % number for cell, number in parts.items()})
        transaction.count(record, {"rows": sum(parts.values())})
        return reply

    return work


def add(
    store: Store, record: int, parts: Mapping[Cell, int], key: IdempotencyKey | None = None
) -> Reply:
    return store.write(adding(record, parts), key).result(30).reply


def half(side: Side, name: str) -> Row:
    """What a row brings that is nothing but a prediction, or a label."""
    if side == "label":
        return Row(None, b"", 1.0)
    return Row(5.0, f"{side} {name}".encode(), None)


def join(store: Store, record: int, side: Side, ids: Sequence[str], now: float = 1.0) -> list[int]:
    """How many of the rows now wait, have matched, and were there already."""
    rows = {name: half(side, name) for name in ids}
    joined = do(store, lambda transaction: transaction.join(record, rows, now))
    matched = joined.matched | joined.awaited
    return [len(joined.new), len(matched), len(joined.duplicates)]


def compact_some(store: Store, record: int, width: int, limit: int) -> int:
    """How many cells were made."""
    return do(store, lambda transaction: transaction.compact(record, ALWAYS, width, limit))


def removed(store: Store, record: int) -> None:
    do(store, lambda transaction: transaction.delete(record))


def sums(store: Store, record: int, slices: str | None = None) -> dict[Cell, int]:
    """What a reader finds in each cell."""
    found: dict[Cell, int] = {}
    for place, part in store.parts(record, -LATE, LATE, slices):
        found[place] = found.get(place, 0) + int(part)
    return found


def rows(store: Store, record: int) -> int:
    """How many parts there are in all cells of all rows."""
    return len(store.parts(record, -LATE, LATE))


@contextmanager
def held(store: Store) -> Iterator[None]:
    """Keeps the writer busy: what is written meanwhile waits, and is committed together."""
    begun, released = threading.Event(), threading.Event()

    def work(_: Transaction) -> Reply:
        begun.set()
        assert released.wait(30)
        return DONE

    gate = store.write(work)
    assert begun.wait(30)
    try:
        yield
    finally:
        released.set()
    gate.result(30)


def refusing(error: Exception) -> Work:
    def work(_: Transaction) -> Reply:
        raise error

    return work


def results(futures: Sequence[Future[Written]]) -> list[Written]:
    return [future.result(60) for future in futures]


def together(*works: Callable[[], object]) -> None:
    """Do all of this at once, each in a thread of its own; the first error is raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait(30)
            work()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for error in errors:
        raise error
