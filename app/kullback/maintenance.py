"""Maintenance: a thread that makes its rounds, and long work in short steps."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Event, Thread
from typing import TypeVar

from kullback.errors import KullbackError, TallyMismatch
from kullback.storage.base import DONE, Record, Reply, Store, Times, Transaction

Stored = TypeVar("Stored")
CELLS_AT_ONCE = 200
PARTS_AT_ONCE = 5_000  # looked at in one transaction, while others wait to write
RECENT_SECONDS = 900  # where parts pile up; what comes later waits for a full round
FULL_ROUND_SECONDS = 3600.0

_log = logging.getLogger("kullback.maintenance")


class MaintenanceThread:
    """A thread that does what is due, again and again, beside writes and readers.

    Every round is safe beside those of other replicas: what is compacted is what was deleted in the
    same transaction, and sums are the same in any order.
    """

    def __init__(
        self,
        store: Store,
        seconds: float,
        believed_now: Callable[[], float | None],
        full_round_seconds: float = FULL_ROUND_SECONDS,
    ) -> None:
        self.believed_now = believed_now  # to say what is old; None while the clock is in doubt
        self.full_round_seconds = full_round_seconds
        self._store = store
        self._seconds = seconds
        self._stopping = Event()
        self._damaged = set[int]()
        self._put_off = dict[int, str]()  # why, by the number of the round
        self._thread: Thread | None = None

    def start(self, rounds: Sequence[Callable[[], None]]) -> None:
        """Begin to make these rounds."""
        self._thread = Thread(target=self._run, args=(rounds,), name="maintenance", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being done, then end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def until_done(
        self,
        step: Callable[[Transaction], int],
        at_once: int,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        """Take a step in a transaction of its own as long as each does all that one may do.

        Not until nothing is left: under load there always is, and the next step waits in vain.
        After each that is on disk `committed` is called.
        """
        done = at_once
        while done >= at_once and not self._stopping.is_set():

            def work(tx: Transaction) -> Reply:
                nonlocal done
                done = step(tx)
                return DONE

            self._store.write(work).result()
            committed()

    def compact(
        self,
        record: int,
        times: Times,
        width: int,
        made: Callable[[Transaction, int], None] = lambda _, __: None,
    ) -> None:
        """Put parts together, in windows of `width` or wider; damaged ones stay as they are.

        Of how many cells each transaction has made it tells `made`.
        """
        start = times.start
        while start < times.stop and not self._stopping.is_set():
            last = self._store.nth_start(record, start, PARTS_AT_ONCE)
            before = times.stop if last is None else (last // width + 1) * width
            some = Times(start, times.stop, before)

            def step(tx: Transaction, some: Times = some) -> int:
                cells = tx.compact(record, some, width, CELLS_AT_ONCE)
                made(tx, cells)
                return cells

            try:
                self.until_done(step, CELLS_AT_ONCE)
            except TallyMismatch as error:
                self.say_damaged(record, error)
            start = before

    def sound(
        self, records: Iterable[Record], of: Callable[[Record, str], Stored]
    ) -> Iterator[Stored]:
        """What these records are; of the damaged it says so, once, and passes them over."""
        for record in records:
            try:
                stored = of(record, record.name)
            except TallyMismatch as error:
                self.say_damaged(record.id, error)
            else:
                yield stored

    def say_damaged(self, record: int, error: TallyMismatch) -> None:
        """Say, once for each record, that what it holds cannot be read."""
        if record not in self._damaged:
            self._damaged.add(record)
            _log.error("what record %d holds cannot be read: %s", record, error.message)

    def _run(self, rounds: Sequence[Callable[[], None]]) -> None:
        while not self._stopping.wait(self._seconds):
            for number, work in enumerate(rounds):
                self._attempt(number, work)

    def _attempt(self, number: int, work: Callable[[], None]) -> None:
        try:
            work()
            self._put_off.pop(number, None)
        except KullbackError as error:
            if self._put_off.get(number) != error.message:  # not again every few seconds
                self._put_off[number] = error.message
                _log.warning("maintenance was put off: %s", error.message)
        except Exception:  # noqa: BLE001 - the next round may do better
            _log.exception("maintenance failed")
