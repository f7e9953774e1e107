"""Maturity: whether the labels of some time are in, as far as they ever come."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kullback.moments import HOUR, LAST_DAY, moment
from kullback.monitoring.label_delays import LabelDelays
from kullback.monitoring.monitor import HOURS_KEPT_SECONDS, Monitor
from kullback.monitoring.window_tallies import RowCounts
from kullback.monitoring.windows import Span, middle, width_at
from kullback.storage.base import Part
from kullback.stored_sums import naming_damage
from kullback.tally.row_count import stored_rows
from kullback.tally.tally import Tally

ABOUT_ALL = 0.95  # of the labels that finally come
FEW = 0.1  # of the rows of the fullest hour
_PART_ROWS = 30  # of an hour

Step = tuple[int, RowCounts]  # the end of a window, and the rows of its hour that came by then


@dataclass(frozen=True, slots=True)
class Maturity:
    """What makes the time of a monitor mature.

    Attributes:
        lag: seconds after which its labels are in.
        final_share: the share of predictions that finally have labels; None where age decides.
        ttl: seconds after which no label comes any more.
        window: seconds of a window.
    """

    lag: float
    final_share: float | None
    ttl: int
    window: int

    @classmethod
    def of(cls, monitor: Monitor, delays: LabelDelays) -> "Maturity":
        """As its owner has set it, or as it is learned from these delays."""
        always = monitor.ttl_seconds, monitor.window_seconds
        if monitor.label_lag is not None:
            return cls(monitor.label_lag, None, *always)
        if monitor.label_window is not None:  # then the default label comes, whatever else did not
            return cls(monitor.label_window, 1.0, *always)
        return cls(delays.lag or 0.0, delays.labelled_share, *always)

    def edge(self, now: float) -> int:
        """The last window that is old enough to be mature ends here; later, without a lag."""
        return int((now - self.lag) // self.window + (self.lag <= 0)) * self.window

    def has(self, stop: float, rows: RowCounts, now: float) -> bool:
        """Whether the time that ends at `stop`, of so many rows, is mature.

        It ended at least the lag ago; and where that is learned, about as many of its rows have
        labels as finally do, or no label can come any more. Rows that (about) all have labels are
        mature at any age.
        """
        is_old = self._is_old(stop, now)
        share = rows.labelled_share
        if self.final_share is None or share is None:
            return is_old
        least = self._least_share(rows, self.final_share)
        return share >= ABOUT_ALL or (is_old and (share >= least or stop <= now - self.ttl))

    def until(self, hour: Span, steps: Sequence[Step], now: float, most: int | None = None) -> int:
        """Up to when an hour is mature, of whose rows so many came by the end of each window.

        All of it, or a part from its start on, whose last window ended the lag ago: the longest
        that is mature, of half the rows so old or more, and not of a few, of which those with
        labels may be all those that are positive. Its start where there is none. A value of a
        slice is mature up to where all rows are, `most`, or not at all; where no part of these is,
        as a whole.
        """
        if most in {None, hour.start, hour.stop} and self.has(hour.stop, steps[-1][1], now):
            return hour.stop
        if most is None:
            old = [step for step in steps if self._is_old(step[0], now)]
        else:
            old = [(most, rows) for stop, rows in steps if stop <= most][-1:]
        least = max(old[-1][1].scored / 2, _PART_ROWS) if old else 0.0
        some = (step for step in reversed(old) if step[1].scored >= least)
        return next((stop for stop, rows in some if self.has(stop, rows, now)), hour.start)

    def judges(self, rows: RowCounts, labelled: Tally | None) -> bool:
        """Whether rows with labels stand for all rows: not positive ones of a few of them.

        Where only clicks are ever labelled their base rate is 1, and nobody knows the true one.
        """
        if self.final_share is None or labelled is None or (rows.labelled_share or 1) >= ABOUT_ALL:
            return True
        is_binary = labelled.layout.task == "binary"
        return not is_binary or labelled.scalar("wy") < labelled.scalar("w")

    def _is_old(self, stop: float, now: float) -> bool:
        return min(stop, now) <= now - self.lag

    def _least_share(self, rows: RowCounts, final: float) -> float:
        """About the share that is labelled in the end, less what chance takes of few rows."""
        expected = rows.observed + final * rows.predicted
        chance = 2 * math.sqrt(final * (1 - final) * rows.predicted)
        return (ABOUT_ALL * expected - chance) / rows.scored


class RowsByTime:
    """How many rows came in each step of some time, by slice."""

    def __init__(self, step_at: Callable[[int], Span]) -> None:
        self._step_at = step_at
        self._rows: dict[str, dict[tuple[int, str], int]] = defaultdict(lambda: defaultdict(int))

    def counting(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The same parts; they are counted as they pass."""
        for part in parts:
            cell, content = part
            with naming_damage([part]):
                self._rows[cell.slice][middle(cell), cell.kind] += stored_rows(content)
            yield part

    def count(self, parts: Iterable[Part]) -> None:
        """Count parts of which nothing else is wanted."""
        for _ in self.counting(parts):
            pass

    def steps(self, name: str = "") -> Mapping[Span, RowCounts]:
        """What was counted of a slice and its value, or of all rows, in order."""
        sums: dict[Span, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for (at, kind), rows in sorted(self._rows[name].items()):
            sums[self._step_at(at)][kind] += rows
        return {span: RowCounts.of(kinds) for span, kinds in sums.items()}


def hour_at(monitor: Monitor, moment: float, now: float) -> Span:
    """The hour around a moment, or the window where that is wider."""
    is_recent = monitor.timezone is None and moment > now - HOURS_KEPT_SECONDS
    width = max(HOUR, monitor.window_seconds if is_recent else width_at(monitor, moment, now))
    start = int(moment // width) * width
    return Span(start, min(start + width, LAST_DAY))


def hour_before(monitor: Monitor, moment: float, now: float) -> Span:
    """The last hour that had ended by a moment, in whole windows."""
    width = width_at(monitor, moment, now)
    stop = int(moment // width) * width
    return Span(stop - max(HOUR, width), stop)


def mature_hours(
    hours: Mapping[Span, RowCounts], maturity: Maturity, now: float
) -> Mapping[Span, RowCounts]:
    """Those that have labels and are mature."""
    return {
        span: rows
        for span, rows in hours.items()
        if rows.labelled and maturity.has(span.stop, rows, now)
    }


def last_mature(hours: Mapping[Span, RowCounts], maturity: Maturity, now: float) -> Span | None:
    """The last hour that has labels and is mature.

    Not one with a few rows: a batch ends in the middle of an hour.
    """
    mature = mature_hours(hours, maturity, now)
    enough = FEW * max((rows.labelled for rows in mature.values()), default=0)
    return max((span for span, rows in mature.items() if rows.labelled >= enough), default=None)


@dataclass(frozen=True, slots=True)
class MatureTime:
    """How much of some time is mature.

    Attributes:
        stop: its end.
        until: what came before is mature; None where nothing is.
        waiting: rows of hours after it that have no labels yet; 0 where age alone decides.
        after: all rows of those hours.
    """

    stop: int
    until: float | None
    waiting: int = 0
    after: int = 0

    @classmethod
    def of(
        cls, chosen: Span, hours: Mapping[Span, RowCounts], maturity: Maturity, now: float
    ) -> "MatureTime":
        """That of some time, of whose hours the rows were counted.

        It ends before the first hour of whose rows too many still wait, even if a later one has
        all its labels; where nobody counts rows, at the lag.
        """
        counted = (rows.scored if maturity.lag > 0 else rows.predicted for rows in hours.values())
        if maturity.final_share is None or not any(counted):
            until = maturity.edge(now)
            return cls(chosen.stop, min(until, chosen.stop) if until > chosen.start else None)
        young = {
            span: rows
            for span, rows in hours.items()
            if rows.scored and not maturity.has(span.stop, rows, now)
        }
        if not young:
            return cls(chosen.stop, chosen.stop)
        scored = sum(rows.scored for rows in young.values())
        waiting = scored - sum(rows.labelled for rows in young.values())
        until = min(young).start
        is_some = until > chosen.start and min(hours) < min(young)
        return cls(chosen.stop, until if is_some else None, waiting, scored)

    @property
    def statement(self) -> str:
        """What is not yet mature, in a sentence."""
        since = "" if self.until is None else f" after {moment(self.until)}"
        if self.after:
            share = f"{self.waiting / self.after:.0%} of {self.after:,} predictions"
            return f"Not yet mature{since}: {share} wait for labels."
        if self.until != self.stop:
            return f"Not yet mature{since}: labels are still to come."
        return "Mature: the labels of this time are in, as far as they come."
