"""Maintenance of experiments: compaction, gauges, and first crossings."""

import math
from collections.abc import Mapping

from kullback.errors import TallyMismatch
from kullback.experiments.crossings import ExperimentSnapshot
from kullback.experiments.queries import ExperimentQueries
from kullback.experiments.stored import KIND, StoredExperiment
from kullback.experiments.windows import HOURS_KEPT_SECONDS
from kullback.maintenance import RECENT_SECONDS, MaintenanceThread
from kullback.moments import DAY, HOUR, Clock
from kullback.storage.base import Store, Times, Transaction


class ExperimentMaintenance:
    """Keeps experiments compact, their gauges and first crossings fresh; see MaintenanceThread."""

    def __init__(
        self, store: Store, queries: ExperimentQueries, clock: Clock, maintenance: MaintenanceThread
    ) -> None:
        self._store = store
        self._queries = queries
        self._clock = clock
        self._maintenance = maintenance
        self._states: dict[str, ExperimentSnapshot] = {}
        self._stopped: frozenset[str] = frozenset()
        self._seen: dict[int, tuple[int, Mapping[str, int]]] = {}
        self._compacted: dict[int, float] = {}

    @property
    def states(self) -> Mapping[str, ExperimentSnapshot]:
        """What each experiment said at the last round."""
        return self._states

    @property
    def running(self) -> Mapping[str, ExperimentSnapshot]:
        """The same of those that were not stopped by then."""
        stopped = self._stopped
        return {name: state for name, state in self._states.items() if name not in stopped}

    def run_due(self) -> None:
        """Refresh and compact where rows came; compact everything once an hour."""
        here = list(self._maintenance.sound(self._store.records(KIND), StoredExperiment.of))
        names = {stored.record.name for stored in here}
        self._stopped = frozenset(stored.record.name for stored in here if stored.stop is not None)
        numbers = {stored.record.id for stored in here}
        self._states = {name: state for name, state in self._states.items() if name in names}
        for kept in (self._seen, self._compacted):
            for gone in kept.keys() - numbers:
                del kept[gone]
        believed, counts = self._maintenance.believed_now(), self._store.all_counts(KIND)
        for stored in here:
            seen = stored.record.revision, counts.get(stored.record.id, {})
            if seen != self._seen.get(stored.record.id) and self._refresh(stored):
                self._compact_recent(stored)
                self._seen[stored.record.id] = seen
            now = self._clock()
            last = self._compacted.get(stored.record.id, -math.inf)
            if not 0 <= now - last < self._maintenance.full_round_seconds:
                if stored.record.id in counts:  # what has none has no rows
                    self._compact_all(stored, believed)
                self._compacted[stored.record.id] = now

    def _refresh(self, stored: StoredExperiment) -> bool:
        """Read how the experiment stands; whether all that must be kept of that is."""
        try:
            state = self._queries.of(stored).snapshot()
        except TallyMismatch as error:
            self._maintenance.say_damaged(stored.record.id, error)
            self._states = {
                name: state for name, state in self._states.items() if name != stored.record.name
            }
            return True
        self._states = self._states | {stored.record.name: state}
        return self._queries.keep_crossings(state)

    def _compact_recent(self, stored: StoredExperiment) -> None:
        now = int(self._clock())
        since = (now - RECENT_SECONDS) // HOUR * HOUR
        self._maintenance.compact(stored.record.id, Times(since, now + DAY), HOUR)

    def _compact_all(self, stored: StoredExperiment, believed: float | None) -> None:
        record = stored.record.id
        self._maintenance.compact(record, Times(0, int(self._clock()) + DAY), HOUR)
        if believed is None:
            return
        old = Times(0, int(believed) - HOURS_KEPT_SECONDS)

        def count_days(tx: Transaction, days: int) -> None:
            if days:
                tx.count(record, {"days": days})  # series by the hour are others now

        self._maintenance.compact(record, old, DAY, count_days)
