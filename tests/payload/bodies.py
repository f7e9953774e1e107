"""Writers of request bodies: fields as JSON, tables as Arrow, as an Arrow file and as Parquet."""

import io
import json
import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kullback.payload.media import ARROW, JSON, PARQUET
from kullback.requests import REQUESTS
from kullback.requests.validation import array_fields


def as_json(fields: Mapping[str, Any]) -> bytes:
    """The fields as a JSON object."""
    return json.dumps(fields).encode()


def as_arrow(table: Any, **options: Any) -> bytes:  # noqa: ANN401 - pyarrow has no types
    """The table, or several batches, as an Arrow stream."""
    batches = table if isinstance(table, list) else table.to_batches()
    sink = io.BytesIO()
    chosen = pa.ipc.IpcWriteOptions(**options)
    schema = batches[0].schema if isinstance(table, list) else table.schema
    with pa.ipc.new_stream(sink, schema, options=chosen) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()


def as_arrow_file(table: Any, **options: Any) -> bytes:  # noqa: ANN401 - pyarrow has no types
    """The table, or several batches, as an Arrow file: the random-access format."""
    batches = table if isinstance(table, list) else table.to_batches()
    sink = io.BytesIO()
    chosen = pa.ipc.IpcWriteOptions(**options)
    schema = batches[0].schema if isinstance(table, list) else table.schema
    with pa.ipc.new_file(sink, schema, options=chosen) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()


def as_parquet(table: Any, **options: Any) -> bytes:  # noqa: ANN401 - pyarrow has no types
    """The table as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def as_table(metric: str, fields: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The lists of a request as a table, and the rest as options.

    Where one of them is not one entry per row, all are lists in the cells of a single row. Lists
    by name are a struct column.
    """
    known = array_fields(REQUESTS[metric])
    lists = {name: infinite(fields[name]) for name in known if isinstance(fields.get(name), list)}
    if not all(known[name].per_row for name in lists):
        lists = {name: [values] for name, values in lists.items()}
    for name in known:
        if isinstance(fields.get(name), dict):
            named = fields[name]
            lists[name] = pa.StructArray.from_arrays(map(pa.array, named.values()), [*named])
    return pa.table(lists), {name: fields[name] for name in fields.keys() - lists.keys()}


def infinite(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same with the number where the word for it stands."""
    if isinstance(value, list):
        return [infinite(item) for item in value]
    return -math.inf if value == "-Infinity" else value


def typed(media_type: str, encoding: str | None = None) -> dict[str, str]:
    """The headers of a body of this type."""
    headers = {"content-type": media_type}
    return headers if encoding is None else headers | {"content-encoding": encoding}


IS_JSON, IS_ARROW, IS_PARQUET = typed(JSON), typed(ARROW), typed(PARQUET)
