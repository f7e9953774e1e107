"""The columns that a caller names, of tables of any library that is there."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module

Fields = dict[str, object]


def named_columns(data: object, fields: Mapping[str, object], known: frozenset[str]) -> Fields:
    """The fields of a request: columns of `data` in place of their names, all else as it is.

    A name is one column, a list of names are rows of several, and a mapping has a column for each
    of its keys. Where no field of a column is named, the columns are those that have the names of
    fields.

    Args:
        data: a table, or None: then the fields hold the columns themselves.
        fields: what is to be sent, by field.
        known: which fields are columns.

    Raises:
        ValueError: there is no such column.
        TypeError: the data are no table.
    """
    if data is None:
        return dict(fields)
    table = _Table(data)
    if not any(name in known for name in fields):
        same = {name: name for name in table.names if name.partition(".")[0] in known}
        return {**fields, **{name: table[column] for name, column in same.items()}}
    return {
        name: _selected(name, value, table) if name in known else value
        for name, value in fields.items()
    }


def _selected(field: str, value: object, table: "_Table") -> object:
    if isinstance(value, str):
        return {value: table[value]} if field in {"slice", "features"} else table[value]
    if isinstance(value, Mapping):
        return {
            name: table[column] if isinstance(column, str) else column
            for name, column in value.items()
        }
    if isinstance(value, (list, tuple)) and value and all(isinstance(name, str) for name in value):
        if field in {"slice", "features"}:
            return {name: table[name] for name in value}
        if table.is_column(value):
            return value
        return Rows([table[name] for name in value])
    return value


class Rows:
    """Several columns of numbers as the rows [n][k] of one field."""

    def __init__(self, columns: Sequence[object]) -> None:
        self.columns = columns


def as_rows(column: object) -> object:
    """The same; a whole table is the rows of its columns."""
    library = type(column).__module__.partition(".")[0]
    columns = getattr(column, "columns", None)
    if library not in {"pandas", "polars", "pyarrow"} or columns is None:
        return column
    if library == "pyarrow":
        return Rows(columns)
    return Rows([column[name] for name in columns])  # type: ignore[index] # it is a table


class _Table:
    """The columns of a table by name."""

    def __init__(self, data: object) -> None:
        if isinstance(data, (list, tuple)) and all(isinstance(row, Mapping) for row in data):
            data = _of_records(data)
        if not _is_read(data):
            data = _imported(data)
        self._data = data
        self.names = _names(data)

    def is_column(self, texts: Sequence[str]) -> bool:
        """Whether texts are a column of their own, an entry for each row, and no names."""
        is_named = any(text in self.names for text in texts)
        return not is_named and len(texts) == len(self[self.names[0]])  # type: ignore[arg-type]

    def __getitem__(self, name: str) -> object:
        """The column of this name; an error says which there are."""
        if name not in self.names:
            near = get_close_matches(name, self.names, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(self.names[:40])}"
            raise ValueError(f"there is no column {name}; {hint}")
        column: object = self._data[name]  # type: ignore[index] # what has columns has it
        return column


def _of_records(rows: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    names = dict.fromkeys(str(name) for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _names(data: object) -> list[str]:
    """Names of columns: of a mapping, of pyarrow, pandas or polars, of a NumPy record array."""
    if isinstance(data, Mapping):
        return [str(name) for name in data]
    fields = getattr(getattr(data, "dtype", None), "names", None)
    for names in (getattr(data, "column_names", None), getattr(data, "columns", None), fields):
        if isinstance(names, Iterable):
            texts = [name for name in names if isinstance(name, str)]
            if texts:
                return texts
    return []


def _is_read(data: object) -> bool:
    """Whether its columns can be had by name, each with its entries."""
    library = type(data).__module__.partition(".")[0]
    is_frame = library in {"numpy", "pandas", "polars", "pyarrow"} and bool(_names(data))
    return isinstance(data, Mapping) or is_frame


def _imported(data: object) -> object:
    """A table that says what it is by the protocol of Arrow."""
    if hasattr(data, "__arrow_c_stream__"):
        for library, table in (("pyarrow", "table"), ("polars", "DataFrame")):
            with suppress(ImportError):
                return getattr(import_module(library), table)(data)
        raise TypeError(f"to read a {type(data).__name__}, install pyarrow or polars")
    raise TypeError(f"a table with named columns is expected, not {type(data).__name__}")
