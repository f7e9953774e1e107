"""Monitors as they stand in the store."""

from dataclasses import dataclass

from kullback.monitoring.monitor import Monitor
from kullback.storage.base import Record, existing
from kullback.stored_sums import naming_settings

KIND = "monitor"
REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class StoredMonitor:
    """A monitor as it stands in the store."""

    record: Record
    monitor: Monitor

    @classmethod
    def of(cls, record: Record | None, name: str) -> "StoredMonitor":
        """The monitor of a record.

        Raises:
            NotFound: there is none.
            DamagedTally: its settings cannot be read.
        """
        record = existing(record, KIND, name)
        with naming_settings(KIND, record.name):
            return cls(record, Monitor.decoded(record.document))
