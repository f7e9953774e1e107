"""Findings: what a check has found, as it is answered, shown and paged."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from kullback.judgement.settings import Thresholds

AT_CHANCE, NEAR_CHANCE = 0.5, 0.03  # of an AUC: nearer is as good as chance, of however many rows
ENOUGH = 20.0  # expected outcomes: what a slope tells of them is 9/10 of what it tells of many
LEAST_RATIO = 1e-9  # a calibration ratio below it is as far off
LEAST_ROWS = 0.5  # what never happened counts as half a row: so far off is what was expected


class State(StrEnum):
    """How a check stands; the worst of them is the monitor's."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"

    @property
    def is_alarm(self) -> bool:
        """Whether somebody should look."""
        return self in {State.WARNING, State.CRITICAL}


_WORST = (State.UNKNOWN, State.OK, State.WARNING, State.CRITICAL)


def worst(states: list[State]) -> State:
    """The worst of some states; unknown where nothing is known."""
    return max(states, key=_WORST.index, default=State.UNKNOWN)


class Size(NamedTuple):
    """How a check stands: its state, its value beside the threshold, and a sentence."""

    state: State
    value: float | None
    threshold: float | None
    statement: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found.

    Attributes:
        name: one of CHECKS.
        state: ok, warning, critical, or unknown where there is too little to judge.
        value: the size of what it looks at; None where there is none, infinite where what happened
            is nothing to divide by, or a loss is.
        threshold: from where on the value is too far.
        n: of how many rows the value is.
        log_e: ln of the evidence against "nothing has changed", at most some more than needed.
        log_threshold: what that has to be for an alarm.
        statement: one sentence.
        slice: the value of a slice that it is of, by the slice's name; empty for all rows.
        feature: the feature that it is of.
        since: when the change began, epoch seconds, where there is one.
        since_latest: the latest that it may have begun; None where `since` is known as it is.
        cause: what it comes from, where the check itself can tell.
    """

    name: str
    state: State
    value: float | None
    threshold: float | None
    n: int
    statement: str
    log_e: float | None = None
    log_threshold: float | None = None
    slice: str = ""
    feature: str | None = None
    since: int | None = None
    since_latest: int | None = None
    cause: str = ""

    @property
    def is_alarm(self) -> bool:
        """Whether somebody should look."""
        return self.state.is_alarm


def graded(is_sure: bool, size: float, limits: Thresholds) -> State:  # noqa: FBT001
    """Whether it is an alarm: sure and far; and whether that is far indeed."""
    if not is_sure or size < limits.tolerance:
        return State.OK
    return State.CRITICAL if size >= limits.critical else State.WARNING


def ratio_off(ratio: float, mean: float) -> float:
    """How far a calibration ratio is from 1, either way alike, as a share of the rarer outcome.

    Args:
        ratio: predicted over observed; what is below 10⁻⁹ is as far off as that.
        mean: the mean prediction.
    """
    within = max(ratio, LEAST_RATIO)
    return (max(within, 1 / within) - 1) * _rarer(mean)


def ratio_bound(tolerance: float, mean: float) -> float:
    """The ratio above 1 that is as far off as is tolerated; below 1 its inverse is."""
    return 1 + tolerance / _rarer(mean)


def _rarer(mean: float) -> float:
    """What a share of all positives is of the rarer outcome."""
    return max(mean / (1 - mean), 1.0) if mean < 1 else 1.0
