"""This file is about keeping experiments: folding what was added, noticing what was decided."""

import math
from collections.abc import Mapping

from kullback.experiments.queries import ExperimentViews, State
from kullback.experiments.windows import DAY, FINE_SECONDS, HOUR
from kullback.experiments.writes import Found
from kullback.maintenance import MaintenanceThread
from kullback.moments import Clock
from kullback.storage.base import Store, Times

FULL_EVERY = float(HOUR)
YOUNG_SECONDS = 900  # where parts pile up; what comes later than that waits for a full pass


class ExperimentKeeper:
    """Keeps experiments small, their gauges fresh and their first crossings; see Upkeep."""

    def __init__(
        self, store: Store, views: ExperimentViews, clock: Clock, upkeep: MaintenanceThread
    ) -> None:
        self._store = store
        self._views = views
        self._clock = clock
        self._upkeep = upkeep
        self._states: dict[str, State] = {}
        self._seen: dict[int, tuple[int, Mapping[str, int]]] = {}
        self._tidied: dict[int, float] = {}

    @property
    def states(self) -> Mapping[str, State]:
        """What each experiment said at the last round."""
        return self._states

    def attend(self) -> None:
        """What is due: look and fold where rows came, fold everything once an hour."""
        here = self._views.found()
        names, numbers = {one.record.name for one in here}, {one.record.id for one in here}
        self._states = {name: state for name, state in self._states.items() if name in names}
        for kept in (self._seen, self._tidied):
            for gone in kept.keys() - numbers:
                del kept[gone]
        for found in here:
            seen = found.record.revision, self._store.counts(found.record.id)
            if seen != self._seen.get(found.record.id) and self._look(found):
                self._fold_young(found)
                self._seen[found.record.id] = seen
            now = self._clock()
            if now - self._tidied.get(found.record.id, -math.inf) >= FULL_EVERY:
                self._tidy(found)
                self._tidied[found.record.id] = now

    def _look(self, found: Found) -> bool:
        """Read how the experiment stands; whether all that must be kept of that is."""
        state = self._views.state(found)
        self._states = self._states | {found.record.name: state}
        return self._views.keep_crossings(state)

    def _fold_young(self, found: Found) -> None:
        now = int(self._clock())
        since = (now - YOUNG_SECONDS) // HOUR * HOUR
        self._upkeep.compact(found.record.id, Times(since, now + DAY), HOUR)

    def _tidy(self, found: Found) -> None:
        now = int(self._clock())
        self._upkeep.compact(found.record.id, Times(0, now + DAY), HOUR)
        self._upkeep.compact(found.record.id, Times(0, now - FINE_SECONDS), DAY)
