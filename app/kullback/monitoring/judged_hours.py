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
from kullback.monitoring.maturity import Maturity, Step
from kullback.monitoring.window_tallies import NO_ROWS, row_counts, window_tallies
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
        until: up to when its labels were in, by the clock and by how many had come.
        steps: how many rows had come by the end of each window.
        first: when the first window with rows began.
        block: what judgement reads of it.
        mark: tells its block apart.
    """

    until: int
    steps: Sequence[Step]
    first: int
    block: Block
    mark: int


@dataclass(frozen=True, slots=True)
class _HourValues:
    """An hour of all values of a slice, or of all rows (""), and the mark of its parts.

    Attributes:
        mark: of its parts.
        values: by name.
        most: up to where all rows were mature; None of these themselves.
        are_old: whether all of it was mature.
    """

    mark: int
    values: Mapping[str, _HourSums]
    most: int | None
    are_old: bool

    def are_as(self, maturity: Maturity, hour: Span, now: float) -> bool:
        """Whether the same parts of the values are mature by now."""
        return all(
            each.until == maturity.until(hour, each.steps, now, self.most)
            for each in self.values.values()
        )


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
        read = {None: self._read(reader, None, {})}
        self._sums = read | {of: self._read(reader, of, read[None]) for of in reader.monitor.slices}
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

    @property
    def first_row(self) -> int | None:
        """When the first window with rows began, of what was read the last time."""
        hours = self._sums.get(None, {})
        return hours[min(hours)].values[""].first if hours else None

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

    def _read(
        self, reader: "MonitorReader", of: str | None, wholes: Mapping[Span, _HourValues]
    ) -> dict[Span, _HourValues]:
        before, maturity = self._sums.get(of, {}), reader.maturity
        last, at = self._maturity or (None, 0.0)
        stays_old = maturity == last and reader.now >= at

        def most(hour: Span) -> int | None:
            whole = wholes.get(hour)
            return None if whole is None else whole.values[""].until

        def kept(hour: Span, mark: int) -> _HourValues | None:
            have = before.get(hour)
            if have is None or have.mark != mark or have.most != most(hour):
                return None
            is_same = (have.are_old and stays_old) or have.are_as(maturity, hour, reader.now)
            return have if is_same else None

        def read(hour: Span, mark: int, parts: Sequence[Part]) -> _HourValues:
            values: dict[str, list[Part]] = defaultdict(list)
            for part in parts:
                values[part[0].slice].append(part)
            edge = most(hour)
            sums = {
                value: _summed(reader, hour, some, edge) for value, some in sorted(values.items())
            }
            are_old = all(each.until == hour.stop for each in sums.values())
            return _HourValues(mark, sums, edge, are_old)

        return by_hour(reader, of, REACH if of is None else SLICE_REACH, kept, read)


def _summed(
    reader: "MonitorReader", hour: Span, parts: Sequence[Part], most: int | None
) -> _HourSums:
    with naming_damage(parts):
        steps, rows = _steps(parts), window_tallies(parts)
        until = reader.maturity.until(hour, steps, reader.now, most)
        mature = rows if until == hour.stop else window_tallies(_before(until, parts))
    judges = until > hour.start and reader.maturity.judges(mature.rows, mature.labelled)
    result = block(
        (*hour, until),
        reader.monitor.layout,
        mature.labelled if judges else None,
        rows.scored,
        rows.rows.labelled,
    )
    return _HourSums(until, steps, min(each.start for each, _ in parts), result, result.mark)


def _steps(parts: Sequence[Part]) -> Sequence[Step]:
    """How many rows had come by the end of each window."""
    of_window: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        of_window[_stop(part)].append(part)
    steps, before = [], NO_ROWS
    for stop, some in sorted(of_window.items()):
        before = before.with_rows(row_counts(some))
        steps.append((stop, before))
    return steps


def _before(until: int, parts: Sequence[Part]) -> Sequence[Part]:
    return [part for part in parts if _stop(part) <= until]


def _stop(part: Part) -> int:
    return part[0].start + part[0].width


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
