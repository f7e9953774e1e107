"""Entries of a column that come as Python objects: all of the kind that most are, others are bad.

What most entries are is judged by the first piece that has any.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from kullback.errors import Step
from kullback.payload.columns import LISTED_TEXT, WHOLE, WORDS, Column, EntryType
from kullback.payload.room import Room
from kullback.payload.row_marks import NULL, Place, RowMarks
from kullback.payload.whole_numbers import BESIDE, BEYOND, are_beyond, joined, packed
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable

ABSENT = object()  # in place of an entry that a row does not have

_NUMBERS = frozenset((int, float))
_INTEGERS, _STRINGS, _FLAGS = frozenset((int,)), frozenset((str,)), frozenset((bool,))
_FORMS: dict[EntryType, tuple[frozenset[type], ...]] = {
    EntryType.NUMBER: (_NUMBERS,),
    EntryType.LABEL: (_NUMBERS, _STRINGS, _FLAGS),
    EntryType.TIME: (_NUMBERS, _STRINGS),
    EntryType.ID: (_INTEGERS, _STRINGS),
    EntryType.VALUE: (_INTEGERS, _STRINGS, _FLAGS),
    EntryType.FEATURE: (_NUMBERS, _STRINGS, _FLAGS),
}
_WHOLE = _INTEGERS | _FLAGS
_NOT = {
    _NUMBERS: "not a number",
    _INTEGERS: "not an integer",
    _STRINGS: "not a string, as the others are",
    _FLAGS: "neither true nor false",
}
_LARGEST = sys.float_info.max
_NOTHING = (type(None), type(ABSENT))
Odd = dict[int, tuple[str, Sequence[Step]]]


class Entries:
    """The entries of one column, piece by piece."""

    def __init__(self, place: Place, column: Column, room: Room, marks: RowMarks) -> None:
        self._place = place
        self._column = column
        self._room = room
        self._marks = marks
        self._width = 0  # of lists; 0 where entries are single
        self._form: frozenset[type] | None = None
        self._size = 0
        self._parts: list[Any] = []
        self._missing: list[npt.NDArray[np.bool_]] = []
        self.absent: list[int] = []  # rows without it

    def add(self, entries: list[Any], offset: int) -> None:
        """Take the entries of rows that begin at `offset`."""
        if self._form is None:
            self._decide(entries)
        self._room.take_entries(len(entries) * (self._width or 1))
        odd: Odd = {}
        values = self._rows(entries, odd) if self._width else self._single(entries, odd)
        missing = np.zeros(len(entries), np.bool_)
        for at in sorted(odd):
            if type(entries[at]) not in _NOTHING:
                continue
            missing[at] = True
            if entries[at] is ABSENT:
                self.absent.append(offset + at)
            if self._column.nullable or entries[at] is ABSENT:
                odd.pop(at, None)
            else:
                odd[at] = (NULL, ())
        self._missing.append(missing)
        self._parts.append(self._kept(values, odd))
        self._size += len(entries)
        rows = sorted(odd)
        self._marks.mark(self._place, [offset + at for at in rows], lambda row: odd[row - offset])

    def pad(self, count: int) -> None:
        """Take so many rows without an entry, before any that has one."""
        self.absent.extend(range(self._size, self._size + count))
        self._missing.append(np.ones(count, np.bool_))
        self._parts.append(None)
        self._size += count

    def joined(self) -> Labels | Nullable:
        """All of them, in order."""
        values = self._joined()
        if not self._column.nullable:
            return values
        missing = np.concatenate(self._missing) if self._missing else np.zeros(0, np.bool_)
        return Nullable(values, missing) if missing.any() else values

    def _joined(self) -> Labels:
        flat = self._width or 1
        if self._form is None:
            return np.zeros(self._size)
        sizes = map(len, self._missing)
        if self._form is _STRINGS or self._as_words:
            texts = [part or [""] * size for part, size in zip(self._parts, sizes, strict=True)]
            return list(chain.from_iterable(texts))
        parts = [
            np.zeros(size * flat, np.int64) if part is None else part
            for part, size in zip(self._parts, sizes, strict=True)
        ]
        try:
            entries = joined(parts)
        except OverflowError:
            entries = self._without_large(parts)
        return entries.reshape(-1, flat) if self._width else entries

    def _without_large(self, parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Integers with a sign, where there are some that leave no room for one too."""
        large = np.concatenate(
            [(part >= 2**63) if part.dtype == np.uint64 else part != part for part in parts]  # noqa: PLR0124
        )
        self._marks.mark_cells(self._place, large, BESIDE)
        kept = [
            np.where(part >= 2**63, 0, part) if part.dtype == np.uint64 else part for part in parts
        ]
        return np.concatenate([part.astype(np.int64) for part in kept])

    @property
    def _as_words(self) -> bool:
        return self._form is _FLAGS and self._column.entry in WORDS

    def _decide(self, entries: list[Any]) -> None:
        """What most entries are: how many in a list, and of what form."""
        some = [entry for entry in entries if type(entry) not in _NOTHING]
        if not some:
            return
        kinds = Counter(map(type, some))
        forms = _FORMS[self._column.entry]
        # the first decides where as many are lists as are not
        if self._column.axes > 1 and 2 * kinds[list] + (type(some[0]) is list) > len(some):
            lists = [entry for entry in some if type(entry) is list and entry]
            if lists:
                self._width = Counter(map(len, lists)).most_common(1)[0][0]
                kinds = Counter(map(type, chain.from_iterable(lists)))
                if self._column.text_axes == 1:
                    forms = tuple(form for form in forms if form is not _STRINGS)
        first = next(iter(kinds), float)
        self._form = max(forms, key=lambda form: (sum(kinds[kind] for kind in form), first in form))

    @property
    def _filler(self) -> Any:  # noqa: ANN401 - an entry of the form
        return "" if self._form is _STRINGS else False if self._form is _FLAGS else 0

    def _single(self, entries: list[Any], odd: Odd) -> list[Any]:
        """The entries, with something harmless for each that is not of the form."""
        form = self._form or _NUMBERS
        if set(map(type, entries)) <= form:
            return entries
        for at, entry in enumerate(entries):
            if type(entry) not in form:
                is_list = type(entry) is list
                odd[at] = ("a list where a single entry is expected" if is_list else _NOT[form], ())
        filler = self._filler
        return [filler if at in odd else entry for at, entry in enumerate(entries)]

    def _rows(self, rows: list[Any], odd: Odd) -> list[Any]:
        """The entries of lists, with harmless ones for each list that is not as most are."""
        form = self._form or _NUMBERS
        if set(map(type, rows)) == {list} and set(map(len, rows)) == {self._width}:
            flat = list(chain.from_iterable(rows))
            if set(map(type, flat)) <= form:
                return flat
        for at, row in enumerate(rows):
            if type(row) is not list:
                odd[at] = ("a single entry where a list is expected", ())
            elif len(row) != self._width:
                odd[at] = (f"{len(row)} entries where others have {self._width}", ())
            elif not set(map(type, row)) <= form:
                place = next(i for i, entry in enumerate(row) if type(entry) not in form)
                odd[at] = (self._flaw(row[place], form), (place,))
        filler = [self._filler] * self._width
        kept = (filler if at in odd else row for at, row in enumerate(rows))
        return list(chain.from_iterable(kept))

    def _flaw(self, entry: Any, form: frozenset[type]) -> str:  # noqa: ANN401 - of any kind
        """What is wrong with an entry of a list that is not of the form."""
        if entry is None:
            return NULL
        return LISTED_TEXT if type(entry) is str and self._column.flat_texts else _NOT[form]

    def _kept(self, values: list[Any], odd: Odd) -> Any:  # noqa: ANN401 - a list, or an array
        """The entries as they are kept."""
        if self._form is None:
            return None
        if self._form is _STRINGS:
            self._room.take_texts(set(values))
            return values
        if self._as_words:
            return ["true" if entry else "false" for entry in values]
        if self._column.entry in WHOLE and set(map(type, values)) <= _WHOLE:
            try:
                return packed(values)
            except OverflowError:
                return packed(self._replaced(values, are_beyond(values), odd))
        try:
            numbers = np.array(values, np.float64)
        except OverflowError:
            beyond = [not -_LARGEST <= entry <= _LARGEST for entry in values]
            numbers = np.array(self._replaced(values, beyond, odd, _INFINITE), np.float64)
        finite = np.isfinite(numbers)
        if not finite.all():
            self._replaced(values, (~finite).tolist(), odd, _INFINITE)
            numbers[~finite] = 0.0
        return numbers

    def _replaced(
        self, values: list[Any], bad: Sequence[bool | str], odd: Odd, detail: str = BEYOND
    ) -> list[Any]:
        """The entries with 0 for each that is bad."""
        width = self._width or 1
        for at in [at for at, flag in enumerate(bad) if flag]:
            row, place = divmod(at, width)
            said = bad[at]
            reason = said if isinstance(said, str) else detail
            odd.setdefault(row, (reason, (place,) if self._width else ()))
        return [0 if flag else entry for entry, flag in zip(values, bad, strict=True)]


_INFINITE = "not a finite number"
