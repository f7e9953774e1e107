"""Monitors as they stand in the store: their settings, and what is left of an unfinished change."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter

from kullback.errors import Overloaded
from kullback.monitoring.monitor import Monitor
from kullback.storage.base import Cell, Part, Record
from kullback.storage.records import existing
from kullback.stored_sums import naming_settings

KIND = "monitor"
REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Removal:
    """Windows within [start, stop) are being removed, and nobody sees them any more.

    `after` is the last id that was looked at, None where all were. Once they are gone the monitor
    starts `anew`, if there is one to be in its place; else the counts of `features` go from all
    windows that begin at `features_from` or later.
    """

    start: int
    stop: int
    after: str | None = ""
    anew: Monitor | None = None
    features: tuple[str, ...] = ()
    features_from: int = 0

    def has(self, cell: Cell) -> bool:
        """Whether a window is among them."""
        return self.start <= cell.start and cell.start + cell.width <= self.stop


@dataclass(frozen=True, slots=True)
class Renaming:
    """Idempotency keys are being taken away from the paths of the name before."""

    before: str


Unfinished = Removal | Renaming


@dataclass(frozen=True, slots=True)
class StoredMonitor:
    """A monitor as it stands in the store."""

    record: Record
    monitor: Monitor
    unfinished: Unfinished | None = None

    @classmethod
    def of(cls, record: Record | None, name: str) -> "StoredMonitor":
        """The monitor of a record.

        Raises:
            NotFound: there is none.
            DamagedTally: its settings cannot be read.
        """
        record = existing(record, KIND, name)
        settings, _, left = record.document.partition(b"\n")
        with naming_settings(KIND, record.name):
            unfinished = _JSON.validate_json(left) if left else None
            return cls(record, Monitor.decoded(settings), unfinished)

    @classmethod
    def writable(cls, record: Record | None, name: str) -> "StoredMonitor":
        """The monitor of a record, of which no change is left to finish; see of.

        Raises:
            Overloaded: a change of it is not finished.
        """
        stored = cls.of(record, name)
        if stored.unfinished is not None:
            raise Overloaded("a change of this monitor is being finished: try again in a moment")
        return stored

    def seen(self, parts: Iterable[Part]) -> Iterable[Part]:
        """The parts that are still there for those who read."""
        left = self.unfinished
        if not isinstance(left, Removal):
            return parts
        return (part for part in parts if not left.has(part[0]))

    def shows(self, start: int, width: int) -> bool:
        """Whether a window is still there for those who read."""
        left = self.unfinished
        return not isinstance(left, Removal) or not left.has(Cell("", "", start, width))


def document(monitor: Monitor, unfinished: Unfinished | None = None) -> bytes:
    """The bytes of a record that `StoredMonitor.of` reads: a line for each."""
    left = b"" if unfinished is None else b"\n" + _JSON.dump_json(unfinished)
    return monitor.encoded() + left


_JSON: TypeAdapter[Unfinished] = TypeAdapter(Unfinished)
