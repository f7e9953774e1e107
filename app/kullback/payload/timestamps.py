"""Timestamps: RFC 3339 or epoch seconds in, epoch seconds out."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from kullback.errors import InvalidInput
from kullback.moments import END
from kullback.payload.written_times import EXPECTED, what_is_wrong
from kullback.scoring.labels import Labels
from kullback.scoring.refusals import refuse
from kullback.timezones import WITHOUT_ZONE, LocalTime, Time, Timestamps

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:[.,]\d{1,30})?"
    r"( )?([Zz]|UTC|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?",
    re.ASCII,
)
_OUTSIDE = "not within the years 1970 to 9999; numbers are seconds"
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6}  # in a second


def _read(text: str) -> datetime:
    """A time as it is written, to the microsecond; a leap second is the last moment before it.

    Raises:
        ValueError: it is not RFC 3339, or there is no such day.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None or (match[1] and not match[2]):
        raise ValueError(text)
    zone = match[2] or ""
    if text[17] == "6":
        text = f"{text[:17]}59.999999{zone}"
    elif match[1]:
        text = text[: match.start(1)] + zone
    return datetime.fromisoformat(text.upper().replace("UTC", "Z"))


def timestamps(name: str, times: Labels | npt.NDArray[np.datetime64]) -> Timestamps:
    """Times as epoch seconds, and which of them have no time zone.

    Args:
        name: what the caller calls the argument.
        times: epoch seconds, or RFC 3339 strings, (n,); of numpy's datetime64 where they have no
            time zone, as a column of Arrow that has none.

    Raises:
        InvalidInput: one is not RFC 3339, or outside the years 1970 to 9999.
    """
    naive = None
    if isinstance(times, list):
        times, naive = _of_texts(name, times)
    elif times.dtype.kind == "M":
        times, naive = _of_ticks(times), np.ones(times.shape, np.bool_)
    moments = np.asarray(times, np.float64)
    refuse(name, ~((moments >= 0) & (moments < END)), lambda _: _OUTSIDE)
    return Timestamps(moments, naive)


def _of_texts(name: str, texts: list[str]) -> tuple[Any, Any]:
    parsed: list[float] = []
    naive, wrong = np.zeros(len(texts), np.bool_), np.zeros(len(texts), np.bool_)
    for at, text in enumerate(texts):
        try:
            moment = _read(text)
        except ValueError:
            wrong[at], moment = True, _SOME
        if moment.tzinfo is None:
            naive[at], moment = True, moment.replace(tzinfo=UTC)
        parsed.append(moment.timestamp())
    refuse(name, wrong, lambda place: what_is_wrong(texts[place[0]]))
    return np.array(parsed), naive if naive.any() else None


_SOME = datetime(2026, 1, 31, 12, tzinfo=UTC)  # in place of what cannot be read


def _of_ticks(times: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Seconds of datetime64, to the microsecond as strings are."""
    unit, ticks = np.datetime_data(times.dtype)[0], times.view(np.int64)
    return ticks // 1000 / 1e6 if unit == "ns" else ticks / _TICKS[unit]


def _time(value: object) -> Time:
    """One time, in seconds; a LocalTime where it has no time zone."""
    is_naive = False
    if isinstance(value, str):
        try:
            moment = _read(value)
        except ValueError:
            raise PydanticCustomError("moment", "{why}", {"why": what_is_wrong(value)}) from None
        is_naive = moment.tzinfo is None
        value = (moment.replace(tzinfo=UTC) if is_naive else moment).timestamp()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("moment", "expected epoch seconds or an RFC 3339 time")
    if not 0 <= value < END:
        raise PydanticCustomError("moment", "not within the years 1970 to 9999")
    return LocalTime(float(value)) if is_naive else float(value)


PeriodTime = Annotated[Time, PlainValidator(_time, json_schema_input_type=str | float)]


def parsed_time(name: str, text: str) -> Time:
    """A parameter of a query in seconds; a LocalTime where it has no time zone.

    Raises:
        InvalidInput: it is neither RFC 3339 nor a number of seconds.
    """
    try:
        value: float | str = float(text)
    except ValueError:
        value = text
    try:
        return _time(value)
    except PydanticCustomError as error:
        raise InvalidInput.at(error.message(), name) from error


def parsed_moment(name: str, text: str) -> float:
    """A parameter of a query as epoch seconds.

    Raises:
        InvalidInput: it is neither RFC 3339 with a time zone nor a number of seconds.
    """
    time = parsed_time(name, text)
    if isinstance(time, LocalTime):
        raise InvalidInput.at(f"{WITHOUT_ZONE}; {EXPECTED}", name)
    return time
