"""Table of rows that come as objects: the fields that most of them have are its columns."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kullback.payload.columns import LONGEST_NAME, Column
from kullback.payload.entries import ABSENT, Entries
from kullback.payload.field_names import no_such_field
from kullback.payload.room import Room
from kullback.payload.row_marks import MISSING, NULL, Place, RowMarks

Row = dict[str, Any]
_NOT_FIRST = "this field is not in the first row"


class RowTable:
    """The columns of objects, piece by piece, or those of an object within each.

    Attributes:
        count: how many rows there are.
        absent: rows without any of it.
    """

    def __init__(
        self, columns: Mapping[str, Column] | Column, room: Room, marks: RowMarks, place: Place = ()
    ) -> None:
        self._columns = columns
        self._room = room
        self._marks = marks
        self._place = place
        self._parts: dict[str, RowTable | Entries] = {}
        self.count = 0
        self.absent: list[int] = []

    def add(self, rows: list[Any], offset: int) -> int:
        """Take rows that begin at `offset`; how many keys they have."""
        if set(map(type, rows)) != {dict}:
            rows = self._objects(rows, offset)
        values = self._alike(rows) or self._searched(rows, offset)
        keys = sum(map(len, rows))
        for name, entries in values.items():
            keys += self._parts[name].add(entries, offset) or 0
        self.count = offset + len(rows)
        return keys

    def pad(self, count: int) -> None:
        """Take so many rows without it, before any that has it."""
        self.absent.extend(range(count))
        self.count = count

    def closed(self) -> dict[str, object]:
        """What each field held, once rows that lack one are marked."""
        self.close(self._marks.required, self._marks.rows)
        self._marks.count = self.count
        return self.joined()

    def joined(self) -> dict[str, object]:
        """What each field held."""
        return {name: part.joined() for name, part in self._parts.items()}

    def close(self, required: Collection[str], bad: set[int]) -> None:
        """Mark rows that lack a field of most of them, or have one of few; `bad` are out already.

        The first row decides where as many rows have a field as have it not.
        """
        gone = bad.union(self.absent)
        total = self.count - len(gone)
        first = next((row for row in range(self.count) if row not in gone), 0)
        for name, part in self._parts.items():
            lacking = [row for row in part.absent if row not in gone]
            if isinstance(part, RowTable):
                part.close((), bad)
            if self._is_optional(name) or not lacking or len(lacking) == total:
                continue
            place, without = (*self._place, name), set(lacking)
            has = total - len(lacking)
            if name in required or 2 * has > total or (2 * has == total and first not in without):
                self._marks.mark(place, lacking, lambda _: (MISSING, ()))
            else:
                few = [r for r in range(self.count) if r not in without and r not in gone]
                self._marks.mark(place, few, lambda _: (_NOT_FIRST, ()))
        if self._marks.drop:
            for name in sorted(set(required) - self._parts.keys()):
                rows = [row for row in range(self.count) if row not in gone]
                self._marks.mark((name,), rows, lambda _: (MISSING, ()))

    def _is_optional(self, name: str) -> bool:
        column = self._columns if isinstance(self._columns, Column) else self._columns[name]
        return column.nullable

    def _objects(self, rows: list[Any], offset: int) -> list[Row]:
        """The objects, with one of no fields for what is none."""
        self.absent += [offset + at for at, row in enumerate(rows) if row is ABSENT]
        may_miss = isinstance(self._columns, Column) and self._columns.nullable
        nulls = [] if may_miss else [offset + at for at, row in enumerate(rows) if row is None]
        self._marks.mark(self._place, nulls, lambda _: (NULL, ()))
        kinds = (dict, type(None), type(ABSENT))
        odd = [offset + at for at, row in enumerate(rows) if type(row) not in kinds]
        self._marks.mark(self._place, odd, lambda _: ("an object is expected", ()))
        return [row if type(row) is dict else {} for row in rows]

    def _alike(self, rows: Sequence[Row]) -> dict[str, list[Any]]:
        """The entries of each field, of rows that have all of them and no other; else nothing."""
        if set(map(len, rows)) != {len(self._parts)}:
            return {}
        try:
            return {name: [row[name] for row in rows] for name in self._parts}
        except KeyError:
            return {}

    def _searched(self, rows: Sequence[Row], offset: int) -> dict[str, list[Any]]:
        """The entries of each field, of rows that do not all have the same."""
        unread = set[str]()
        for row in rows:
            for name, value in row.items():
                if name in self._parts or name in unread:
                    continue
                if not self._opened(name, value, offset):
                    unread.add(name)
        odd = {
            offset + at: next(name for name in row if name in unread)
            for at, row in enumerate(rows)
            if not unread.isdisjoint(row)
        }
        self._marks.mark(self._place, [*odd], lambda row: self._unread(odd[row]))
        return {name: [row.get(name, ABSENT) for row in rows] for name in self._parts}

    def _column(self, name: str) -> Column | None:
        """The column that a field is, if it is read."""
        if isinstance(self._columns, Column):
            is_read = len(self._parts) < self._columns.keys and len(name) <= LONGEST_NAME
            return self._columns.single if is_read else None
        column = self._columns.get(name)
        return column if column is not None and column.per_row else None

    def _opened(self, name: str, value: object, offset: int) -> bool:
        """Whether a field of this name is read; then it has a part from now on."""
        column = self._column(name)
        if column is None:
            return False
        place = (*self._place, name)
        part: RowTable | Entries
        if column.keys and (not column.plain or isinstance(value, dict)):
            part = RowTable(column, self._room, self._marks, place)
        else:
            part = Entries(place, column.single, self._room, self._marks)
        part.pad(offset)
        self._parts[name] = part
        return True

    def _unread(self, name: str) -> tuple[str, Sequence[str]]:
        """Why a field is not read, and where that is to be said."""
        if len(name) > LONGEST_NAME:
            return "a key is too long", ()
        if isinstance(self._columns, Column):
            return f"more than {self._columns.keys} keys", ()
        names = [each for each in self._columns if self._columns[each].per_row]
        return no_such_field(name, names), (name,)
