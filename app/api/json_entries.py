"""This file is about decoding the entries of JSON lists, and naming the one that is wrong."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, FiniteFloat, TypeAdapter

from app.api.json_scan import MAX_AXES

Decode = Callable[[bytes], list[Any]]

_STRICT = ConfigDict(strict=True)


def _decoder(entry: object, axes: int) -> Decode:
    rows: Any = entry
    for _ in range(axes):
        rows = Annotated[list.__class_getitem__(rows), Field(fail_fast=True)]
    return TypeAdapter[list[Any]](rows, config=_STRICT).validate_json


_ENTRIES: dict[str, object] = {
    "float": FiniteFloat,
    "logit": FiniteFloat | Literal["-Infinity"],
    "int": int,
    "str": str,
    "bool": bool,
}
DECODERS: dict[tuple[str, int], Decode] = {
    (name, axes): _decoder(entry, axes)
    for name, entry in _ENTRIES.items()
    for axes in range(1, MAX_AXES + 1)
}
NOT_OF_ONE_KIND = "the entries are not all of one kind"
EXPLAIN = {
    "float_type": "not a number",
    "finite_number": "not a finite number",
    "literal_error": 'neither a number nor "-Infinity"',
    "string_type": "not a string, as the others are",
    "bool_type": "neither true nor false",
    "int_type": "not an integer",
    "int_from_float": "not an integer",
    "int_parsing_size": "an integer of more than 64 bits",
}


def place_of(index: int, shape: Sequence[int], offset: int) -> list[int]:
    """Where the index-th row below the axes of `shape` stands."""
    place: list[int] = []
    for size in reversed(shape):
        index, step = divmod(index, max(size, 1))
        place.insert(0, step)
    return [index + offset, *place]
