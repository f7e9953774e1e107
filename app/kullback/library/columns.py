"""Arrays of Python's libraries as columns of a request: lists, NumPy, pandas, polars, Arrow."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from kullback.errors import InvalidInput, first_line
from kullback.payload.arrow_values import Place, is_list, ragged, values
from kullback.payload.columns import TEXTUAL, WHOLE, Column, EntryType
from kullback.payload.room import Room
from kullback.scoring.column_names import NamedColumns, Names

Steps = tuple[int, ...]
_NUMBERS = (bool, int, float, np.number, np.bool_)
_WORDS = {"-Infinity": -np.inf, "NaN": None}  # of JSON


@runtime_checkable
class _ArrowStream(Protocol):
    """A column or a table of any library that speaks Arrow, by its PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


def column_value(name: str, value: object, column: Column) -> object:
    """The same entries as a reader of bodies would have made of them.

    Args:
        name: the field.
        value: a list, an array, a series or a table of rows; a mapping of such where the field
            holds columns by name; a number or a word where the field takes one.
        column: what the field holds.

    Raises:
        InvalidInput: the entries are of no kind that the field takes, or the rows are ragged.
    """
    if isinstance(value, str):
        return value  # a word may stand for the numbers
    if isinstance(value, Mapping):
        if column.keys:
            return {str(key): column_value(name, of, column.single) for key, of in value.items()}
        return option_value(value)
    if isinstance(value, _NUMBERS):
        entry = np.asarray(value)
        kept = column.entry in WHOLE and entry.dtype.kind in "biu"
        entry = entry.astype(np.int64 if kept else np.float64)
        return entry.reshape(1) if column.entry is EntryType.LABEL else entry
    array = _arrow((name,), value, has_words=column.entry not in TEXTUAL)
    if not column.ragged:
        rows = values((name,), array, column, Room(sys.maxsize))
        return _with_names(value, rows) if column.has_parts else rows
    if not is_list(array.type):  # of one sequence
        array = pa.LargeListArray.from_arrays([0, len(array)], array)
    return ragged((name,), array, column, Room(sys.maxsize))


def _with_names(value: object, rows: object) -> object:
    """The rows with the names that their columns had."""
    names = _names(value)
    is_named = isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.shape[1] == len(names)
    return NamedColumns(rows, names) if is_named else rows  # type: ignore[arg-type] # is_named says it


def _names(value: Any) -> Names:  # noqa: ANN401 - from a caller
    """The names of the columns of a table; none of those that pandas only counts."""
    if isinstance(value, pa.Table):
        return tuple(value.column_names)
    names = [*getattr(value, "columns", ())]
    is_counted = hasattr(value, "iloc") and names == [*range(len(names))]
    return () if is_counted else tuple(map(str, names))


def option_value(value: object) -> object:
    """The same as JSON would have it: lists and objects, with the numbers of Python in them."""
    if isinstance(value, Mapping):
        return {_key(key): option_value(part) for key, part in value.items()}
    if hasattr(value, "to_list"):  # a series
        value = value.to_list()
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    return [*map(option_value, value)] if isinstance(value, (list, tuple)) else value


def _key(key: object) -> str:
    """The name that a label has in JSON: True is 1 there, as it is among labels."""
    is_whole = isinstance(key, (bool, np.bool_)) or (isinstance(key, float) and key.is_integer())
    return str(int(key)) if is_whole else str(key)  # type: ignore[call-overload] # of a number


def _arrow(place: Place, value: Any, *, has_words: bool) -> pa.Array:  # noqa: ANN401 - from a caller
    try:
        if isinstance(value, pa.Array):
            return value
        if isinstance(value, (list, tuple, range)):
            return _of_list(value, has_words=has_words)
        if isinstance(value, np.ma.MaskedArray):
            sent, value = value, value.data.astype(object)
            value[np.ma.getmaskarray(sent)] = None
        if hasattr(value, "iloc"):  # of pandas, which would send its index along
            if not hasattr(value, "columns"):
                return pa.array(value, from_pandas=True)
            value = pa.Table.from_pandas(value, preserve_index=False)
        if isinstance(value, _ArrowStream):
            return _of_stream(place, value, are_words=not has_words)
        return _of_numpy(np.asarray(value))
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InvalidInput):
            raise
        for odd, steps in _odd(value):
            kinds = f"{odd!r:.40} is of type {type(odd).__name__}, and the first is not"
            raise InvalidInput.at(kinds, *place, *steps) from error
        detail = f"no column of entries of one kind: {first_line(error)}"
        raise InvalidInput.at(detail, *place) from error


def _odd(value: object) -> Iterator[tuple[object, Steps]]:
    """The entries that are not of the kind of the first, each with its place."""
    first: type | None = None
    for entry, steps in _leaves(value, ()):
        kind = float if isinstance(entry, (int, float, np.number)) else type(entry)
        first = first or kind
        if kind is not first:
            yield entry, steps


def _leaves(value: object, steps: Steps) -> Iterator[tuple[object, Steps]]:
    if isinstance(value, (list, tuple)):
        for at, entry in enumerate(value):
            yield from _leaves(entry, (*steps, at))
    elif value is not None:
        yield value, steps


def _of_list(entries: list[Any] | tuple[Any, ...] | range, *, has_words: bool) -> pa.Array:
    """A list in which None, NaN and pandas.NA are missing, and "-Infinity" may be a number."""
    first = next(iter(entries), None)
    if isinstance(first, np.ndarray) and first.ndim > 1:
        return _of_numpy(np.asarray(entries))
    try:
        return pa.array(entries, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        if not has_words:
            raise
        return pa.array(_without_words(entries), from_pandas=True)


def _without_words(entry: Any) -> Any:  # noqa: ANN401 - from a caller
    if isinstance(entry, (list, tuple)):
        return [*map(_without_words, entry)]
    return _WORDS.get(entry, entry) if isinstance(entry, str) else entry


def _of_numpy(entries: np.ndarray) -> pa.Array:
    """A NumPy array of any shape as lists of lists, without a copy where it is contiguous."""
    if entries.dtype.kind == "f" and entries.dtype.itemsize > np.dtype(np.float64).itemsize:
        entries = entries.astype(np.float64)
    entries = entries.astype(entries.dtype.newbyteorder("="), copy=False)
    flat = np.ascontiguousarray(entries).reshape(-1)
    array = pa.array(flat.tolist(), from_pandas=True) if flat.dtype.kind in "OU" else pa.array(flat)
    for size in reversed(entries.shape[1:]):
        array = pa.FixedSizeListArray.from_arrays(array, size)
    return array


def _of_stream(place: Place, value: _ArrowStream, *, are_words: bool) -> pa.Array:
    chunks = pa.chunked_array(value)
    array = chunks.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no chunks at all
        array = pa.array([], chunks.type)
    if not pa.types.is_struct(array.type):
        return array
    if are_words and array.type.num_fields == 1 and not _is_number(array.type.field(0).type):
        return array.field(0)
    if any(not _is_number(field.type) for field in array.type):
        odd = next(field for field in array.type if not _is_number(field.type))
        raise InvalidInput.at(f"the column {odd.name} of type {odd.type} is no number", *place)
    if array.type.num_fields == 0:
        raise InvalidInput.at("a table without columns", *place)
    parts = [part.to_numpy(zero_copy_only=False) for part in array.flatten()]
    return _of_numpy(np.stack(parts, axis=1))


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))
