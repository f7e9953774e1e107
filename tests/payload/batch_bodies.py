"""Batches to send: the same columns in every type of body."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from kullback.payload.body import Body
from kullback.payload.media import ARROW, ARROW_FILE, JSON, LINES, PARQUET
from kullback.requests.reading import read_batch
from kullback.requests.validation import Model
from tests.payload.bodies import as_arrow, as_arrow_file, as_json, as_parquet

CAP = 1 << 26
NDJSON, JSONL = LINES
Columns = dict[str, Any]


def rows_of(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of columns; those of an object of columns are objects."""
    turned = {
        name: rows_of(values) if isinstance(values, Mapping) else values
        for name, values in columns.items()
    }
    return [dict(zip(turned, row, strict=True)) for row in zip(*turned.values(), strict=True)]


def as_lines(rows: list[dict[str, Any]], end: str = "\n") -> bytes:
    """Each row as a line of JSON."""
    return end.join(map(json.dumps, rows)).encode()


def dotted(columns: Columns) -> Any:  # noqa: ANN401 - pyarrow has no types
    """A table whose columns within an object are named as slice.country."""
    flat: Columns = {}
    for name, values in columns.items():
        if isinstance(values, Mapping):
            flat |= {f"{name}.{key}": column for key, column in values.items()}
        else:
            flat[name] = values
    return pa.table(flat)


def bodies(columns: Columns) -> Iterator[tuple[str, bytes]]:
    """The same columns as every type of body."""
    yield JSON, as_json(columns)
    for media_type in LINES:
        yield media_type, as_lines(rows_of(columns))
    for table in (dotted(columns), pa.Table.from_pylist(rows_of(columns))):
        yield ARROW, as_arrow(table)
        yield ARROW, as_arrow(table.to_batches(max_chunksize=2), compression="zstd")
        yield ARROW_FILE, as_arrow_file(table)
        yield PARQUET, as_parquet(table)


def read(model: type[Model], raw: bytes, media_type: str = JSON) -> Model:
    """What a body says."""
    return read_batch(Body(bytearray(raw), media_type, "identity"), [], model, CAP)
