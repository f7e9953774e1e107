"""Cells of text as what a field holds: numbers where every cell is one."""

import pyarrow as pa
import pyarrow.compute as pc

from kullback.errors import InvalidInput
from kullback.payload.columns import EntryType
from kullback.payload.whole_numbers import WRITTEN

# A label is a number only where it is written as JSON writes one: 007 is a name.
# So is an integer of more digits than 64 bits hold.
_NUMBER = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_BOOLEAN = r"^([Tt]rue|TRUE|[Ff]alse|FALSE)$"
_MAY_BE_FLAGS = (EntryType.LABEL, EntryType.FLAG, EntryType.FEATURE)
_WHOLE = (EntryType.ID, EntryType.VALUE)


def typed(cells: pa.Array, kind: EntryType, *place: str, decimal: str = ".") -> pa.Array:
    """Cells of text as what a field of this kind holds; an empty cell stays null.

    Args:
        cells: of one column, as text.
        kind: what an entry of the field is.
        place: the name of the field, and that of the column.
        decimal: the sign before the decimals of a number.

    Raises:
        InvalidInput: a cell is not a number where only numbers may stand.
    """
    if pa.types.is_null(cells.type):
        return cells
    if kind in _MAY_BE_FLAGS and _all_match(cells, _BOOLEAN):
        flags = pc.utf8_lower(cells).cast(pa.bool_())
        return flags if kind is EntryType.FEATURE else flags.cast(pa.int64())
    if kind in (EntryType.LABEL, EntryType.FEATURE) or kind in _WHOLE:
        whole = _integers(cells)
        if whole is not None or kind in _WHOLE:
            return cells if whole is None else whole
        written = _with_point(cells, decimal)
        return written.cast(pa.float64()) if _all_match(written, _NUMBER) else cells
    if kind is EntryType.TIME and not _all_match(cells, _NUMBER):
        return cells
    return _numbers(cells, decimal, *place)


def _integers(cells: pa.Array) -> pa.Array | None:
    if not _all_match(cells, WRITTEN):
        return None
    for kind in (pa.int64(), pa.uint64()):
        try:
            return cells.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def _with_point(cells: pa.Array, decimal: str) -> pa.Array:
    return cells if decimal == "." else pc.replace_substring(cells, decimal, ".")


def _all_match(cells: pa.Array, pattern: str) -> bool:
    matches = pc.all(pc.match_substring_regex(cells, pattern))
    return bool(matches.as_py())


def _numbers(cells: pa.Array, decimal: str, *place: str) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(cells)
    written = _with_point(trimmed, decimal)
    try:
        return written.cast(pa.float64())
    except pa.ArrowInvalid:
        name, column = place
        row = next(row for row in range(len(written)) if not _is_number(written[row]))
        detail = f"the column {column} holds no number in row {row + 1} of the table"
        if decimal == "." and _is_number(pc.replace_substring(trimmed[row], ",", ".")):
            detail += ": is the comma its decimal sign?"
        raise InvalidInput.at(detail, name, row) from None


def _is_number(cell: pa.Scalar) -> bool:
    try:
        cell.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
