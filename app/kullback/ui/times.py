"""Times of a monitor page: the span and the slice that its address names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kullback.errors import InvalidInput
from kullback.moments import DAY, END, HOUR, moment
from kullback.monitoring.monitor import HOURS_KEPT_SECONDS, WINDOWS_KEPT_SECONDS
from kullback.payload.timestamps import parsed_moment
from kullback.timezones import local_days

RANGES = {
    "1h": ("Last hour", HOUR),
    "6h": ("Last 6 hours", 6 * HOUR),
    "24h": ("Last 24 hours", DAY),
    "7d": ("Last 7 days", 7 * DAY),
    "30d": ("Last 30 days", 30 * DAY),
}
CUSTOM = "custom"
DEFAULT = "24h"
LONGEST_DAYS = 3700  # more than is ever kept
MOST_STEPS = 72
_FIELDS = ("range", "from", "to", "by", "tz")
_HOURS = tuple(HOUR * hours for hours in (1, 2, 3, 4, 6, 8, 12))
_DAYS = tuple(DAY * days for days in (1, 2, 7, 14, 28, 56, 112, 336))
_LONG = (*_HOURS, *_DAYS)
_OF_DAYS = tuple(step for step in _LONG if not DAY / 3 <= step < DAY)  # days in place of halves
_WITHOUT_ZONE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?)?[Zz]?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a page may be asked of: the monitor's window, slices, time zone, now, oldest rows."""

    window: int
    slices: Sequence[str]
    now: float
    timezone: str | None = None
    oldest: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """What a page is of: time from `start` to `stop` in epoch seconds, by one slice or none.

    Attributes:
        range: one of RANGES, or CUSTOM.
        messages: what in the address could not be followed, and what is shown for it.
    """

    range: str
    start: float
    stop: float
    by: str | None = None
    messages: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The range in words; nothing of one that has none."""
        return RANGES[self.range][0] if self.range in RANGES else ""

    @property
    def slices(self) -> tuple[str, ...]:
        """The slices that it is by."""
        return () if self.by is None else (self.by,)

    @property
    def query(self) -> dict[str, str]:
        """What of an address asks for this time."""
        if self.range != CUSTOM:
            return {"range": self.range}
        return {"from": local(self.start), "to": local(self.stop)}

    def step(self, ground: Ground, most: int = MOST_STEPS) -> int:
        """The shortest step of whole windows of which there are at most so many."""
        age = ground.now - self.start
        least = DAY if age > HOURS_KEPT_SECONDS else HOUR if age > WINDOWS_KEPT_SECONDS else 1
        width = self.stop - self.start
        short = (step for step in range(ground.window, HOUR, ground.window) if HOUR % step == 0)
        fit = _LONG if ground.timezone is None else _OF_DAYS
        long = (step for step in fit if step % ground.window == 0)
        steps = (step for step in (*short, *long) if step >= least and width / step <= most)
        return next(steps, _LONG[-1])


def view(query: Mapping[str, str], ground: Ground) -> View:
    """What an address asks for; what cannot be followed is said, and the usual shown instead."""
    messages = [f"There is no “{name[:40]}” to choose here." for name in query if _is_odd(name)]
    try:
        key, start, stop = _time(query, ground)
    except InvalidInput as error:
        messages.append(f"{error.message} The last 24 hours are shown.")
        key, start, stop = _last(DEFAULT, ground)
    if query.get("range") in RANGES and (query.get("from") or query.get("to")):
        messages.append("“From” and “to” do not count beside a range; leave that out.")
    by = query.get("by") or None
    if by is not None and by not in ground.slices:
        there = ", ".join(ground.slices) or "none"
        messages.append(f"There is no slice “{by[:80]}”; this monitor has {there}.")
        by = None
    return View(key, start, stop, by, tuple(messages))


def around(timezone: str | None, step: int, moment: float) -> tuple[int, int]:
    """The step around a moment: from a whole number of them on, or days of the time zone."""
    if timezone is not None and step % DAY == 0:
        return local_days(timezone, moment, step // DAY)
    start = int(moment // step) * step
    return start, start + step


def local(seconds: float) -> str:
    """Epoch seconds as a page's fields have them: UTC without a zone, and no seconds of 0."""
    return moment(int(seconds)).removesuffix("Z").removesuffix(":00")


def _is_odd(name: str) -> bool:
    return name not in _FIELDS


def _time(query: Mapping[str, str], ground: Ground) -> tuple[str, float, float]:
    start, stop = query.get("from") or None, query.get("to") or None
    key = query.get("range") or (CUSTOM if start or stop else DEFAULT)
    if key in RANGES:
        return _last(key, ground)
    if key != CUSTOM:
        names = ", ".join((*RANGES, CUSTOM))
        raise InvalidInput(f"There is no range “{key[:40]}”; there are {names}.")
    if start is None and stop is None:
        raise InvalidInput("A chosen time needs “from” or “to”.")
    last = _next_window(ground) if stop is None else _seconds("to", stop)
    first = max(last - DAY, 0.0) if start is None else _seconds("from", start)
    if first >= last:
        raise InvalidInput("“From” must be before “to”.")
    if last - first > LONGEST_DAYS * DAY:
        raise InvalidInput(f"At most {LONGEST_DAYS} days can be shown at once.")
    return CUSTOM, first, last


def _last(key: str, ground: Ground) -> tuple[str, float, float]:
    stop = _next_window(ground)
    return key, stop - RANGES[key][1], stop


def _next_window(ground: Ground) -> float:
    """The end of the window that is now: a page stays as it is until the next begins."""
    return float(int(ground.now // ground.window + 1) * ground.window)


def _seconds(name: str, text: str) -> float:
    """A time of a query as epoch seconds; in UTC where it names no zone."""
    local = _WITHOUT_ZONE.fullmatch(text)
    zoned = text if local is None else f"{local[1]}T{local[2] or '00:00'}{local[3] or ':00'}Z"
    try:
        return min(parsed_moment(name, zoned), END - DAY)
    except InvalidInput:
        raise InvalidInput(f"“{name}” is a time such as 2026-01-31T12:00, in UTC.") from None
