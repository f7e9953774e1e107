"""What a change of a monitor would forget: counted before anything is."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from kullback.errors import Conflict, TallyMismatch
from kullback.moments import DAY, LAST_DAY, moment
from kullback.monitoring.feature_forgetting import counted_features
from kullback.monitoring.features import ALL_FEATURES
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.reference import Reference
from kullback.monitoring.replies import ForgottenRows
from kullback.monitoring.stored import REFERENCE, StoredMonitor
from kullback.monitoring.window_tallies import RowCounts
from kullback.storage.base import Cell, Part, Transaction
from kullback.tally.row_count import stored_rows

ALWAYS = (0, LAST_DAY + DAY)


@dataclass(frozen=True, slots=True)
class RowsHeld:
    """How many rows stand in some windows: all, and those with labels; and which time it is."""

    rows: int
    labelled: int
    start: int
    stop: int

    @classmethod
    def of(cls, parts: Iterable[Part]) -> "RowsHeld":
        """The rows of parts; what is damaged cannot be counted."""
        kinds: dict[str, int] = defaultdict(int)
        start, stop = math.inf, 0
        for cell, content in parts:
            start, stop = min(start, cell.start), max(stop, cell.start + cell.width)
            kinds[cell.kind] += _rows(content)
        rows = RowCounts.of(kinds)
        return cls(rows.scored, rows.labelled, 0 if start == math.inf else int(start), stop)


def _rows(content: bytes) -> int:
    try:
        return stored_rows(content)
    except TallyMismatch:
        return 0


@dataclass(frozen=True, slots=True)
class Loss:
    """What a change would forget, and the setting that it is for."""

    setting: str
    counts: RowsHeld
    ids: int
    reference: bool
    before: int  # windows that end by then go
    is_anew: bool
    features: tuple[str, ...] = ()  # that were counted

    @property
    def is_nothing(self) -> bool:
        """Whether nothing would be forgotten."""
        return not (self.counts.stop or self.ids or self.reference or self.features)

    def refuse(self) -> None:
        """Say what would go, and how to let it.

        Raises:
            Conflict: always.
        """
        said = []
        if self.counts.stop:
            start, stop = moment(self.counts.start), moment(self.counts.stop)
            of_them = f"{self.counts.rows:,} rows, {self.counts.labelled:,} of them with labels"
            said.append(f"{of_them}, of {start} to {stop}")
        if self.ids:
            said.append(f"{self.ids:,} ids that are remembered")
        if self.reference:
            said.append("the reference")
        if self.features:
            said.append(f"the counts of {', '.join(self.features)}")
        detail = f"this would forget {', and '.join(said)}: ?forget=true does so"
        raise Conflict.at(detail, self.setting)

    def forgotten(self) -> ForgottenRows:
        """The same, once it was done."""
        return ForgottenRows(self.counts.rows, self.counts.labelled, self.ids, self.features)


def loss(tx: Transaction, stored: StoredMonitor, monitor: Monitor, now: float) -> Loss | None:
    """What would be forgotten if this were the monitor; None where no setting is such."""
    present, record = stored.monitor, stored.record.id
    setting = present.differs_in(monitor)
    if setting is not None:
        counts = RowsHeld.of(tx.parts(record, *ALWAYS))
        ids = tx.arrived(record, -math.inf, math.inf)
        has_reference = tx.attachment(record, REFERENCE) is not None
        goes = has_reference and not present.is_scored_like(monitor)
        return Loss(setting, counts, ids, goes, ALWAYS[1], is_anew=True)
    is_shorter = monitor.retention_days < present.retention_days
    waits_less = monitor.ttl_seconds < present.ttl_seconds
    features = _features_lost(tx, stored, monitor)
    if not (is_shorter or waits_less or features):
        return None
    due, before = (int(now - each.retention_days * DAY) for each in (present, monitor))
    parts = tx.parts(record, 0, before) if is_shorter else ()
    counts = RowsHeld.of(part for part in parts if _end(part[0]) > due)
    span = (now - present.ttl_seconds, now - monitor.ttl_seconds)
    ids = tx.arrived(record, *span) if waits_less else 0
    lost = {"retention_days": counts.stop, "ttl_seconds": ids, "features": features}
    setting = next((name for name, what in lost.items() if what), "ttl_seconds")
    return Loss(
        setting, counts, ids, reference=False, before=before, is_anew=False, features=features
    )


def _features_lost(tx: Transaction, stored: StoredMonitor, monitor: Monitor) -> tuple[str, ...]:
    """The features that were counted, in windows or in the reference, and would be no more."""
    gone, record = stored.monitor.features_gone(monitor), stored.record.id
    if not gone:
        return ()
    content = tx.attachment(record, REFERENCE)
    held = {} if content is None else Reference.decoded(content).features.counts
    counted = counted_features(tx.parts(record, *ALWAYS, ALL_FEATURES), gone)
    return tuple(name for name in gone if name in held or name in counted)


def _end(cell: Cell) -> int:
    return cell.start + cell.width
