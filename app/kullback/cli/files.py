"""Input files: a JSON request, or a table whose columns make a request."""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kullback.cli.client import Payload
from kullback.cli.file_types import FileType
from kullback.cli.terminal import Failure, Status
from kullback.errors import BodyError, InvalidInput, first_line, hint
from kullback.payload.arrow_types import plain
from kullback.payload.columns import Column, EntryType
from kullback.payload.delimited import Delimited
from kullback.payload.delimited_cells import typed
from kullback.payload.dialect import Dialect
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


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or - for standard input; what it holds, and how it is written if that is text."""

    file: str
    kind: FileType
    dialect: Dialect


def read(
    source: Source,
    fields: Mapping[str, Column],
    named: Mapping[str, Sequence[str]],
    query: Query,
) -> Payload:
    """The request that a file makes.

    Args:
        source: the file.
        fields: the fields of the metric that hold many entries.
        named: the columns that make each field; none at all for columns named as the fields.
        query: the options.

    Raises:
        Failure: the file cannot be read, or has no such column.
        InvalidInput: a cell is missing that may not be, or no number where one is expected.
    """
    file, kind = source.file, source.kind
    if kind is FileType.JSON and (named or query):
        name = next(iter(named), None) or query[0][0]
        option = "--" + name.replace("_", "-")
        raise Failure(
            f"{option} is for tables: a JSON request holds its own options", Status.UNUSABLE
        )
    try:
        with _opened(file) as content:
            if kind is FileType.JSON:
                return Payload(JSON, bytearray(content.read()))
            table = _table(content, kind, source.dialect)
            columns = _chosen(file, table, fields, named)
            every = list(dict.fromkeys(name for names in columns.values() for name in names))
            cells = table.read(every)
    except BodyError as error:
        raise Failure(
            f"{file}: not readable as {kind}: {error.message}", Status.UNUSABLE
        ) from error
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}", Status.UNUSABLE) from error
    except (pa.ArrowException, EOFError, zlib.error) as error:
        raise Failure(
            f"{file}: not readable as {kind}: {first_line(error)}", Status.UNUSABLE
        ) from error
    written = None
    if isinstance(table, Delimited):
        written = source.dialect
    arrays = {
        name: _field(
            name,
            [_part(column, cells.column(column), written) for column in names],
            fields[name],
        )
        for name, names in columns.items()
    }
    return Payload(ARROW, _stream(pa.table(arrays)), query)


def _opened(file: str) -> IO[bytes]:
    return io.BytesIO(sys.stdin.buffer.read()) if file == "-" else Path(file).open("rb")


def _table(source: IO[bytes], kind: FileType, dialect: Dialect) -> Table:
    if kind is FileType.PARQUET:
        return _Parquet(source)
    if kind is FileType.ARROW:
        return _Arrow(source)
    is_zipped = kind in (FileType.CSV_GZ, FileType.TSV_GZ)
    return Delimited(gzip.decompress(source.read()) if is_zipped else source.read(), dialect)


def _chosen(
    file: str, table: Table, fields: Mapping[str, Column], named: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """The columns of each field."""
    try:
        chosen = named or _of_field_names(file, table.names, fields)
        return {name: _existing(file, table.names, wanted) for name, wanted in chosen.items()}
    except Failure as failure:
        sign = table.other_delimiter() if isinstance(table, Delimited) else ""
        if not sign:
            raise
        hint = f"the header looks separated by {sign!r}: --delimiter {sign!r}"
        raise Failure(f"{failure.text}\n{hint}", failure.status) from failure


def _of_field_names(
    file: str, names: Sequence[str], fields: Mapping[str, Column]
) -> dict[str, list[str]]:
    named = {name: [name] for name in fields if name in names}
    if not named:
        beside = {"sample_weight", "mask"}
        some = [name for name in fields if fields[name].per_row and name not in beside]
        detail = f"no column is named {' or '.join(some)}; name yours, as in "
        raise Failure(f"{file}: {detail}--{some[0].replace('_', '-')} COLUMN", Status.UNUSABLE)
    return named


def _existing(file: str, names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The columns that were meant: one name, or several with commas in between."""
    meant: list[str] = []
    for text in wanted:
        for part in [text] if text in names else text.split(","):
            meant += [part] if part in names or "*" not in part else _like(file, names, part)
    for name in meant:
        if name not in names:
            detail = f"{file}: there is no column {name}; {hint(name, names)}"
            raise Failure(detail, Status.UNUSABLE)
        if names.count(name) > 1:
            raise Failure(f"{file}: two columns are named {name}", Status.UNUSABLE)
    return meant


def _like(file: str, names: Sequence[str], pattern: str) -> list[str]:
    """The columns whose names have anything where the pattern has a star, in their order."""
    form = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    alike = [name for name in names if form.fullmatch(name)]
    if not alike:
        detail = f"{file}: no column is named like {pattern}; it has {', '.join(names[:20])}"
        raise Failure(detail, Status.UNUSABLE)
    return alike


@dataclass(frozen=True, slots=True)
class _Part:
    """One column of a file; `written` where the file knows of no numbers."""

    title: str
    cells: pa.Array
    written: Dialect | None

    def read(self, column: Column, name: str, place: tuple[int, ...]) -> pa.Array:
        """The cells as a field of this kind takes them.

        Raises:
            InvalidInput: a cell is empty that may not be, or no number where one is expected.
        """
        if self.cells.null_count and not column.nullable:
            row = int(np.flatnonzero(self.cells.is_null().to_numpy(zero_copy_only=False))[0])
            detail = f"the column {self.title} is empty in row {row + 1} of the table"
            raise InvalidInput.at(detail, name, row, *place)
        if self.written is None:
            return self.cells
        return typed(
            self.cells,
            column.entry,
            name,
            self.title,
            decimal=self.written.decimal,
        )


def _part(title: str, column: pa.ChunkedArray, written: Dialect | None) -> _Part:
    cells = column.combine_chunks()
    if isinstance(cells, pa.ChunkedArray):  # no chunks at all
        cells = pa.array([], column.type)
    return _Part(title, cells, written)


def _field(name: str, parts: list[_Part], column: Column) -> pa.Array:
    """One column as it is; several as rows, with an entry from each."""
    if len(parts) == 1:
        return parts[0].read(column, name, ())
    arrays = [
        _numbers(name, part, part.read(column, name, (i,)), column) for i, part in enumerate(parts)
    ]
    cells = np.stack(arrays, axis=1)
    if column.entry is not EntryType.LABEL and cells.dtype.kind in "iu":
        cells = cells.astype(np.float64)
    return pa.FixedSizeListArray.from_arrays(pa.array(cells.reshape(-1)), len(arrays))


def _numbers(name: str, part: _Part, cells: pa.Array, column: Column) -> npt.NDArray[Any]:
    """The cells of one column among several, in the type that they have."""
    array = plain((name,), cells, column)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        detail = f"the column {part.title} of type {array.type} is no part of a row of numbers"
        raise InvalidInput.at(detail, name)
    numbers: npt.NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return numbers


def _stream(table: pa.Table) -> bytearray:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytearray(memoryview(sink.getvalue()))
