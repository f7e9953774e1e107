"""Row fields: what of a request has rows, which rows miss something, and the rest of them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np
from pydantic import BaseModel

from kullback.errors import FieldError, InvalidInput, Step, pointer
from kullback.numerics.types import Flags, Indices
from kullback.payload.columns import Column
from kullback.requests.validation import array_fields
from kullback.scoring.cost import rows
from kullback.scoring.nullable import Nullable
from kullback.scoring.refusals import ERRORS_NAMED
from kullback.scoring.tokens import Ragged
from kullback.scoring.top_log_probs import KeptTokens


class UnequalRows(InvalidInput):
    """The fields of a request are of different numbers of rows."""


_SEQUENCES = (Ragged, KeptTokens)


@cache
def row_columns(model: type[BaseModel]) -> Mapping[str, Column]:
    """The fields of a request whose rows may be left out."""
    columns = array_fields(model)
    weights_last = sorted(columns, key="sample_weight".__eq__)
    return {name: columns[name] for name in weights_last if columns[name].rows}


@dataclass(frozen=True, slots=True)
class RowField:
    """A field of n rows, or of one thing that holds for all of them.

    Attributes:
        name: of the field.
        value: as it was read.
        start: the first of its rows; not 0 where samples follow one another.
        count: how many rows it has; None where it holds for all, as one number or one row does.
        masked: which entries may be missing, as they do not count; None for none.
    """

    name: str
    value: object
    start: int = 0
    count: int | None = None
    masked: Flags | None = None

    def missing(self) -> Flags:
        """Which of its rows miss something; one flag where it holds for all rows."""
        flags = self._missing_entries()
        if self.count is None:
            return np.array([flags.any()])
        if isinstance(self.value, _SEQUENCES):
            owner = np.repeat(np.arange(self.count), self.value.lengths)
            return np.bincount(owner[flags], minlength=self.count) > 0
        rows: Flags = np.any(flags.reshape(self.count, -1), axis=1)
        return rows

    def places(self, excluded: Flags) -> Iterator[tuple[Step, ...]]:
        """Where something is missing in rows that are not excluded."""
        flags = self._missing_entries()
        for at in np.flatnonzero(flags).tolist():
            place = self._place(at, flags.shape)
            if self.count is None or not excluded[self.start + place[0]]:
                yield (self.name, *place)

    def _place(self, at: int, shape: tuple[int, ...]) -> tuple[int, ...]:
        if isinstance(self.value, _SEQUENCES):
            return self.value.place(at)
        return tuple(int(step) for step in np.unravel_index(at, shape))

    def of_rows(self, kept: Indices) -> object:
        """The field of some of its rows alone."""
        value = self.value
        if isinstance(value, Nullable):
            return value.present(kept)
        if isinstance(value, _SEQUENCES):
            return value.sequences(kept)
        if isinstance(value, np.ndarray):
            return value[kept]
        assert isinstance(value, list)
        return [value[row] for row in kept.tolist()]

    def _missing_entries(self) -> Flags:
        """A mask of another shape masks nothing: the metric refuses it, and says why."""
        flags = _missing_entries(self.value)
        if self.masked is None or self.masked.shape != flags.shape:
            return flags
        return flags & ~self.masked


def _missing_entries(value: object) -> Flags:
    """Which entries of a field are missing, in its shape."""
    if isinstance(value, Nullable):
        return value.missing
    if isinstance(value, KeptTokens):
        return _missing_objects(value.kept)
    entries = value.values if isinstance(value, Ragged) else value
    if isinstance(entries, list):
        return _missing_objects(entries)
    assert isinstance(entries, np.ndarray)
    return np.isnan(entries) if entries.dtype.kind == "f" else np.zeros(entries.shape, np.bool_)


def _missing_objects(entries: Sequence[object]) -> Flags:
    """Which are None, or objects in which a number is missing."""
    lost = (
        each is None or (isinstance(each, Mapping) and any(map(math.isnan, each.values())))
        for each in entries
    )
    return np.fromiter(lost, np.bool_, len(entries))


@dataclass(frozen=True, slots=True)
class RowFields:
    """The fields of a request that have rows, and how many rows that is."""

    n: int
    fields: Sequence[RowField]

    @classmethod
    def of(
        cls,
        request: BaseModel,
        axes: Mapping[str, int],
        lists: Sequence[str] = (),
        masked: Mapping[str, Flags] = MappingProxyType({}),
    ) -> "RowFields":
        """The row fields that were sent.

        Args:
            request: that was sent.
            axes: how many axes one row has, where [k] is one row.
            lists: its fields of rows that are no arrays.
            masked: which entries of a field do not count.

        Raises:
            UnequalRows: they are of different numbers of rows.
        """
        names = (*row_columns(type(request)), *lists)
        sent = {name: value for name in names if (value := getattr(request, name)) is not None}
        if not sent:
            return cls(0, [])
        counts = {name: _count(value, axes.get(name, 0)) for name, value in sent.items()}
        sure = [name for name in sent if name in axes or isinstance(sent[name], _SEQUENCES)]
        several = [name for name in sure or counts if counts[name] > 1]  # else [k] may be one row
        first = next(iter(several), "")
        n = counts.get(first, 1)
        for name, count in counts.items():
            if n > 1 and count not in (1, n):
                raise UnequalRows.at(f"{name} has {count} rows but {first} has {n}", name)
        return cls(
            n,
            [
                RowField(name, value, 0, n if counts[name] == n > 1 else None, masked.get(name))
                for name, value in sent.items()
            ],
        )

    @classmethod
    def of_samples(cls, request: BaseModel) -> "RowFields":
        """Samples of their own: the rows of one follow those of the other."""
        fields, start = [], 0
        for name in row_columns(type(request)):
            if (value := getattr(request, name)) is not None and name != "sample_weight":
                fields.append(RowField(name, value, start, rows(value)))
                start += rows(value)
        return cls(start, fields)

    def missing(self) -> Flags:
        """Which rows miss something."""
        flags = np.zeros(self.n, np.bool_)
        for field in self.fields:
            where = slice(None) if field.count is None else _rows_of(field)
            flags[where] |= field.missing()
        return flags

    def refusal(self, excluded: Flags, count: int) -> InvalidInput:
        """The refusal of what is missing in rows that are not excluded."""
        places = [place for field in self.fields for place in field.places(excluded)]
        detail = f'null or NaN, as in {count} of {self.n} rows: missing: "drop" leaves them out'
        offences = [FieldError(pointer(*place), detail) for place in places[:ERRORS_NAMED]]
        return InvalidInput(f"{places[0][0]}: {detail}", offences, len(places))

    def of_rows(self, kept: Indices) -> dict[str, object]:
        """The fields of some rows alone."""
        return {
            field.name: field.of_rows(_own(field, kept))
            for field in self.fields
            if field.count is not None
        }

    def moved(self, error: InvalidInput, kept: Indices) -> InvalidInput:
        """The refusal of a request of these rows alone, with the places of the whole one."""
        rows_of = {field.name: _own(field, kept) for field in self.fields if field.count}
        offences = []
        for offence in error.offences:
            _, name, *steps = offence.pointer.split("/")
            own = rows_of.get(name)
            if own is not None and steps and steps[0].isdecimal() and int(steps[0]) < own.size:
                steps[0] = str(own[int(steps[0])])
            offences.append(replace(offence, pointer="/".join(("", name, *steps))))
        return InvalidInput(error.message, offences, error.total)

    def is_about_rows(self, error: InvalidInput) -> bool:
        """Whether a refusal is of what stands in rows."""
        names = {field.name for field in self.fields}
        return all(offence.pointer.split("/")[1] in names for offence in error.offences)

    def own_rows(self, name: str, kept: Indices) -> tuple[Indices, int]:
        """Which rows of one field are kept, and of how many; those of all where it is ""."""
        if not name:
            return kept, self.n
        field = next(field for field in self.fields if field.name == name)
        return _own(field, kept), field.count or self.n


def _rows_of(field: RowField) -> slice:
    return slice(field.start, field.start + (field.count or 0))


def _own(field: RowField, kept: Indices) -> Indices:
    """The kept rows that are of this field, counted from its first."""
    own: Indices = kept[(kept >= field.start) & (kept < field.start + (field.count or 0))]
    return own - field.start


def _count(value: object, axes: int) -> int:
    """How many rows there are, each of so many axes."""
    return 1 if isinstance(value, np.ndarray) and value.ndim <= axes else rows(value)
