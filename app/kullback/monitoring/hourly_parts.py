"""The parts of a monitor by the hour: of hours that are as they were nothing is read."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from kullback.moments import DAY, FUTURE_SECONDS, HOUR
from kullback.monitoring.maturity import hour_at
from kullback.monitoring.windows import Span, middle
from kullback.storage.base import Cell, Part

if TYPE_CHECKING:
    from kullback.monitoring.queries import MonitorReader

Read = TypeVar("Read")
_Window = tuple[int, int]  # its start and its width


def by_hour(
    reader: "MonitorReader",
    of: str | None,
    reach: int,
    kept: Callable[[Span, int], Read | None],
    read: Callable[[Span, int, Sequence[Part]], Read],
) -> dict[Span, Read]:
    """What is made of each hour of all rows, or of all values of a slice, within a reach; in order.

    It begins up to half of that earlier: a history that loses its first day is computed anew.
    A mark tells which parts an hour has. `kept` is asked first, if it has what those of a mark come
    to; the parts of the other hours are read, and may be others by then, of another mark.
    """
    ended = min(reader.now, reader.last_start or 0)  # of what has ended the last of it is judged
    start = _floor(max(ended - reach, 0), reach // 2 // DAY * DAY)
    edges = start, int(reader.now + FUTURE_SECONDS)
    numbers = reader.store.numbers(reader.record.id, *edges, of)
    hours = _hours(reader, numbers)
    result: dict[Span, Read] = {}
    missing: dict[Span, list[_Window]] = {}
    for hour, windows in hours.items():
        have = kept(hour, _mark(number for window in windows for number in numbers[window]))
        if have is None:
            missing[hour] = windows
        else:
            result[hour] = have
    for first, last in _ranges(missing.values()):
        numbered = reader.store.numbered(reader.record.id, first, last + 1, of)
        for hour, parts in _parts(reader, numbered).items():
            if hour in missing:
                mark = _mark(number for number, _ in parts)
                result[hour] = read(hour, mark, [part for _, part in parts])
    return dict(sorted(result.items()))


def _hours(reader: "MonitorReader", windows: Iterable[_Window]) -> Mapping[Span, list[_Window]]:
    """The windows of each hour that are there for those who read."""
    hours: dict[Span, list[_Window]] = defaultdict(list)
    for window in windows:
        if reader.stored.shows(*window):
            at = middle(Cell("", "", *window))
            hours[hour_at(reader.monitor, at, reader.now)].append(window)
    return hours


def _parts(
    reader: "MonitorReader", numbered: Sequence[tuple[int, Part]]
) -> Mapping[Span, list[tuple[int, Part]]]:
    of_window: dict[_Window, list[tuple[int, Part]]] = defaultdict(list)
    for each in numbered:
        of_window[each[1][0][2:]].append(each)
    return {
        hour: [each for window in windows for each in of_window[window]]
        for hour, windows in _hours(reader, of_window).items()
    }


def _floor(moment: float, step: int) -> int:
    return int(moment // step) * step


def _mark(numbers: Iterable[int]) -> int:
    return hash(tuple(sorted(numbers)))


def _ranges(missing: Iterable[Sequence[_Window]]) -> Iterator[tuple[int, int]]:
    """From where to where windows begin: those of neighbouring hours in one, of a day at most."""
    whole: tuple[int, int] | None = None
    for first, last in sorted((min(windows)[0], max(windows)[0]) for windows in missing):
        if whole is None:
            whole = first, last
        elif first <= whole[1] + HOUR and last < whole[0] + DAY:
            whole = whole[0], max(last, whole[1])
        else:
            yield whole
            whole = first, last
    if whole is not None:
        yield whole
