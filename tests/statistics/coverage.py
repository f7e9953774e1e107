"""Coverage: how often an interval of 95 % holds the truth, which is 0."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kullback.numerics.types import Array, Indices
from tests.statistics import worlds
from tests.statistics.bounds import COVERED, NAIVELY_COVERED, WELL_COVERED, WHALES_COVERED
from tests.statistics.estimates import (
    NORMAL_95,
    Estimate,
    apart,
    entropies_apart,
    log_calibration,
    mean,
)
from tests.statistics.worlds import Shown, World, coins, shown

ALPHA = 0.05
HARDEST = "split, 2,000, whales"
Interval = Callable[[float, Array], tuple[float, float]]
Effect = Literal["paired", "parallel", "requests", "entropy", "calibration"]
Told = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world, and what is estimated there."""

    world: World
    effect: Effect

    @property
    def has_whales(self) -> bool:
        """Whether a few users hold much of what happens."""
        return self.world.activity == "whales"


SCENARIOS: Mapping[str, Scenario] = {
    "paired, 300 users": Scenario(World(300), "paired"),
    "paired, 2,000, CTR 2 %": Scenario(World(2000, base=-4.5), "paired"),
    "paired, 2,000, whales": Scenario(World(2000, activity="whales"), "paired"),
    "split, 2,000": Scenario(World(2000), "parallel"),
    HARDEST: Scenario(World(2000, -1.0, "whales"), "parallel"),
    "NE split, 2,000, CTR 10 %": Scenario(World(2000, base=-2.6), "entropy"),
    "NE split, 2,000, whales": Scenario(World(2000, -1.0, "whales"), "entropy"),
    "requests, 2,000": Scenario(World(2000), "requests"),
    "calibration ln R, 2,000": Scenario(World(2000, base=-2.6), "calibration"),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """The part of all runs whose interval held the truth.

    Attributes:
        naive: as if rows were independent.
        normal: by buckets of users, with quantiles of the normal distribution.
        student: by buckets of users, with those of Student's t: what is answered.
    """

    naive: float
    normal: float
    student: float


def coverage(name: str, runs: int, told: Told = lambda: None) -> Coverage:
    """Of a scenario, over so many runs."""
    scenario = SCENARIOS[name]
    seed = list(SCENARIOS).index(name)
    held = np.zeros(3)
    for run in range(runs):
        estimate, buckets = estimated(np.random.default_rng([1, seed, run]), scenario)
        held += _held(estimate, buckets)
        told()
    return Coverage(*(held / runs).tolist())


def estimated(rng: np.random.Generator, scenario: Scenario) -> tuple[Estimate, Indices]:
    """An estimate of 0, and the bucket of each of its rows."""
    rows = shown(rng, scenario.world)
    return _estimate(rng, scenario, rows), rows.buckets


def gaussian_coverage(interval: Interval, buckets: int, runs: int) -> float:
    """Of the mean of normal buckets, all alike: nothing but the noise of SE² is left to meet."""
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(runs):
        values = rng.standard_normal(buckets)
        theta = float(values.mean())
        low, high = interval(theta, (values - theta) / buckets)
        held += low <= 0 <= high
    return held / runs


def complaints(name: str, found: Coverage, *, by_many: bool = False) -> list[str]:
    """Why this is not the coverage of intervals that are right, beside some that are not."""
    has_whales = SCENARIOS[name].has_whales
    bound = (WHALES_COVERED if has_whales else WELL_COVERED) if by_many else COVERED
    wrong = bound.complaints(name, found.student)
    if has_whales and not found.normal < found.student:
        wrong.append(f"{name}: Student's t adds nothing to {found.normal:.2%}")
    if name == HARDEST:
        wrong += NAIVELY_COVERED.complaints(f"{name}, naive", found.naive)
    return wrong


def _estimate(rng: np.random.Generator, scenario: Scenario, rows: Shown) -> Estimate:
    if scenario.effect == "calibration":
        return log_calibration(rows.y, worlds.probability(rows.truth))
    first = worlds.loss(rows.y, rows.first)
    if scenario.effect == "paired":
        return mean(worlds.loss(rows.y, rows.second) - first)
    if scenario.effect == "requests":
        return apart(first, coins(rng, first.size))
    treated = coins(rng, scenario.world.users)[rows.user]
    if scenario.effect == "entropy":
        return entropies_apart(rows.y, first, treated)
    return apart(first, treated)


def _held(estimate: Estimate, buckets: Indices) -> tuple[bool, bool, bool]:
    found = estimate.by(buckets)
    low, high = found.interval(ALPHA)
    return (
        abs(estimate.effect) <= NORMAL_95 * estimate.naive_error,
        abs(estimate.effect) <= NORMAL_95 * found.standard_error,
        low <= 0 <= high,
    )
