"""Histories of monitors: their sums by the hour, as judgement reads them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from kullback.judgement.blocks import Block, block
from kullback.judgement.folds import Memo
from kullback.judgement.history import DueRows, History
from kullback.moments import DAY
from kullback.monitoring.checks import MonitorChecks
from kullback.monitoring.judged_hours import JudgedHours
from kullback.monitoring.reference import Reference
from kullback.tally.tally import Layout

if TYPE_CHECKING:
    from kullback.monitoring.queries import MonitorReader

_APART, _DUE_KEPT = 60.0, 1800.0  # seconds between two looks
_SPARE = 1.1  # times the lag, after which labels are due
_SHORTEST = 600.0  # seconds of rows whose labels are due


@dataclass(slots=True)
class _Kept:
    """What is kept of a monitor between two readings.

    Attributes:
        hours: what was read and computed of each hour.
        due: rows whose labels were due, at the last looks.
        memo: what judgement computed.
    """

    hours: JudgedHours = field(default_factory=JudgedHours)
    due: list[tuple[float, DueRows]] = field(default_factory=list)
    memo: Memo = field(default_factory=Memo)
    lock: Lock = field(default_factory=Lock)


class Histories:
    """The histories of all monitors; what has not changed is not computed again."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}
        self._lock = Lock()

    def checks(self, reader: "MonitorReader") -> MonitorChecks:
        """What the checks of a monitor find in its history as it is now."""
        with self._lock:
            kept = self._kept.setdefault(reader.record.id, _Kept())
        with kept.lock:
            checks = MonitorChecks.of(reader.record.name, _history(reader, kept))
            kept.memo.turn()
        return checks

    def forget_others(self, records: Iterable[int]) -> None:
        """Keep nothing of monitors but these."""
        with self._lock:
            here = set(records)
            self._kept = {number: kept for number, kept in self._kept.items() if number in here}


def _history(reader: "MonitorReader", kept: _Kept) -> History:
    blocks = kept.hours.blocks(reader)
    arrivals = reader.arrivals
    today = reader.now // DAY * DAY  # one that moves is another each day, not at each look
    reference = reader.reference_of(reader.span(max(today - DAY, 0.0), max(today, DAY)))
    return History(
        now=reader.now,
        blocks=blocks.pop("", []),
        slices=blocks,
        features=kept.hours.features(reader),
        reference=_block_of(reader.monitor.layout, reference),
        reference_features={} if reference is None else reference.features.counts,
        reference_values=_values_of(reader.reference),
        lag=reader.maturity.lag,
        due=_due_twice(reader, kept),
        first_row=kept.hours.first_row,
        last_row=_last_row(reader),
        last_arrival=None if arrivals is None else arrivals.last,
        longest_pause=0.0 if arrivals is None else arrivals.longest_pause,
        watched=None if arrivals is None else arrivals.watched,
        thresholds=reader.thresholds,
        memo=kept.memo,
    )


def _due_twice(reader: "MonitorReader", kept: _Kept) -> DueRows | None:
    """Rows whose labels are due, now or at the look before: of which more have them.

    Where rows of the past are sent, their labels may be on the way: what is late at two looks, a
    minute apart, is late.
    """
    here = _due(reader)
    if here is None:
        return None
    looks = [(at, rows) for at, rows in kept.due if reader.now - _DUE_KEPT <= at < reader.now]
    earlier = [rows for at, rows in looks if at <= reader.now - _APART]
    is_soon = bool(looks) and reader.now < looks[-1][0] + _APART / 6
    kept.due = looks if is_soon else [*looks, (reader.now, here)]
    if not earlier:
        return None
    return max(earlier[-1], here, key=lambda rows: rows.labelled / max(rows.scored, 1))


def _due(reader: "MonitorReader") -> DueRows | None:
    """Rows of which most have labels by now, if these come as they used to.

    Of half as long a time as they take, ten minutes at least, or of so much as has labels enough
    to miss them, a day at most. A default label comes so long after its prediction has arrived,
    which may be later than its time.
    """
    lag = reader.maturity.lag
    if reader.monitor.label_window is not None:
        lag = max(lag, reader.delays.lag or 0.0)
    if lag <= 0:
        return None
    stop, length, limits = (
        reader.now - _SPARE * lag,
        max(lag / 2, _SHORTEST),
        reader.thresholds["maturity"],
    )
    enough = limits.log_threshold / (1 - limits.tolerance) / (reader.maturity.final_share or 1.0)
    span = reader.span(stop - length, stop)
    rows = reader.tallies(span)
    while rows.rows.scored < enough and length < DAY:
        length = min(2 * length, float(DAY))
        span = reader.span(stop - length, stop)
        rows = reader.tallies(span)
    return DueRows(
        *span,
        scored=rows.rows.scored,
        labelled=rows.rows.labelled,
        only_positives=rows.rows.labelled > 0
        and not reader.maturity.judges(rows.rows, rows.labelled),
    )


def _last_row(reader: "MonitorReader") -> float | None:
    """About when the last row came from: the end of its window."""
    last = reader.last_start
    if last is None:
        return None
    return min(float(last + reader.monitor.window_seconds), reader.now)


def _block_of(layout: Layout, reference: Reference | None) -> Block | None:
    """The block of all rows of a reference, where it has rows."""
    if reference is None:
        return None
    labelled, scored = (some.get("") for some in (reference.labelled, reference.scored))
    if labelled is None and scored is None:
        return None
    return block((0, 0, 0), layout, labelled, scored)


def _values_of(reference: Reference | None) -> frozenset[str]:
    """The values of slices that a reference has rows of."""
    return frozenset() if reference is None else frozenset(filter(None, reference.scored))
