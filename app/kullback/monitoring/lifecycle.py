"""The life of a monitor: it is created, changed and removed."""

from collections.abc import Callable
from concurrent.futures import Future

from kullback.errors import Conflict
from kullback.moments import Clock
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.replies import MonitorSetup
from kullback.monitoring.stored import KIND, StoredMonitor
from kullback.storage.base import (
    IdempotencyKey,
    Reply,
    Store,
    Transaction,
    Written,
    existing,
    is_new,
)

Completed = Callable[[Monitor | None], Monitor]  # settings, beside those at present if there are


class MonitorLifecycle:
    """Changes of monitors themselves, each write with the key that makes it happen once."""

    def __init__(self, store: Store, clock: Clock, counters: MonitorCounters) -> None:
        self._store = store
        self._clock = clock
        self._counters = counters

    def put(self, name: str, completed: Completed, key: IdempotencyKey | None) -> Future[Written]:
        """Create a monitor, or change what is named as far as what it holds allows.

        The future raises:
            InvalidInput: the settings do not fit together.
            Conflict: rows have come, and sums before and after the change would not add up.
        """

        def work(tx: Transaction) -> Reply:
            record = tx.record(KIND, name, for_change=True)
            if record is None:
                monitor = completed(None)
                tx.create(KIND, name, monitor.encoded(), self._clock())
                return Reply.of(MonitorSetup.of(name, monitor), 201)
            return _changed(tx, StoredMonitor.of(record, name), completed)

        return self._store.write(work, key)

    def patch(self, name: str, completed: Completed, key: IdempotencyKey | None) -> Future[Written]:
        """Change what is named of a monitor that is there; see put."""

        def work(tx: Transaction) -> Reply:
            stored = StoredMonitor.of(tx.record(KIND, name, for_change=True), name)
            return _changed(tx, stored, completed)

        return self._store.write(work, key)

    def delete(self, name: str, key: IdempotencyKey | None) -> Future[Written]:
        """Remove a monitor and all that it holds."""

        def work(tx: Transaction) -> Reply:
            tx.delete(existing(tx.record(KIND, name, for_change=True), KIND, name).id)
            return Reply(204, b"")

        future = self._store.write(work, key)
        future.add_done_callback(lambda done: self._forget(name, done))
        return future

    def _forget(self, name: str, done: Future[Written]) -> None:
        if is_new(done):
            self._counters.forget(name)


def _changed(tx: Transaction, stored: StoredMonitor, completed: Completed) -> Reply:
    present, record = stored.monitor, stored.record
    monitor = completed(present)
    if present.fixed() != monitor.fixed() and tx.has_rows(record.id):
        raise Conflict(
            "task, labels, pos_label, window_seconds and convention cannot change once "
            "rows have come: delete the monitor, or create another"
        )
    if present != monitor:
        counts_alike = present.without_notes() == monitor.without_notes()
        tx.change(record.id, monitor.encoded(), revises=not counts_alike)
    return Reply.of(MonitorSetup.of(record.name, monitor))
