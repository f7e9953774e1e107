"""Timestamps: RFC 3339 or epoch seconds in, epoch seconds out."""

import math
import re
from datetime import datetime
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from kullback.errors import InvalidInput
from kullback.moments import END
from kullback.numerics.types import Array
from kullback.scoring.labels import Labels
from kullback.scoring.refusals import refuse

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,30})?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_EXPECTED = "an RFC 3339 time with Z or an offset is expected, such as 2026-01-31T12:00:00Z"


def _epoch_seconds(text: str) -> float:
    """RFC 3339 as epoch seconds, to the microsecond; a leap second is the last moment before it.

    Raises:
        ValueError: it is not RFC 3339, or there is no such day.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError(_EXPECTED)
    if text[17] == "6":
        text = f"{text[:17]}59.999999{match[1]}"
    return datetime.fromisoformat(text.upper()).timestamp()


def seconds(name: str, times: Labels) -> Array:
    """Times as epoch seconds.

    Args:
        name: what the caller calls the argument.
        times: epoch seconds, or RFC 3339 strings, (n,).

    Raises:
        InvalidInput: one is not RFC 3339, or outside the years 1970 to 9999.
    """
    if isinstance(times, list):
        parsed = np.fromiter(map(_parsed, times), np.float64, len(times))
        refuse(name, np.isnan(parsed), lambda _: _EXPECTED)
        times = parsed
    moments = np.asarray(times, np.float64)
    refuse(
        name,
        ~((moments >= 0) & (moments < END)),
        lambda _: "not within the years 1970 to 9999; numbers are seconds",
    )
    return moments


def _parsed(text: str) -> float:
    try:
        return _epoch_seconds(text)
    except ValueError:
        return math.nan


def _moment(value: object) -> float:
    if isinstance(value, str):
        try:
            value = _epoch_seconds(value)
        except ValueError:
            raise PydanticCustomError("moment", _EXPECTED) from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("moment", "expected epoch seconds or an RFC 3339 time")
    if not 0 <= value < END:
        raise PydanticCustomError("moment", "not within the years 1970 to 9999")
    return float(value)


Moment = Annotated[float, BeforeValidator(_moment, json_schema_input_type=str | float)]


def parsed_moment(name: str, text: str) -> float:
    """A parameter of a query as epoch seconds.

    Raises:
        InvalidInput: it is neither RFC 3339 nor a number of seconds.
    """
    try:
        value: float | str = float(text)
    except ValueError:
        value = text
    try:
        return _moment(value)
    except PydanticCustomError as error:
        raise InvalidInput.at(error.message(), name) from error
