"""Rows for a monitor: checked and summed before the write, then added in it."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from kullback.documents import extended
from kullback.monitoring.backfill import backfilled_rows, live_since
from kullback.monitoring.cells import OBSERVED, RETRACTED, Cells, cells, checked_rows, late
from kullback.monitoring.features import FeatureTables, admitted_features, feature_tables
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.replies import JoinedRowsAccepted, RowsAccepted
from kullback.monitoring.rows import ObservationRows
from kullback.scoring.screening import NONE_LEFT_OUT, Screening, screened_batch
from kullback.storage.base import Cell, Reply, Transaction
from kullback.storage.slice_values import OTHER, admit
from kullback.tally.merge import merged
from kullback.tally.tally import Tally, total

SLICE_VALUES = "slice values"  # the attachment that says which have cells of their own
MAX_SLICE_VALUES = 1000  # of each slice; the others count as one


@dataclass(frozen=True, slots=True)
class AddedRows:
    """What one write has added to a monitor, and what the store counts of it.

    `corrections` are what was taken back, and what was put in its place: live counters, which only
    grow, do not have them. Of the rows, `backfilled` ones lie in windows that ended by
    `live_since`.
    """

    cells: Cells = field(default_factory=dict)
    late: int = 0
    duplicates: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    corrections: Cells = field(default_factory=dict)
    backfilled: int = 0
    live_since: float = -math.inf
    screening: Screening = NONE_LEFT_OUT
    features: FeatureTables = field(default_factory=dict)

    def put(self, tx: Transaction, record: int, monitor: Monitor, now: float) -> "AddedRows":
        """Add it to the store; what was added."""
        since = live_since(tx, record, monitor, self.cells, now)
        backfilled = backfilled_rows(self.cells, since)
        for some in (self.cells, self.corrections):
            if some:
                tx.add(record, {cell: tally.encoded() for cell, tally in some.items()})
        if self.features:
            tables = admitted_features(tx, record, self.features)
            tx.add(record, {cell: table.encoded() for cell, table in tables.items()})
        counts = {**self.counts, "late": self.late, "duplicates": self.duplicates}
        counts |= {"backfilled": backfilled}
        counts["rejected"] = self.screening.rejected
        tx.count(record, {name: amount for name, amount in counts.items() if amount})
        return replace(self, backfilled=backfilled, live_since=since)

    def accepted(self, rows: int) -> RowsAccepted:
        """The answer to every write."""
        tallies = [
            tally
            for some in (self.cells, self.corrections)
            for cell, tally in some.items()
            if not cell.slice and cell.kind != RETRACTED
        ]
        return RowsAccepted(
            accepted=rows,
            rejected=self.screening.rejected,
            rejections=tuple(place for _, place in self.screening.rejections),
            clipped=sum(tally.scalar("clipped") for tally in tallies),
            infinite=sum(tally.scalar("infinite") for tally in tallies),
            late=self.late,
            duplicates=self.duplicates,
            backfilled=self.backfilled,
        )


class Ingest(Protocol):
    """Rows that were checked and summed for a monitor, before the write that adds them."""

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """Add them to a record; may be called again in another transaction."""


@dataclass(frozen=True, slots=True)
class NoRows:
    """A batch of which nothing is left, or that held nothing."""

    monitor: Monitor
    screening: Screening
    joined: bool = False

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        added = AddedRows(screening=self.screening).put(tx, record, self.monitor, now)
        accepted = added.accepted(0)
        if self.joined:
            accepted = extended(JoinedRowsAccepted, accepted, matched=0, pending=0, corrected=0)
        return added, Reply.of(accepted)


@dataclass(frozen=True, slots=True)
class ObservationIngest:
    """Rows that come with their labels."""

    monitor: Monitor
    rows: int
    added: AddedRows

    @classmethod
    def of(cls, monitor: Monitor, sent: ObservationRows, now: float) -> Ingest:
        """Check and sum them.

        Raises:
            InvalidInput: they are not rows of this monitor.
        """
        checked, rows, screening = screened_batch(
            sent, lambda these: checked_rows(monitor, these, now), sent.screening
        )
        if checked is None:
            return NoRows(monitor, screening)
        summed = cells(monitor, checked, OBSERVED, now)
        counts = {"observations": len(rows)}
        is_late = late(monitor, checked, now)
        features = feature_tables(monitor, checked.features, checked.time, now)
        added = AddedRows(summed, is_late, 0, counts, screening=screening, features=features)
        return cls(monitor, len(rows), added)

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        moved = admitted(tx, record, self.added.cells)
        added = replace(self.added, cells=moved_cells(self.added.cells, moved))
        added = added.put(tx, record, self.monitor, now)
        return added, Reply.of(added.accepted(self.rows))


def admitted(tx: Transaction, record: int, summed: Cells) -> Mapping[str, str]:
    """Give the slices of new rows their places: what those become that find none."""
    return admit(tx, record, SLICE_VALUES, summed, MAX_SLICE_VALUES)


def moved_cells(summed: Cells, moved: Mapping[str, str]) -> Cells:
    """The same where slices that have no place of their own are others."""
    if not moved:
        return summed
    kept: dict[Cell, list[Tally]] = defaultdict(list)
    for cell, tally in summed.items():
        kept[cell._replace(slice=moved.get(cell.slice, cell.slice))].append(tally)
    return {cell: total(tallies) for cell, tallies in kept.items()}


def merged_cells(*some: Cells) -> Cells:
    """The sums of all of them."""
    return merged(some, total)


def largest_values(summed: Cells) -> Cells:
    """The same where of each slice no more values stand apart than may, those of most rows."""
    by_rows = sorted(summed, key=lambda cell: -summed[cell].scalar("rows"))
    numbers: dict[str, int] = defaultdict(int)
    moved: dict[str, str] = {}
    for cell in by_rows:
        key = cell.slice.partition("=")[0]
        numbers[key] += 1
        if key and numbers[key] > MAX_SLICE_VALUES:
            moved[cell.slice] = f"{key}={OTHER}"
    return moved_cells(summed, moved)
