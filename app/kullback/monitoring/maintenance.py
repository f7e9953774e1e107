"""Maintenance of monitors: merging, forgetting what is old, reading the last mature hour."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice

from kullback.errors import NotFound, Overloaded
from kullback.maintenance import RECENT_SECONDS, MaintenanceThread
from kullback.moments import DAY, Clock
from kullback.monitoring.checks import MonitorChecks
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.features import FEATURE_VALUES
from kullback.monitoring.identified_rows import settled
from kullback.monitoring.ingest import SLICE_VALUES, AddedRows
from kullback.monitoring.label_delays import learn_expired
from kullback.monitoring.looks import MonitorLooks
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.queries import MonitorQueries
from kullback.monitoring.recent import RecentHour
from kullback.monitoring.stored import KIND, StoredMonitor
from kullback.monitoring.unfinished import AT_ONCE, finish
from kullback.monitoring.windows import ages
from kullback.storage.base import Record, Store, Times, Transaction
from kullback.storage.slice_values import release, values_with_places

IDEMPOTENCY_SECONDS = 7 * DAY
FULL_AT_ONCE = 8  # monitors: the others have their turn in the next pass


class MonitorMaintenance:
    """Keeps monitors small and their gauges fresh; see MaintenanceThread."""

    def __init__(
        self,
        store: Store,
        queries: MonitorQueries,
        clock: Clock,
        maintenance: MaintenanceThread,
        counters: MonitorCounters,
    ) -> None:
        self._store = store
        self._queries = queries
        self._clock = clock
        self._maintenance = maintenance
        self._counters = counters
        self.looks = MonitorLooks(queries, clock)
        self._compacted: dict[int, float] = {}
        self._names: dict[int, str] = {}

    @property
    def recent(self) -> Mapping[str, RecentHour]:
        """What each monitor saw in its last mature hour, as of the last pass."""
        return self.looks.recent

    @property
    def checks(self) -> Mapping[str, MonitorChecks]:
        """What the checks of each monitor have found, as of the last look at them."""
        return self.looks.checks

    def expect_slices(self) -> None:
        """Let the counters of slices that rows came to before this process begin at 0."""
        for record in self._store.records(KIND):
            content = self._store.attachment(record.id, SLICE_VALUES)
            if content is not None:
                self._counters.expect(record, values_with_places(content))

    def run_due(self) -> None:
        """What is due: much where rows came, little elsewhere, everything once an hour."""
        records, now = self._store.records(KIND), self._clock()
        self._follow(records)
        believed = self._maintenance.believed_now()
        self._finish(records)
        self._settle(records, believed)
        counts = self._store.all_counts(KIND)
        changed = self.looks.changed(records, counts)
        self.looks.renew(records, changed)
        self._queries.forget_others(record.id for record in records)
        for gone in self._compacted.keys() - {record.id for record in records}:
            del self._compacted[gone]
        for stored in self._maintenance.sound(changed, StoredMonitor.of):
            self._compact_recent(stored)
            if believed is not None:
                self._expire(stored, int(believed))
        pause = self._maintenance.full_round_seconds
        without_rows = (record.id for record in records if record.id not in counts)
        self._compacted |= dict.fromkeys(without_rows, now)
        due = (r for r in records if not 0 <= now - self._compacted.get(r.id, -math.inf) < pause)
        for record in islice(due, FULL_AT_ONCE):
            for stored in self._maintenance.sound([record], StoredMonitor.of):
                self._compact(stored, believed)
            self._compacted[record.id] = now
        self._sweep(believed)

    def refresh_recent(self) -> None:
        """Read the last mature hour of every monitor, and look at its checks."""
        self.looks.refresh([record.name for record in self._store.records(KIND)])

    def compact_all(self) -> None:
        """Merge, forget and expire in every monitor, and forget old keys."""
        records, believed = self._store.records(KIND), self._maintenance.believed_now()
        self._finish(records)
        self._settle(records, believed)
        for stored in self._maintenance.sound(records, StoredMonitor.of):
            self._compact(stored, believed)
        self._sweep(believed)

    def _follow(self, records: Sequence[Record]) -> None:
        """Take readings of monitors to the names they were given since, and end old counters."""
        names = {record.id: record.name for record in records}
        for number, name in names.items():
            before = self._names.get(number, name)
            if before != name:
                self._counters.rename(number, before, name)
                self.looks.rename(before, name)
        for number in self._names.keys() - names.keys():
            self._counters.forget(self._names[number], number)
        self._names = names

    def _finish(self, records: Sequence[Record]) -> None:
        """Finish changes that a service has left when it ended."""
        for stored in self._maintenance.sound(records, StoredMonitor.of):
            if stored.unfinished is not None:
                finish(self._store, self._clock, stored.record.name)

    def _merge(self, stored: StoredMonitor, times: Times, width: int) -> None:
        """Put parts together, unless windows of the monitor are being removed."""
        name = stored.record.name

        def check(tx: Transaction, _: int) -> None:
            StoredMonitor.writable(tx.record(KIND, name), name)

        with suppress(NotFound, Overloaded):  # it has another name, or the next pass will do
            self._maintenance.compact(stored.record.id, times, width, check)

    def _compact_recent(self, stored: StoredMonitor) -> None:
        now, window = int(self._clock()), stored.monitor.window_seconds
        since = (now - RECENT_SECONDS) // window * window
        self._merge(stored, Times(since, now + DAY), window)

    def _compact(self, stored: StoredMonitor, believed: float | None) -> None:
        window = stored.monitor.window_seconds
        self._merge(stored, Times(0, int(self._clock()) + DAY), window)
        if believed is None:
            return
        now = int(believed)
        for width, age in ages(stored.monitor):
            self._merge(stored, Times(0, now - age), width)
        self._maintenance.until_done(lambda tx: _forget(tx, stored, now), AT_ONCE)
        self._expire(stored, now)

    def _settle(self, records: Sequence[Record], believed: float | None) -> None:
        """Count predictions with their default label whose own has not come in time.

        Before anything expires that waits for it.
        """
        if believed is None:
            return
        sound = self._maintenance.sound(records, StoredMonitor.of)
        due = [stored for stored in sound if stored.monitor.label_window is not None]
        counts = self._store.all_counts(KIND) if due else {}
        for stored in due:
            if counts.get(stored.record.id, {}).get("waiting_predictions", 0):
                self._settle_one(stored, believed)

    def _settle_one(self, stored: StoredMonitor, believed: float) -> None:
        name, added = stored.record.name, AddedRows()

        def step(tx: Transaction) -> int:
            nonlocal added
            record = tx.record(KIND, name)
            if record is None or record.id != stored.record.id:
                added = AddedRows()
            else:
                monitor = StoredMonitor.writable(record, name).monitor
                added = settled(tx, record.id, monitor, believed)
                added = added.put(tx, record.id, monitor, believed)
            return added.counts.get("defaulted", 0)

        with suppress(Overloaded):  # windows of it are being removed: the next pass will do
            self._maintenance.until_done(step, 1, lambda: self._counters.add(stored.record, added))

    def _sweep(self, believed: float | None) -> None:
        if believed is None:
            return
        before = believed - IDEMPOTENCY_SECONDS
        self._maintenance.until_done(lambda tx: tx.sweep(before, AT_ONCE), AT_ONCE)

    def _expire(self, stored: StoredMonitor, now: int) -> None:
        self._maintenance.until_done(lambda tx: _expire(tx, stored, now), AT_ONCE)


def _present(tx: Transaction, stored: StoredMonitor) -> Monitor | None:
    """The settings by now: whoever has just made a monitor keep more is not to lose it."""
    record = tx.record(KIND, stored.record.name)
    if record is None or record.id != stored.record.id:
        return None
    return StoredMonitor.of(record, record.name).monitor


def _forget(tx: Transaction, stored: StoredMonitor, now: int) -> int:
    present, record = _present(tx, stored), stored.record.id
    if present is None:
        return 0
    before = now - present.retention_days * DAY
    gone = tx.forget(record, before, AT_ONCE)
    if gone < AT_ONCE:
        for name in (SLICE_VALUES, FEATURE_VALUES):
            release(tx, record, name, before)
    if gone:
        tx.count(record, {"forgotten": gone})  # reports of that time are others now
    return gone


def _expire(tx: Transaction, stored: StoredMonitor, now: int) -> int:
    present, record = _present(tx, stored), stored.record.id
    if present is None:
        return 0
    gone = tx.expire(record, now - present.ttl_seconds, AT_ONCE)
    labelled = gone.rows - sum(gone.unmatched.values())
    learn_expired(tx, record, gone.unmatched.get("prediction", 0), labelled, now)
    counts = {f"expired_{side}s": rows for side, rows in gone.unmatched.items() if rows}
    counts |= {f"waiting_{side}s": -rows for side, rows in gone.unmatched.items() if rows}
    if counts:
        tx.count(record, counts)
    return gone.rows
