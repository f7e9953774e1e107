"""Windows of time: clock-aligned, fine when young, wide when old."""

import math
from typing import NamedTuple

import numpy as np

from kullback.errors import InvalidInput
from kullback.moments import DAY, HOUR, LAST_DAY
from kullback.monitoring.monitor import HOURS_KEPT_SECONDS, WINDOWS_KEPT_SECONDS, Monitor
from kullback.numerics.types import Array, Indices
from kullback.storage.base import Cell
from kullback.timezones import Time, finest_width, local_days, resolved

DEFAULT_SECONDS = DAY
AGES = ((HOUR, WINDOWS_KEPT_SECONDS), (DAY, HOURS_KEPT_SECONDS))  # width, and age from which


class Span(NamedTuple):
    """Time from `start`, inclusive, to `stop`, exclusive, in epoch seconds, of whole windows."""

    start: int
    stop: int


def ages(monitor: Monitor) -> tuple[tuple[int, int], ...]:
    """How wide windows become, and at which age: hours, then days.

    Those of a monitor with a time zone become no days, as its days are not those of UTC.
    """
    if monitor.timezone is not None:
        return ((finest_width(monitor.timezone), WINDOWS_KEPT_SECONDS),)
    return tuple((max(monitor.window_seconds, least), age) for least, age in AGES)


def width_at(monitor: Monitor, moment: float, now: float) -> int:
    """How wide the window around a moment is by now: as configured, an hour or a day."""
    width = monitor.window_seconds
    for wide, age in ages(monitor):
        if _floor(moment, wide) + wide <= now - age:
            width = wide
    return width


def window_starts(monitor: Monitor, moments: Array, now: float) -> Indices:
    """When the window of each moment began, (n,), each as wide as `width_at` says."""
    width = np.full(moments.size, monitor.window_seconds)
    for wide, age in ages(monitor):
        width[moments // wide * wide + wide <= now - age] = wide
    starts: Indices = (moments // width).astype(np.int64) * width
    return starts


def span(monitor: Monitor, start: Time | None, stop: Time | None, now: float) -> Span:
    """The time asked for, widened to whole windows; the last 24 hours where nothing is asked.

    Raises:
        InvalidInput: it ends before it begins, or is without a time zone as the monitor is.
    """
    start = None if start is None else resolved(start, monitor.timezone, "from")
    stop = None if stop is None else resolved(stop, monitor.timezone, "to")
    if start is None:
        start = (now if stop is None else stop) - DEFAULT_SECONDS
    if stop is None:
        stop = _floor(now, monitor.window_seconds) + monitor.window_seconds  # `now` is within
    if stop <= start:
        raise InvalidInput.at("from must be before to", "from")
    first = _floor(start, width_at(monitor, start, now))
    last = _ceil(stop, width_at(monitor, stop, now))
    return Span(min(first, LAST_DAY - DAY), min(last, LAST_DAY))


def middle(cell: Cell) -> int:
    """A moment that stands for a cell: it lies in the step of a series in which this does."""
    return cell.start + cell.width // 2


def step_at(monitor: Monitor, step: int, moment: int, now: float) -> Span:
    """The step of a series around a moment: as wide as asked, wider where windows do not fit it.

    It depends on the clock alone, not on how far maintenance has come. Days are those of the
    monitor's time zone.
    """
    if monitor.timezone is not None and step % DAY == 0:
        return Span(*local_days(monitor.timezone, moment, step // DAY))
    width = step
    for wide, age in ages(monitor):
        common = math.lcm(step, wide)
        if _floor(moment, common) + wide <= now - age:
            width = common
    start = _floor(moment, width)
    return Span(start, min(start + width, LAST_DAY))


def widened(monitor: Monitor, span: Span, now: float) -> tuple[int, ...]:
    """Before when windows are an hour and a day wide, up to the end of a span.

    Steps differ beside it, those too that begin before the span.
    """
    wide = ((width, now - age) for width, age in ages(monitor))
    return tuple(min(_floor(edge, width), span.stop) for width, edge in wide)


def _floor(moment: float, width: int) -> int:
    return int(moment // width) * width


def _ceil(moment: float, width: int) -> int:
    return -_floor(-moment, width)
