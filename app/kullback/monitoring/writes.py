"""Writes to monitors: what is answered is on disk, exactly once."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from kullback.clock import WatchedClock
from kullback.errors import Conflict
from kullback.monitoring.arrival_times import ArrivalNotes
from kullback.monitoring.cells import OBSERVED, PREDICTED, cells, checked_rows
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.features import ALL_FEATURES, total_features, whole_table
from kullback.monitoring.identified_rows import IdentifiedIngest, LabelIngest
from kullback.monitoring.ingest import (
    AddedRows,
    Ingest,
    ObservationIngest,
    largest_values,
)
from kullback.monitoring.reference import Reference, reference_of_distributions, reference_of_offset
from kullback.monitoring.replies import ReferenceSummary
from kullback.monitoring.rows import (
    Baseline,
    LabelRows,
    ObservationRows,
    ReferenceDistributions,
    ReferenceOffset,
)
from kullback.monitoring.stored import KIND, REFERENCE, StoredMonitor
from kullback.monitoring.window_tallies import WindowTallies, tallies_by_slice
from kullback.monitoring.windows import span
from kullback.scoring.screening import screened
from kullback.storage.base import (
    IdempotencyKey,
    Record,
    Reply,
    Store,
    Transaction,
    Written,
    is_new,
)
from kullback.storage.prepared import write_prepared

__all__ = ["KIND", "REFERENCE", "IdempotencyKey", "Monitors", "StoredMonitor", "Written"]


class Monitors:
    """Writing to monitors, each write with the key that makes it happen once.

    Rows are checked and summed by the thread that calls; what is wrong with them is raised from
    the write, so that the retry of a batch that was stored gets its answer even when the batch
    would be too old by now.
    """

    def __init__(self, store: Store, clock: WatchedClock, counters: MonitorCounters) -> None:
        self._store = store
        self._clock = clock
        self._counters = counters
        self._arrivals = ArrivalNotes()

    def observe(
        self, name: str, rows: ObservationRows, key: IdempotencyKey | None
    ) -> Future[Written]:
        """Add predictions, with labels or under ids; those with ids count once each."""
        now = self._clock()
        ingest = ObservationIngest if rows.ids is None else IdentifiedIngest
        return self._write(name, lambda stored: ingest.of(stored.monitor, rows, now), key)

    def label(self, name: str, sent: LabelRows, key: IdempotencyKey | None) -> Future[Written]:
        """Add labels of predictions that came before, or come later."""
        return self._write(name, lambda stored: LabelIngest.of(stored.monitor, sent), key)

    def set_reference(
        self, name: str, sent: Baseline, key: IdempotencyKey | None
    ) -> Future[Written]:
        """Set the reference of drift: a batch, a stored period, an offset, or distributions."""
        return self._write(
            name,
            lambda stored: _ReferenceIngest(self._reference(stored, sent)),
            key,
            is_change=True,
        )

    def _write(
        self,
        name: str,
        prepare: Callable[[StoredMonitor], Ingest],
        key: IdempotencyKey | None,
        *,
        is_change: bool = False,
    ) -> Future[Written]:
        now = self._clock.arrival()
        added: list[tuple[Record, AddedRows]] = []

        def prepared() -> tuple[StoredMonitor, Ingest]:
            self._clock.check()
            stored = StoredMonitor.of(self._store.record(KIND, name), name)
            return stored, prepare(stored)

        def commit(tx: Transaction, ready: tuple[StoredMonitor, Ingest]) -> Reply:
            stored, ingest = ready
            present = StoredMonitor.writable(tx.record(KIND, name, for_change=is_change), name)
            if present.record.id != stored.record.id or (
                present.monitor.fixed() != stored.monitor.fixed()
                or not stored.monitor.features.items() <= present.monitor.features.items()
            ):
                raise Conflict("the monitor was changed while the rows came: send them again")
            if isinstance(ingest, _ReferenceIngest):
                # the next revision: entity tags do not depend on what is attached
                changed = replace(present.monitor, reference_offset=ingest.reference.offset)
                tx.change(present.record.id, changed.encoded())
            rows, reply = ingest.add(tx, stored.record.id, now)
            self._arrivals.add(tx, stored.record.id, rows, now)
            added[:] = [(present.record, rows)]  # of the last attempt: an earlier one was undone
            return reply

        future = write_prepared(self._store, prepared, commit, key)
        future.add_done_callback(lambda done: self._count(done, added))
        return future

    def _count(self, done: Future[Written], added: list[tuple[Record, AddedRows]]) -> None:
        if is_new(done):
            self._counters.add(*added[0])

    def _reference(self, stored: StoredMonitor, sent: Baseline) -> Reference:
        now, monitor = self._clock(), stored.monitor
        if isinstance(sent, ReferenceDistributions):
            return reference_of_distributions(monitor, sent, now)
        if isinstance(sent, ReferenceOffset):
            return reference_of_offset(monitor, sent.seconds, now)
        if isinstance(sent, ObservationRows):
            checked, _, _ = screened(
                sent, lambda these: checked_rows(monitor, these, now), sent.screening
            )
            assert checked is not None  # it has rows, and none may be left out
            kind = PREDICTED if checked.y is None else OBSERVED
            whole = largest_values(cells(monitor, checked, kind, now))
            summed = {cell.slice: tally for cell, tally in whole.items()}
            labelled = summed if kind == OBSERVED else {}
            features = whole_table(checked.features)
            return Reference("batch", now, None, labelled, summed, features=features)
        period = span(monitor, sent.start, sent.stop, now)
        tallies: dict[str, WindowTallies] = {}
        for name in (None, *monitor.slices):
            with self._store.stream(stored.record.id, *period, name) as parts:
                tallies |= tallies_by_slice(stored.seen(parts))
        with self._store.stream(stored.record.id, *period, ALL_FEATURES) as parts:
            features = total_features(stored.seen(parts), monitor.features)
        return Reference.of_period(period, tallies, features, now)


@dataclass(frozen=True, slots=True)
class _ReferenceIngest:
    """A reference, ready to be set."""

    reference: Reference

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        del now
        tx.attach(record, REFERENCE, self.reference.encoded())
        return AddedRows(), Reply.of(ReferenceSummary.of(self.reference))
