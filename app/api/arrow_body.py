"""This file is about reading Arrow streams and Parquet files: columns without a copy."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from app.api.arrow_size import inflated_size
from app.api.fields import Column, Kind
from app.api.json_scan import MAX_AXES
from app.api.parquet_size import check_size
from app.errors import BodyTooLarge, InvalidInput, MalformedBody
from app.scoring.labels import Labels
from app.scoring.means import Array, Indices
from app.scoring.tokens import Ragged

MAX_BATCHES = 10_000

_MALFORMED = (pa.ArrowException, OSError, KeyError, UnicodeDecodeError)


def parse_arrow(body: bytearray, columns: Mapping[str, Column], cap: int) -> dict[str, object]:
    """The columns of an Arrow IPC stream.

    Raises:
        MalformedBody: it is not an Arrow stream.
        BodyTooLarge: its compressed buffers inflate beyond the cap.
        InvalidInput: a column is unknown, of a type that is not read, has nulls or is ragged.
    """
    buffer = pa.py_buffer(body)
    if inflated_size(memoryview(body)) > cap:
        raise BodyTooLarge(f"the compressed buffers inflate to more than {cap} bytes")
    try:
        with pa.ipc.open_stream(buffer) as reader:
            _check_schema(reader.schema, columns)
            table = pa.Table.from_batches(_bounded(reader), reader.schema)
            table.validate(full=True)
    except _MALFORMED as error:
        raise MalformedBody("the body is not a valid Arrow IPC stream") from error
    return _columns(table, columns, cap)


def parse_parquet(body: bytearray, columns: Mapping[str, Column], cap: int) -> dict[str, object]:
    """The columns of a Parquet file: see parse_arrow."""
    # memory that a service which reads only Arrow streams never needs
    import pyarrow.parquet as pq  # noqa: PLC0415

    check_size(memoryview(body), cap)
    try:
        with pq.ParquetFile(
            pa.BufferReader(pa.py_buffer(body)),
            thrift_string_size_limit=1 << 20,
            thrift_container_size_limit=1 << 20,
        ) as file:
            _check_schema(file.schema_arrow, columns)
            batches = list(_within(file.iter_batches(use_threads=False), cap))
            table = pa.Table.from_batches(batches, file.schema_arrow)
            table.validate(full=True)
    except _MALFORMED as error:
        raise MalformedBody("the body is not a valid Parquet file") from error
    return _columns(table, columns, cap)


def _bounded(reader: pa.RecordBatchStreamReader) -> Iterator[pa.RecordBatch]:
    for number, batch in enumerate(reader):
        if number >= MAX_BATCHES:
            raise BodyTooLarge(f"the stream has more than {MAX_BATCHES} batches")
        yield batch


def _within(batches: Iterator[pa.RecordBatch], cap: int) -> Iterator[pa.RecordBatch]:
    size = 0
    for batch in batches:
        size += batch.nbytes
        if size > cap:
            raise BodyTooLarge(f"the file inflates to more than {cap} bytes")
        yield batch


def _check_schema(schema: pa.Schema, columns: Mapping[str, Column]) -> None:
    for place, field in enumerate(schema):
        if field.name not in columns:
            raise InvalidInput.at(
                "there is no such column; options are query parameters", field.name
            )
        if field.name in schema.names[:place]:
            raise InvalidInput.at("the column stands twice", field.name)
        if field.metadata and b"ARROW:extension:name" in field.metadata:
            raise InvalidInput.at("extension types are not read", field.name)
        _check_type(field.name, field.type, columns[field.name])


def _check_type(name: str, kind: pa.DataType, column: Column) -> None:
    depth = 0
    while _is_list(kind):
        if pa.types.is_fixed_size_list(kind) and kind.list_size == 0:
            raise InvalidInput.at("lists of no entries", name)
        kind, depth = kind.value_type, depth + 1
    if pa.types.is_dictionary(kind) and depth == 0:
        kind = kind.value_type
    text = _is_text(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    if not (number or (text and column.kind is Kind.LABEL)) or depth > MAX_AXES - column.per_row:
        raise InvalidInput.at(f"a column of type {str(kind)[:40]} is not read here", name)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _columns(table: pa.Table, columns: Mapping[str, Column], cap: int) -> dict[str, object]:
    one_row = any(not columns[name].per_row for name in table.column_names)
    fields: dict[str, object] = {}
    for name in table.column_names:
        array = _joined(name, table.column(name))
        if one_row:
            array = _only_cell(name, array)
        read = _ragged if columns[name].ragged else _values
        fields[name] = read(name, array, columns[name], cap)
    return fields


def _ragged(name: str, array: pa.Array, column: Column, cap: int) -> Ragged:
    """Rows of any lengths: their entries one after the other."""
    if not _is_list(array.type):
        raise InvalidInput.at("single entries where lists are expected", name)
    _refuse_nulls(name, array, [len(array)])
    if pa.types.is_fixed_size_list(array.type):
        lengths = np.full(len(array), array.type.list_size, dtype=np.int64)
    else:
        lengths = array.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    entries = array.flatten()
    if _is_list(entries.type):
        raise InvalidInput.at("3 axes or more, where at most 2 are read", name)
    if entries.null_count:
        first = entries.is_null().index(value=True).as_py()
        detail = "null, where a value is expected"
        raise InvalidInput.at(detail, name, *Ragged([], lengths).place(first))
    return Ragged(_values(name, entries, column, cap), lengths)


def _joined(name: str, column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:  # combine_chunks copies even what is in one piece
        return column.chunk(0)
    try:
        array = column.combine_chunks()
    except pa.ArrowException as error:
        detail = "the dictionaries of its batches do not join: send plain values"
        raise InvalidInput.at(detail, name) from error
    if isinstance(array, pa.ChunkedArray):  # no chunks at all
        return pa.array([], column.type)
    return array


def _only_cell(name: str, array: pa.Array) -> pa.Array:
    """The list in the one row of a request whose arrays have unequal lengths."""
    if len(array) != 1 or not _is_list(array.type) or array.null_count:
        detail = "with a column that is not one entry per row, all are lists in a single row"
        raise InvalidInput.at(detail, name)
    return array.flatten()


def _values(name: str, array: pa.Array, column: Column, cap: int) -> Labels:
    shape = [len(array)]
    while _is_list(array.type):
        _refuse_nulls(name, array, shape)
        array, width = _flattened(name, array, shape)
        shape.append(width)
    _refuse_nulls(name, array, shape)
    if len(array) > cap:
        raise BodyTooLarge(f"the column {name} has more than {cap} entries")
    if pa.types.is_dictionary(array.type):
        values = _values(name, array.dictionary, column, cap)
        codes = array.indices.to_numpy(zero_copy_only=False)
        if isinstance(values, list):
            return [values[code] for code in codes.tolist()]
        picked: Array | Indices = values[codes]
        return picked
    if _is_text(array.type):
        strings: list[str] = array.to_pylist()
        return strings
    return _numbers(name, array, column).reshape(shape)


def _refuse_nulls(name: str, array: pa.Array, shape: list[int]) -> None:
    if array.null_count:
        first = array.is_null().index(value=True).as_py()
        place = np.unravel_index(first, shape)
        detail = "null, where a value is expected"
        raise InvalidInput.at(detail, name, *(int(step) for step in place))


def _flattened(name: str, array: pa.Array, shape: list[int]) -> tuple[pa.Array, int]:
    """The entries of lists of one length, and that length."""
    if pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size  # no flatten(): it loads pyarrow.compute, which is 10 MB
        return array.values.slice(array.offset * width, len(array) * width), width
    sizes = array.value_lengths().to_numpy(zero_copy_only=False)
    if sizes.size == 0:
        return array.flatten(), 0
    odd = np.flatnonzero(sizes != sizes[0])
    if odd.size:
        detail = f"{sizes[odd[0]]} entries where others have {sizes[0]}"
        place = np.unravel_index(int(odd[0]), shape)
        raise InvalidInput.at(detail, name, *(int(step) for step in place))
    return array.flatten(), int(sizes[0])


def _numbers(name: str, array: pa.Array, column: Column) -> Array | Indices:
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    values = array.to_numpy(zero_copy_only=False)
    if column.kind is Kind.LABEL and pa.types.is_integer(array.type):
        if values.dtype == np.uint64 and values.size and values.max() >= 2**63:
            raise InvalidInput.at("an integer of more than 63 bits", name)
        integers: Indices = values.astype(np.int64, copy=False)
        return integers
    numbers: Array = values.astype(np.float64, copy=False)
    return numbers
