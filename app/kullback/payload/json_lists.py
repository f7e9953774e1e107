"""Reader of long JSON lists, in small pieces.

The decoder is pydantic's. It holds the interpreter lock while it works and makes a Python object
of every number, so a long list is cut at commas and decoded piece by piece: other threads run in
between, and the objects of one piece are gone before the next (ADR-0002).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from kullback.errors import FieldError, InvalidInput, KullbackError, MalformedBody, pointer
from kullback.numerics.types import Array, Flags, Indices
from kullback.payload import json_cuts, json_pieces
from kullback.payload.columns import TEXTUAL, WORDS, Column, EntryType
from kullback.payload.entries import Entries
from kullback.payload.json_entries import EXPLAIN, NOT_OF_ONE_KIND, Decode, decoder, place_of
from kullback.payload.json_scan import MAX_AXES, skip
from kullback.payload.room import Room
from kullback.payload.row_marks import RowMarks
from kullback.payload.whole_numbers import BESIDE, first_beyond, joined, packed
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable
from kullback.scoring.tokens import Ragged


class JsonList:
    """One long list of the body, decoded piece by piece."""

    def __init__(
        self, place: tuple[str, ...], body: bytearray, start: int, end: int, room: Room
    ) -> None:
        self._in = place
        self._room = room
        self._body = body
        self._start = start + 1
        self._end = end - 1
        self._axes, first = json_cuts.first_entry(body, start, end)
        self._first = bytes(body[first : first + 1])
        self._nullable = False
        self._missing: list[Flags] = []
        if self._axes > MAX_AXES:
            raise InvalidInput.at("nested deeper than a payload can be", *place)

    def read(self, column: Column, marks: RowMarks | None = None) -> Labels | Ragged | Nullable:
        """The entries as an array, or as a list where they are strings.

        Where they may be missing, null and "NaN" are NaN among numbers. With `marks` an entry that
        is wrong is a bad row.
        """
        if marks is None:
            return self._read(column)
        left = self._room.left
        if not (column.nullable and self._holds(b"null")):
            try:
                return self._read(column)
            except (InvalidInput, MalformedBody):
                self._room.left = left
        entries = Entries(self._in, column, self._room, marks)
        for offset, rows in json_pieces.of_any(self._body, self._start, self._end, *self._in):
            entries.add(rows, offset)
        return entries.joined()

    def _read(self, column: Column) -> Labels | Ragged | Nullable:
        self._may_miss = column.nullable
        self._nullable = column.nullable and self._holds(b"null", b'"NaN"')
        if column.ragged:
            return self._ragged(column.entry)
        may_be_text = self._first == b'"' and self._axes <= column.text_axes
        if may_be_text and column.entry in TEXTUAL and self._is_quoted():
            return self._texts()
        if column.entry is EntryType.LABEL:
            return self._labels()
        if column.entry is EntryType.FEATURE:
            is_boolean = self._first in (b"t", b"f")
            return self._names(column.entry) if is_boolean else self._labels()
        if column.entry is EntryType.ID or column.entry is EntryType.VALUE:
            return self._names(column.entry)
        entry = "float"
        may_be_boolean = column.booleans or column.entry is EntryType.FLAG
        if may_be_boolean and self._first in (b"t", b"f"):
            entry = "bool"
        elif column.entry is EntryType.LOGIT and self._holds(b'"'):
            entry = "logit"
        return self._array(entry, np.float64)

    def _holds(self, *signs: bytes) -> bool:
        return any(self._body.find(sign, self._start, self._end) >= 0 for sign in signs)

    def _is_quoted(self) -> bool:
        """Whether anything is quoted but the "NaN" of missing numbers."""
        missing = self._nullable * self._body.count(b'"NaN"', self._start, self._end)
        return self._body.count(b'"', self._start, self._end) > 2 * missing

    def _ragged(self, kind: EntryType) -> Ragged:
        """Rows of any lengths; a list of plain entries is one row."""
        if self._axes > 2:
            raise InvalidInput.at(f"{self._axes} axes, where at most 2 are read", *self._in)
        quoted = self._is_quoted()
        if kind is EntryType.LABEL:
            entry = "str" if quoted else "float" if self._nullable else "int"
        elif kind is EntryType.FLAG and self._holds(b"e"):
            entry = "bool"  # true and false have an e, 0 and 1 do not
        else:
            entry = "logit" if quoted else "float"
        if self._axes == 1:
            label = {"str": self._strings, "int": self._labels}.get(entry)
            return _one_row(self._array(entry, np.float64) if label is None else label())
        left = self._room.left
        try:
            return self._rows(entry)
        except _NotIntegers:
            self._room.left = left
            return self._rows("float")

    def _rows(self, entry: str) -> Ragged:
        dtype = np.int64 if entry == "int" else np.float64
        lengths, absent = [np.empty(0, np.int64)], [np.empty(0, np.bool_)]
        parts, texts = [np.empty(0, dtype)], list[str]()
        for offset, sent in self._pieces(entry):
            absent.append(np.fromiter((row is None for row in sent), np.bool_, len(sent)))
            rows = [[None] if row is None else row for row in sent] if self._nullable else sent
            lengths.append(np.fromiter(map(len, rows), np.int64, len(rows)))
            flat = self._roomy(list(chain.from_iterable(rows)), entry)
            self._room.take_entries(len(rows))
            if entry == "str":
                texts += flat
            else:
                place = partial(_place_in_rows, lengths[-1], offset)
                parts.append(self._packed(flat, dtype, place))
        entries: Any = texts if entry == "str" else self._joined(parts)
        return Ragged(entries, np.concatenate(lengths), np.concatenate(absent))

    def _texts(self) -> list[str] | Nullable:
        texts = self._strings()
        return Nullable.of_texts(texts) if self._nullable else texts

    def _strings(self) -> list[str]:
        """The texts, each of which may be a list of one."""
        shape = (1,) * (self._axes - 1)
        flat = (self._flatten(rows, at, shape)[1] for at, rows in self._pieces("str"))
        return list(chain.from_iterable(self._roomy(texts, "str") for texts in flat))

    def _roomy(self, flat: list[Any], entry: str) -> list[Any]:
        """The entries, once there is room for them."""
        self._room.take_entries(len(flat))
        if entry == "str":
            self._room.take_texts(set(flat))
        if entry == "logit":
            flat = [-np.inf if item == "-Infinity" else item for item in flat]
        if self._nullable and entry in ("float", "logit"):
            return [None if item == "NaN" else item for item in flat]
        return flat

    def _labels(self) -> Labels | Nullable:
        left = self._room.left
        is_boolean = self._first in (b"t", b"f")  # true is 1, as it is in Arrow
        try:
            labels = self._array("bool" if is_boolean else "int", np.int64)
        except _NotIntegers:
            self._room.left = left
            return self._array("float", np.float64)
        if not self._missing:
            return labels
        missing = np.concatenate(self._missing).reshape(labels.shape)
        return Nullable(labels, missing) if missing.any() else labels

    def _names(self, kind: EntryType) -> Labels:
        """Integers, or booleans where rows may be sliced by them."""
        if kind in WORDS and self._first in (b"t", b"f") and self._axes == 1:
            pieces = (self._roomy(rows, "bool") for _, rows in self._pieces("bool"))
            return ["true" if flag else "false" for flag in chain.from_iterable(pieces)]
        try:
            return self._array("int", np.int64)
        except _NotIntegers as error:
            raise InvalidInput(error.message, error.offences) from error

    def _array(self, entry: str, dtype: type[np.float64 | np.int64]) -> Array | Indices:
        parts: list[npt.NDArray[Any]] = []
        shape: tuple[int, ...] | None = None
        count = 0
        for offset, rows in self._pieces(entry):
            count += len(rows)
            if self._axes > 1 and shape is None:  # null rows have no width before a row has
                if not any(row is not None for row in rows):
                    continue
                rows[:0], offset = [None] * offset, 0  # noqa: PLW2901
            shape, flat = self._flatten(rows, offset, shape)
            flat = self._roomy(flat, entry)
            place = partial(place_of, shape=shape, offset=offset)
            parts.append(self._packed(flat, dtype, place))
        if not parts or shape is None:
            parts, shape = [np.empty(0, dtype=dtype)], (0,) * (self._axes - 1)
        entries: Array | Indices = self._joined(parts).reshape(count, *shape)
        return entries

    def _joined(self, parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        try:
            return parts[0] if len(parts) == 1 else joined(parts)
        except OverflowError:
            raise InvalidInput.at(BESIDE, *self._in) from None

    def _packed(
        self,
        flat: list[Any],
        dtype: type[np.float64 | np.int64],
        place: Callable[[int], Sequence[int]],
    ) -> npt.NDArray[Any]:
        if self._nullable and dtype is np.int64:
            self._missing.append(np.fromiter((item is None for item in flat), np.bool_, len(flat)))
            flat = [0 if item is None else item for item in flat]
        try:
            return packed(flat) if dtype is np.int64 else np.array(flat, dtype=dtype)
        except OverflowError:
            at, flaw = first_beyond(flat)
            raise InvalidInput.at(flaw, *self._in, *place(at)) from None

    def _flatten(
        self, rows: list[Any], offset: int, expected: tuple[int, ...] | None
    ) -> tuple[tuple[int, ...], list[Any]]:
        """The shape below the first axis, as in earlier pieces, and the entries in order."""
        shape: list[int] = []
        for axis in range(self._axes - 1):
            first = next((row for row in rows if row is not None), ())
            width = len(first) if expected is None else expected[axis]
            if self._nullable and None in rows:
                self._room.take_entries(width * rows.count(None))
                rows = [[None] * width if row is None else row for row in rows]
            if set(map(len, rows)) - {width}:
                self._ragged_row(rows, width, shape, offset)
            shape.append(width)
            rows = list(chain.from_iterable(rows))
        return tuple(shape), rows

    def _ragged_row(self, rows: list[Any], width: int, shape: list[int], offset: int) -> None:
        odd = next(i for i, row in enumerate(rows) if len(row) != width)
        detail = f"{len(rows[odd])} entries where others have {width}"
        raise InvalidInput.at(detail, *self._in, *place_of(odd, shape, offset))

    def _pieces(self, entry: str) -> Iterator[tuple[int, list[Any]]]:
        """Decoded pieces of the list, each with the index of its first row."""
        decode = decoder(entry, self._axes, nullable=self._nullable)
        cut = json_cuts.between_numbers
        if entry == "str":
            cut = partial(json_cuts.between_texts, in_rows=self._axes > 1)
        at, offset = self._start, 0
        if skip(self._body, at) >= self._end:
            return
        while at <= self._end:
            comma = cut(self._body, at, self._end)
            rows = self._decode(decode, b"[" + self._body[at:comma] + b"]", offset)
            if not rows:
                raise MalformedBody.at("a comma too many", *self._in)
            yield offset, rows
            offset += len(rows)
            at = comma + 1

    def _decode(self, decode: Decode, raw: bytes, offset: int) -> list[Any]:
        try:
            return decode(raw)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise self._refusal(first["type"], first["loc"], offset) from None

    def _refusal(self, kind: str, loc: tuple[int | str, ...], offset: int) -> KullbackError:
        if kind == "json_invalid":
            return MalformedBody.at("not valid JSON", *self._in)
        place = [step for step in loc if isinstance(step, int)]
        if place:
            place[0] += offset
        detail = EXPLAIN.get(kind, NOT_OF_ONE_KIND)
        if kind == "finite_number" and self._may_miss:
            detail += "; a missing value is null"
        refusal: type[KullbackError] = InvalidInput
        if kind in ("int_type", "int_from_float", "int_parsing"):
            refusal = _NotIntegers
        return refusal(f"{self._in[0]}: {detail}", [FieldError(pointer(*self._in, *place), detail)])


def _one_row(entries: Any) -> Ragged:  # noqa: ANN401
    return Ragged(entries, np.array([len(entries)] if len(entries) else [], np.int64))


def _place_in_rows(lengths: Indices, offset: int, at: int) -> Sequence[int]:
    row, *within = Ragged([], lengths).place(at)
    return row + offset, *within


class _NotIntegers(KullbackError):
    """The entries may be numbers, but not all of them are integers."""
