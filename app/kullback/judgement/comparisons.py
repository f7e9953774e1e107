"""Like with like: what the counts of an hour are compared with, and the evidence against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kullback.judgement.detector import CAP, rise
from kullback.judgement.findings import Finding, Size
from kullback.judgement.folds import Memo, folded
from kullback.judgement.settings import Thresholds
from kullback.moments import DAY, HOUR
from kullback.numerics.types import Array, Flags, Indices
from kullback.tally.drift import Shares

WEEK = 7 * DAY
BROAD = 0.4  # of a tolerance
_STEPS_KEPT = 400
_RECENT_HOURS = 3  # that tell what a change has led to
_MOST_HOURS = 24  # that are put together to have rows enough


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by hour.

    Attributes:
        name: of what, under which `memo` keeps what was computed of them.
        memo: what was computed before.
        starts: epoch seconds (t,).
        mass: of effective rows by cell (t, k).
        rows: (t,).
        excused: hours (t,) that may be as they are: their predictions have proven right.
        marks: of the prefixes of the hours, for a memo.
    """

    name: str
    memo: Memo
    starts: Array
    mass: Array
    rows: Array
    excused: Flags
    marks: Sequence[int]

    def of(self, hours: Sequence[int] | Flags) -> Shares:
        """Some hours together."""
        mass: Array = self.mass[hours].sum(axis=0)
        return Shares(mass, float(mass.sum()))

    def before(self, hours: Sequence[int]) -> Shares | None:
        """As many hours as these before them, a few at least; None where there are none."""
        first = hours[0]
        some = range(max(first - max(len(hours), _RECENT_HOURS), 0), first)
        return self.of(list(some)) if some else None


class Baseline(NamedTuple):
    """What some hours are compared with, and which share of a tolerance there is around it.

    All of it is around what is like these hours; around a whole past or a reference, beside that,
    a smaller part: an hour is not like a day.
    """

    shares: Shares
    room: float = 1.0

    def merged(self, cells: Indices) -> "Baseline":
        """The same in fewer cells."""
        return Baseline(self.shares.merged(cells), self.room)


@dataclass(frozen=True, slots=True)
class ShareCourse:
    """What the evidence has come to at the last hours that had rows enough.

    Attributes:
        log_e: ln of the process by now.
        hours: the hours since the change that it speaks of; the last ones where there is none.
        baselines: what these may be compared with.
    """

    log_e: float
    hours: list[int]
    baselines: list[Baseline]

    def finding(
        self,
        counts: Counts,
        name: str,
        size: Size,
        log_threshold: float,
        feature: str | None = None,
    ) -> Finding:
        """What a check of this name has found in counts."""
        return Finding(
            name,
            *size[:3],
            int(counts.rows[self.hours].sum()),
            size.statement,
            self.log_e,
            log_threshold,
            feature=feature,
            since=int(counts.starts[self.hours[0]]) if size.state.is_alarm else None,
        )


Evidence = Callable[[list[int], list[Baseline]], float]  # ln e of some hours against baselines


@dataclass(frozen=True, slots=True)
class _Step:
    """What some hours together have come to.

    Attributes:
        log_e: ln of the process.
        steps: what each group of hours added, and its place.
        alarms: hours of an alarm.
        baselines: what the last hours may be compared with.
    """

    log_e: float = -np.inf
    steps: tuple[tuple[int, float], ...] = ()
    alarms: frozenset[int] = frozenset()
    baselines: tuple[Baseline, ...] = ()


def course(
    counts: Counts,
    reference: Shares | None,
    limits: Thresholds,
    evidence: Evidence,
    log_threshold: float | None = None,
) -> ShareCourse | None:
    """Hour after hour: how unlike the counts are to all that they may be compared with.

    That is the reference, the same hours of the days before, those of the same day of the week
    before, and all of the past once it has a day. Hours of an alarm are no baseline until all
    evidence of it is gone: what is unlike a reference every evening, and not at noon, is of the
    day. None where there never was any.
    """
    most = limits.log_threshold if log_threshold is None else log_threshold
    groups = _together(counts.rows.tolist(), limits.minimum_rows)

    def step(before: _Step, place: int) -> _Step:
        hours = groups[place]
        here = _baselines(counts, hours, before.alarms, reference, limits.minimum_rows)
        if not here:
            return before
        log_e = evidence(hours, here)
        if counts.excused[hours].all():
            log_e = min(log_e, 0.0)
        log_m = float(min(log_e + np.logaddexp(0.0, before.log_e), most + CAP))
        alarms = before.alarms.union(hours) if log_m >= most else before.alarms
        if log_m <= 0:  # it has passed
            alarms = frozenset()
        return _Step(log_m, (*before.steps[-_STEPS_KEPT:], (place, log_e)), alarms, tuple(here))

    marks = [counts.marks[hours[-1]] for hours in groups]
    of_reference = None if reference is None else hash(reference.mass.tobytes())
    last = folded(counts.memo, (counts.name, limits, most, of_reference), marks, _Step(), step)
    if not last.steps:
        return None
    steps = np.array([log_e for _, log_e in last.steps])
    first = rise(steps, most) if last.log_e >= most else len(steps) - 1
    hours = [at for place, _ in last.steps[first:] for at in groups[place]]
    return ShareCourse(last.log_e, hours, list(last.baselines))


def _together(rows: list[int], minimum: int) -> list[list[int]]:
    """Hours in turn, put together until there are rows enough, within a day."""
    groups: list[list[int]] = []
    some: list[int] = []
    total = 0
    for at, number in enumerate(rows):
        if not number:
            continue
        some.append(at)
        total += number
        if total >= minimum:
            groups.append(some)
        if total >= minimum or at - some[0] >= _MOST_HOURS:
            some, total = [], 0
    return groups


def _baselines(
    counts: Counts,
    hours: list[int],
    alarms: frozenset[int],
    reference: Shares | None,
    minimum_rows: int,
) -> list[Baseline]:
    age = counts.starts[hours[0]] - counts.starts
    past = age > 0
    past[list(alarms)] = False
    of_day = counts.starts // HOUR % 24
    same_hours = past & (of_day[:, None] == of_day[hours]).any(axis=1)
    chosen = [same_hours, same_hours & (age % WEEK < DAY // 2)]
    like = [Baseline(counts.of(some)) for some in chosen if counts.rows[some].sum() >= minimum_rows]
    room = BROAD if like else 1.0
    broad = [] if reference is None else [Baseline(reference, room)]
    if (past & (age >= DAY)).any() and counts.rows[past].sum() >= minimum_rows:
        broad.append(Baseline(counts.of(past), room))
    return broad + like
