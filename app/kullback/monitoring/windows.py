"""Windows of time: clock-aligned, fine when young, wide when old."""

import math
from typing import NamedTuple

import numpy as np

from kullback.errors import InvalidInput
from kullback.moments import DAY, HOUR, LAST_DAY
from kullback.monitoring.monitor import HOURS_KEPT_SECONDS, WINDOWS_KEPT_SECONDS, Monitor
from kullback.numerics.types import Array, Indices

DEFAULT_SECONDS = DAY
AGES = ((HOUR, WINDOWS_KEPT_SECONDS), (DAY, HOURS_KEPT_SECONDS))  # width, and age from which


class Span(NamedTuple):
    """Time from `start`, inclusive, to `stop`, exclusive, in epoch seconds, of whole windows."""

    start: int
    stop: int


def width_at(monitor: Monitor, moment: float, now: float) -> int:
    """How wide the window around a moment is by now: as configured, an hour or a day."""
    width = monitor.window_seconds
    for least, age in AGES:
        wide = max(width, least)
        if _floor(moment, wide) + wide <= now - age:
            width = wide
    return width


def window_starts(monitor: Monitor, moments: Array, now: float) -> Indices:
    """When the window of each moment began, (n,), each as wide as `width_at` says."""
    width = np.full(moments.size, monitor.window_seconds)
    for least, age in AGES:
        wide = max(monitor.window_seconds, least)
        width[moments // wide * wide + wide <= now - age] = wide
    starts: Indices = (moments // width).astype(np.int64) * width
    return starts


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
    return Span(min(first, LAST_DAY - DAY), min(last, LAST_DAY))


def step_at(monitor: Monitor, step: int, moment: int, now: float) -> Span:
    """The step of a series around a moment: as wide as asked, wider where windows do not fit it.

    It depends on the clock alone, not on how far maintenance has come.
    """
    width = step
    for least, age in AGES:
        wide = max(monitor.window_seconds, least)
        common = math.lcm(step, wide)
        if _floor(moment, common) + wide <= now - age:
            width = common
    start = _floor(moment, width)
    return Span(start, min(start + width, LAST_DAY))


def widened(monitor: Monitor, span: Span, now: float) -> tuple[int, ...]:
    """Before when windows are an hour and a day wide, up to the end of a span.

    Steps differ beside it, those too that begin before the span.
    """
    wide = ((max(monitor.window_seconds, least), now - age) for least, age in AGES)
    return tuple(min(_floor(edge, width), span.stop) for width, edge in wide)


def _floor(moment: float, width: int) -> int:
    return int(moment // width) * width


def _ceil(moment: float, width: int) -> int:
    return -_floor(-moment, width)
