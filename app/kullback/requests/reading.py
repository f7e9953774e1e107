"""A batch of rows, from bytes of any type to a checked request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kullback.errors import InvalidInput, InvalidRows, KullbackError
from kullback.numerics.types import Indices
from kullback.payload import ndjson
from kullback.payload.body import Body, decompressed
from kullback.payload.columns import Column
from kullback.payload.json_object import member
from kullback.payload.media import JSON, LINES
from kullback.payload.read import Query, batch_fields, is_list_of_records
from kullback.payload.room import inflation_limit
from kullback.payload.row_marks import RowMarks
from kullback.requests.batches import PlacedBatch, RowBatch, ScreenedBatch
from kullback.requests.validation import Model, array_fields, required_fields, validated
from kullback.scoring.column_names import Names, without_names
from kullback.scoring.label_types import rows_of
from kullback.scoring.nullable import Nullable
from kullback.scoring.screening import OnInvalid, RowPlaces, Screening, screened

_NO_OPTIONS = "there are no options here"
_OPTION = "on_invalid"
_QUOTED = b'"on_invalid"'


def read_batch(body: Body, query: Query, model: type[Model], cap: int) -> Model:
    """A checked request, whatever the body's type; without bad rows if those are to be dropped.

    Raises:
        BodyError: the body cannot be read.
        InvalidInput: a field is missing, unknown or not of its kind, or an option is.
    """
    given = _options(query, model)
    cap = inflation_limit(len(body.raw), cap)
    raw, columns = decompressed(body, cap), array_fields(model)
    on_invalid = _on_invalid(given, body.media_type, raw, model)
    marks = RowMarks(drop=on_invalid == "drop", required=required_fields(model))
    try:
        fields = batch_fields(raw, body.media_type, columns, cap, marks)
    except KullbackError as error:
        raise _places(body, raw, None).named(error) from error
    fields, names = without_names(fields)
    for name in given.keys() & fields.keys():
        raise InvalidInput.at("sent both in the body and as an option", name)
    rows = _Fields(fields | given, columns, marks.count)
    screening = Screening(on_invalid, _places(body, raw, len(rows)))
    if not issubclass(model, ScreenedBatch) or not rows.are_of_one_length:
        try:
            whole = _named(validated(model, rows.values), names)
        except InvalidRows as error:
            raise screening.places.named(error) from error
        if isinstance(whole, PlacedBatch):
            whole.keep(screening)
        return whole
    if marks.refusals:
        screening, stay = screening.without(marks.refusals, len(rows))
        rows = rows.taken(stay)
    batch, rows, screening = screened(rows, lambda some: validated(model, some.values), screening)
    if batch is None:
        is_empty = screening.places.by_row and (marks.drop or not marks.count)
        batch = validated(model, rows.without_rows if is_empty else rows.values)
    batch.keep(screening)
    return _named(batch, names)


def _named(batch: Model, names: Mapping[str, Names]) -> Model:
    if isinstance(batch, RowBatch):
        batch.keep_names(names)
    return batch


def _options(query: Query, model: type[Model]) -> dict[str, object]:
    """The parameters of the query that are options of the batch.

    Raises:
        InvalidInput: one is none, or stands twice.
    """
    columns, options = array_fields(model), list[str]()
    if issubclass(model, ScreenedBatch):
        options = [name for name in model.model_fields if name not in columns]
    given: dict[str, object] = {}
    for name, value in query:
        if name not in options:
            detail = f"the options are {', '.join(options)}" if options else _NO_OPTIONS
            raise InvalidInput.at(detail, name)
        if name in given:
            raise InvalidInput.at("stands twice", name)
        given[name] = value
    return given


def _on_invalid(
    given: Mapping[str, object], media_type: str, raw: bytearray, model: type[Model]
) -> OnInvalid:
    """What to do with bad rows, as it is said before they are read."""
    value = given.get(_OPTION)
    if media_type == JSON and issubclass(model, ScreenedBatch) and _QUOTED in raw:
        value = value or member(raw, _OPTION)
    return "drop" if value == "drop" else "error"


def _places(body: Body, raw: bytearray, n: int | None) -> RowPlaces:
    if body.media_type in LINES:
        return RowPlaces(by_row=True, lines=ndjson.line_numbers(raw, n))
    return RowPlaces(by_row=is_list_of_records(raw, body.media_type))


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of a batch as they were read, as rows."""

    values: dict[str, Any]
    columns: Mapping[str, Column]
    rows: int = 0  # where those are not the entries of columns

    def __len__(self) -> int:
        return max(self._lengths, default=self.rows)

    @property
    def are_of_one_length(self) -> bool:
        """Whether each column has as many rows."""
        return len(set(self._lengths)) < 2

    @property
    def _lengths(self) -> list[int]:
        parts = [
            part
            for name in self.columns.keys() & self.values.keys()
            for part in _parts(self.values[name])
        ]
        return [len(part) for part in parts if isinstance(part, list | Nullable) or np.ndim(part)]

    @property
    def without_rows(self) -> dict[str, Any]:
        """The same, with columns that are empty, each that may be there."""
        lists = [name for name, column in self.columns.items() if column.plain or not column.keys]
        none = {name: np.zeros(0) for name in lists}
        return self.values | none

    def taken(self, rows: Indices) -> "_Fields":
        """Those of some rows."""
        columns = self.columns.keys() & self.values.keys()
        values = self.values | {name: _some(self.values[name], rows) for name in columns}
        return replace(self, values=values, rows=rows.size)


def _parts(value: object) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else [value]


def _some(value: Any, rows: Indices) -> Any:  # noqa: ANN401 - as a reader made it
    if isinstance(value, Mapping):
        return {name: _some(part, rows) for name, part in value.items()}
    if isinstance(value, Nullable):
        return Nullable(rows_of(value.values, rows), value.missing[rows])
    return rows_of(value, rows)
