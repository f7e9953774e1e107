"""Reader of records: a JSON list of objects, one for each row."""

from collections.abc import Mapping

from kullback.errors import MalformedBody
from kullback.payload.columns import Column
from kullback.payload.json_entries import count_keys, repeated_keys
from kullback.payload.json_pieces import pieces
from kullback.payload.json_scan import skip
from kullback.payload.room import Room
from kullback.payload.row_marks import RowMarks
from kullback.payload.row_table import RowTable


def record_fields(
    body: bytearray, columns: Mapping[str, Column], cap: int, marks: RowMarks
) -> dict[str, object]:
    """The columns that the objects make: see ndjson.parse.

    Raises:
        MalformedBody: it is not JSON, or not one list.
        BodyTooLarge: the entries occupy more than the cap.
        InvalidInput: an object is not as the others, if bad rows are not to be dropped.
    """
    start, end = skip(body, 0), len(body.rstrip(b" \t\n\r"))
    if body[end - 1 : end] != b"]" or end - 1 == start:
        raise MalformedBody("the body is not a JSON list")
    table = RowTable(columns, Room(cap), marks)
    for offset, raw, rows in pieces(body, start + 1, end - 1):
        odd = [at for at, row in enumerate(rows) if type(row) is not dict]
        marks.mark_lines([offset + at for at in odd], "not a JSON object")
        kept = [row if type(row) is dict else {} for row in rows] if odd else rows
        if count_keys(raw) != table.add(kept, offset):
            _mark_repeated(raw, offset, marks)
    return table.closed()


def _mark_repeated(raw: bytearray, offset: int, marks: RowMarks) -> None:
    """Mark rows in which a key stands twice, in a piece that has more colons than keys."""
    keys = enumerate(repeated_keys(b"[" + raw + b"]"), offset)
    places = {row: place for row, place in keys if place}
    marks.mark((), [*places], lambda row: ("the key stands twice", places[row]))
