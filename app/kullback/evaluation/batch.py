"""Batch of a file's rows: checked, as rows of an experiment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kullback.errors import InvalidInput
from kullback.evaluation.columns import Columns, is_text, plain
from kullback.evaluation.state import EVERY_ARM
from kullback.experiments.arm_tallies import CheckedArmRows
from kullback.experiments.plan import MAX_ARMS
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import HEAVIEST_WEIGHT
from kullback.tally.unit_set import UnitSet, fingerprint_of
from kullback.tally.units import Utf8, bucket_of

MAX_SEGMENTS = 1000
_PROBABILITY = "a probability lies in [0, 1]"


@dataclass(frozen=True, slots=True)
class LogSource:
    """A file whose rows are read.

    Attributes:
        name: as the caller knows it.
        columns: which of them is what.
        first: the number of its first row over all files.
        arms: those that may occur; any where None.
    """

    name: str
    columns: Columns
    first: int
    arms: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Rows that lack nothing, with the units of each arm, and how many others there were.

    `number` is that of each row over all files.
    """

    sample: CheckedArmRows
    number: Indices
    units: dict[str, UnitSet]
    excluded: dict[str, int]


def read(source: LogSource, rows: pa.RecordBatch, start: int) -> LogBatch:
    """The rows of a file that begin at row `start` of it, counted from 0.

    Raises:
        InvalidInput: a value is impossible; the file, the column and the row are named.
    """
    number, excluded = _complete(source.columns, rows)
    if excluded:
        rows = rows.take(pa.array(number))
    number += start
    cells, columns = _Cells(source.name, rows, number), source.columns
    arms = _arms(source, cells)
    buckets, units = _units(columns.unit, cells, source.first, arms)
    slices = {column: cells.names(column) for column in columns.by}
    y = cells.numbers(columns.y_true, "a label lies in [0, 1]")
    sample = CheckedArmRows(y, arms, _weight(columns, cells), None, buckets, slices)
    return LogBatch(sample, number + source.first, units, excluded)


class _Cells:
    """The cells of rows whose numbers in the file are known."""

    def __init__(self, file: str, rows: pa.RecordBatch, number: Indices) -> None:
        self.file, self.rows, self.number = file, rows, number

    def numbers(
        self, column: str, rule: str, most: float = 1.0, *, is_positive: bool = False
    ) -> Array:
        """Numbers from 0, or above it, to `most`, (n,)."""
        cells = self.rows.column(column)
        if pa.types.is_boolean(cells.type):
            cells = cells.cast(pa.uint8())
        values = np.asarray(cells.to_numpy(zero_copy_only=False), np.float64)
        fine = (values > 0 if is_positive else values >= 0) & (values <= most)
        if not fine.all():
            at = int(np.flatnonzero(~fine)[0])
            self.refuse(column, at, f"holds {numeral(values[at])}", rule)
        return values

    def integers(self, column: str) -> Indices:
        """Whole numbers as 64 bits, (n,)."""
        cells = self.rows.column(column)
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(plain(cells.type))
        return np.asarray(cells.to_numpy(zero_copy_only=False).astype(np.int64), np.int64)

    def coded(self, column: str) -> tuple[list[str], Indices]:
        """The names that occur, each once, and the place of each row's among them; −1 for none."""
        cells = self.rows.column(column)
        kind = plain(cells.type)
        # a dictionary may hold what no row has, and the same twice
        cells = cells.cast(kind) if pa.types.is_dictionary(cells.type) else cells
        coded = (cells if is_text(kind) else cells.cast(pa.string())).dictionary_encode()
        try:
            names = [str(name) for name in coded.dictionary.to_pylist()]
        except UnicodeDecodeError as error:
            raise self._no_text(column) from error
        index = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return names, np.asarray(index, np.int64)

    def utf8(self, column: str) -> Utf8:
        """The strings of a column that has no nulls."""
        cells = self.rows.column(column).cast(pa.large_string())
        try:
            cells.validate(full=True)
        except pa.ArrowInvalid as error:
            raise self._no_text(column) from error
        _, ends, content = cells.buffers()
        stops = np.frombuffer(ends, np.int64)[cells.offset : cells.offset + len(cells) + 1]
        raw = np.frombuffer(content or b"", np.uint8)[stops[0] : stops[-1]]
        return Utf8(np.diff(stops), raw)

    def names(self, column: str) -> list[str | None]:
        """The name in each row."""
        names, index = self.coded(column)
        if len(names) > MAX_SEGMENTS:
            raise too_many_segments(column)
        listed: list[str | None] = np.array([*names, None], dtype=object)[index].tolist()
        return listed

    def _no_text(self, column: str) -> InvalidInput:
        detail = f"{self.file}: the column {column} holds a string that is not UTF-8"
        return InvalidInput.at(detail, column)

    def refuse(self, column: str, at: int, what: str, rule: str) -> None:
        """Refuse the cell of one of the rows."""
        row = int(self.number[at])
        detail = f"{self.file}: the column {column} {what} in row {row + 1}: {rule}"
        raise InvalidInput.at(detail, column, row)


def too_many_segments(column: str) -> InvalidInput:
    """The refusal of a column that tells too many segments apart."""
    detail = f"the column {column} tells more than {MAX_SEGMENTS} segments apart"
    return InvalidInput.at(detail, column)


def _complete(columns: Columns, rows: pa.RecordBatch) -> tuple[Indices, dict[str, int]]:
    """The places of rows that lack nothing, and how many others there are, by what they lack."""
    complete = np.ones(rows.num_rows, np.bool_)
    excluded = {}
    for name, column in columns.needed().items():
        cells = rows.column(column)
        if not cells.null_count:
            continue
        there = np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False), np.bool_)
        lost = int(np.count_nonzero(complete & ~there))
        if lost:
            excluded[name] = lost
            complete &= there
    return np.flatnonzero(complete), excluded


def _arms(source: LogSource, cells: _Cells) -> dict[str, tuple[Indices | None, Array]]:
    columns = source.columns
    forecasts = {
        arm: cells.numbers(column, _PROBABILITY) for arm, column in columns.y_proba.items()
    }
    if columns.arm is None:
        return {arm: (None, p) for arm, p in forecasts.items()}
    (p,) = forecasts.values()
    names, index = cells.coded(columns.arm)
    if source.arms is None and len(names) > MAX_ARMS:
        detail = f"the column {columns.arm} names more than {MAX_ARMS} arms"
        raise InvalidInput.at(detail, columns.arm)
    by_arm: dict[str, tuple[Indices | None, Array]] = {}
    for code, name in enumerate(names):
        own = np.flatnonzero(index == code)
        if source.arms is not None and name not in source.arms:
            rule = f"the arms are {', '.join(source.arms)}"
            cells.refuse(columns.arm, int(own[0]), f"holds {name[:80]!r}", rule)
        by_arm[name] = own, p[own]
    return by_arm


def _units(
    column: str | None, cells: _Cells, first: int, arms: dict[str, tuple[Indices | None, Array]]
) -> tuple[Indices, dict[str, UnitSet]]:
    """The bucket of each row's unit, and which units each arm has met."""
    if column is None:
        return bucket_of(cells.number + first), {}
    places: dict[str, Indices | None] = {arm: rows for arm, (rows, _) in arms.items()}
    if all(rows is None for rows in places.values()):
        places = {EVERY_ARM: None}
    is_named = is_text(plain(cells.rows.column(column).type))
    unit = cells.utf8(column) if is_named else cells.integers(column)
    seen = fingerprint_of(unit)
    met = {arm: UnitSet.holding(seen if at is None else seen[at]) for arm, at in places.items()}
    return bucket_of(unit), met


def _weight(columns: Columns, cells: _Cells) -> Array | None:
    """What each row counts for: its weight × target propensity / propensity."""
    weight = None
    if columns.weight is not None:
        rule = f"a weight lies in [0, {HEAVIEST_WEIGHT:g}]"
        weight = cells.numbers(columns.weight, rule, HEAVIEST_WEIGHT)
    if columns.propensity is None or columns.target_propensity is None:
        return weight
    rule = "the propensity of what was shown lies in (0, 1]"
    logged = cells.numbers(columns.propensity, rule, is_positive=True)
    target = cells.numbers(columns.target_propensity, _PROBABILITY)
    with np.errstate(over="ignore"):
        ratio: Array = target / logged
        joint: Array = ratio if weight is None else weight * ratio
    fine = (ratio <= HEAVIEST_WEIGHT) & (joint <= HEAVIEST_WEIGHT)
    if not fine.all():
        at = int(np.flatnonzero(~fine)[0])
        rule = f"weight × target propensity / propensity is at most {HEAVIEST_WEIGHT:g}"
        cells.refuse(columns.propensity, at, f"holds {numeral(logged[at])}", rule)
    return joint
