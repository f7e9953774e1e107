"""Values of Arrow arrays as NumPy arrays for formulas."""

from typing import Any

import numpy as np
import pyarrow as pa

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Indices
from kullback.payload.arrow_nulls import filled, list_lengths, of_one_width, with_null_rows
from kullback.payload.arrow_types import plain
from kullback.payload.columns import LISTED_TEXT, WHOLE, WORDS, Column
from kullback.payload.room import Room
from kullback.payload.row_marks import NULL, RowMarks
from kullback.payload.whole_numbers import signed
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable
from kullback.scoring.tokens import Ragged

Place = tuple[str, ...]

_BLOCK = 1 << 12
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6}


def is_text(kind: pa.DataType) -> bool:
    """Whether it is a type of strings."""
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_list(kind: pa.DataType) -> bool:
    """Whether it is a type of lists."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def ragged(place: Place, array: pa.Array, column: Column, room: Room) -> Ragged:
    """Rows of any lengths: their entries one after the other; refused as by `values`."""
    if not is_list(array.type):
        raise InvalidInput.at("single entries where lists are expected", *place)
    absent = None
    if column.nullable and array.null_count:
        absent = array.is_null().to_numpy(zero_copy_only=False)
        array = with_null_rows(array, 1)
    _refuse_nulls(place, array, [len(array)])
    room.take_entries(len(array))
    lengths = list_lengths(array)
    entries = array.flatten()
    if is_list(entries.type):
        raise InvalidInput.at("3 axes or more, where at most 2 are read", *place)
    if entries.null_count and not column.nullable:
        first = entries.is_null().index(value=True).as_py()
        raise InvalidInput.at(NULL, *place, *Ragged([], lengths).place(first))
    labels = values(place, entries, column, room)
    flat: Any = labels.entries() if isinstance(labels, Nullable) else labels
    return Ragged(flat, lengths, absent)


def values(
    place: Place, array: pa.Array, column: Column, room: Room, marks: RowMarks | None = None
) -> Labels | Nullable:
    """The entries as an array, of as many axes as they have, or as a list where they are strings.

    Where they may be missing, null is NaN among numbers. With `marks` an entry that is null and may
    not be, or a list of another length than most, makes a bad row.

    Raises:
        InvalidInput: an entry is null that may not be, or the lists are of unequal lengths.
        BodyTooLarge: there is no room for as many entries.
    """
    shape, missing = [len(array)], None
    while is_list(array.type):
        if marks is not None and len(shape) == 1:
            if array.null_count and not column.nullable:
                is_null = array.is_null().to_numpy(zero_copy_only=False)
                marks.mark(place, np.flatnonzero(is_null).tolist(), lambda _: (NULL, ()))
            array = of_one_width(place, array, marks)
        elif not column.nullable and marks is None:
            _refuse_nulls(place, array, shape)
        array, width = _flattened(place, array, shape, room)
        shape.append(width)
    if not column.nullable and marks is None:
        _refuse_nulls(place, array, shape)
    room.take_entries(len(array))
    array = plain(place, array, column)
    if column.nullable or marks is not None:
        array, missing = filled(array)
    present = _present(place, array, shape, column, room)
    if missing is None:
        return present
    flags = missing.reshape(shape)
    if marks is not None and not column.nullable:
        marks.mark_cells(place, flags, NULL)
        return present
    if isinstance(present, list) or present.dtype.kind in "iu":
        return Nullable(present, flags)
    return np.where(flags, np.nan, present)


def _present(place: Place, array: pa.Array, shape: list[int], column: Column, room: Room) -> Labels:
    """Entries of which none is null."""
    is_flag = column.entry in WORDS and pa.types.is_boolean(array.type)
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    are_lists = len(shape) > 1 and (max(shape[1:]) > 1 or column.text_axes == 1)
    if are_lists and (is_flag or is_text(kind)):
        detail = "lists, where single entries are expected"
        raise InvalidInput.at(LISTED_TEXT if column.flat_texts else detail, *place)
    if is_flag:
        return ["true" if entry else "false" for entry in array.to_pylist()]
    if is_text(array.type) and not _repeats(array):
        return _texts(array, room)
    if is_text(array.type):
        array = array.dictionary_encode()
    if pa.types.is_dictionary(array.type):
        entries = _looked_up(place, array, column, room)
        return entries if isinstance(entries, list) else entries.reshape(shape)
    if pa.types.is_timestamp(array.type):
        times: Array = _times(array).reshape(shape)
        return times
    return _numbers(array, column).reshape(shape)


def _looked_up(place: Place, array: pa.Array, column: Column, room: Room) -> Labels:
    """The entries of a dictionary that its codes stand for."""
    codes = array.indices.to_numpy(zero_copy_only=False)
    if array.dictionary.null_count:
        unknown = array.dictionary.is_null().to_numpy(zero_copy_only=False)[codes]
        raise InvalidInput.at(NULL, *place, *np.flatnonzero(unknown)[:1].tolist())
    if is_text(array.dictionary.type):
        texts = _texts(array.dictionary, room)
        return [texts[code] for code in codes.tolist()]
    entries = _present(place, array.dictionary, [len(array.dictionary)], column, room)
    if isinstance(entries, list):
        return [entries[code] for code in codes.tolist()]
    picked: Array | Indices = entries[codes]
    return picked


def _repeats(array: pa.Array) -> bool:
    """Whether a text is likely to stand in many rows: then it is made once."""
    head = array.slice(0, _BLOCK)
    return len(head) == _BLOCK and 2 * len(head.unique()) < _BLOCK


def _texts(array: pa.Array, room: Room) -> list[str]:
    texts: list[str] = []
    for start in range(0, len(array), _BLOCK):
        block = array.slice(start, _BLOCK).to_pylist()
        room.take_texts(block)
        texts += block
    return texts


def _refuse_nulls(place: Place, array: pa.Array, shape: list[int]) -> None:
    if array.null_count:
        first = array.is_null().index(value=True).as_py()
        raise InvalidInput.at(NULL, *place, *_steps(first, shape))


def _steps(index: int, shape: list[int]) -> list[int]:
    return [int(step) for step in np.unravel_index(index, shape)]


def _flattened(place: Place, array: pa.Array, shape: list[int], room: Room) -> tuple[pa.Array, int]:
    """The entries of lists of one length, and that length."""
    if array.null_count:
        width = max(1, int(list_lengths(array).max()))
        room.take_entries(len(array) * width)
        array = with_null_rows(array, width)
    if pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size  # no flatten(): it loads pyarrow.compute, which is 10 MB
        return array.values.slice(array.offset * width, len(array) * width), width
    sizes = array.value_lengths().to_numpy(zero_copy_only=False)
    if sizes.size == 0:
        return array.flatten(), 0
    odd = np.flatnonzero(sizes != sizes[0])
    if odd.size:
        detail = f"{sizes[odd[0]]} entries where others have {sizes[0]}"
        raise InvalidInput.at(detail, *place, *_steps(int(odd[0]), shape))
    return array.flatten(), int(sizes[0])


def _numbers(array: pa.Array, column: Column) -> Array | Indices:
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    numpy_array = array.to_numpy(zero_copy_only=False)
    if column.entry in WHOLE and pa.types.is_integer(array.type):
        integers: Indices = signed(numpy_array)
        return integers
    numbers: Array = numpy_array
    return numbers if pa.types.is_floating(array.type) else numbers.astype(np.float64)


def _times(array: pa.Array) -> Any:  # noqa: ANN401 - datetime64 where there is no time zone
    """Timestamps as epoch seconds, to the microsecond as strings are."""
    ticks: Indices = array.view(pa.int64()).to_numpy(zero_copy_only=False)
    unit = array.type.unit
    if array.type.tz is None:
        return ticks.view(f"datetime64[{unit}]")
    return ticks // 1000 / 1e6 if unit == "ns" else ticks / _PER_SECOND[unit]
