"""Peeking: how often repeated looks claim a difference that does not exist."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from kullback.experiments.margins import absolute_margin
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.verdict import verdict_of
from kullback.numerics.types import Flags, Undefined
from kullback.tally.confidence_sequence import ConfidenceSequence, confidence_sequence
from kullback.tally.contrast import Contrast, contrast
from tests.statistics.bounds import (
    CLAIMED,
    CLAIMED_BY_FIXED,
    FOUND,
    RARELY_CLAIMED,
    WELL_FOUND,
    WRONG,
)
from tests.statistics.coverage import ALPHA, Told
from tests.statistics.crowds import CROWDS, LOOKS, Crowd, Looks, seen
from tests.statistics.estimates import NORMAL_95

BURN_IN = 100  # buckets with rows
PLANNED = 2.8  # 1.96 + 0.84 standard errors are found by 80 % of experiments of one look
LEAST = math.sqrt(-2 * math.log(ALPHA))  # ln e is at most t²/2: nothing is claimed below
Clock = Callable[[float], float]
_PILOTS = 20
_LONG = 1e5
_TIMES = np.geomspace(1.0, _LONG, 300)


@dataclass(frozen=True, slots=True)
class Crossing:
    """The part of all runs that claim a difference at any of their looks.

    Attributes:
        fixed: by the interval of one look, from buckets of users, at every look.
        sure: by an e-value of 1/α or more.
    """

    fixed: float
    sure: float


@dataclass(frozen=True, slots=True)
class Power:
    """The part of all runs whose first verdict is right, or wrong, by the last look."""

    better: float
    worse: float


def crossing(name: str, runs: int, told: Told = lambda: None) -> Crossing:
    """Of a crowd where there is no difference, over so many runs."""
    crowd, kind = CROWDS[name], list(CROWDS).index(name)
    minimum = planned(crowd)
    fixed = sure = 0
    for run in range(runs):
        looks = seen(np.random.default_rng([2, kind, run]), crowd)
        fixed += bool((is_warm(looks) & (np.abs(looks.statistic) > NORMAL_95)).any())
        sure += any(is_claimed(now) for _, now in notable(looks, minimum))
        told()
    return Crossing(fixed / runs, sure / runs)


def power(runs: int, told: Told = lambda: None, too_small: float = 1.0) -> Power:
    """To find an effect by twice the rows that one look needs, of a margin `too_small` times."""
    crowd = CROWDS["arrivals"]
    smallest = planned(crowd)
    minimum = smallest / too_small
    arms = (Arm("old", 0.5), Arm("new", 0.5))
    plan = Plan(arms, "old", design="paired", alpha=ALPHA, minimum_effect=minimum)
    twice = Crowd(replace(crowd.world, users=2 * crowd.world.users), crowd.visits)
    first = []
    for run in range(runs):
        looks = seen(np.random.default_rng([3, run]), twice, 2 * LOOKS, -smallest)
        words = (
            verdict_of(plan, effect, sequence, absolute_margin(minimum, sequence)).word
            for effect, sequence in notable(looks, minimum)
        )
        first.append(next((word for word in words if word in {"better", "worse"}), ""))
        told()
    return Power(first.count("better") / runs, first.count("worse") / runs)


def long_crossing(clock: Clock, runs: int, told: Told = lambda: None) -> float:
    """Of Brownian motion at information from 1 to 10⁵, by the smallest effect that a clock asks.

    Args:
        clock: what is told to `sequence` as the minimum effect, from the standard error.
        runs: how many.
        told: called after each.
    """
    error, crossed = 1 / np.sqrt(_TIMES), 0
    for run in range(runs):
        rng = np.random.default_rng([5, run])
        steps = rng.standard_normal(_TIMES.size) * np.sqrt(np.diff(_TIMES, prepend=0.0))
        effect = np.cumsum(steps) / _TIMES
        asked = np.flatnonzero(np.abs(effect) >= LEAST * error)
        looks = zip(effect[asked].tolist(), error[asked].tolist(), strict=True)
        crossed += any(
            is_claimed(
                confidence_sequence(Contrast(theta, se, math.inf, 1024, 0.0), clock(se), ALPHA)
            )
            for theta, se in looks
        )
        told()
    return crossed / runs


def by_information(error: float) -> float:  # noqa: ARG001 - it asks the same at every look
    """The minimum effect that was planned: the clock is 1/SE²."""
    return 1.0


def by_users(error: float) -> float:
    """The minimum effect for which a clock stands still, as the number of users does."""
    return PLANNED * error


def complaints(name: str, found: Crossing, *, by_many: bool = False) -> list[str]:
    """Why this is not how rarely a sequence claims what is not, where an interval often does."""
    bound = RARELY_CLAIMED if by_many else CLAIMED
    fixed = CLAIMED_BY_FIXED.complaints(f"{name}, fixed", found.fixed)
    return bound.complaints(name, found.sure) + fixed


def long_complaints(share: float) -> list[str]:
    """Why so many claims are too many for a monitor that never ends, if they are."""
    return RARELY_CLAIMED.complaints("information times 100,000", share)


def power_complaints(found: Power, *, by_many: bool = False) -> list[str]:
    """Why this is not the power that was planned, if it is not."""
    bound = WELL_FOUND if by_many else FOUND
    return bound.complaints("right", found.better) + WRONG.complaints("wrong", found.worse)


def is_claimed(now: ConfidenceSequence) -> bool:
    """Whether e is 1/α or more."""
    return now.log_e_value >= -math.log(ALPHA)


def planned(crowd: Crowd) -> float:
    """The effect that 80 % of experiments of one look find at the end, of pilots."""
    pilots = [seen(np.random.default_rng([4, run]), crowd) for run in range(_PILOTS)]
    return PLANNED * float(np.mean([pilot.standard_error[-1] for pilot in pilots]))


def notable(looks: Looks, minimum: float) -> Iterator[tuple[Contrast, ConfidenceSequence]]:
    """The looks, after the burn-in, at which anything may be claimed."""
    asked: Flags = is_warm(looks) & (np.abs(looks.statistic) >= LEAST)
    for look in np.flatnonzero(asked).tolist():
        found = contrast(float(looks.effect[look]), looks.u[look], int(looks.clusters[look]))
        assert not isinstance(found, Undefined)
        yield found, confidence_sequence(found, minimum, ALPHA)


def is_warm(looks: Looks) -> Flags:
    """Which looks have enough buckets for a verdict."""
    warm: Flags = looks.clusters >= BURN_IN
    return warm
