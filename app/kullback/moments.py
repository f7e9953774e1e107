"""Moments: epoch seconds, as people and programs write them, and how far they may go."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

Clock = Callable[[], float]  # now, in epoch seconds

HOUR = 3600
DAY = 86_400
END = 253_402_300_800.0  # the first second of the year 10000, which RFC 3339 cannot write
LAST_DAY = 253_402_214_400  # the last day before END: no window ends later
FUTURE_SECONDS = 300  # how far ahead of the clock a timestamp may be


def moment(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00") + "Z"


Moment = Annotated[  # epoch seconds that JSON has as RFC 3339
    float,
    PlainSerializer(moment),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
KeptMoment = Annotated[  # one that is read again as it was written
    Moment, BeforeValidator(lambda text: datetime.fromisoformat(text).timestamp())
]
