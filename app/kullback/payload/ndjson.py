"""Reader of newline-delimited JSON: one object per line, with an entry for every column."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic_core import from_json

from kullback.errors import MalformedBody, Step
from kullback.payload.columns import Column
from kullback.payload.json_entries import count_keys, repeated_key
from kullback.payload.room import Room
from kullback.payload.row_marks import RowMarks
from kullback.payload.row_table import RowTable

PIECE = 1 << 16
LONGEST_LINE = 1 << 18  # a line is decoded in one go, while no other thread runs

Places = dict[int, Sequence[Step]]
_BLANK = b" \t\r"
_decoded = partial(from_json, allow_inf_nan=True)  # where one stands is said by the column


def parse(
    body: bytearray,
    columns: Mapping[str, Column],
    cap: int = sys.maxsize,
    marks: RowMarks | None = None,
) -> dict[str, object]:
    """The columns that the lines make: arrays, or lists of strings.

    Args:
        body: UTF-8 JSON objects, one per line; blank lines are skipped.
        columns: which fields a line may have, and of what kind.
        cap: bytes that the entries of all rows may occupy.
        marks: which rows are bad; where None they are refused.

    Raises:
        MalformedBody: a line is not a JSON object.
        BodyTooLarge: the entries occupy more than the cap.
        InvalidInput: a field is in some lines only, a key stands twice in one, a list is ragged,
            or an entry is not of its kind. The pointer ends with the row.
    """
    marks = RowMarks(drop=False) if marks is None else marks
    table = RowTable(columns, Room(cap), marks)
    offset = 0
    for piece in _pieces(body):
        lines = [line for line in piece.split(b"\n") if line.strip(_BLANK)]
        if not lines:
            continue
        rows = _rows(lines, offset, marks)
        if count_keys(piece) != table.add(rows, offset):
            _mark_repeated(lines, rows, offset, marks)
        offset += len(rows)
    fields = table.closed()
    if offset and len(marks.rows) == offset and body.lstrip()[:1] == b"[":
        raise MalformedBody("a JSON list is no line: send it as application/json")
    return fields


def line_numbers(body: bytearray, rows: int | None) -> Sequence[int]:
    """The line, from 1, of each row, of which there are so many if that is known."""
    ends = body.count(b"\n") + (not body.endswith(b"\n"))
    if ends == rows:
        return range(1, rows + 1)
    lines = enumerate(body.split(b"\n"), 1)
    return [number for number, line in lines if line.strip(_BLANK)]


def _pieces(body: bytearray) -> Iterator[bytearray]:
    """Whole lines, about a piece of them at a time."""
    at = 0
    while at < len(body):
        end = body.find(b"\n", at + PIECE) + 1 or len(body)
        yield body[at:end]
        at = end


def _rows(lines: list[bytearray], offset: int, marks: RowMarks) -> list[Any]:
    """What each line holds; an object of nothing in place of what is none."""
    if max(map(len, lines)) > LONGEST_LINE:
        long = [at for at, line in enumerate(lines) if len(line) > LONGEST_LINE]
        detail = f"longer than {LONGEST_LINE} bytes"
        marks.mark((), [offset + at for at in long], lambda _: (detail, ()))
        for at in long:
            lines[at] = bytearray(b"{}")
    try:
        rows: list[Any] = list(map(_decoded, lines))
    except ValueError:
        rows = _decoded_alone(lines, offset, marks)
    if set(map(type, rows)) != {dict}:
        odd = [at for at, row in enumerate(rows) if type(row) is not dict]
        marks.mark_lines([offset + at for at in odd], "not a JSON object")
        for at in odd:
            rows[at] = {}
    return rows


def _decoded_alone(lines: list[bytearray], offset: int, marks: RowMarks) -> list[Any]:
    rows: list[Any] = []
    odd: list[int] = []
    for row, line in enumerate(lines, offset):
        try:
            rows.append(_decoded(line))
        except ValueError:
            rows.append({})
            odd.append(row)
    marks.mark_lines(odd, "not valid JSON")
    return rows


def _mark_repeated(lines: list[bytearray], rows: list[Any], offset: int, marks: RowMarks) -> None:
    """Mark lines in which a key stands twice, in a piece that has more colons than keys."""
    places: Places = {}
    for at, line in enumerate(lines):
        if rows[at] and (place := repeated_key(line)):
            places[offset + at] = place
    marks.mark((), [*places], lambda row: ("the key stands twice", places[row]))
