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
from kullback.payload.media import LINES
from kullback.payload.read import Query, batch_fields
from kullback.payload.room import inflation_limit
from kullback.requests.batches import ScreenedBatch
from kullback.requests.validation import Model, array_fields, validated
from kullback.scoring.label_types import rows_of
from kullback.scoring.nullable import Nullable
from kullback.scoring.screening import OnInvalid, RowPlaces, Screening, screened

_OPTION = "on_invalid"


def read_batch(body: Body, query: Query, model: type[Model], cap: int) -> Model:
    """A checked request, whatever the body's type; without bad rows if those are to be dropped.

    Raises:
        BodyError: the body cannot be read.
        InvalidInput: a field is missing, unknown or not of its kind, or an option is.
    """
    given = _options(query, model)
    cap = inflation_limit(len(body.raw), cap)
    raw, columns = decompressed(body, cap), array_fields(model)
    try:
        fields = batch_fields(raw, body.media_type, columns, cap)
    except KullbackError as error:
        if body.media_type in LINES:
            raise ndjson.placed(error, raw, columns) from error
        raise
    for name in given.keys() & fields.keys():
        raise InvalidInput.at("sent both in the body and as an option", name)
    rows = _Fields(fields | given, columns)
    places = RowPlaces()
    if body.media_type in LINES:
        places = RowPlaces(by_row=True, lines=ndjson.line_numbers(raw, len(rows)))
    screening = Screening(_on_invalid(rows.values), places)
    if not issubclass(model, ScreenedBatch) or not rows.are_of_one_length:
        try:
            return validated(model, rows.values)
        except InvalidRows as error:
            raise screening.named(error) from error
    batch, rows, screening = screened(rows, lambda some: validated(model, some.values), screening)
    if batch is None:
        is_blank = body.media_type in LINES and not raw.strip()
        batch = validated(model, rows.without_rows if is_blank else rows.values)
    batch.screened(screening)
    return batch


def _options(query: Query, model: type[Model]) -> dict[str, object]:
    options = (_OPTION,) if issubclass(model, ScreenedBatch) else ()
    for name, _ in query:
        if name not in options:
            detail = f"the only one is {_OPTION}" if options else "there are no options here"
            raise InvalidInput.at(detail, name)
    if len(query) > 1:
        raise InvalidInput.at("stands twice", query[0][0])
    return dict(query)


def _on_invalid(fields: Mapping[str, object]) -> OnInvalid:
    return "drop" if fields.get(_OPTION) == "drop" else "error"


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of a batch as they were read, as rows."""

    values: dict[str, Any]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return max(self._lengths, default=0)

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
        none = {name: np.zeros(0) for name, column in self.columns.items() if not column.keys}
        return self.values | none

    def taken(self, rows: Indices) -> "_Fields":
        """Those of some rows."""
        columns = self.columns.keys() & self.values.keys()
        return replace(self, values=self.values | {n: _some(self.values[n], rows) for n in columns})


def _parts(value: object) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else [value]


def _some(value: Any, rows: Indices) -> Any:  # noqa: ANN401 - as a reader made it
    if isinstance(value, Mapping):
        return {name: _some(part, rows) for name, part in value.items()}
    if isinstance(value, Nullable):
        return Nullable(rows_of(value.values, rows), value.missing[rows])
    return rows_of(value, rows)
