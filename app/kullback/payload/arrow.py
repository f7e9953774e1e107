"""Reader of Arrow streams and files and of Parquet files: columns without a copy."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import groupby

import numpy as np
import pyarrow as pa

from kullback.errors import BodyTooLarge, InvalidInput, MalformedBody
from kullback.numerics.types import Array, Indices
from kullback.payload.arrow_size import NOT_ARROW, inflated_size, stream_of
from kullback.payload.arrow_types import plain_type
from kullback.payload.arrow_values import Place, is_list, is_text, ragged, values
from kullback.payload.columns import TEXTUAL, Column, EntryType
from kullback.payload.field_names import meant
from kullback.payload.json_scan import MAX_AXES
from kullback.payload.pandas_index import IndexNames
from kullback.payload.parquet_size import check_size
from kullback.payload.room import Room
from kullback.payload.row_marks import RowMarks
from kullback.scoring.column_names import NamedColumns
from kullback.scoring.nullable import Nullable

_ROWS = ("y_proba", "logits", "q", "p")
_NUMBERED = re.compile(r"\D+\d+")
_PREFIXED = re.compile(r"(?:p|q|probs?|proba|pred|score|logit)_(.{1,60})", re.IGNORECASE)
_NO_COLUMN = "there is no such column; options are query parameters"
_INSTEAD = {
    EntryType.TIME: ": epoch seconds (float64 or integers), timestamps and RFC 3339 strings are",
    EntryType.ID: ": strings, integers and UUIDs are",
    EntryType.VALUE: ": strings, integers, booleans and UUIDs are",
    EntryType.NUMBER: ": numbers are",
}
_MALFORMED = (pa.ArrowException, OSError, KeyError, UnicodeDecodeError)


def parse_arrow(
    body: bytearray, columns: Mapping[str, Column], cap: int, marks: RowMarks | None = None
) -> dict[str, object]:
    """The columns of an Arrow IPC stream, or of a file in the random-access format.

    With `marks` nulls and lists of odd lengths make bad rows.

    Raises:
        MalformedBody: it is neither.
        BodyTooLarge: its compressed buffers inflate beyond the cap, or its entries occupy more.
        InvalidInput: a column is unknown, of a type that is not read, has nulls or is ragged.
    """
    stream = stream_of(memoryview(body))
    if inflated_size(stream) > cap:
        raise BodyTooLarge(f"the compressed buffers inflate to more than {cap} bytes")
    try:
        with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
            checked = _checked(reader.schema, columns, may_be_null=marks is not None)
            table = pa.Table.from_batches(reader, reader.schema)
            table.validate()  # what it points to is checked column by column
    except _MALFORMED as error:
        raise MalformedBody(NOT_ARROW) from error
    return _columns(table, checked, cap, marks)


def parse_parquet(
    body: bytearray, columns: Mapping[str, Column], cap: int, marks: RowMarks | None = None
) -> dict[str, object]:
    """The columns of a Parquet file: see parse_arrow."""
    # memory that a service which reads only Arrow streams never needs
    import pyarrow.parquet as pq  # noqa: PLC0415

    pages = check_size(memoryview(body), cap)
    source = pa.BufferReader(pa.py_buffer(body))
    try:
        with pq.ParquetFile(
            source, thrift_string_size_limit=1 << 20, thrift_container_size_limit=1 << 20
        ) as file:
            checked = _checked(file.schema_arrow, columns, may_be_null=marks is not None)
            schema, metadata = file.schema, file.metadata
        paths = [schema.column(at) for at in range(len(schema) if pages.coded else 0)]
        texts = [each.path for each in paths if each.physical_type == "BYTE_ARRAY"]
        # a text stays what its code stands for: it may be long, and stand in many rows
        with pq.ParquetFile(source, metadata=metadata, read_dictionary=texts) as file:
            batches = file.iter_batches(pages.rows_at_once, columns=[*checked], use_threads=False)
            kept = pa.schema([field for field in file.schema_arrow if field.name in checked])
            table = pa.Table.from_batches(list(_within(batches, cap)), kept)
            table.validate()  # what it points to is checked column by column
    except _MALFORMED as error:
        raise MalformedBody("the body is not a valid Parquet file") from error
    return _columns(table, checked, cap, marks)


def _within(batches: Iterator[pa.RecordBatch], cap: int) -> Iterator[pa.RecordBatch]:
    size = 0
    for batch in batches:
        size += batch.nbytes
        if size > cap:
            raise BodyTooLarge(f"the file inflates to more than {cap} bytes")
        yield batch


def _checked(
    schema: pa.Schema, columns: Mapping[str, Column], *, may_be_null: bool = False
) -> dict[str, Column]:
    """What each column of the table holds; those of a field with keys are named as slice.country.

    Such a field may be a struct as well. Those of a field with rows are the entries of each row, by
    their names: y_proba.dog, y_proba.cat. What pandas wrote as its index is passed over.
    """
    checked: dict[str, Column] = {}
    index = IndexNames(schema)
    for field in schema:
        head, dot, _ = field.name.partition(".")
        column = columns.get(head)
        if column is None or (dot and not (column.keys or column.has_parts)):
            if field.name in index:
                continue
            raise InvalidInput.at(no_such_column(field.name, columns), field.name)
        if field.name in checked:
            raise InvalidInput.at("the column stands twice", field.name)
        checked[field.name] = column
        if _is_struct(field.type, column):
            for part in field.type:
                _check_field((field.name, part.name), part, column, may_be_null=may_be_null)
        else:
            _check_field((field.name,), field, column, may_be_null=may_be_null)
    return checked


def no_such_column(name: str, columns: Mapping[str, Column]) -> str:
    """That no field has the name of a column, and what was meant, if that can be told."""
    parts = [each for each in _ROWS if each in columns and columns[each].has_parts]
    if parts and _NUMBERED.fullmatch(name):
        return f"there is no such column: those of rows [n][k] are named as {parts[0]}.0"
    near, prefixed = meant(name, list(columns)), _PREFIXED.fullmatch(name)
    if parts and prefixed and not near:
        named = f"{parts[0]}.{prefixed[1]}"
        return f"there is no such column: that of a label in rows [n][k] is named as {named}"
    if not near and "slice" in columns and not columns["slice"].plain:
        return "there is no such column: those of slices are named as slice.country"
    return f"there is no such column{near}" if near else _NO_COLUMN


def columns_of(table: pa.Table, columns: Mapping[str, Column], cap: int) -> dict[str, object]:
    """The columns of a table that was made here: see parse_arrow."""
    return _columns(table, _checked(table.schema, columns), cap)


def _is_struct(kind: pa.DataType, column: Column) -> bool:
    return column.keys > 0 and bool(pa.types.is_struct(kind))


def _check_field(place: Place, field: pa.Field, column: Column, *, may_be_null: bool) -> None:
    if field.metadata and b"ARROW:extension:name" in field.metadata:
        raise InvalidInput.at("extension types are not read", *place)
    depth, kind = 0, field.type
    while is_list(kind):
        if pa.types.is_fixed_size_list(kind) and kind.list_size < 1:
            raise InvalidInput.at("lists of no entries", *place)
        kind, depth = kind.value_type, depth + 1
    if pa.types.is_dictionary(kind) and depth == 0:
        kind = kind.value_type
    is_read = _is_read(plain_type(kind, column), column.entry)
    is_read |= (column.nullable or may_be_null) and pa.types.is_null(kind)
    if not is_read or depth > MAX_AXES - column.per_row:
        detail = f"a column of type {str(kind)[:40]} is not read here"
        raise InvalidInput.at(f"{detail}{_INSTEAD.get(column.entry, '')}", *place)
    if column.entry is EntryType.TIME and pa.types.is_floating(kind) and kind.bit_width < 64:
        width = kind.bit_width
        holds = "epoch seconds only to ±64 s" if width == 32 else "no number beyond 65,504"
        raise InvalidInput.at(f"float{width} holds {holds}: send float64 or integers", *place)


def _is_read(kind: pa.DataType, wanted: EntryType) -> bool:
    if is_text(kind):
        return wanted in TEXTUAL
    if pa.types.is_timestamp(kind):  # the name of its zone may be no text: then this raises
        return wanted is EntryType.TIME and kind.tz != ""
    if pa.types.is_boolean(kind):
        return wanted is not EntryType.TIME and wanted is not EntryType.ID
    if pa.types.is_floating(kind):
        return wanted is not EntryType.VALUE and wanted is not EntryType.ID
    return bool(pa.types.is_integer(kind))


def _columns(
    table: pa.Table, checked: Mapping[str, Column], cap: int, marks: RowMarks | None = None
) -> dict[str, object]:
    room = Room(cap)
    read = partial(values, room=room, marks=marks)
    one_row = any(not column.per_row for column in checked.values())
    fields: dict[str, object] = {}
    parts: dict[str, dict[str, Array | Indices]] = {}
    for name, column in checked.items():
        chunks = table.column(name)
        if _is_struct(chunks.type, column) and not one_row:
            for field, part in zip(chunks.type, chunks.flatten(), strict=True):
                place = (name, field.name)
                _put(fields, place, read(place, _joined(name, part), column), column)
        else:
            array = _joined(name, chunks)
            if one_row:
                array = _only_cell(name, array)
            head, dot, part_name = name.partition(".")
            if column.ragged:
                value: object = ragged((name,), array, column, room)
            else:
                value = read((name,), array, column)
            if dot and not column.keys:
                parts.setdefault(head, {})[part_name] = _part(name, value)
            else:
                _put(fields, tuple(name.split(".", 1)), value, column)
    for field, arrays in parts.items():
        room.take_entries(sum(array.size for array in arrays.values()))
        if field in fields:
            raise InvalidInput.at("sent both as one column and as several", field)
        fields[field] = NamedColumns(np.stack([*arrays.values()], axis=1), (*arrays,))
    return fields


def _part(name: str, value: object) -> Array | Indices:
    """The entries of one column of several that are one field; NaN where one is missing."""
    if isinstance(value, Nullable) and isinstance(value.values, np.ndarray):
        value = np.where(value.missing, np.nan, value.values)
    if not isinstance(value, np.ndarray) or value.ndim != 1:
        raise InvalidInput.at("single numbers are expected in a part of rows", name)
    return value


def _put(fields: dict[str, object], place: Place, value: object, column: Column) -> None:
    """Keep what a column holds as a field, or as one of the lists that a field holds by name."""
    held = fields.setdefault(place[0], {}) if len(place) > 1 else fields
    if not isinstance(held, dict) or place[-1] in held:
        raise InvalidInput.at("the column stands twice", *place)
    if held is not fields and len(held) == column.keys:
        raise InvalidInput.at(f"more than {column.keys} keys", place[0])
    held[place[-1]] = value


def _joined(name: str, column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece, once its bytes are known to hold together."""
    try:
        if pa.types.is_dictionary(column.type):
            column = pa.chunked_array(_by_dictionary(column), column.type)
        column.validate(full=True)
    except _MALFORMED as error:
        raise MalformedBody.at("its bytes do not hold together", name) from error
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


def _by_dictionary(column: pa.ChunkedArray) -> list[pa.Array]:
    """Batches with the same dictionary as one: it is checked and joined once, not with each."""
    return [
        pa.DictionaryArray.from_arrays(
            pa.concat_arrays([chunk.indices for chunk in chunks]),
            chunks[0].dictionary,
            ordered=column.type.ordered,
            safe=False,
        )
        for chunks in (list(group) for _, group in groupby(column.chunks, _dictionary_place))
    ]


def _dictionary_place(chunk: pa.DictionaryArray) -> tuple[int, ...]:
    kept = chunk.dictionary
    return (
        len(kept),
        kept.offset,
        *(0 if each is None else each.address for each in kept.buffers()),
    )


def _only_cell(name: str, array: pa.Array) -> pa.Array:
    """The list in the one row of a request whose arrays have unequal lengths."""
    if len(array) != 1 or not is_list(array.type) or array.null_count:
        detail = "with a column that is not one entry per row, all are lists in a single row"
        raise InvalidInput.at(detail, name)
    return array.flatten()
