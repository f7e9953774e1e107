"""Counters of a monitor for Prometheus: what this process has added since it began."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock

import numpy as np

from kullback.monitoring.backfill import is_backfill
from kullback.monitoring.cells import LABELLED, SCORED
from kullback.monitoring.ingest import AddedRows
from kullback.numerics.types import Array
from kullback.storage.base import Record
from kullback.storage.slice_values import OTHER
from kullback.tally.bins import BINS, uniform
from kullback.tally.exact import real
from kullback.tally.tally import Tally

BINS_SHOWN = 10
MAX_SLICES = 1000  # of a monitor, whatever their values: more are one by name
_SUMS = {
    "weight": "w",
    "loss_nats": "wl",
    "loss_nats_squared": "wwll",
    "label_weight": "wy",
    "prediction_weight": "wp",
}
_NONE = np.zeros(BINS_SHOWN)  # of slices: those of all rows alone are shown
_COUNTS = {"examples": "rows", "clipped": "clipped", "infinite": "infinite"}


@dataclass(slots=True)
class MonitorSums:
    """Sums that only grow, by name; of all rows also the weights of ten bins of scores."""

    values: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    bin_weight: Array = field(default_factory=lambda: _NONE)
    bin_label: Array = field(default_factory=lambda: _NONE)
    bin_prediction: Array = field(default_factory=lambda: _NONE)

    def add(self, tally: Tally) -> None:
        """Add what a tally holds."""
        for name, scalar in _SUMS.items():
            self.values[name] += real(tally.scalar(scalar))
        for name, scalar in _COUNTS.items():
            self.values[name] += tally.scalar(scalar)

    def add_bins(self, tally: Tally) -> None:
        """Add the bins that a tally holds."""
        self.bin_weight = self.bin_weight + _shown(tally, "bin_w")
        self.bin_label = self.bin_label + _shown(tally, "bin_wy")
        self.bin_prediction = self.bin_prediction + _shown(tally, "bin_wp")


def _shown(tally: Tally, name: str) -> Array:
    return uniform(tally.vector(name).reals(BINS), BINS_SHOWN)


def _place(kept: dict[str, MonitorSums], name: str) -> MonitorSums:
    if name not in kept and len(kept) > MAX_SLICES:
        name = f"{name.partition('=')[0]}={OTHER}"
    return kept.setdefault(name, MonitorSums())


class MonitorCounters:
    """The sums of each monitor, all rows and slice by slice; safe to use from any thread.

    Those of a monitor that is removed or renamed end: what comes under its name, or to its new one,
    begins at 0, on whatever replica that was done.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[str, dict[str, MonitorSums]] = {}
        self._numbers: dict[str, int] = {}  # of the records whose sums these are

    def add(self, record: Record, added: AddedRows) -> None:
        """Add what a write that is on disk has added."""
        with self._lock:
            kept = self._of(record.id, record.name)
            kept[""].values["late"] += added.late
            kept[""].values["duplicates"] += added.duplicates
            for name in ("corrected", "defaulted"):
                kept[""].values[name] += max(added.counts.get(name, 0), 0)
            kept[""].values["backfilled"] += added.backfilled
            kept[""].values["rejected"] += added.screening.rejected
            for cell, tally in added.cells.items():
                if is_backfill(cell, added.live_since):
                    continue
                sums = _place(kept, cell.slice)
                if cell.kind in SCORED:
                    sums.values["predictions"] += tally.scalar("rows")
                if cell.kind in LABELLED:
                    sums.add(tally)
                    if not cell.slice:
                        sums.add_bins(tally)

    def _of(self, number: int, name: str) -> dict[str, MonitorSums]:
        if self._numbers.get(name) != number:
            self._numbers[name], self._sums[name] = number, {"": MonitorSums()}
        return self._sums[name]

    def expect(self, record: Record, slices: Iterable[str]) -> None:
        """Let slices stand at 0, the first of them, and leave places for others."""
        with self._lock:
            kept = self._of(record.id, record.name)
            for name in islice(slices, MAX_SLICES // 2):
                kept.setdefault(name, MonitorSums())

    def forget(self, monitor: str, number: int | None = None) -> None:
        """A monitor is gone: the one of that number, where that is said."""
        with self._lock:
            if number is None or self._numbers.get(monitor) == number:
                self._sums.pop(monitor, None)
                self._numbers.pop(monitor, None)

    def rename(self, number: int, monitor: str, name: str) -> None:
        """A monitor has another name: its slices stand at 0 under that."""
        with self._lock:
            if self._numbers.get(monitor) == number:
                del self._numbers[monitor]
                kept = self._of(number, name)
                for part in self._sums.pop(monitor):
                    kept.setdefault(part, MonitorSums())

    def slices(self, record: Record) -> list[str]:
        """The slices of a monitor that have sums, "" for all rows, as they came.

        Those that are many values in one stand first.
        """
        with self._lock:
            kept = self._here(record)
            return sorted(kept, key=lambda name: not name.endswith(f"={OTHER}"))

    def of(self, record: Record, slices: Iterable[str]) -> Mapping[str, MonitorSums]:
        """The sums of these slices of a monitor, those of all rows first; a snapshot."""
        with self._lock:
            kept = self._here(record)
            sums = {name: kept.get(name) or MonitorSums() for name in sorted(slices)}
            return {
                name: MonitorSums(dict(s.values), s.bin_weight, s.bin_label, s.bin_prediction)
                for name, s in sums.items()
            }

    def _here(self, record: Record) -> Mapping[str, MonitorSums]:
        if self._numbers.get(record.name) != record.id:
            return {"": MonitorSums()}
        return self._sums[record.name]
