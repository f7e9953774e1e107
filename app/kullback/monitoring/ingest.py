"""Rows for a monitor: checked and summed before the write, then added in it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from kullback.documents import extended
from kullback.monitoring.cells import (
    MATCHED,
    OBSERVED,
    PREDICTED,
    Cells,
    CheckedRows,
    cells,
    checked_rows,
    late,
)
from kullback.monitoring.delayed_labels import (
    pack_outcomes,
    pack_predictions,
    prediction_times,
    unpack_outcomes,
    unpack_predictions,
)
from kullback.monitoring.label_delays import learn
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.replies import JoinedRowsAccepted, RowsAccepted
from kullback.monitoring.rows import LabelRows, ObservationRows, PredictionRows
from kullback.numerics.types import Array, Indices
from kullback.scoring.label_types import some
from kullback.scoring.screening import NONE_LEFT_OUT, Screening, screened
from kullback.storage.base import Cell, Joined, Reply, Side, Transaction
from kullback.storage.slice_values import OTHER, admit
from kullback.tally.tally import Tally, total

SLICE_VALUES = "slice values"  # the attachment that says which have cells of their own
MAX_SLICE_VALUES = 1000  # of each slice; the others count as one


@dataclass(frozen=True, slots=True)
class AddedRows:
    """What one write has added to a monitor, and what the store counts of it."""

    cells: Cells = field(default_factory=dict)
    late: int = 0
    duplicates: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    screening: Screening = NONE_LEFT_OUT

    def put(self, tx: Transaction, record: int) -> "AddedRows":
        """Add it to the store; what was added."""
        moved = admit(tx, record, SLICE_VALUES, self.cells, MAX_SLICE_VALUES)
        added = replace(self, cells=_moved(self.cells, moved)) if moved else self
        if added.cells:
            tx.add(record, {cell: tally.encoded() for cell, tally in added.cells.items()})
        counts = {**self.counts, "late": self.late, "duplicates": self.duplicates}
        counts["rejected"] = self.screening.rejected
        tx.count(record, {name: amount for name, amount in counts.items() if amount})
        return added

    def accepted(self, rows: int) -> RowsAccepted:
        """The answer to every write."""
        tallies = [tally for cell, tally in self.cells.items() if not cell.slice]
        return RowsAccepted(
            accepted=rows,
            rejected=self.screening.rejected,
            rejections=tuple(place for _, place in self.screening.rejections),
            clipped=sum(tally.scalar("clipped") for tally in tallies),
            infinite=sum(tally.scalar("infinite") for tally in tallies),
            late=self.late,
            duplicates=self.duplicates,
        )


class Ingest(Protocol):
    """Rows that were checked and summed for a monitor, before the write that adds them."""

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """Add them to a record; may be called again in another transaction."""


@dataclass(frozen=True, slots=True)
class NoRows:
    """A batch of which nothing is left, or that held nothing."""

    screening: Screening
    joined: bool = False

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        del now
        added = AddedRows(screening=self.screening).put(tx, record)
        accepted = added.accepted(0)
        if self.joined:
            accepted = extended(JoinedRowsAccepted, accepted, matched=0, pending=0)
        return added, Reply.of(accepted)


@dataclass(frozen=True, slots=True)
class ObservationIngest:
    """Rows that come with their labels."""

    rows: int
    added: AddedRows

    @classmethod
    def of(cls, monitor: Monitor, sent: ObservationRows, now: float) -> Ingest:
        """Check and sum them.

        Raises:
            InvalidInput: they are not rows of this monitor.
        """
        checked, rows, screening = screened(
            sent, lambda these: checked_rows(monitor, these, now), sent.screening
        )
        if checked is None:
            return NoRows(screening)
        summed = cells(monitor, checked, OBSERVED, now)
        counts = {"observations": len(rows)}
        added = AddedRows(summed, late(monitor, checked, now), 0, counts, screening)
        return cls(len(rows), added)

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        del now
        return self.added.put(tx, record), Reply.of(self.added.accepted(self.rows))


@dataclass(frozen=True, slots=True)
class PredictionIngest:
    """Predictions whose labels come later, or came before."""

    monitor: Monitor
    sent: int
    checked: CheckedRows
    packed: dict[str, bytes]
    added: AddedRows
    screening: Screening

    @classmethod
    def of(cls, monitor: Monitor, sent: PredictionRows, now: float) -> Ingest:
        """Check and sum them; of an id that stands twice the first counts.

        Raises:
            InvalidInput: they are not rows of this monitor.
        """
        checked, rows, screening = screened(
            sent, lambda these: checked_rows(monitor, these.rows, now), sent.rows.screening
        )
        if checked is None:
            return NoRows(screening, joined=True)
        ids = rows.ids
        first = _first(ids)
        if first.size < len(ids):
            checked, ids = checked.taken(first), some(ids, first)
        packed = pack_predictions(monitor, ids, checked)
        added = _predictions(monitor, checked, now)
        return cls(monitor, len(rows), checked, packed, added, screening)

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        joined = tx.join(record, "prediction", self.packed, now)
        fresh = self.added
        if joined.duplicates:
            twice = set(joined.duplicates)
            rest = [at for at, name in enumerate(self.packed) if name not in twice]
            others = self.checked.taken(np.array(rest, dtype=np.int64))
            fresh = _predictions(self.monitor, others, now)
        matched = [self.packed[name] for name in joined.matched]
        _learn(tx, record, self.monitor, matched, now)
        outcomes = unpack_outcomes(list(joined.matched.values()))
        summed = _matched(self.monitor, matched, outcomes, now)
        summed |= fresh.cells  # of another kind
        new = AddedRows(summed, fresh.late, self.sent, screening=self.screening)
        return _answer(tx, record, "prediction", joined, new)


@dataclass(frozen=True, slots=True)
class LabelIngest:
    """Labels of predictions that came before, or come later."""

    monitor: Monitor
    sent: int
    packed: dict[str, bytes]
    screening: Screening

    @classmethod
    def of(cls, monitor: Monitor, sent: LabelRows) -> Ingest:
        """Check them; of an id that stands twice the first counts.

        Raises:
            InvalidInput: a label is not one of this monitor's.
        """
        outcomes, rows, screening = screened(
            sent, lambda these: monitor.outcomes("y_true", these.y_true), sent.screening
        )
        if outcomes is None:
            return NoRows(screening, joined=True)
        first = _first(rows.ids)
        packed = pack_outcomes(some(rows.ids, first), outcomes[first])
        return cls(monitor, len(rows), packed, screening)

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        joined = tx.join(record, "label", self.packed, now)
        y = unpack_outcomes([self.packed[name] for name in joined.matched])
        matched = list(joined.matched.values())
        _learn(tx, record, self.monitor, matched, now)
        summed = _matched(self.monitor, matched, y, now)
        new = AddedRows(summed, 0, self.sent, screening=self.screening)
        return _answer(tx, record, "label", joined, new)


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
    return _moved(summed, moved)


def _moved(summed: Cells, moved: Mapping[str, str]) -> Cells:
    kept: dict[Cell, list[Tally]] = defaultdict(list)
    for cell, tally in summed.items():
        kept[cell._replace(slice=moved.get(cell.slice, cell.slice))].append(tally)
    return {cell: total(tallies) for cell, tallies in kept.items()}


def _answer(
    tx: Transaction, record: int, side: Side, joined: Joined, new: AddedRows
) -> tuple[AddedRows, Reply]:
    """Add what was joined, and answer; `new` has all rows that were sent as duplicates yet."""
    matched, waiting = len(joined.matched), len(joined.waiting)
    other = "label" if side == "prediction" else "prediction"
    counts = {
        f"{side}s": matched + waiting,
        f"waiting_{side}s": waiting,
        f"waiting_{other}s": -matched,
        "matched": matched,
    }
    added = replace(new, duplicates=new.duplicates - matched - waiting, counts=counts)
    added = added.put(tx, record)
    accepted = extended(
        JoinedRowsAccepted,
        added.accepted(matched + waiting),
        matched=matched,
        pending=waiting,
    )
    return added, Reply.of(accepted)


def _first(ids: Sequence[str]) -> Indices:
    """The row at which each id stands first."""
    places: dict[str, int] = {}
    for at, name in enumerate(ids):
        places.setdefault(name, at)
    return np.fromiter(places.values(), np.int64, len(places))


def _predictions(monitor: Monitor, rows: CheckedRows, now: float) -> AddedRows:
    """What predictions add, whether or not their labels come."""
    if rows.time.size == 0:
        return AddedRows()
    return AddedRows(cells(monitor, rows, PREDICTED, now), late(monitor, rows, now))


def _learn(
    tx: Transaction, record: int, monitor: Monitor, packed: Sequence[bytes], now: float
) -> None:
    """Learn how late labels come from predictions that have got theirs now.

    Later than the time-to-live is a backfill: of the stream itself no label comes so late.
    """
    delays = now - prediction_times(monitor, packed)
    learn(tx, record, delays[delays <= monitor.ttl_seconds], now)


def _matched(monitor: Monitor, packed: Sequence[bytes], y: Array, now: float) -> Cells:
    """What predictions add that were matched with their outcomes, (n,)."""
    kept: dict[Cell, list[Tally]] = defaultdict(list)
    for part in unpack_predictions(monitor, packed, y):
        for cell, tally in cells(monitor, part, MATCHED, now).items():
            kept[cell].append(tally)
    return {cell: total(tallies) for cell, tallies in kept.items()}
