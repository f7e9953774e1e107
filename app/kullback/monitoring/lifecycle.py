"""The life of a monitor: it is created, changed, renamed and removed, and so are its windows."""

from collections.abc import Callable
from concurrent.futures import Future

from kullback.clock import WatchedClock
from kullback.errors import Conflict, NotFound, Overloaded
from kullback.moments import DAY
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.feature_forgetting import forget_reference_of
from kullback.monitoring.forgetting import Loss, RowsHeld, loss
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.replies import ChangedMonitor, MonitorSetup, RemovedWindows
from kullback.monitoring.stored import (
    KIND,
    REFERENCE,
    Removal,
    Renaming,
    StoredMonitor,
    document,
)
from kullback.monitoring.unfinished import finish
from kullback.monitoring.windows import Span, span
from kullback.storage.base import IdempotencyKey, Reply, Store, Transaction, Written, is_new
from kullback.storage.records import existing
from kullback.timezones import Time

Completed = Callable[[Monitor | None], Monitor]  # settings, beside those at present if there are
SOON_SECONDS = 300  # windows that are merged so soon are removed as if they were by now


class MonitorLifecycle:
    """Changes of monitors themselves, each write with the key that makes it happen once.

    What removes rows or keys does so in steps: from the first on nobody sees them, and until the
    last nothing is written to the monitor.
    """

    def __init__(self, store: Store, clock: WatchedClock, counters: MonitorCounters) -> None:
        self._store = store
        self._clock = clock
        self._counters = counters

    def put(
        self, name: str, completed: Completed, key: IdempotencyKey | None, *, forget: bool = False
    ) -> Future[Written]:
        """Create a monitor, or change what is named.

        The future raises:
            InvalidInput: the settings do not fit together.
            Conflict: rows would be forgotten, and nobody said that they may be.
        """

        def work(tx: Transaction) -> Reply:
            record = tx.record(KIND, name, for_change=True)
            if record is not None:
                return self._changed(
                    tx, StoredMonitor.writable(record, name), completed, forget=forget
                )
            monitor = completed(None)
            tx.create(KIND, name, monitor.encoded(), self._clock())
            return Reply.of(MonitorSetup.of(name, monitor), 201)

        return self._finished(name, work, key) if forget else self._store.write(work, key)

    def patch(
        self, name: str, completed: Completed, key: IdempotencyKey | None, *, forget: bool = False
    ) -> Future[Written]:
        """Change what is named of a monitor that is there; see put."""

        def work(tx: Transaction) -> Reply:
            stored = StoredMonitor.writable(tx.record(KIND, name, for_change=True), name)
            return self._changed(tx, stored, completed, forget=forget)

        return self._finished(name, work, key) if forget else self._store.write(work, key)

    def rename(self, name: str, new: str, key: IdempotencyKey | None) -> Future[Written]:
        """Give a monitor another name, with all that it holds and the keys of its writes.

        The future raises:
            Conflict: there is a monitor of that name.
        """
        number = 0

        def work(tx: Transaction) -> Reply:
            nonlocal number
            stored = StoredMonitor.writable(tx.record(KIND, name, for_change=True), name)
            number = stored.record.id
            if tx.record(KIND, new) is not None:
                raise Conflict.at("there is a monitor of this name", "name")
            tx.change(stored.record.id, document(stored.monitor, Renaming(name)))
            tx.rename(stored.record.id, new)
            return Reply.of(MonitorSetup.of(new, stored.monitor))

        future = self._finished(name, work, key)
        if is_new(future):
            self._counters.rename(number, name, new)
        finish(self._store, self._clock, new)
        return future

    def remove_windows(
        self, name: str, start: Time, stop: Time, key: IdempotencyKey | None
    ) -> Future[Written]:
        """Remove all windows of some time, widened to whole ones, with the ids of their rows.

        The future raises:
            InvalidInput: the time ends before it begins.
            Overloaded: windows at one of its ends are being merged.
        """

        def work(tx: Transaction) -> Reply:
            stored = StoredMonitor.writable(tx.record(KIND, name, for_change=True), name)
            record, monitor = stored.record.id, stored.monitor
            chosen = span(monitor, start, stop, self._clock() + SOON_SECONDS)
            if monitor.timezone is not None:  # it may have days of UTC from before
                early, late = (tx.straddles(record, edge) for edge in chosen)
                first = chosen.start // DAY * DAY if early else chosen.start
                chosen = Span(first, -(-chosen.stop // DAY) * DAY if late else chosen.stop)
            if any(tx.straddles(record, edge) for edge in chosen):
                raise Overloaded("windows of that time are being merged: try again in a moment")
            counts = RowsHeld.of(tx.parts(record, *chosen))
            tx.change(record, document(monitor, Removal(*chosen)))
            return Reply.of(RemovedWindows(*chosen, counts.rows, counts.labelled))

        return self._finished(name, work, key)

    def remove_reference(self, name: str, key: IdempotencyKey | None) -> Future[Written]:
        """Remove what drift is measured against.

        The future raises:
            NotFound: there is nothing of the kind.
        """

        def work(tx: Transaction) -> Reply:
            stored = StoredMonitor.writable(tx.record(KIND, name, for_change=True), name)
            if tx.attachment(stored.record.id, REFERENCE) is None:
                raise NotFound("this monitor has no reference")
            tx.detach(stored.record.id, REFERENCE)
            tx.change(stored.record.id, stored.record.document)
            return Reply(204, b"")

        return self._store.write(work, key)

    def delete(self, name: str, key: IdempotencyKey | None) -> Future[Written]:
        """Remove a monitor and all that it holds."""

        def work(tx: Transaction) -> Reply:
            tx.delete(existing(tx.record(KIND, name, for_change=True), KIND, name).id)
            return Reply(204, b"")

        future = self._store.write(work, key)
        future.add_done_callback(lambda done: self._forget(name, done))
        return future

    def _finished(
        self, name: str, work: Callable[[Transaction], Reply], key: IdempotencyKey | None
    ) -> Future[Written]:
        """A write whose change is finished, as is one that was left before it."""
        finish(self._store, self._clock, name)
        future = self._store.write(work, key)
        future.result()
        finish(self._store, self._clock, name)
        return future

    def _changed(
        self, tx: Transaction, stored: StoredMonitor, completed: Completed, *, forget: bool
    ) -> Reply:
        present, record = stored.monitor, stored.record
        monitor = completed(present)
        setup = MonitorSetup.of(record.name, monitor)
        lost = loss(tx, stored, monitor, self._clock())
        if lost is not None and not lost.is_nothing:
            if not forget:
                lost.refuse()
            self._clock.check()
            if not lost.is_anew:
                forget_reference_of(tx, record.id, lost.features)
            tx.change(record.id, _forgetting(present, monitor, lost))
            return Reply.of(ChangedMonitor.after(setup, lost.forgotten()))
        if present != monitor:
            counts_alike = present.without_notes() == monitor.without_notes()
            tx.change(record.id, document(monitor), revises=not counts_alike)
        return Reply.of(setup)

    def _forget(self, name: str, done: Future[Written]) -> None:
        if is_new(done):
            self._counters.forget(name)


def _forgetting(present: Monitor, monitor: Monitor, lost: Loss) -> bytes:
    """The document of a monitor whose windows go."""
    if lost.is_anew:
        return document(present, Removal(0, lost.before, anew=monitor))
    if not (lost.counts.stop or lost.features):
        return document(monitor)
    span, after = ((0, lost.before), "") if lost.counts.stop else ((0, 0), None)
    return document(monitor, Removal(*span, after, features=lost.features))
