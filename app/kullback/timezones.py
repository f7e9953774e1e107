"""Time zones: what clocks on walls say as epoch seconds, and days from midnight to midnight."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from kullback.errors import InvalidInput
from kullback.moments import DAY, HOUR, LAST_DAY
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.refusals import refuse

WITHOUT_ZONE = (
    "without a time zone: send Z or an offset (in Arrow and Parquet a timestamp type with a time "
    "zone)"
)
MONITOR_ZONE = ", or set the monitor's timezone"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a clock on a wall
_MONDAY = 4  # days from the epoch to the first one
_PIECES = (DAY, 900, 1)  # seconds in which an offset is looked up once, as it hardly ever changes
_WEEKS = range(40 * 365 * DAY, 80 * 365 * DAY, 7 * DAY)  # 2009 to 2049: what is kept lies within
_NOWHERE = {"Factory", "localtime"}


@dataclass(frozen=True, slots=True)
class LocalTime:
    """What a clock on a wall says, in seconds as though it hung in UTC."""

    seconds: float


Time = float | LocalTime


@dataclass(frozen=True, slots=True)
class Timestamps:
    """Times of n rows: epoch seconds, or where `naive`, what a clock on a wall says."""

    seconds: Array
    naive: Flags | None = None

    def __len__(self) -> int:
        return self.seconds.size

    def taken(self, rows: Indices) -> "Timestamps":
        """Those of some rows."""
        return Timestamps(self.seconds[rows], None if self.naive is None else self.naive[rows])

    def moments(self, name: str, timezone: str | None, instead: str) -> Array:
        """Epoch seconds, (n,); in the time zone where none was said.

        Args:
            name: what the caller calls the times.
            timezone: the IANA name of the zone, or None for none.
            instead: what else than an offset a row may be given, for whom there is no zone.

        Raises:
            InvalidInput: a row has no time zone, and there is none for it.
        """
        if timezone is None and self.naive is not None:
            refuse(name, self.naive, lambda _: f"{WITHOUT_ZONE}{instead}")
        if timezone is None or self.naive is None:
            return self.seconds
        resolved = self.seconds.copy()
        resolved[self.naive] = from_local(timezone, self.seconds[self.naive])
        return resolved


@cache
def names() -> frozenset[str]:
    """The IANA names of all time zones."""
    return frozenset(available_timezones() - _NOWHERE)


def check_timezone(name: str, timezone: str) -> None:
    """Refuse what is no IANA name.

    Raises:
        InvalidInput: it is none.
    """
    if timezone in names():
        return
    by_lower = {each.lower(): each for each in names()}
    near = get_close_matches(timezone[:64].lower(), by_lower, 1)
    meant = f"did you mean {by_lower[near[0]]}?" if near else "Europe/Berlin is one, and UTC"
    raise InvalidInput.at(f"not the IANA name of a time zone: {meant}", name)


def from_local(timezone: str, local: Array) -> Array:
    """What clocks on walls say, (n,), as epoch seconds, to the microsecond.

    Of a time that clocks show twice the first is meant; one that they skip is read as though they
    had not been put forward yet (PEP 495, fold=0).
    """
    zone = ZoneInfo(timezone)
    seconds = local - _by_piece(lambda at: _local_offset(zone, at), local)
    rounded: Array = np.rint(seconds * 1e6) / 1e6  # as a string with an offset would be
    return rounded


def resolved(time: Time, timezone: str | None, name: str) -> float:
    """One time as epoch seconds; see from_local.

    Raises:
        InvalidInput: it has no time zone, and there is none for it.
    """
    if not isinstance(time, LocalTime):
        return time
    if timezone is None:
        raise InvalidInput.at(f"{WITHOUT_ZONE}{MONITOR_ZONE}", name)
    return float(from_local(timezone, np.array([time.seconds]))[0])


def offset(timezone: str, moment: float) -> int:
    """How many seconds clocks are ahead of UTC at a moment, in epoch seconds."""
    at = datetime.fromtimestamp(min(moment, LAST_DAY - DAY), ZoneInfo(timezone))
    return _whole(at.utcoffset())


@cache
def finest_width(timezone: str) -> int:
    """The widest windows in seconds of which every day has a whole number: an hour, or a part."""
    return math.gcd(HOUR, *{offset(timezone, week) for week in _WEEKS})


def local_days(timezone: str, moment: float, days: int) -> tuple[int, int]:
    """The days around a moment in epoch seconds, from midnight to midnight.

    A day has 23 or 25 hours where clocks are put forward or back. Several days are counted from
    Mondays on: 7 are a week. A day whose midnight is skipped begins when clocks go on.
    """
    day = int(moment // DAY)
    while _midnight(timezone, day) > moment:
        day -= 1
    while _midnight(timezone, day + 1) <= moment:
        day += 1
    first = (day - _MONDAY) // days * days + _MONDAY
    return _midnight(timezone, first), _midnight(timezone, first + days)


@lru_cache(1 << 14)
def _midnight(timezone: str, day: int) -> int:
    """When a day begins in epoch seconds; where clocks show midnight twice, the first time."""
    local = min(day * DAY, LAST_DAY)
    return local - _local_offset(ZoneInfo(timezone), local)


def _local_offset(zone: ZoneInfo, local: int) -> int:
    """How far a clock is ahead of UTC when it says so."""
    return _whole((_EPOCH + timedelta(seconds=local)).replace(tzinfo=zone).utcoffset())


def _whole(difference: timedelta | None) -> int:
    assert difference is not None  # a zone of IANA has one at all times
    return round(difference.total_seconds())


def _by_piece(offset_at: Callable[[int], int], local: Array, level: int = 0) -> Indices:
    """The offset of each time, (n,), looked up once where both ends of a piece have the same."""
    width = _PIECES[level]
    pieces, piece = np.unique(np.floor(local / width).astype(np.int64), return_inverse=True)
    starts = (pieces * width).tolist()
    ends = np.array([[offset_at(at), offset_at(at + width - 1)] for at in starts], np.int64)
    offsets = ends.reshape(-1, 2)[piece]
    first: Indices = offsets[:, 0].copy()
    changes = np.flatnonzero(first != offsets[:, 1])
    if changes.size:
        first[changes] = _by_piece(offset_at, local[changes], level + 1)
    return first
