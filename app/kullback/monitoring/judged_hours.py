"""The hours of a monitor as judgement reads them; what has not changed is not computed again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kullback.judgement.blocks import Block, block, without
from kullback.judgement.history import FeatureHour
from kullback.judgement.judged import JudgedBlock, judged
from kullback.judgement.recalibration import Tolerance
from kullback.moments import DAY
from kullback.monitoring.features import ALL_FEATURES, total_features
from kullback.monitoring.hourly_parts import by_hour
from kullback.monitoring.maturity import Maturity
from kullback.monitoring.window_tallies import RowCounts, row_counts, window_tallies
from kullback.monitoring.windows import Span
from kullback.storage.base import Part
from kullback.stored_sums import naming_damage

if TYPE_CHECKING:
    from kullback.monitoring.queries import MonitorReader

REACH = 15 * DAY  # of the history of all rows: the same hours of two weeks
SLICE_REACH = 8 * DAY


@dataclass(frozen=True, slots=True)
class _HourSums:
    """The block of an hour, of all rows or of a value.

    Attributes:
        is_old: whether its labels were in, by the clock and by how many had come.
        counts: of its rows.
        block: what judgement reads of it.
        mark: tells its block apart.
    """

    is_old: bool
    counts: RowCounts
    block: Block
    mark: int


@dataclass(frozen=True, slots=True)
class _HourValues:
    """An hour of all values of a slice, or of all rows (""), and the mark of its parts."""

    mark: int
    values: Mapping[str, _HourSums]
    are_old: bool

    def are_as(self, maturity: Maturity, stop: int, now: float) -> bool:
        """Whether the same values are old by now."""
        some = self.values.values()
        return all(each.is_old == maturity.has(stop, each.counts, now) for each in some)


@dataclass(frozen=True, slots=True)
class _JudgedHour:
    """What the values of an hour came to, and by what: how far it had come, and its whole."""

    sums: _HourValues
    until: int
    tolerance: Tolerance
    whole: JudgedBlock | None
    values: Mapping[str, JudgedBlock]


@dataclass(slots=True)
class JudgedHours:
    """The hours of one monitor: all that was read and computed of them the last time."""

    _sums: dict[str | None, dict[Span, _HourValues]] = field(default_factory=dict)
    _judged: dict[str | None, dict[Span, _JudgedHour]] = field(default_factory=dict)
    _features: dict[Span, tuple[int, FeatureHour]] = field(default_factory=dict)
    _settings: tuple[object, ...] = ()
    _maturity: tuple[Maturity, float] | None = None

    def blocks(self, reader: "MonitorReader") -> dict[str, list[JudgedBlock]]:
        """Those of all rows (""), and of each value of a slice, in order."""
        self._keep_for(reader)
        self._sums = {of: self._read(reader, of) for of in (None, *reader.monitor.slices)}
        self._maturity = reader.maturity, reader.now
        before, self._judged = self._judged, {}
        blocks: dict[str, list[JudgedBlock]] = defaultdict(list)
        for of, hours in self._sums.items():
            wholes, have = self._judged.get(None, {}), before.get(of, {})
            self._judged[of] = {
                hour: _judged(reader, hour, sums, wholes.get(hour), have.get(hour))
                for hour, sums in hours.items()
            }
            for each in self._judged[of].values():
                for value, result in each.values.items():
                    blocks[value].append(result)
        return blocks

    def features(self, reader: "MonitorReader") -> list[FeatureHour]:
        """The features of all rows by the hour, in order."""
        self._keep_for(reader)
        kinds, before = reader.monitor.features, self._features

        def kept(hour: Span, mark: int) -> tuple[int, FeatureHour] | None:
            have = before.get(hour)
            return have if have is not None and have[0] == mark else None

        def read(hour: Span, mark: int, parts: Sequence[Part]) -> tuple[int, FeatureHour]:
            table = total_features(parts, kinds)
            return mark, FeatureHour(hour.start, table, hash(table.encoded()))

        self._features = by_hour(reader, ALL_FEATURES, REACH, kept, read) if kinds else {}
        return [hour for _, hour in self._features.values()]

    def _keep_for(self, reader: "MonitorReader") -> None:
        """Forget all where settings are others than those that it was computed by."""
        monitor, maturity = reader.monitor, reader.maturity
        settings = (monitor.layout, maturity.final_share is None, *sorted(monitor.features.items()))
        if settings != self._settings:
            self._settings, self._sums, self._features = settings, {}, {}

    def _read(self, reader: "MonitorReader", of: str | None) -> dict[Span, _HourValues]:
        before, maturity = self._sums.get(of, {}), reader.maturity
        last, at = self._maturity or (None, 0.0)
        stays_old = maturity == last and reader.now >= at

        def kept(hour: Span, mark: int) -> _HourValues | None:
            have = before.get(hour)
            if have is None or have.mark != mark:
                return None
            is_same = (have.are_old and stays_old) or have.are_as(maturity, hour.stop, reader.now)
            return have if is_same else None

        def read(hour: Span, mark: int, parts: Sequence[Part]) -> _HourValues:
            values: dict[str, list[Part]] = defaultdict(list)
            for part in parts:
                values[part[0].slice].append(part)
            sums = {value: _summed(reader, hour, some) for value, some in sorted(values.items())}
            return _HourValues(mark, sums, all(each.is_old for each in sums.values()))

        return by_hour(reader, of, REACH if of is None else SLICE_REACH, kept, read)


def _summed(reader: "MonitorReader", hour: Span, parts: Sequence[Part]) -> _HourSums:
    with naming_damage(parts):
        counts, rows = row_counts(parts), window_tallies(parts)
    is_old = reader.maturity.has(hour.stop, counts, reader.now)
    is_mature = is_old and reader.maturity.judges(rows.rows, rows.labelled)
    result = block(
        hour,
        reader.monitor.layout,
        rows.labelled if is_mature else None,
        rows.scored,
        (rows.rows.predicted, rows.rows.labelled),
    )
    return _HourSums(is_old, counts, result, result.mark)


def _judged(
    reader: "MonitorReader",
    hour: Span,
    sums: _HourValues,
    of_all: _JudgedHour | None,
    before: _JudgedHour | None,
) -> _JudgedHour:
    """What the values of an hour come to by now, beside all rows; as before if alike."""
    tolerance = Tolerance(reader.thresholds["calibration"].tolerance)
    whole = None if of_all is None else of_all.values.get("")
    until = min(hour.stop, max(int(reader.now), hour.start + 1))
    is_same = before is not None and before.sums is sums and before.whole is whole
    if before is not None and is_same and (before.until, before.tolerance) == (until, tolerance):
        return before
    had = {} if before is None else before.values
    values = {
        value: _block_judged(here, until, tolerance, whole, had.get(value))
        for value, here in sums.values.items()
    }
    return _JudgedHour(sums, until, tolerance, whole, values)


def _block_judged(
    sums: _HourSums,
    until: int,
    tolerance: Tolerance,
    whole: JudgedBlock | None,
    before: JudgedBlock | None,
) -> JudgedBlock:
    mark = hash((sums.mark, until, tolerance, None if whole is None else whole.mark))
    if before is not None and before.mark == mark:
        return before
    here = sums.block if until == sums.block.stop else replace(sums.block, stop=until)
    others = without(whole.block, here) if whole is not None and whole.rows else None
    return judged(here, tolerance, others, mark)
