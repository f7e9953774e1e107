"""Decoder of the entries of JSON lists, which names the entry that is wrong."""

from collections.abc import Callable, Sequence
from functools import cache
from json import loads
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, FiniteFloat, TypeAdapter

from kullback.errors import Step
from kullback.payload.columns import LONGEST_NAME

Decode = Callable[[bytes], list[Any]]

_COLONS = (b'":', b" :", b"\t:", b"\r:", b"\n:")
_STRICT = ConfigDict(strict=True)


@cache
def decoder(entry: str, axes: int, *, nullable: bool) -> Decode:
    """What decodes lists of such entries; null may stand for an entry, or a row, if nullable."""
    rows: Any = (_NULLABLE if nullable else _ENTRIES)[entry]
    for _ in range(axes - 1):
        rows = Annotated[list.__class_getitem__(rows), Field(fail_fast=True)]
        rows = rows | None if nullable else rows
    rows = Annotated[list.__class_getitem__(rows), Field(fail_fast=True)]
    return TypeAdapter[list[Any]](rows, config=_STRICT).validate_json


_ENTRIES: dict[str, Any] = {
    "float": FiniteFloat,
    "logit": FiniteFloat | Literal["-Infinity"],
    "int": int,
    "str": str,
    "bool": bool,
}
_NULLABLE: dict[str, Any] = {
    "float": FiniteFloat | Literal["NaN"] | None,
    "logit": FiniteFloat | Literal["-Infinity", "NaN"] | None,
    "int": int | None,
    "str": str | None,
    "bool": bool | None,
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
    "list_type": "a single entry where a list is expected",
    "int_parsing_size": "an integer of more than 64 bits",
}


def place_of(index: int, shape: Sequence[int], offset: int) -> list[int]:
    """Where the index-th row below the axes of `shape` stands."""
    place: list[int] = []
    for size in reversed(shape):
        index, step = divmod(index, max(size, 1))
        place.insert(0, step)
    return [index + offset, *place]


def count_keys(raw: bytes | bytearray) -> int:
    """How many keys there are in objects, or more where a text holds what looks like one."""
    return sum(map(raw.count, _COLONS))


def repeated_key(raw: bytes | bytearray) -> tuple[Step, ...]:
    """Where a key stands twice in one object of valid JSON; empty if none does.

    Keys that are longer than names may be are cut: an answer repeats no megabytes.
    """
    return _within(loads(raw, object_pairs_hook=_repeated, parse_int=str, parse_float=str))


def repeated_keys(raw: bytes | bytearray) -> list[tuple[Step, ...]]:
    """The same of each entry of a list."""
    return [*map(_within, loads(raw, object_pairs_hook=_repeated, parse_int=str, parse_float=str))]


def _repeated(pairs: list[tuple[str, object]]) -> tuple[Step, ...]:
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen:
            return (name[:LONGEST_NAME],)
        if place := _within(value):
            return (name[:LONGEST_NAME], *place)
        seen.add(name)
    return ()


def _within(value: object) -> tuple[Step, ...]:
    """The same of a value whose objects have become the places in them."""
    if isinstance(value, tuple):
        return value
    items = enumerate(value) if isinstance(value, list) else ()
    places = ((index, *place) for index, item in items if (place := _within(item)))
    return next(places, ())
