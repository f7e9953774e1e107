"""Queries of experiments: which there are, and what each says."""

from collections.abc import Callable

from kullback.experiments.crossings import ExperimentSnapshot, FirstCrossings
from kullback.experiments.replies import ExperimentList
from kullback.experiments.selection import ExperimentQuery, ExperimentSelection, listed
from kullback.experiments.stored import KIND, StoredExperiment
from kullback.moments import Clock
from kullback.storage.base import Store
from kullback.storage.records import PresentRecords

_PRESENT = ExperimentQuery()


class ExperimentQueries:
    """Reading experiments; what was written before a selection is in every answer of it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._crossings = FirstCrossings(store, clock)
        self._present = PresentRecords(StoredExperiment.of)

    def list_all(self, sees: Callable[[str], bool]) -> ExperimentList:
        """Every experiment whose name is seen, by name.

        Raises:
            DamagedTally: the settings of one cannot be read.
        """
        records = [record for record in self._store.records(KIND) if sees(record.name)]
        return ExperimentList(
            tuple(listed(StoredExperiment.of(record, record.name)) for record in records)
        )

    def present(self) -> dict[str, StoredExperiment]:
        """Every experiment whose settings can be read, by name: the same until it changes."""
        return self._present.of(self._store.records(KIND))

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
