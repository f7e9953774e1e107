"""Bodies of requests: few rows as JSON, many as Arrow where pyarrow or polars is there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .columns import Fields, Rows, as_rows
from .exchange import ARROW, JSON
from .schemas.fields import WORDS
from .values import encoded, listed, listed_or_plain, plain

MOST_OF_JSON = 20_000  # entries: beyond that Arrow is faster, even where it is to be imported first
MOST_OF_URL = 100  # numbers of an option
_UNWRITABLE = (ImportError, TypeError, ValueError, OverflowError, NotImplementedError)
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: bytes, what they are, and the options beside them."""

    media_type: str
    content: bytes
    query: tuple[tuple[str, str], ...] = ()


class Table:
    """The columns of a request, parts of which can be sent, and its options.

    Args:
        fields: columns and options by name; a mapping of columns is one of each key.
        known: which fields are columns.
        short: which of them have not an entry for each row: beside a table they are options.
    """

    def __init__(
        self, fields: Fields, known: frozenset[str], short: frozenset[str] = frozenset()
    ) -> None:
        self._short = short
        given = {name: v for name, v in fields.items() if name.partition(".")[0] in known}
        self._options = {name: _option(name, fields[name]) for name in fields if name not in given}
        self._columns = {
            path: column for name in given for path, column in _paths(name, given[name])
        }
        self._lengths = {path: _length(column) for path, column in self._columns.items()}
        self.count = max(self._lengths.values(), default=0)
        self._arrow = self._as_arrow()
        columns = () if self._arrow else self._columns.items()
        self._lists = {path: _listed(path, column) for path, column in columns}

    def check(self) -> None:
        """Let no part of it be sent where the columns do not fit together.

        Raises:
            ValueError: they have unequal lengths.
        """
        if len(set(self._lengths.values())) > 1:
            lengths = ", ".join(f"{'.'.join(path)} {n}" for path, n in self._lengths.items())
            raise ValueError(f"columns have unequal lengths: {lengths}")

    def body(self, start: int = 0, stop: int | None = None) -> Body:
        """These rows with the options."""
        if self._arrow is not None:
            return Body(ARROW, self._arrow(start, stop), tuple(_query(self._options)))
        document: dict[str, object] = {}
        for (name, *keys), entries in self._lists.items():
            part = entries[start:stop] if isinstance(entries, list) and stop else entries
            if keys:
                document.setdefault(name, {})[keys[0]] = part  # type: ignore[index] # a mapping
            else:
                document[name] = part
        options = {name: plain(value) for name, value in self._options.items()}
        return Body(JSON, encoded(document | options))

    def _as_arrow(self) -> "Callable[[int, int | None], bytes] | None":
        """What writes rows as Arrow, if they are many, and it can."""
        rows = {
            path: column for path, column in self._columns.items() if path[0] not in self._short
        }
        others = {path[0]: self._columns[path] for path in self._columns.keys() - rows.keys()}
        count = self.count * len(rows)
        if count <= MOST_OF_JSON or any(
            _length(column) > MOST_OF_URL for column in others.values()
        ):
            return None
        for write in (_pyarrow_writer, _polars_writer):
            try:
                writer = write({".".join(path): column for path, column in rows.items()})
            except _UNWRITABLE:  # then JSON, whose refusals name the row
                continue
            self._options |= {name: listed_or_plain(column) for name, column in others.items()}
            return writer
        return None


def _paths(name: str, column: object) -> list[tuple[Path, object]]:
    if isinstance(column, Mapping):
        return [((name, str(key)), part) for key, part in column.items()]
    parent, _, key = name.partition(".")
    return [((parent, key) if key else (name,), as_rows(column))]


def _option(name: str, value: object) -> object:
    """An option; a word may be a number, as the base 2 is."""
    return str(value) if name in WORDS and type(value) is int else value


def _length(column: object) -> int:
    if isinstance(column, Rows):
        return max(map(_length, column.columns))
    shape = getattr(column, "shape", None)
    if shape == ():
        return 0
    return len(column) if hasattr(column, "__len__") else 0


def _listed(path: Path, column: object) -> object:
    try:
        if isinstance(column, Rows):
            parts = [listed(part) for part in column.columns]
            return [list(row) for row in zip(*parts, strict=True)]
        return listed_or_plain(column)
    except TypeError as error:
        raise TypeError(f"{'.'.join(path)}: {error}") from error


def _query(options: Fields) -> list[tuple[str, str]]:
    """Options beside a table: words as they are, all else as JSON."""
    return [(name, _written(name, value)) for name, value in options.items() if value is not None]


def _written(name: str, value: object) -> str:
    if name == "metrics" and isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    is_word = name in WORDS and isinstance(value, str)
    return str(value) if is_word else encoded(plain(value)).decode()


def _pyarrow_writer(columns: Mapping[str, object]) -> Callable[[int, int | None], bytes]:
    pa = import_module("pyarrow")
    table = pa.table({name: _pyarrow_column(pa, column) for name, column in columns.items()})

    def write(start: int, stop: int | None) -> bytes:
        part = table.slice(start, None if stop is None else stop - start)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(part.combine_chunks())
        content: bytes = sink.getvalue().to_pybytes()
        return content

    return write


def _pyarrow_column(pa: Any, column: object) -> object:  # noqa: ANN401 - a module without types
    if isinstance(column, Rows):
        parts: Sequence[Any] = [_pyarrow_column(pa, part) for part in column.columns]
        numpy = import_module("numpy")
        column = numpy.column_stack([part.to_numpy() for part in parts])
    if getattr(column, "ndim", 1) == 2:
        if hasattr(column, "mask"):
            raise TypeError("what is masked is no number")
        array = import_module("numpy").asarray(column)
        return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), array.shape[1])
    library = type(column).__module__.partition(".")[0]
    if library == "pandas":
        return pa.Array.from_pandas(column)
    if library == "pyarrow":
        return column
    if hasattr(column, "__arrow_c_stream__"):
        return pa.chunked_array(column)
    if hasattr(column, "__array__") and library != "numpy":
        column = import_module("numpy").asarray(column)  # of torch, jax and others
    array = pa.array(column, from_pandas=True)
    if pa.types.is_struct(array.type):
        raise TypeError("objects are no struct: each may have other names")
    return array


def _polars_writer(columns: Mapping[str, object]) -> Callable[[int, int | None], bytes]:
    pl = import_module("polars")
    try:
        series = {name: _polars_column(pl, column) for name, column in columns.items()}
        frame = pl.DataFrame(series)
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error)) from error

    def write(start: int, stop: int | None) -> bytes:
        part = frame.slice(start, None if stop is None else stop - start)
        content: bytes = part.write_ipc_stream(
            None, compat_level=pl.CompatLevel.oldest()
        ).getvalue()
        return content

    return write


def _polars_column(pl: Any, column: object) -> object:  # noqa: ANN401 - see _polars_writer
    if isinstance(column, Rows):
        parts = {str(at): pl.Series(listed(part)) for at, part in enumerate(column.columns)}
        return pl.DataFrame(parts).select(pl.concat_list(pl.all())).to_series()
    if isinstance(column, pl.Series):
        return column
    return pl.Series(listed(column), strict=True)
