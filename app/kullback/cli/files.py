"""Input files: a JSON request, or a table whose columns make a request."""

import gzip
import io
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kullback.cli.client import Payload
from kullback.cli.delimited import Delimited, typed
from kullback.cli.file_types import FileType
from kullback.cli.terminal import Failure, Status
from kullback.errors import InvalidInput, first_line, hint
from kullback.payload.columns import Column, EntryType
from kullback.payload.media import ARROW, JSON

Query = list[tuple[str, str]]


class Table(Protocol):
    """A file of named columns."""

    names: list[str]

    def read(self, names: Sequence[str]) -> pa.Table:
        """These columns."""


class _Parquet:
    def __init__(self, source: IO[bytes]) -> None:
        self._file = pq.ParquetFile(source)
        self.names: list[str] = self._file.schema_arrow.names

    def read(self, names: Sequence[str]) -> pa.Table:
        """See Table."""
        return self._file.read(columns=list(names)).select(list(names))


class _Arrow:
    """An Arrow stream; a file in the random-access format is read too."""

    def __init__(self, source: IO[bytes]) -> None:
        content = pa.py_buffer(source.read())
        is_file = content[:6].to_pybytes() == b"ARROW1"
        read = pa.ipc.open_file if is_file else pa.ipc.open_stream
        self._table = read(content).read_all()
        self.names: list[str] = self._table.schema.names

    def read(self, names: Sequence[str]) -> pa.Table:
        """See Table."""
        return self._table.select(list(names))


def read(
    file: str,
    kind: FileType,
    fields: Mapping[str, Column],
    named: Mapping[str, Sequence[str]],
    query: Query,
) -> Payload:
    """The request that a file makes.

    Args:
        file: a path, or - for standard input.
        kind: what it holds.
        fields: the fields of the metric that hold many entries.
        named: the columns that make each field; none at all for columns named as the fields.
        query: the options.

    Raises:
        Failure: the file cannot be read, or has no such column.
        InvalidInput: a cell is missing, or no number where one is expected.
    """
    if kind is FileType.JSON and (named or query):
        name = next(iter(named), None) or query[0][0]
        option = "--" + name.replace("_", "-")
        raise Failure(
            f"{option} is for tables: a JSON request holds its own options", Status.UNUSABLE
        )
    try:
        with _opened(file) as source:
            if kind is FileType.JSON:
                return Payload(JSON, bytearray(source.read()))
            table = _table(source, kind)
            chosen = named or _of_field_names(file, table.names, fields)
            columns = {
                name: _existing(file, table.names, wanted) for name, wanted in chosen.items()
            }
            every = list(dict.fromkeys(name for names in columns.values() for name in names))
            cells, is_text = table.read(every), isinstance(table, Delimited)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}", Status.UNUSABLE) from error
    except (pa.ArrowException, EOFError, zlib.error) as error:
        raise Failure(
            f"{file}: not readable as {kind}: {first_line(error)}", Status.UNUSABLE
        ) from error
    arrays = {
        name: _field(
            name,
            [_part(column, cells.column(column), is_text=is_text) for column in names],
            fields[name],
        )
        for name, names in columns.items()
    }
    return Payload(ARROW, _stream(pa.table(arrays)), query)


def _opened(file: str) -> IO[bytes]:
    return io.BytesIO(sys.stdin.buffer.read()) if file == "-" else Path(file).open("rb")


def _table(source: IO[bytes], kind: FileType) -> Table:
    if kind is FileType.PARQUET:
        return _Parquet(source)
    if kind is FileType.ARROW:
        return _Arrow(source)
    delimiter = "," if kind in (FileType.CSV, FileType.CSV_GZ) else "\t"
    if kind in (FileType.CSV, FileType.TSV):
        return Delimited(source.read(), delimiter)
    return Delimited(gzip.decompress(source.read()), delimiter)


def _of_field_names(
    file: str, names: Sequence[str], fields: Mapping[str, Column]
) -> dict[str, list[str]]:
    named = {name: [name] for name in fields if name in names}
    if not named:
        some = [name for name in fields if fields[name].per_row and name != "sample_weight"]
        detail = f"no column is named {' or '.join(some)}; name yours, as in "
        raise Failure(f"{file}: {detail}--{some[0].replace('_', '-')} COLUMN", Status.UNUSABLE)
    return named


def _existing(file: str, names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The columns that were meant: one name, or several with commas in between."""
    meant: list[str] = []
    for text in wanted:
        meant += [text] if text in names else text.split(",")
    for name in meant:
        if name not in names:
            detail = f"{file}: there is no column {name}; {hint(name, names)}"
            raise Failure(detail, Status.UNUSABLE)
        if names.count(name) > 1:
            raise Failure(f"{file}: two columns are named {name}", Status.UNUSABLE)
    return meant


@dataclass(frozen=True, slots=True)
class _Part:
    """One column of a file; `is_text` where the file knows of no numbers."""

    title: str
    cells: pa.Array
    is_text: bool

    def read(self, kind: EntryType, name: str, place: tuple[int, ...]) -> pa.Array:
        """The cells as a field of this kind takes them.

        Raises:
            InvalidInput: a cell is empty, or no number where only numbers may stand.
        """
        if self.cells.null_count:
            row = int(np.flatnonzero(self.cells.is_null().to_numpy(zero_copy_only=False))[0])
            detail = f"the column {self.title} is empty in row {row + 1} of the table"
            raise InvalidInput.at(detail, name, row, *place)
        return typed(self.cells, kind, name, self.title) if self.is_text else self.cells


def _part(title: str, column: pa.ChunkedArray, *, is_text: bool) -> _Part:
    cells = column.combine_chunks()
    if isinstance(cells, pa.ChunkedArray):  # no chunks at all
        cells = pa.array([], column.type)
    return _Part(title, cells, is_text)


def _field(name: str, parts: list[_Part], column: Column) -> pa.Array:
    """One column as it is; several as rows, with an entry from each."""
    if len(parts) == 1:
        return parts[0].read(column.entry, name, ())
    arrays = [part.read(column.entry, name, (i,)) for i, part in enumerate(parts)]
    for part, array in zip(parts, arrays, strict=True):
        if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
            detail = f"the column {part.title} of type {array.type} is no part of a row of numbers"
            raise InvalidInput.at(detail, name)
    whole = column.entry is EntryType.LABEL and all(
        pa.types.is_integer(array.type) for array in arrays
    )
    kind = np.int64 if whole else np.float64
    cells = np.stack(
        [array.to_numpy(zero_copy_only=False).astype(kind) for array in arrays], axis=1
    )
    return pa.FixedSizeListArray.from_arrays(pa.array(cells.reshape(-1)), len(arrays))


def _stream(table: pa.Table) -> bytearray:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytearray(memoryview(sink.getvalue()))
