"""Rows that come under ids: each counts once, whichever half comes first, and is corrected."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.documents import extended
from kullback.monitoring.cells import (
    MATCHED,
    OBSERVED,
    PREDICTED,
    RETRACTED,
    Cells,
    CheckedRows,
    cells,
    checked_rows,
    late,
)
from kullback.monitoring.delayed_labels import pack_outcomes, pack_rows, unpack_rows
from kullback.monitoring.features import FeatureTables, feature_tables
from kullback.monitoring.ingest import (
    AddedRows,
    Ingest,
    NoRows,
    admitted,
    merged_cells,
    moved_cells,
)
from kullback.monitoring.label_delays import learn
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.replies import JoinedRowsAccepted
from kullback.monitoring.rows import LabelRows, ObservationRows
from kullback.monitoring.unfinished import AT_ONCE
from kullback.numerics.types import Indices
from kullback.scoring.label_types import texts_of
from kullback.scoring.screening import Screening, screened_batch
from kullback.storage.base import Reply, Transaction
from kullback.storage.rows import Joined, Row
from kullback.tally.grouping import MAX_GROUPS

_COUNTED = {OBSERVED: "observations", PREDICTED: "predictions"}


@dataclass(frozen=True, slots=True)
class IdentifiedIngest:
    """Predictions whose labels come later, or came before; or rows that come with their labels."""

    monitor: Monitor
    kind: str
    sent: int
    checked: CheckedRows
    rows: dict[str, Row]
    summed: Cells
    screening: Screening
    features: FeatureTables

    @classmethod
    def of(cls, monitor: Monitor, sent: ObservationRows, now: float) -> Ingest:
        """Check and sum them; of an id that stands twice the first counts.

        Raises:
            InvalidInput: they are not rows of this monitor.
        """
        checked, rows, screening = screened_batch(
            sent, lambda these: checked_rows(monitor, these, now), sent.screening
        )
        if checked is None:
            return NoRows(monitor, screening, joined=rows.y_true is None)
        ids, number = rows.ids or [], len(rows)
        if len(set(ids)) < number:
            first = _first(ids)
            checked, ids = checked.taken(first), texts_of(ids, first)
        kind = PREDICTED if checked.y is None else OBSERVED
        packed = dict(zip(ids, pack_rows(checked), strict=True))
        summed = _cells(monitor, checked, kind, now)
        features = feature_tables(monitor, checked.features, checked.time, now)
        return cls(monitor, kind, number, checked, packed, summed, screening, features)

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        moved = admitted(tx, record, self.summed)
        checked, rows, summed = self.checked, self.rows, moved_cells(self.summed, moved)
        if moved:
            checked = checked.moved(moved)
            rows = dict(zip(rows, pack_rows(checked), strict=True))
        joined = tx.join(record, rows, now)
        fresh, features = checked, self.features
        if len(joined.new) < len(rows):
            fresh = checked.taken(_places(rows, {*joined.new, *joined.awaited}))
            features = feature_tables(self.monitor, fresh.features, fresh.time, now)
            new, awaited = (
                checked.taken(_places(rows, some)) for some in (joined.new, joined.awaited)
            )
            summed = merged_cells(
                _cells(self.monitor, new, self.kind, now),
                _cells(self.monitor, awaited, PREDICTED, now),
            )
        ledger = _Ledger(tx, record, self.monitor, now)
        halves = ledger.added(joined, _COUNTED[self.kind], self.sent)
        is_late = late(self.monitor, fresh, now)
        added = replace(halves, cells=halves.cells | summed, late=is_late, features=features)
        added = replace(added, screening=self.screening).put(tx, record, self.monitor, now)
        if self.kind == OBSERVED:
            return added, Reply.of(added.accepted(self.sent - added.duplicates))
        return added, Reply.of(_joined_answer(joined, added, self.sent))


@dataclass(frozen=True, slots=True)
class LabelIngest:
    """Labels of predictions that came before, or come later."""

    monitor: Monitor
    sent: int
    rows: dict[str, Row]
    corrects: bool
    screening: Screening

    @classmethod
    def of(cls, monitor: Monitor, sent: LabelRows) -> Ingest:
        """Check them; of an id that stands twice the first counts, or where it corrects the last.

        Raises:
            InvalidInput: a label is not one of this monitor's.
        """
        outcomes, kept, screening = screened_batch(
            sent,
            lambda these: monitor.outcomes("y_true", these.y_true, these.names),
            sent.screening,
        )
        if outcomes is None:
            return NoRows(monitor, screening, joined=True)
        pairs = list(zip(kept.ids, pack_outcomes(outcomes), strict=True))
        rows = dict(pairs if sent.corrects else reversed(pairs))
        return cls(monitor, len(pairs), rows, sent.corrects, screening)

    def add(self, tx: Transaction, record: int, now: float) -> tuple[AddedRows, Reply]:
        """See Ingest."""
        joined = tx.join(record, self.rows, now, corrects=self.corrects)
        ledger = _Ledger(tx, record, self.monitor, now)
        added = replace(ledger.added(joined, "labels", self.sent), screening=self.screening)
        added = added.put(tx, record, self.monitor, now)
        return added, Reply.of(_joined_answer(joined, added, self.sent))


def settled(tx: Transaction, record: int, monitor: Monitor, now: float) -> AddedRows:
    """What some predictions add that count with the default, as their labels have not come."""
    outcome, window = monitor.default_outcome, monitor.label_window
    if outcome is None or window is None:
        return AddedRows()
    limit = min(MAX_GROUPS // (1 + len(monitor.slices)), AT_ONCE)
    rows = tx.settle(record, now - window, outcome, limit)
    ledger = _Ledger(tx, record, monitor, now)
    current = ledger.current(rows).values()
    ledger.learn(current)
    counts = {"waiting_predictions": -len(rows), "defaulted": len(rows)}
    return AddedRows(ledger.cells(current, MATCHED), counts=counts)


@dataclass(frozen=True, slots=True)
class _Ledger:
    """Rows that are kept by id, in one write."""

    tx: Transaction
    record: int
    monitor: Monitor
    now: float

    def added(self, joined: Joined, side: str, sent: int) -> AddedRows:
        """What rows add, and count, that were known before; `side` says what the new ones are."""
        whole = self.current(joined.matched | joined.awaited)
        self.learn(whole.values())
        before, after = (
            [getattr(each, name) for each in joined.corrected.values()]
            for name in ("before", "after")
        )
        counts = _counts(joined, side)
        replaced = len(joined.corrected) + len(joined.replaced)
        kept = len(joined.new) + len(whole) + len(joined.confirmed) + replaced
        return AddedRows(
            cells=self.cells(whole.values(), MATCHED),
            duplicates=sent - kept,
            counts=counts | {"corrected": replaced},
            corrections=self.cells(before, RETRACTED) | self.cells(after, MATCHED),
        )

    def current(self, rows: Mapping[str, Row]) -> Mapping[str, Row]:
        """The same where those that an older release kept are as if this one had."""
        old = {name: row for name, row in rows.items() if row.time is None}
        if not old:
            return rows
        names, renewed = list(old), dict[str, Row]()
        for places, checked in unpack_rows(self.monitor, list(old.values())):
            moved = admitted(self.tx, self.record, _cells(self.monitor, checked, MATCHED, self.now))
            packed = pack_rows(checked.moved(moved))
            renewed |= {names[at]: row for at, row in zip(places.tolist(), packed, strict=True)}
        self.tx.rewrite(self.record, renewed)
        return {name: renewed.get(name, row) for name, row in rows.items()}

    def learn(self, rows: Collection[Row]) -> None:
        """Learn how late labels come from rows that have got theirs now.

        Later than the time-to-live is a backfill: of the stream itself no label comes so late.
        """
        delays = self.now - np.array([row.time for row in rows], np.float64)
        learn(self.tx, self.record, delays[delays <= self.monitor.ttl_seconds], self.now)

    def cells(self, rows: Collection[Row], kind: str) -> Cells:
        """What they add."""
        unpacked = unpack_rows(self.monitor, list(rows))
        return merged_cells(
            *(_cells(self.monitor, checked, kind, self.now) for _, checked in unpacked)
        )


def _counts(joined: Joined, side: str) -> dict[str, int]:
    """How many halves came of which there now are both, and how many wait."""
    late = len(joined.confirmed) + sum(each.is_late for each in joined.corrected.values())
    met, awaited, new = len(joined.matched), len(joined.awaited), len(joined.new)
    counts = {
        "predictions": awaited,
        "labels": met + late,
        "observations": 0,
        "waiting_predictions": -met,
        "waiting_labels": -awaited,
        "matched": met + awaited + late,
        "defaulted": -late,
    }
    counts[side] += new
    if side != _COUNTED[OBSERVED]:
        counts[f"waiting_{side}"] += new
    return counts


def _joined_answer(joined: Joined, added: AddedRows, sent: int) -> JoinedRowsAccepted:
    return extended(
        JoinedRowsAccepted,
        added.accepted(sent - added.duplicates),
        matched=len(joined.matched) + len(joined.awaited) + len(joined.confirmed),
        pending=len(joined.new),
        corrected=len(joined.corrected) + len(joined.replaced),
    )


def _first(ids: Sequence[str]) -> Indices:
    """The row at which each id stands first."""
    places = {name: at for at, name in zip(range(len(ids) - 1, -1, -1), reversed(ids), strict=True)}
    return np.sort(np.fromiter(places.values(), np.int64, len(places)))


def _places(rows: Iterable[str], some: Collection[str]) -> Indices:
    wanted = set(some)
    return np.array([at for at, name in enumerate(rows) if name in wanted], np.int64)


def _cells(monitor: Monitor, rows: CheckedRows, kind: str, now: float) -> Cells:
    return cells(monitor, rows, kind, now) if rows.time.size else {}
