"""CSV and TSV: a column of text becomes numbers where every cell is one."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from kullback.cli.file_types import INTEGER
from kullback.errors import InvalidInput
from kullback.payload.columns import EntryType

# A label is a number only where it is written as JSON writes one: 007 is a name.
# So is an integer of more digits than 64 bits hold.
_NUMBER = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


class Delimited:
    """A table of text whose first row names the columns."""

    def __init__(self, content: bytes, delimiter: str) -> None:
        self._bytes = pa.py_buffer(content)
        self._parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        head = csv.open_csv(pa.BufferReader(self._bytes), parse_options=self._parse)
        self.names: list[str] = head.schema.names

    def read(self, names: Sequence[str]) -> pa.Table:
        """These columns, as text; an empty cell is null."""
        convert = csv.ConvertOptions(
            include_columns=list(names),
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )
        source = pa.BufferReader(self._bytes)
        return csv.read_csv(source, parse_options=self._parse, convert_options=convert)


def typed(cells: pa.Array, kind: EntryType, *place: str) -> pa.Array:
    """Cells of text as what a field of this kind holds.

    Raises:
        InvalidInput: a cell is not a number where only numbers may stand.
    """
    if kind is not EntryType.LABEL:
        return _numbers(cells, *place)
    if _all_match(cells, INTEGER):
        return cells.cast(pa.int64())
    return cells.cast(pa.float64()) if _all_match(cells, _NUMBER) else cells


def _all_match(cells: pa.Array, pattern: str) -> bool:
    matches = pc.all(pc.match_substring_regex(cells, pattern))
    return bool(matches.as_py())


def _numbers(cells: pa.Array, *place: str) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(cells)
    try:
        return trimmed.cast(pa.float64())
    except pa.ArrowInvalid:
        name, column = place
        row = next(row for row in range(len(trimmed)) if not _is_number(trimmed[row]))
        detail = f"the column {column} holds no number in row {row + 1} of the table"
        raise InvalidInput.at(detail, name, row) from None


def _is_number(cell: pa.Scalar) -> bool:
    try:
        cell.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
