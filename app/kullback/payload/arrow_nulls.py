"""Nulls of Arrow arrays: which entries are missing, with something harmless in their place."""

from collections import Counter

import numpy as np
import pyarrow as pa

from kullback.errors import Step
from kullback.numerics.types import Flags, Indices
from kullback.payload.row_marks import Place, RowMarks


def list_lengths(array: pa.Array) -> Indices:
    """How many entries each list has; 0 where one is null."""
    if pa.types.is_fixed_size_list(array.type):
        lengths = np.full(len(array), array.type.list_size, dtype=np.int64)
        return lengths if array.null_count == 0 else np.where(_is_null(array), 0, lengths)
    sizes = array.value_lengths()
    sizes = sizes.fill_null(0) if array.null_count else sizes
    whole: Indices = sizes.to_numpy(zero_copy_only=False).astype(np.int64)
    return whole


def with_null_rows(array: pa.Array, width: int) -> pa.Array:
    """The same lists, with a list of so many nulls where one is null itself."""
    is_null = _is_null(array)
    lengths = np.where(is_null, width, list_lengths(array))
    is_missing = np.repeat(is_null, lengths)
    entries = array.flatten().take(pa.array(np.cumsum(~is_missing) - 1, mask=is_missing))
    ends = np.concatenate(([0], np.cumsum(lengths)))
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), entries)


def of_one_width(place: Place, array: pa.Array, marks: RowMarks) -> pa.Array:
    """Lists of as many entries as most have; the others are marked, and null."""
    if pa.types.is_fixed_size_list(array.type) or len(array) == 0:
        return array
    lengths, is_null = list_lengths(array), _is_null(array)
    common = Counter(lengths[~is_null].tolist()).most_common(1)
    width = common[0][0] if common else 1
    odd = ~is_null & (lengths != width)
    if not odd.any():
        return array

    def describe(row: int) -> tuple[str, tuple[Step, ...]]:
        return f"{lengths[row]} entries where others have {width}", ()

    marks.mark(place, np.flatnonzero(odd).tolist(), describe)
    return array.take(pa.array(np.arange(len(array)), mask=odd))


def filled(array: pa.Array) -> tuple[pa.Array, Flags | None]:
    """The entries with something else for each null, and which these are; None for none."""
    if pa.types.is_null(array.type):
        return pa.array(np.zeros(len(array))), np.ones(len(array), np.bool_)
    if pa.types.is_dictionary(array.type):
        return _filled_codes(array)
    if array.null_count == 0:
        return array, None
    return _harmless(array), _is_null(array)


def _filled_codes(array: pa.DictionaryArray) -> tuple[pa.Array, Flags | None]:
    if array.null_count == 0 and array.dictionary.null_count == 0:
        return array, None
    kept = array.dictionary
    if len(kept) == 0:  # no code is of an entry
        kept = pa.array([_entry(kept.type)], kept.type)
    codes = array.indices.fill_null(0)
    missing = _is_null(array.indices)
    if kept.null_count:
        missing |= _is_null(kept)[codes.to_numpy(zero_copy_only=False)]
        kept = _harmless(kept)
    return pa.DictionaryArray.from_arrays(codes, kept), missing


def _harmless(array: pa.Array) -> pa.Array:
    """The entries with one that no check refuses for each null."""
    if pa.types.is_string_view(array.type):  # whose nulls cannot be filled
        array = array.cast(pa.large_string())
    return array.fill_null(_entry(array.type))


def _entry(kind: pa.DataType) -> str | int | bool | pa.Scalar:
    if pa.types.is_timestamp(kind):
        return pa.scalar(0, kind)
    if pa.types.is_boolean(kind):
        return False
    return 0 if pa.types.is_integer(kind) or pa.types.is_floating(kind) else ""


def _is_null(array: pa.Array) -> Flags:
    return np.array(array.is_null().to_numpy(zero_copy_only=False), np.bool_)
