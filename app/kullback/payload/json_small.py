"""Reader of JSON in one step: small bodies, and values that are no lists."""

import math
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
from pydantic_core import from_json

from kullback.errors import InvalidInput, MalformedBody
from kullback.payload.columns import WHOLE, Column, EntryType
from kullback.payload.json_scan import MAX_AXES, MAX_KEYS

LONGEST = 1 << 21
_PLAIN_KEY = 90


def at_once(body: bytearray, columns: Mapping[str, Column]) -> dict[str, object] | None:
    """The same of a small body in one step; None if anything in it is unusual, right or wrong."""
    try:
        document = from_json(body, allow_inf_nan=False)
        if type(document) is not dict or max(map(len, document)) > _PLAIN_KEY:
            return None
        if len(document) != body.count(b":") or len(document) > MAX_KEYS:
            return None  # a key stands twice, there is an object within, or there are too many
        return {name: _plainly(value, columns.get(name)) for name, value in document.items()}
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _plainly(value: Any, column: Column | None) -> object:  # noqa: ANN401 - from JSON
    """A list of numbers of one shape as an array, or what is no column and no list as it is."""
    if column is None and type(value) not in (list, dict):
        return value
    flat, axes = value, 1
    while type(flat[0]) is list:
        flat, axes = list(chain.from_iterable(flat)), axes + 1
    kinds = set(map(type, flat))
    if (
        column is None
        or column.ragged
        or type(value) is not list
        or axes > MAX_AXES
        or not kinds <= {int, float}
    ):
        raise ValueError(axes)
    if kinds == {int} and column.entry in WHOLE:
        return np.array(value, dtype=np.int64)
    if not math.isfinite(sum(flat)) or column.entry in (EntryType.ID, EntryType.VALUE):
        raise ValueError(axes)
    return np.array(value, dtype=np.float64)


def plain_value(place: tuple[str, ...], raw: bytearray, column: Column | None) -> object:
    """A value that is no list of a column: an option, or one number where one may stand.

    Raises:
        MalformedBody: it is not JSON.
        InvalidInput: it is too long, or no number that JSON has.
    """
    if len(raw) > LONGEST:  # it is decoded in one go, while no other thread runs
        raise InvalidInput.at(f"longer than {LONGEST} bytes", *place)
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        if bytes(raw) in (b"NaN", b"Infinity", b"-Infinity"):
            raise InvalidInput.at("not a number that JSON has", *place) from error
        raise MalformedBody.at("not valid JSON", *place) from error
    if column is None or isinstance(value, (str, bool, dict)) or value is None:
        return value
    try:
        entry = np.array(value, dtype=np.int64 if isinstance(value, int) else np.float64)
    except OverflowError:
        raise InvalidInput.at("an integer of more than 64 bits", *place) from None
    return entry.reshape(1) if column.entry is EntryType.LABEL else entry.astype(np.float64)
