"""Like with like: what the counts of an hour are compared with, and the evidence against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.judgement.detector import CAP
from kullback.moments import DAY, HOUR
from kullback.numerics.types import Array, Flags
from kullback.tally.drift import Shares

WEEK = 7 * DAY
_WEEKS = 4
_MOST_HOURS = 24  # that are put together to have rows enough


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by hour.

    Attributes:
        starts: epoch seconds (t,).
        mass: of effective rows by cell (t, k).
        rows: (t,).
        excused: hours (t,) that may be as they are: their predictions have proven right.
    """

    starts: Array
    mass: Array
    rows: Array
    excused: Flags

    def of(self, hours: Sequence[int] | Flags) -> Shares:
        """Some hours together."""
        mass: Array = self.mass[hours].sum(axis=0)
        return Shares(mass, float(mass.sum()))


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
    baselines: list[Shares]


Evidence = Callable[[list[int], list[Shares]], float]  # ln e of some hours against baselines


def course(
    counts: Counts,
    reference: Shares | None,
    minimum_rows: int,
    log_threshold: float,
    evidence: Evidence,
) -> ShareCourse | None:
    """Hour after hour: how unlike the counts are to all that they may be compared with.

    That is the reference, the same hours of the week before, those of the same day of the week in
    the weeks before, and the whole week before once it has a day. Hours of an alarm are no
    baseline. None where there never was any.
    """
    last = -np.inf
    is_baseline = np.ones(counts.rows.size, dtype=np.bool_)
    steps: list[tuple[list[int], float]] = []
    baselines: list[Shares] = []
    for hours in _together(counts.rows, minimum_rows):
        here = _baselines(counts, hours, is_baseline, reference, minimum_rows)
        if not here:
            continue
        log_e = evidence(hours, here)
        if counts.excused[hours].all():
            log_e = min(log_e, 0.0)
        last = min(log_e + np.logaddexp(0.0, last), log_threshold + CAP)
        is_baseline[hours] = last < log_threshold
        steps.append((hours, log_e))
        baselines = here
    if not steps:
        return None
    tail = np.cumsum([log_e for _, log_e in reversed(steps)])[::-1]
    first = int(np.argmax(tail)) if last >= log_threshold else len(steps) - 1
    return ShareCourse(float(last), [at for hours, _ in steps[first:] for at in hours], baselines)


def _together(rows: Array, minimum: int) -> list[list[int]]:
    """Hours in turn, put together until there are rows enough, within a day."""
    groups: list[list[int]] = []
    some: list[int] = []
    for at in np.flatnonzero(rows).tolist():
        some.append(at)
        if rows[some].sum() >= minimum:
            groups.append(some)
        if rows[some].sum() >= minimum or at - some[0] >= _MOST_HOURS:
            some = []
    return groups


def _baselines(
    counts: Counts,
    hours: list[int],
    is_baseline: Flags,
    reference: Shares | None,
    minimum_rows: int,
) -> list[Shares]:
    age = counts.starts[hours[0]] - counts.starts
    past = is_baseline & (age > 0)
    of_day = counts.starts // HOUR % 24
    same_hours = past & np.isin(of_day, of_day[hours])
    chosen = [
        same_hours & (age <= WEEK + DAY),
        same_hours & (age % WEEK < DAY // 2) & (age <= _WEEKS * WEEK + DAY),
    ]
    if (past & (age >= DAY)).any():
        chosen.append(past & (age <= WEEK))
    result = [] if reference is None else [reference]
    return result + [counts.of(some) for some in chosen if counts.rows[some].sum() >= minimum_rows]
