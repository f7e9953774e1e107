"""What is in view: the range of an axis, and which values go on beyond it."""

import math
from collections.abc import Iterable, Sequence
from statistics import median

from kullback.figures.axes import around, within_logits

Numbers = Sequence[float | None]
Row = tuple[float | None, float | None, float | None]  # a value, its low and its high end
_WIDEST = 2.5  # times what is usual: an interval that is wider is cut
_ABSURD = 1e3  # times the largest value, or 1 as metrics are: such an interval says nothing
_LARGEST = 1e300  # of what an axis can hold; what is larger stands beyond it


def in_view(
    rows: Sequence[Row], holds: Sequence[float] = (), levels: Sequence[float] = ()
) -> tuple[float, float]:
    """The range of an axis: all values, their intervals unless those are wild, levels nearby.

    An interval is wild where it goes further beyond the values than 2.5 times the distance
    between these, or 2.5 times the usual (median) half of an interval if that is more.

    Args:
        rows: values with their intervals, of all series.
        holds: numbers that are in view in any case.
        levels: numbers that are in view where they are near.

    Returns:
        The low and the high end, finite, the low below the high.
    """
    core, room = _core(rows, holds)
    low, high = min(core), max(core)
    others = [end for _, *ends in rows for end in ends if end is not None]
    shown = [*core, *(end for end in (*others, *levels) if low - room <= end <= high + room)]
    first, last = around(shown)
    if min(shown) >= 0:
        return max(0.0, first), last
    return first, min(0.0, last) if max(shown) <= 0 else last


def in_view_of_logits(rows: Sequence[Row]) -> tuple[float, float]:
    """The same of probabilities on an axis of logits, where 0 and 1 are never in view."""
    core, room = _core(
        [(_logit(value), _logit(low), _logit(high)) for value, low, high in rows], ()
    )
    low, high = min(core) - room, max(core) + room
    numbers = [p for row in rows for p in row if p is not None]
    return within_logits(p for p in numbers if low <= _straight(p) <= high)


def beyond(rows: Iterable[Row], low: float, high: float) -> tuple[list[int], list[int]]:
    """Which rows go on below a range, and which above it."""
    below, above = list[int](), list[int]()
    for at, row in enumerate(rows):
        numbers = [number for number in row if number is not None]
        below += [at] * any(number < low for number in numbers)
        above += [at] * any(number > high for number in numbers)
    return below, above


def _core(rows: Sequence[Row], holds: Sequence[float]) -> tuple[list[float], float]:
    """The numbers that are in view in any case, and how far beyond them intervals may reach."""
    values = [value for value, _, _ in rows if value is not None]
    core = [number for number in (*values, *holds) if abs(number) <= _LARGEST] or [0.0]
    absurd = _ABSURD * max(1.0, *map(abs, core))
    halves = [half for half in map(_half, rows) if half is not None and half <= absurd]
    usual = median(halves) if halves else 0.0
    return core, _WIDEST * max(max(core) - min(core), usual, 0.01 * abs(max(core)))


def _half(row: Row) -> float | None:
    """Half of an interval: the longer one, where it has a value within it."""
    value, low, high = row
    if low is None or high is None:
        return None
    return (high - low) / 2 if value is None else max(high - value, value - low)


def _logit(p: float | None) -> float | None:
    return None if p is None else _straight(p)


def _straight(p: float) -> float:
    if not 0 < p < 1:
        return math.inf if p >= 1 else -math.inf
    return math.log(p / (1 - p))
