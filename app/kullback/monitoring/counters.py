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
    """The sums of each monitor, all rows and slice by slice; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[str, dict[str, MonitorSums]] = {}

    def add(self, monitor: str, added: AddedRows) -> None:
        """Add what a write that is on disk has added."""
        with self._lock:
            kept = self._sums.setdefault(monitor, {"": MonitorSums()})
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

    def expect(self, monitor: str, slices: Iterable[str]) -> None:
        """Let slices stand at 0, the first of them, and leave places for others."""
        with self._lock:
            kept = self._sums.setdefault(monitor, {"": MonitorSums()})
            for name in islice(slices, MAX_SLICES // 2):
                kept.setdefault(name, MonitorSums())

    def forget(self, monitor: str) -> None:
        """A monitor is gone."""
        with self._lock:
            self._sums.pop(monitor, None)

    def rename(self, monitor: str, name: str) -> None:
        """A monitor has another name; what stands under that already was taken there before."""
        with self._lock:
            if name not in self._sums:
                self._sums[name] = self._sums.pop(monitor, {"": MonitorSums()})

    def slices(self, monitor: str) -> list[str]:
        """The slices of a monitor that have sums, "" for all rows, as they came.

        Those that are many values in one stand first.
        """
        with self._lock:
            kept = self._sums.get(monitor, {"": None})
            return sorted(kept, key=lambda name: not name.endswith(f"={OTHER}"))

    def of(self, monitor: str, slices: Iterable[str]) -> Mapping[str, MonitorSums]:
        """The sums of these slices of a monitor, those of all rows first; a snapshot."""
        with self._lock:
            kept = self._sums.get(monitor, {})
            sums = {name: kept.get(name) or MonitorSums() for name in sorted(slices)}
            return {
                name: MonitorSums(dict(s.values), s.bin_weight, s.bin_label, s.bin_prediction)
                for name, s in sums.items()
            }
