"""Lengths of time: seconds, or a number with a unit."""

import re
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from kullback.errors import InvalidInput
from kullback.moments import DAY, HOUR

UNITS = {"s": 1, "min": 60, "h": HOUR, "d": DAY, "w": 7 * DAY}
WORDS = {"minute": 60, "hour": HOUR, "day": DAY, "week": 7 * DAY}
EXPECTED = "a number of seconds, or such as 30min, 24h, 7d, hour, day or week"
_WRITTEN = re.compile(r"([1-9]\d{0,8})(s|min|h|d|w)?", re.ASCII)


def parsed_duration(name: str, text: str) -> int:
    """A parameter of a query as whole seconds, at least one.

    Raises:
        InvalidInput: it is neither seconds nor a number with a unit.
    """
    if text in WORDS:
        return WORDS[text]
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise InvalidInput.at(f"{EXPECTED}, is expected", name)
    return int(match[1]) * UNITS[match[2] or "s"]


def _duration(value: object) -> object:
    """A field as whole seconds, at least one."""
    try:
        return parsed_duration("", str(value)) if isinstance(value, (int, str)) else value
    except InvalidInput:
        raise PydanticCustomError("duration", f"{EXPECTED}, is expected") from None


Duration = Annotated[int, BeforeValidator(_duration, json_schema_input_type=str | int)]
