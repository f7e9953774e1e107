"""JSON lines: an object per line, whose values know their types."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
from pydantic_core import from_json

from kullback.errors import InvalidInput, first_line
from kullback.evaluation.columns import Columns
from kullback.evaluation.formats import FileContents, StoredFile

_PIECE = 1 << 22  # bytes at a time: their objects are some 20 MB


def contents(file: StoredFile, columns: Columns) -> FileContents:
    """The columns of all lines, and how many lines there are.

    Raises:
        InvalidInput: a line is not an object, or a column holds values of several types.
    """
    rows, schema = 0, pa.schema([])
    for batch in batches(file, columns):
        try:
            schema = pa.unify_schemas([schema, batch.schema], promote_options="permissive")
        except pa.ArrowException as error:
            detail = f"{file.name}: a column is not of one type: {first_line(error)}"
            raise InvalidInput(detail) from error
        rows += batch.num_rows
    return FileContents(schema, [rows])


def batches(file: StoredFile, columns: Columns) -> Iterator[pa.RecordBatch]:
    """The rows in their order, with every key of the first, and null where a row has none.

    Raises:
        InvalidInput: see contents.
    """
    start, names = 0, dict[str, None]()
    for lines in _pieces(file):
        rows = _objects(file, lines, start)
        names |= {} if start else dict.fromkeys(rows[0])
        names |= dict.fromkeys(name for name in columns.names() if any(name in row for row in rows))
        kept = [name for name in names if start == 0 or name in columns.names()]
        yield pa.RecordBatch.from_pydict({name: _column(file, rows, name, start) for name in kept})
        start += len(rows)


def _pieces(file: StoredFile) -> Iterator[list[bytes]]:
    """Whole lines that are not blank."""
    rest = b""
    with file.filesystem.open_input_stream(file.path) as source:
        while more := source.read(_PIECE):
            whole, end, rest = (rest + more).rpartition(b"\n")
            if lines := [line for line in (whole + end).split(b"\n") if line.strip()]:
                yield lines
    if rest.strip():
        yield [rest]


def _objects(
    file: StoredFile, lines: Sequence[bytes], start: int
) -> Sequence[Mapping[str, object]]:
    try:
        rows: list[Mapping[str, object]] = from_json(b"[" + b",".join(lines) + b"]")
    except ValueError:
        rows = []
    if len(rows) == len(lines) and all(isinstance(row, dict) for row in rows):
        return rows
    at = next(at for at, line in enumerate(lines) if not _is_object(line))
    raise InvalidInput(f"{file.name}: row {start + at + 1} is not a JSON object on one line")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(from_json(line), dict)
    except ValueError:
        return False


def _column(
    file: StoredFile, rows: Sequence[Mapping[str, object]], name: str, start: int
) -> pa.Array:
    try:
        return pa.array([row.get(name) for row in rows])
    except (pa.ArrowException, OverflowError) as error:
        place = f"rows {start + 1} to {start + len(rows)}"
        detail = f"{file.name}: the column {name} is not of one type in {place}"
        raise InvalidInput.at(f"{detail}: {first_line(error)}", name) from error
