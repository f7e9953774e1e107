"""Queries of experiments: which there are, and what each says."""

from collections.abc import Callable
from contextlib import suppress

from kullback.errors import DamagedTally
from kullback.experiments.crossings import ExperimentSnapshot, FirstCrossings
from kullback.experiments.replies import ExperimentList
from kullback.experiments.selection import ExperimentQuery, ExperimentSelection, listed
from kullback.experiments.stored import KIND, StoredExperiment
from kullback.moments import Clock
from kullback.storage.base import Store

_PRESENT = ExperimentQuery()


class ExperimentQueries:
    """Reading experiments; what was written before a selection is in every answer of it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._crossings = FirstCrossings(store, clock)

    def list_all(self, sees: Callable[[str], bool]) -> ExperimentList:
        """Every experiment whose name is seen, by name.

        Raises:
            DamagedTally: the settings of one cannot be read.
        """
        records = [record for record in self._store.records(KIND) if sees(record.name)]
        return ExperimentList(
            tuple(listed(StoredExperiment.of(record, record.name)) for record in records)
        )

    def stored(self) -> list[StoredExperiment]:
        """Every experiment as it stands whose settings can be read, by name."""
        here: list[StoredExperiment] = []
        for record in self._store.records(KIND):
            with suppress(DamagedTally):
                here.append(StoredExperiment.of(record, record.name))
        return here

    def select(self, name: str, query: ExperimentQuery = _PRESENT) -> ExperimentSelection:
        """An experiment as it is now, and a query about it.

        Raises:
            NotFound: there is none of that name.
        """
        return self.of(StoredExperiment.of(self._store.record(KIND, name), name), query)

    def of(
        self, experiment: StoredExperiment, query: ExperimentQuery = _PRESENT
    ) -> ExperimentSelection:
        """An experiment that was read already, and a query about it."""
        return ExperimentSelection(self._store, self._crossings, experiment, query)

    def keep_crossings(self, snapshot: ExperimentSnapshot) -> bool:
        """Keep each verdict that is reached for the first time, with the version it came at.

        Returns:
            Whether they are kept: where the store cannot be written, a later look does it.
        """
        return self._crossings.keep(snapshot).is_complete
