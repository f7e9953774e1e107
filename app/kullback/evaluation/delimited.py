"""Delimited text (CSV): a header, and cells whose types are those that all of them fit."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from kullback.errors import InvalidInput
from kullback.evaluation.columns import Columns, numpy_of
from kullback.evaluation.formats import MAX_BATCH, FileContents, StoredFile
from kullback.numerics.types import Indices

_BLOCK = 1 << 22  # bytes
# as pandas, R, SQL, spreadsheets and JSON write that there is no number
_MISSING = ("NA", "NaN", "nan", "null", "NULL", "None", "N/A", "n/a", "#N/A", "<NA>")
_FITS: Mapping[pa.DataType, str] = {
    pa.bool_(): r"^([Tt]rue|TRUE|[Ff]alse|FALSE)$",
    pa.int64(): r"^-?(0|[1-9][0-9]{0,17})$",  # 007 is a name
    pa.float64(): r"^\s*-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$",
}


def contents(file: StoredFile, columns: Columns) -> FileContents:
    """The columns of the header, each of the first type that all its cells fit, and the rows.

    Raises:
        pyarrow.ArrowException: it is not CSV.
    """
    with _opened(file) as reader:
        header = reader.schema.names
    once = [name for name in columns.names() if header.count(name) == 1]
    types = {name: columns.text_types(name) for name in once}
    rows = 0
    with _opened(file, once) as reader:
        for batch in reader:
            rows += batch.num_rows
            for name in once:
                while len(types[name]) > 1 and _misfits(batch.column(name), types[name][0]).size:
                    types[name] = types[name][1:]
    fields = [(name, types[name][0] if name in types else pa.string()) for name in header]
    return FileContents(pa.schema(fields), [rows])


def batches(file: StoredFile, columns: Columns, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows in their order, with the columns that are needed, of the types that are said.

    Raises:
        InvalidInput: a cell is not of its type.
    """
    with _opened(file) as reader:
        header = reader.schema.names
    names, start = [name for name in columns.names() if name in header], 0
    with _opened(file, names) as reader:
        for batch in reader:
            for at in range(0, batch.num_rows, MAX_BATCH):
                part = batch.slice(at, MAX_BATCH)
                cells = {
                    name: _typed(file, name, part.column(name), schema.field(name).type, start)
                    for name in names
                }
                yield pa.RecordBatch.from_pydict(cells)
                start += part.num_rows


def _opened(file: StoredFile, names: Sequence[str] = ()) -> csv.CSVStreamingReader:
    """A reader of some columns, of all where none is named, as text; an empty cell is null."""
    convert = csv.ConvertOptions(
        include_columns=list(names),
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    read = csv.ReadOptions(use_threads=False, block_size=_BLOCK)
    parse = csv.ParseOptions(delimiter=file.delimiter, newlines_in_values=True)
    return csv.open_csv(file.filesystem.open_input_stream(file.path), read, parse, convert)


def _misfits(cells: pa.Array, kind: pa.DataType) -> Indices:
    """The places of cells that are not of a type."""
    fits = pc.match_substring_regex(_there(cells, kind), _FITS[kind])
    return np.flatnonzero(numpy_of(fits.fill_null(fill_value=True)) == 0)


def _there(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """The cells; null where what is written means that there is no number."""
    if kind == pa.string():
        return cells
    return pc.if_else(pc.is_in(cells, pa.array(_MISSING)), pa.scalar(None, pa.string()), cells)


def _typed(file: StoredFile, name: str, cells: pa.Array, kind: pa.DataType, start: int) -> pa.Array:
    written = _there(cells, kind)
    if kind == pa.string():
        return written
    if kind == pa.bool_():
        return pc.utf8_lower(written).cast(kind)
    try:
        return pc.utf8_trim_whitespace(written).cast(kind)
    except pa.ArrowInvalid as error:
        at = int(_misfits(cells, kind)[0])
        row, cell = start + at, str(cells[at].as_py())[:80]
        detail = f"{file.name}: the column {name} holds {cell!r} in row {row + 1}: no number"
        raise InvalidInput.at(detail, name, row) from error
