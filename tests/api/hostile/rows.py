"""Rows of which one field is hostile, in every type of body."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from kullback.payload.media import JSON, LINES
from tests.api.hostile.tables import table_body
from tests.api.hostile.values import COLUMNS, column
from tests.payload.batch_bodies import dotted, rows_of

Columns = Mapping[str, Any]
PART = {  # of a field, as a column of its own
    "slice": "slice.country",
    "features": "features.age",
    "y_proba": "y_proba.a",
    "y_true": "y_true.a",
}


def replaced(
    request: Columns, fields: Sequence[str], values: Sequence[str], media_type: str
) -> Iterator[tuple[str, bytes]]:
    """Each field with each hostile value, or column of a table, in its place: what, and a body."""
    for field in dict.fromkeys(fields):
        if media_type == JSON:
            for value in values:
                yield f"{field} = {value[:40]}", _line(request, field, value).encode()
        elif media_type in LINES:
            for value in values:
                yield from _lines(request, field, value)
        else:
            yield from _tables(request, field, media_type)


def _lines(request: Columns, field: str, value: str) -> Iterator[tuple[str, bytes]]:
    """The value in every row, and in the last one alone."""
    first, *_, last = rows_of(request)
    for what, others in (("every", _line(first, field, value)), ("the last", json.dumps(first))):
        body = f"{others}\n{_line(last, field, value)}".encode()
        yield f"{field} = {value[:40]} in {what} row", body


def _line(row: Mapping[str, Any], field: str, value: str) -> str:
    sent = {name: json.dumps(others) for name, others in row.items()} | {field: value}
    return "{" + ",".join(f'"{name}":{text}' for name, text in sent.items()) + "}"


def _tables(request: Columns, field: str, media_type: str) -> Iterator[tuple[str, bytes]]:
    """The column as it is, and where the field may be an object as a part of it."""
    whole = dotted(dict(request))
    for name in (field, PART[field]) if field in PART else (field,):
        for hostile in COLUMNS:
            columns = {other: whole.column(other) for other in whole.column_names}
            if name == field:  # not beside its parts
                columns = {
                    other: values
                    for other, values in columns.items()
                    if not other.startswith(f"{field}.")
                }
            columns[name] = column(hostile, whole.num_rows)
            yield f"{name} = {hostile}", table_body(pa.table(columns), media_type)
