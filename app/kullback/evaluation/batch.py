"""Batch of a file's rows: checked, as rows of an experiment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kullback.errors import InvalidInput
from kullback.evaluation.columns import Columns, is_text, numpy_of, plain
from kullback.evaluation.formats import StoredFile
from kullback.evaluation.log_batch import LogBatch, Segments
from kullback.evaluation.state import EVERY_ARM
from kullback.experiments.evaluation_report import OTHER_ARMS
from kullback.experiments.plan import MAX_ARMS
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.arrays import HEAVIEST_WEIGHT
from kullback.tally.unit_set import UnitSet, fingerprint_of
from kullback.tally.units import Utf8, bucket_of

MAX_SEGMENTS = 1000
_LABELS_SHOWN = 3  # two, and one that is too many
_EXACT = 2.0**53
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_UUID_DIGITS = [at for at in range(36) if at not in {8, 13, 18, 23}]
_PROBABILITY = "a probability lies in [0, 1]"


@dataclass(frozen=True, slots=True)
class LogSource:
    """A file whose rows are read.

    Attributes:
        file: which it is.
        columns: which of its columns is what.
        schema: the types of its columns.
        first: the number of its first row over all files.
        arms: those that may occur; any where None.
    """

    file: StoredFile
    columns: Columns
    schema: pa.Schema
    first: int
    arms: Sequence[str] | None = None


def read(source: LogSource, rows: pa.RecordBatch, start: int) -> LogBatch:
    """The rows of a file that begin at row `start` of it, counted from 0.

    Raises:
        InvalidInput: a value is impossible; the file, the column and the row are named.
    """
    number, excluded = _complete(source, rows)
    if excluded:
        rows = rows.take(pa.array(number))
    number += start
    cells, columns = _Cells(source.file.name, rows, number), source.columns
    arms = _arms(source, cells)
    buckets, units = _units(columns.unit, cells, source.first, arms)
    segments = {column: cells.segments(column) for column in columns.by}
    y, labels = _labels(columns, cells)
    weight, number = _weight(columns, cells), number + source.first
    return LogBatch(number, y, arms, weight, buckets, segments, units, excluded, labels)


class _Cells:
    """The cells of rows whose numbers in the file are known."""

    def __init__(self, file: str, rows: pa.RecordBatch, number: Indices) -> None:
        self.file, self.rows, self.number = file, rows, number

    def plain(self, column: str) -> pa.Array:
        """The cells themselves, where they are kept as a dictionary or as UUIDs too."""
        cells = self.rows.column(column)
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(plain(cells.type))
        return _uuid_text(cells) if cells.type == pa.uuid() else cells

    def numbers(
        self, column: str, rule: str, most: float = 1.0, *, is_positive: bool = False
    ) -> Array:
        """Numbers from 0, or above it, to `most`, (n,)."""
        values = _doubles(self.plain(column))
        fine = (values > 0 if is_positive else values >= 0) & (values <= most)
        if not fine.all():
            at = int(np.flatnonzero(~fine)[0])
            self.refuse(column, at, f"holds {numeral(values[at], 0.0, most)}", rule)
        return values

    def integers(self, column: str) -> Indices:
        """Whole numbers as 64 bits, (n,), also where they are kept as floats or decimals."""
        cells = self.plain(column)
        if not pa.types.is_integer(cells.type):
            values = _doubles(cells)
            fine = (values == np.rint(values)) & (np.abs(values) <= _EXACT)
            if not fine.all():
                at = int(np.flatnonzero(~fine)[0])
                rule = "a unit is a string or a whole number, below 2⁵³ if it is kept as a float"
                self.refuse(column, at, f"holds {cells[at].as_py()}", rule)
            return values.astype(np.int64)
        return numpy_of(cells).astype(np.int64, copy=False)

    def coded(self, column: str) -> tuple[list[str], Indices]:
        """The names that occur, each once, and the place of each row's among them; −1 for none."""
        cells = self.plain(column)  # a dictionary may hold what no row has, and the same twice
        coded = (cells if is_text(cells.type) else cells.cast(pa.string())).dictionary_encode()
        try:
            names = [str(name) for name in coded.dictionary.to_pylist()]
        except UnicodeDecodeError as error:
            raise self._no_text(column) from error
        return names, numpy_of(coded.indices.fill_null(-1)).astype(np.int64)

    def utf8(self, column: str) -> Utf8:
        """The strings of a column that has no nulls."""
        cells = self.plain(column).cast(pa.large_string())
        try:
            cells.validate(full=True)
        except pa.ArrowInvalid as error:
            raise self._no_text(column) from error
        _, ends, content = cells.buffers()
        stops = np.frombuffer(ends, np.int64)[cells.offset : cells.offset + len(cells) + 1]
        raw = np.frombuffer(content or b"", np.uint8)[stops[0] : stops[-1]]
        return Utf8(np.diff(stops), raw)

    def segments(self, column: str) -> Segments:
        """The segment of each row."""
        names, index = self.coded(column)
        if len(names) > MAX_SEGMENTS:
            raise too_many_segments(column)
        return Segments(names, index)

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


def _complete(source: LogSource, rows: pa.RecordBatch) -> tuple[Indices, dict[str, int]]:
    """The places of rows that lack nothing, and how many others there are, by what they lack."""
    columns = source.columns
    complete = np.ones(rows.num_rows, np.bool_)
    excluded = {}
    for name, column in columns.needed().items():
        there = _is_there(rows.column(column))
        if there is None:
            continue
        lost = int(np.count_nonzero(complete & ~there))
        if lost:
            excluded[name] = lost
            complete &= there
    if columns.ignores_others and columns.arm is not None and source.arms is not None:
        names, index = _Cells(source.file.name, rows, complete.nonzero()[0]).coded(columns.arm)
        planned = np.array([*(name in source.arms for name in names), True])  # −1, of none
        others = int(np.count_nonzero(complete & ~planned[index]))
        if others:
            excluded[OTHER_ARMS] = others
            complete &= planned[index]
    return np.flatnonzero(complete), excluded


def _is_there(cells: pa.Array) -> Flags | None:
    """Which cells are neither null nor NaN, which polars and Spark write instead; None for all."""
    missing = pc.is_null(cells, nan_is_null=True)
    return numpy_of(pc.invert(missing)).astype(np.bool_) if pc.any(missing).as_py() else None


def _doubles(cells: pa.Array) -> Array:
    if pa.types.is_decimal(cells.type):
        # by its digits: Arrow's own cast is off by a bit
        cells = cells.cast(pa.string()).cast(pa.float64())
    return numpy_of(cells).astype(np.float64, copy=False)


def _uuid_text(cells: pa.Array) -> pa.Array:
    """UUIDs as they are written: 8-4-4-4-12 hexadecimal digits."""
    stored = cells.storage.cast(pa.binary())
    raw = np.frombuffer(b"".join(stored.fill_null(bytes(16)).to_pylist()), np.uint8)
    text = np.full((len(cells), 36), ord("-"), np.uint8)
    text[:, _UUID_DIGITS] = _HEX[np.stack((raw >> 4, raw & 15), -1).reshape(-1, 32)]
    written = pa.array(text.reshape(-1).view("S36"), pa.string())
    return pc.if_else(pc.is_valid(stored), written, pa.scalar(None, pa.string()))


def _labels(columns: Columns, cells: _Cells) -> tuple[Array, frozenset[str]]:
    """The labels of rows as numbers, and which names they have where names are told apart."""
    if columns.pos_label is None:
        return cells.numbers(columns.y_true, "a label lies in [0, 1]"), frozenset()
    names, index = cells.coded(columns.y_true)
    is_positive = np.array([name == columns.pos_label for name in names], np.float64)
    return is_positive[index], frozenset(names[:_LABELS_SHOWN])


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
    is_named = is_text(cells.plain(column).type)
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
