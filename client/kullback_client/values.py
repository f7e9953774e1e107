"""Columns of any library as lists of what JSON has."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from .errors import NotKullback

_ABSENT = {"NAType", "NaTType"}  # what pandas has for null
Json = object


def listed(column: object) -> list[object]:
    """The entries of a column: of NumPy, pandas, polars, pyarrow or torch, or of any iterable.

    Raises:
        TypeError: it is no column, or an entry of it has no place in JSON.
    """
    for method in ("to_pylist", "to_list", "tolist"):
        entries = getattr(column, method, None)
        if entries is not None:
            column = _days(column) if method == "tolist" else entries()
            break
    if isinstance(column, (str, bytes, Mapping)) or not isinstance(column, Iterable):
        raise TypeError(f"a column is expected, not {type(column).__name__}")
    return [plain(entry) for entry in column]


def listed_or_plain(column: object) -> object:
    """The entries of a column, or the single value that stands in its place."""
    is_single = isinstance(column, (str, int, float)) or column is None
    return plain(column) if is_single or getattr(column, "shape", None) == () else listed(column)


def _days(array: object) -> object:
    """The entries of an array of NumPy; its nanoseconds would become integers."""
    if getattr(getattr(array, "dtype", None), "kind", "") == "M":
        array = array.astype("datetime64[us]")  # type: ignore[attr-defined] # NumPy has it
    return array.tolist()  # type: ignore[attr-defined] # it was looked for


def plain(value: object) -> Json:
    """What JSON has for a value: null for what is missing, words for what is infinite.

    Raises:
        TypeError: JSON has nothing for it.
    """
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return None if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124
    if type(value).__name__ in _ABSENT:
        return None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return _other(value)


def _other(value: object) -> Json:
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return plain(float(value))
    if isinstance(value, (list, tuple, range, set, frozenset)) or hasattr(value, "__array__"):
        if getattr(value, "shape", None) == ():  # a scalar of NumPy
            return plain(value.item())  # type: ignore[attr-defined] # what has a shape has it
        return listed(value)
    if hasattr(value, "to_pylist") or hasattr(value, "to_list") or hasattr(value, "tolist"):
        return listed(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent")


def encoded(document: object) -> bytes:
    """A document as JSON, of UTF-8, without what JSON lacks."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def decoded(content: bytes) -> dict[str, Any]:
    """The object that an answer is.

    Raises:
        NotKullback: it is none.
    """
    try:
        document = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise NotKullback(f"an answer is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise NotKullback(f"an answer is no object, but a {type(document).__name__}")
    return document
