"""Readers of log files: what a file holds, and its rows in batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from kullback.errors import InvalidInput, first_line
from kullback.evaluation import delimited, json_lines
from kullback.evaluation.columns import Columns
from kullback.evaluation.formats import MAX_BATCH, FileContents, Format, StoredFile

_BUFFER = 1 << 16  # bytes: else a whole column of a row group is in memory
_RANDOM_ACCESS = b"ARROW1"


@dataclass(frozen=True, slots=True)
class Part:
    """Some groups of a file's rows, to be read as `schema` says."""

    file: StoredFile
    columns: Columns
    schema: pa.Schema
    groups: Sequence[int]


_Batches = Callable[[Part], Iterator[pa.RecordBatch]]


def contents(file: StoredFile, columns: Columns) -> FileContents:
    """What a file holds; text is read whole, as nothing else tells its types.

    Raises:
        InvalidInput: it is not there, or not of its format.
    """
    try:
        held = _FORMATS[file.format][0](file, columns)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(file, error) from error
    partitions = [name for name in file.partition if name not in held.schema.names]
    fields = [*held.schema, *(pa.field(name, pa.string()) for name in partitions)]
    return FileContents(pa.schema(fields), held.groups)


def batches(part: Part) -> Iterator[pa.RecordBatch]:
    """Rows in their order, at most MAX_BATCH at a time, with the columns that are needed.

    Raises:
        InvalidInput: see contents.
    """
    partition = part.file.partition
    try:
        for rows in _FORMATS[part.file.format][1](part):
            yield _with(rows, partition, part.columns)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(part.file, error) from error


def _with(
    rows: pa.RecordBatch, partition: Mapping[str, str | None], columns: Columns
) -> pa.RecordBatch:
    """The rows with those columns that directories tell and the file does not."""
    for name in columns.names():
        if name in partition and name not in rows.schema.names:
            values = pa.array([partition[name]], pa.string())
            places = pa.repeat(pa.scalar(0, pa.int32()), rows.num_rows)
            rows = rows.append_column(name, pa.DictionaryArray.from_arrays(places, values))
    return rows


def _unreadable(file: StoredFile, error: Exception) -> InvalidInput:
    if isinstance(error, OSError) and error.strerror:
        return InvalidInput(f"{file.name}: {error.strerror}")
    return InvalidInput(f"{file.name}: not readable as {file.format}: {first_line(error)}")


def _parquet_contents(file: StoredFile, _: Columns) -> FileContents:
    with file.filesystem.open_input_file(file.path) as source, pq.ParquetFile(source) as parquet:
        footer = parquet.metadata
        rows = [footer.row_group(at).num_rows for at in range(footer.num_row_groups)]
        return FileContents(parquet.schema_arrow, rows)


def _parquet_batches(part: Part) -> Iterator[pa.RecordBatch]:
    with (
        part.file.filesystem.open_input_file(part.file.path) as source,
        pq.ParquetFile(source, pre_buffer=False, buffer_size=_BUFFER) as parquet,
    ):
        yield from parquet.iter_batches(
            MAX_BATCH,
            row_groups=list(part.groups),
            columns=[name for name in part.columns.names() if name in parquet.schema_arrow.names],
            use_threads=False,
        )


def _arrow_contents(file: StoredFile, _: Columns) -> FileContents:
    with file.filesystem.open_input_file(file.path) as source:
        if _is_file(source):
            reader = pa.ipc.open_file(source)
            rows = [reader.get_batch(at).num_rows for at in range(reader.num_record_batches)]
            return FileContents(reader.schema, rows)
        with pa.ipc.open_stream(source) as stream:
            return FileContents(stream.schema, [sum(rows.num_rows for rows in stream)])


def _arrow_batches(part: Part) -> Iterator[pa.RecordBatch]:
    with part.file.filesystem.open_input_file(part.file.path) as source:
        if _is_file(source):
            reader = pa.ipc.open_file(source)
            read = map(reader.get_batch, part.groups)
        else:
            read = iter(pa.ipc.open_stream(source))
        for rows in read:
            names = [name for name in part.columns.names() if name in rows.schema.names]
            few = rows.select(names)
            for start in range(0, few.num_rows, MAX_BATCH):
                yield few.slice(start, MAX_BATCH)


def _is_file(source: pa.NativeFile) -> bool:
    head: bytes = source.read(len(_RANDOM_ACCESS))
    source.seek(0)
    return head == _RANDOM_ACCESS


def _csv_batches(part: Part) -> Iterator[pa.RecordBatch]:
    return delimited.batches(part.file, part.columns, part.schema)


def _json_batches(part: Part) -> Iterator[pa.RecordBatch]:
    return json_lines.batches(part.file, part.columns)


_FORMATS: Mapping[Format, tuple[Callable[[StoredFile, Columns], FileContents], _Batches]] = {
    Format.PARQUET: (_parquet_contents, _parquet_batches),
    Format.CSV: (delimited.contents, _csv_batches),
    Format.JSON_LINES: (json_lines.contents, _json_batches),
    Format.ARROW: (_arrow_contents, _arrow_batches),
}
