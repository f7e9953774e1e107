"""Arrow types that hold what other types hold: decimals, UUIDs, booleans of eight bits."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pyarrow as pa

from kullback.errors import InvalidInput
from kullback.payload.columns import WHOLE, Column

Place = tuple[str, ...]

UUID_BYTES = 16
_BLOCK = 1 << 14  # texts that are made at once on the way to something smaller


def plain_type(kind: pa.DataType, column: Column) -> pa.DataType:
    """The type that a field reads instead: numbers for decimals, strings for UUIDs."""
    if pa.types.is_decimal(kind):
        is_whole = column.entry in WHOLE and kind.scale == 0
        return pa.int64() if is_whole else pa.float64()
    if isinstance(kind, pa.UuidType) or (column.entry in WHOLE and _may_be_uuid(kind)):
        return pa.string()
    return pa.bool_() if isinstance(kind, pa.Bool8Type) else kind


def _may_be_uuid(kind: pa.DataType) -> bool:
    """Whether it is a type of bytes that a UUID may be written in."""
    if pa.types.is_fixed_size_binary(kind):
        return bool(kind.byte_width == UUID_BYTES)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def plain(place: Place, array: pa.Array, column: Column) -> pa.Array:
    """The same entries as an array of that type; nulls stay.

    Raises:
        InvalidInput: a decimal stands for an integer of more than 64 bits, or bytes for no UUID.
    """
    if pa.types.is_dictionary(array.type) and pa.types.is_binary(array.type.value_type):
        array = array.dictionary_decode()
    kind = plain_type(array.type, column)
    if kind is array.type:
        return array
    if isinstance(array.type, pa.Bool8Type):
        return array.storage.cast(kind)
    if isinstance(array.type, pa.UuidType):
        return _by_block(array.storage, _uuid_texts, kind)
    if _may_be_uuid(array.type):
        return _by_block(array, partial(_checked_uuids, place), kind)
    if pa.types.is_integer(kind):
        return _integers(place, array)
    # by way of texts: pyarrow's own cast is off by a rounding where a decimal has many digits
    return _by_block(array, lambda block: block.cast(pa.string()).cast(kind), kind)


def _by_block(array: pa.Array, made: Callable[[pa.Array], pa.Array], kind: pa.DataType) -> pa.Array:
    starts = range(0, len(array), _BLOCK)
    blocks = [made(array.slice(start, _BLOCK)) for start in starts]
    return pa.concat_arrays(blocks) if blocks else pa.array([], kind)


def _uuid_texts(storage: pa.Array) -> pa.Array:
    entries = storage.to_pylist()
    return pa.array([raw and str(UUID(bytes=raw)) for raw in entries], pa.string())


def _checked_uuids(place: Place, raw: pa.Array) -> pa.Array:
    if any(entry is not None and len(entry) != UUID_BYTES for entry in raw.to_pylist()):
        raise InvalidInput.at(f"bytes are read as UUIDs, of {UUID_BYTES} bytes each", *place)
    return _uuid_texts(raw)


def _integers(place: Place, array: pa.Array) -> pa.Array:
    for kind in (pa.int64(), pa.uint64()):
        try:
            return array.cast(kind)
        except pa.ArrowInvalid:
            continue
    raise InvalidInput.at("integers of more than 64 bits", *place)
