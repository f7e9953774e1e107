"""This file is about keeping experiments: folding what was added, noticing what was decided."""

import math
from collections.abc import Mapping

from kullback.experiments.queries import ExperimentQueries, ExperimentSnapshot
from kullback.experiments.windows import DAY, FINE_SECONDS, HOUR
from kullback.experiments.writes import StoredExperiment
from kullback.maintenance import MaintenanceThread
from kullback.moments import Clock
from kullback.storage.base import Store, Times

FULL_EVERY = float(HOUR)
YOUNG_SECONDS = 900  # where parts pile up; what comes later than that waits for a full pass


class ExperimentMaintenance:
    """Keeps experiments small, their gauges fresh and their first crossings; see Upkeep."""

    def __init__(
        self, store: Store, views: ExperimentQueries, clock: Clock, upkeep: MaintenanceThread
    ) -> None:
        self._store = store
        self._views = views
        self._clock = clock
        self._upkeep = upkeep
        self._states: dict[str, ExperimentSnapshot] = {}
        self._seen: dict[int, tuple[int, Mapping[str, int]]] = {}
        self._tidied: dict[int, float] = {}

    @property
    def states(self) -> Mapping[str, ExperimentSnapshot]:
        """What each experiment said at the last round."""
        return self._states

    def run_due(self) -> None:
        """What is due: look and fold where rows came, fold everything once an hour."""
        here = self._views.stored()
        names, numbers = {one.record.name for one in here}, {one.record.id for one in here}
        self._states = {name: state for name, state in self._states.items() if name in names}
        for kept in (self._seen, self._tidied):
            for gone in kept.keys() - numbers:
                del kept[gone]
        for found in here:
            seen = found.record.revision, self._store.counts(found.record.id)
            if seen != self._seen.get(found.record.id) and self._refresh(found):
                self._compact_recent(found)
                self._seen[found.record.id] = seen
            now = self._clock()
            if now - self._tidied.get(found.record.id, -math.inf) >= FULL_EVERY:
                self._compact_all(found)
                self._tidied[found.record.id] = now

    def _refresh(self, found: StoredExperiment) -> bool:
        """Read how the experiment stands; whether all that must be kept of that is."""
        state = self._views.snapshot(found)
        self._states = self._states | {found.record.name: state}
        return self._views.keep_crossings(state)

    def _compact_recent(self, found: StoredExperiment) -> None:
        now = int(self._clock())
        since = (now - YOUNG_SECONDS) // HOUR * HOUR
        self._upkeep.compact(found.record.id, Times(since, now + DAY), HOUR)

    def _compact_all(self, found: StoredExperiment) -> None:
        now = int(self._clock())
        self._upkeep.compact(found.record.id, Times(0, now + DAY), HOUR)
        self._upkeep.compact(found.record.id, Times(0, now - FINE_SECONDS), DAY)
