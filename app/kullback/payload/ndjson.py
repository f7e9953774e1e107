"""Reader of newline-delimited JSON: one object per line, with an entry for every column."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json

from kullback.errors import (
    FieldError,
    InvalidInput,
    KullbackError,
    MalformedBody,
    pointer,
)
from kullback.payload.columns import LONGEST_NAME, WHOLE, Column, EntryType
from kullback.payload.field_names import no_such_field
from kullback.payload.json_entries import repeated_key
from kullback.payload.room import Room
from kullback.payload.whole_numbers import BEYOND, first_beyond, joined, packed
from kullback.scoring.labels import Labels

PIECE = 1 << 16
LONGEST_LINE = 1 << 18  # a line is decoded in one go, while no other thread runs

_BLANK = b" \t\r"
_COLONS = (b'":', b" :", b"\t:", b"\r:")
_NUMBERS = frozenset((int, float))
_INTEGERS, _STRINGS, _FLAGS = frozenset((int,)), frozenset((str,)), frozenset((bool,))
_FORMS: dict[EntryType, tuple[frozenset[type], ...]] = {
    EntryType.NUMBER: (_NUMBERS,),
    EntryType.LABEL: (_NUMBERS, _STRINGS, _FLAGS),
    EntryType.TIME: (_NUMBERS, _STRINGS),
    EntryType.ID: (_INTEGERS, _STRINGS),
    EntryType.VALUE: (_INTEGERS, _STRINGS, _FLAGS),
}
_WHOLE = _INTEGERS | _FLAGS
_NOT = {
    _NUMBERS: "not a number",
    _INTEGERS: "not an integer",
    _STRINGS: "not a string, as the others are",
    _FLAGS: "neither true nor false",
}
_LARGEST = sys.float_info.max

Place = tuple[str, ...]
_decoded = partial(from_json, allow_inf_nan=False)


def parse(
    body: bytearray, columns: Mapping[str, Column], cap: int = sys.maxsize
) -> dict[str, object]:
    """The columns that the lines make: arrays, or lists of strings.

    Args:
        body: UTF-8 JSON objects, one per line; blank lines are skipped.
        columns: which fields a line may have, and of what kind.
        cap: bytes that the entries of all rows may occupy.

    Raises:
        MalformedBody: a line is not a JSON object.
        BodyTooLarge: the entries occupy more than the cap.
        InvalidInput: a field is in some lines only, a key stands twice in one, a list is ragged,
            or an entry is not of its kind. The pointer begins with the row.
    """
    table: _Objects | None = None
    room = Room(cap)
    offset = 0
    for piece in _pieces(body):
        lines = [line for line in piece.split(b"\n") if line.strip(_BLANK)]
        if not lines:
            continue
        rows = _rows(lines, offset)
        table = table or _Objects((), rows[0], columns, room)
        table.add(rows, offset)
        if sum(map(piece.count, _COLONS)) != len(rows) * table.keys:
            _refuse_repeated(lines, offset)
        offset += len(rows)
    if table is None:
        raise MalformedBody("the body is empty")
    return table.joined()


def placed(error: KullbackError, body: bytearray, columns: Mapping[str, Column]) -> KullbackError:
    """The same refusal with the row before the field, as a line has them, and with its line."""
    steps = [_row_first(offence.pointer.split("/")[1:], columns) for offence in error.offences]
    lines = _line_numbers(body, {int(place[0]) for place in steps if place[0].isdecimal()})
    if not lines:
        return error
    offences = []
    for place, offence in zip(steps, error.offences, strict=True):
        line = f"line {lines[int(place[0])]}: " if place[0].isdecimal() else ""
        offences.append(FieldError("/" + "/".join(place), line + offence.detail))
    line, _, detail = offences[0].detail.partition(": ")
    message = ": ".join((line, *steps[0][1:2], detail))
    return type(error)(message, offences, error.total)


def _row_first(steps: list[str], columns: Mapping[str, Column]) -> list[str]:
    """A place in a column as a place in a row."""
    column = columns.get(steps[0])
    at = 0 if column is None else 2 if column.keys else 1
    if column is not None and column.plain and len(steps) == 2:
        at = 1  # without a name between the field and the row
    return [*steps[at : at + 1], *steps[:at], *steps[at + 1 :]]


def _line_numbers(body: bytearray, rows: set[int]) -> dict[int, int]:
    """The line, from 1, of each of these rows."""
    numbers: dict[int, int] = {}
    row = number = at = 0
    while len(numbers) < len(rows) and at < len(body):
        end = body.find(b"\n", at)
        end = end if end >= 0 else len(body)
        number += 1
        if body[at:end].strip(_BLANK):
            if row in rows:
                numbers[row] = number
            row += 1
        at = end + 1
    return numbers


def _pieces(body: bytearray) -> Iterator[bytearray]:
    """Whole lines, about a piece of them at a time."""
    at = 0
    while at < len(body):
        end = body.find(b"\n", at + PIECE) + 1 or len(body)
        yield body[at:end]
        at = end


def _rows(lines: list[bytearray], offset: int) -> list[Any]:
    for row, line in enumerate(lines if max(map(len, lines)) > LONGEST_LINE else ()):
        if len(line) > LONGEST_LINE:
            raise InvalidInput.at(f"longer than {LONGEST_LINE} bytes", offset + row)
    rows: list[Any] = []
    try:
        rows.extend(map(_decoded, lines))
    except ValueError as error:
        raise MalformedBody.at("not valid JSON", offset + len(rows)) from error
    for row, row_object in enumerate(rows):
        if type(row_object) is not dict:
            raise MalformedBody.at("not a JSON object", offset + row)
    return rows


def _refuse_repeated(lines: list[bytearray], offset: int) -> None:
    """Refuse a key that stands twice, in a piece that has more colons after keys than keys."""
    for row, line in enumerate(lines, offset):
        if place := repeated_key(line):
            raise InvalidInput.at("the key stands twice", row, *place)


class _Objects:
    """Objects that all have the keys of the first; each key's values are gathered."""

    def __init__(
        self, place: Place, first: dict[str, Any], columns: Mapping[str, Column], room: Room
    ) -> None:
        self._place = place
        self._parts: dict[str, _Objects | _Entries] = {}
        for name, value in first.items():
            if len(name) > LONGEST_NAME:
                raise InvalidInput.at("a key is too long", 0, *place)
            column = columns.get(name)
            if column is None or not column.per_row:
                detail = no_such_field(name, [each for each in columns if columns[each].per_row])
                raise InvalidInput.at(detail, 0, *place, name)
            self._parts[name] = _part((*place, name), value, column, room)
        within = [part.keys for part in self._parts.values() if isinstance(part, _Objects)]
        self.keys: int = len(first) + sum(within)

    def add(self, rows: list[Any], offset: int) -> None:
        """Take rows that begin at `offset`."""
        if set(map(type, rows)) != {dict}:
            row = _first(type(entry) is not dict for entry in rows)
            raise InvalidInput.at("an object is expected", offset + row, *self._place)
        for name, part in self._parts.items():
            part.add(self._values(name, rows, offset), offset)
        if set(map(len, rows)) != {len(self._parts)}:
            row = _first(len(entry) != len(self._parts) for entry in rows)
            name = next(name for name in rows[row] if name not in self._parts)
            detail = "this field is not in the first row"
            raise InvalidInput.at(detail, offset + row, *self._place, name)

    def _values(self, name: str, rows: list[Any], offset: int) -> list[Any]:
        try:
            return [row[name] for row in rows]
        except KeyError as error:
            row = _first(name not in entry for entry in rows)
            detail = "this field is missing, and is in the first row"
            raise InvalidInput.at(detail, offset + row, *self._place, name) from error

    def joined(self) -> dict[str, object]:
        """What each key held."""
        return {name: part.joined() for name, part in self._parts.items()}


def _part(place: Place, value: object, column: Column, room: Room) -> "_Objects | _Entries":
    if not column.keys or (column.plain and not isinstance(value, dict)):
        return _Entries(place, value, column, room)
    if not isinstance(value, dict):
        raise InvalidInput.at("an object is expected", 0, *place)
    if len(value) > column.keys:
        raise InvalidInput.at(f"more than {column.keys} keys", 0, *place)
    return _Objects(place, value, dict.fromkeys(value, column.single), room)


def _first(claims: Iterable[bool]) -> int:
    return next(i for i, claim in enumerate(claims) if claim)


class _Entries:
    """The entries of one column: all of the form, and all lists of the width, of the first."""

    def __init__(self, place: Place, first: object, column: Column, room: Room) -> None:
        self._place = place
        self._column = column
        self._room = room
        self._width = 0
        if isinstance(first, list) and column.axes > 1:
            if not first:
                raise InvalidInput.at("an empty list", 0, *place)
            self._width, first = len(first), first[0]
        forms = _FORMS[column.entry]
        self._form = next((form for form in forms if type(first) in form), forms[0])
        self._parts: list[Any] = []

    def add(self, entries: list[Any], offset: int) -> None:
        """Take the entries of rows that begin at `offset`."""
        if self._width:
            entries = self._flat(entries, offset)
        self._room.take_entries(len(entries))
        kinds = set(map(type, entries))
        if not kinds <= self._form:
            odd = _first(type(entry) not in self._form for entry in entries)
            raise self._refusal(_NOT[self._form], odd, offset)
        if self._form is _STRINGS:
            self._room.take_texts(set(entries))
            self._parts.append(entries)
        elif self._form is _FLAGS and self._column.entry is EntryType.VALUE:
            self._parts.append(["true" if entry else "false" for entry in entries])
        else:
            whole = kinds <= _WHOLE and self._column.entry in WHOLE
            self._parts.append(self._packed(entries, offset, whole=whole))

    def _flat(self, rows: list[Any], offset: int) -> list[Any]:
        if set(map(type, rows)) != {list}:
            row = _first(type(entry) is not list for entry in rows)
            detail = "a single entry where a list is expected"
            raise InvalidInput.at(detail, offset + row, *self._place)
        if set(map(len, rows)) != {self._width}:
            row = _first(len(entry) != self._width for entry in rows)
            detail = f"{len(rows[row])} entries where others have {self._width}"
            raise InvalidInput.at(detail, offset + row, *self._place)
        return list(chain.from_iterable(rows))

    def _packed(self, entries: list[Any], offset: int, *, whole: bool) -> npt.NDArray[Any]:
        if whole:
            try:
                return packed(entries)
            except OverflowError as error:
                raise self._refusal(BEYOND, first_beyond(entries), offset) from error
        try:
            numbers = np.array(entries, np.float64)
        except OverflowError as error:
            odd = _first(not -_LARGEST <= entry <= _LARGEST for entry in entries)
            raise self._refusal("not a finite number", odd, offset) from error
        if not np.isfinite(numbers).all():
            odd = int(np.argmin(np.isfinite(numbers)))
            raise self._refusal("not a finite number", odd, offset)
        return numbers

    def _refusal(self, detail: str, index: int, offset: int) -> InvalidInput:
        row, column = divmod(index, self._width or 1)
        within = (column,) if self._width else ()
        return InvalidInput(
            detail, [FieldError(pointer(offset + row, *self._place, *within), detail)]
        )

    def joined(self) -> Labels:
        """All of them, in order."""
        if isinstance(self._parts[0], list):
            return list(chain.from_iterable(self._parts))
        try:
            entries = joined(self._parts)
        except OverflowError as error:
            raise InvalidInput.at(BEYOND, *self._place) from error
        return entries.reshape(-1, self._width) if self._width else entries
