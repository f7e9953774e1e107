"""This file is about windows of time: clock-aligned, fine when young, wide when old."""

import math
from typing import NamedTuple

from kullback.errors import InvalidInput
from kullback.monitoring.monitor import DAY, FINE_SECONDS, HOUR, HOURLY_SECONDS, Monitor

DEFAULT_SECONDS = DAY
_LAST = 253_402_214_400  # the last day that begins in the year 9999: no window ends later
_AGES = ((HOUR, FINE_SECONDS), (DAY, HOURLY_SECONDS))


class Span(NamedTuple):
    """Time from `start`, inclusive, to `stop`, exclusive, in epoch seconds, of whole windows."""

    start: int
    stop: int


def width_at(monitor: Monitor, moment: float, now: float) -> int:
    """How wide the window around a moment is by now: as configured, an hour or a day."""
    width = monitor.window_seconds
    for least, age in _AGES:
        wide = max(width, least)
        if _floor(moment, wide) + wide <= now - age:
            width = wide
    return width


def span(monitor: Monitor, start: float | None, stop: float | None, now: float) -> Span:
    """The time asked for, widened to whole windows; the last 24 hours where nothing is asked.

    Raises:
        InvalidInput: it ends before it begins.
    """
    if start is None:
        start = (now if stop is None else stop) - DEFAULT_SECONDS
    if stop is None:
        stop = _floor(now, monitor.window_seconds) + monitor.window_seconds  # `now` is within
    if stop <= start:
        raise InvalidInput.at("from must be before to", "from")
    first = _floor(start, width_at(monitor, start, now))
    last = _ceil(stop, width_at(monitor, stop, now))
    return Span(min(first, _LAST - DAY), min(last, _LAST))


def step_at(monitor: Monitor, step: int, moment: int, now: float) -> Span:
    """The step of a series around a moment: as wide as asked, wider where windows do not fit it.

    It depends on the clock alone, not on how far upkeep has come.
    """
    width = step
    for least, age in _AGES:
        wide = max(monitor.window_seconds, least)
        common = math.lcm(step, wide)
        if _floor(moment, common) + wide <= now - age:
            width = common
    start = _floor(moment, width)
    return Span(start, min(start + width, _LAST))


def _floor(moment: float, width: int) -> int:
    return int(moment // width) * width


def _ceil(moment: float, width: int) -> int:
    return -_floor(-moment, width)
