"""Histories of monitors: their sums by the hour, as judgement reads them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING
from zlib import crc32

from kullback.judgement.blocks import Block, block, without
from kullback.judgement.folds import Memo
from kullback.judgement.history import DueRows, FeatureHour, History
from kullback.judgement.judged import JudgedBlock, judged
from kullback.judgement.recalibration import Tolerance
from kullback.moments import DAY, FUTURE_SECONDS
from kullback.monitoring.checks import MonitorChecks
from kullback.monitoring.features import ALL_FEATURES, total_features
from kullback.monitoring.maturity import hour_at
from kullback.monitoring.reference import Reference
from kullback.monitoring.window_tallies import row_counts, window_tallies
from kullback.monitoring.windows import Span, middle
from kullback.storage.base import Part
from kullback.stored_sums import naming_damage
from kullback.tally.tally import Layout

if TYPE_CHECKING:
    from kullback.monitoring.queries import MonitorReader

REACH = 15 * DAY  # of the history of all rows: the same hours of two weeks
SLICE_REACH = 8 * DAY
_APART, _DUE_KEPT = 60.0, 1800.0  # seconds between two looks
_SPARE = 1.1  # times the lag, after which labels are due
_SHORTEST = 600.0  # seconds of rows whose labels are due

_Marked = tuple[int, JudgedBlock]  # with what tells whether its sums are the same still
Hour = tuple[str, Span]  # a slice with its value, or "" for all rows


@dataclass(slots=True)
class _Kept:
    """What is kept of a monitor between two readings.

    Attributes:
        hours: the block of each hour, with what tells whether its sums are the same still.
        features: of each hour.
        due: rows whose labels were due, at the last looks.
        memo: what judgement computed.
    """

    hours: dict[Hour, _Marked] = field(default_factory=dict)
    features: list[FeatureHour] = field(default_factory=list)
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
    kept.hours = _hours(reader, kept.hours)
    blocks = _in_order(kept.hours)
    arrivals = reader.arrivals
    reference = reader.reference_of(reader.span(reader.now - DAY, None))
    return History(
        now=reader.now,
        blocks=blocks.pop("", []),
        slices=blocks,
        features=_features(reader, kept),
        reference=_block_of(reader.monitor.layout, reference),
        reference_features={} if reference is None else reference.features.counts,
        reference_values=_values_of(reader.reference),
        lag=reader.maturity.lag,
        due=_due_twice(reader, kept),
        last_row=_last_row(reader),
        last_arrival=None if arrivals is None else arrivals.last,
        longest_pause=0.0 if arrivals is None else arrivals.longest_pause,
        watched=None if arrivals is None else arrivals.watched,
        thresholds=reader.thresholds,
        memo=kept.memo,
    )


def _hours(reader: "MonitorReader", before: Mapping[Hour, _Marked]) -> dict[Hour, _Marked]:
    """The block of each hour, of all rows and of each value of a slice."""
    hours: dict[Hour, _Marked] = {}
    for of in (None, *reader.monitor.slices):
        for hour, parts in _parts(reader, of).items():
            whole = hours.get(("", hour[1])) if of is not None else None
            hours[hour] = _judged(reader, hour[1], parts, whole, before.get(hour))
    return hours


def _parts(reader: "MonitorReader", of: str | None) -> Mapping[Hour, list[Part]]:
    reach = REACH if of is None else SLICE_REACH
    ended = min(reader.now, reader.last_start or 0)  # of what has ended the last of it is judged
    start = int(max(ended - reach, 0)) // DAY * DAY
    parts: dict[Hour, list[Part]] = defaultdict(list)
    with reader.store.stream(
        reader.record.id, start, int(reader.now + FUTURE_SECONDS), of
    ) as stream:
        for part in reader.stored.seen(stream):
            cell = part[0]
            parts[cell.slice, hour_at(reader.monitor, middle(cell), reader.now)].append(part)
    return parts


def _judged(
    reader: "MonitorReader",
    span: Span,
    parts: list[Part],
    whole: _Marked | None,
    before: _Marked | None,
) -> _Marked:
    """What the parts of an hour come to, of a value beside the whole hour; as before if alike."""
    limits, maturity = reader.thresholds["calibration"], reader.maturity
    stop = min(span.stop, max(int(reader.now), span.start + 1))
    with naming_damage(parts):
        counts = row_counts(parts)
    is_mature = maturity.has(span.stop, counts, reader.now)
    mark = hash((is_mature, maturity.final_share is None, stop, limits, whole and whole[0]))
    mark += sum(crc32(content, crc32(cell.kind.encode())) for cell, content in parts)
    if before is not None and before[0] == mark:
        return before
    with naming_damage(parts):
        rows = window_tallies(parts)
    is_mature = is_mature and maturity.judges(rows.rows, rows.labelled)
    result = block(
        (span.start, stop),
        reader.monitor.layout,
        rows.labelled if is_mature else None,
        rows.scored,
        (rows.rows.predicted, rows.rows.labelled),
    )
    others = without(whole[1].block, result) if whole is not None and whole[1].rows else None
    return mark, judged(result, Tolerance(limits.tolerance), others, mark)


def _in_order(hours: Mapping[Hour, _Marked]) -> dict[str, list[JudgedBlock]]:
    blocks: dict[str, list[JudgedBlock]] = defaultdict(list)
    for (name, _), (_, result) in sorted(hours.items(), key=lambda each: each[0]):
        blocks[name].append(result)
    return blocks


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

    Of half as long a time as they take, ten minutes at least.
    """
    lag = reader.maturity.lag
    if lag <= 0:
        return None
    stop = reader.now - _SPARE * lag
    span = reader.span(stop - max(lag / 2, _SHORTEST), stop)
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
    return block((0, 0), layout, labelled, scored)


def _values_of(reference: Reference | None) -> frozenset[str]:
    """The values of slices that a reference has rows of."""
    return frozenset() if reference is None else frozenset(filter(None, reference.scored))


def _features(reader: "MonitorReader", kept: _Kept) -> list[FeatureHour]:
    """The features of all rows by the hour."""
    if not reader.monitor.features:
        return []
    before = {hour.start: hour for hour in kept.features}
    hours = []
    for (_, span), parts in _parts(reader, ALL_FEATURES).items():
        mark = sum(crc32(content) for _, content in parts)
        hour = before.get(span.start)
        if hour is None or hour.mark != mark:
            table = total_features(parts, reader.monitor.features)
            hour = FeatureHour(span.start, table, mark)
        hours.append(hour)
    kept.features = sorted(hours, key=lambda hour: hour.start)
    return kept.features
