"""Units in planned shares, and in others: how often that alarms, and after how many units."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array
from kullback.tally.sample_ratio import ALARM, log_e_values
from tests.statistics.bounds import Bound, at_most

HALVES = (0.5, 0.5)
PLANS = {
    "50 : 50": HALVES,
    "90 : 10": (0.9, 0.1),
    "99 : 1": (0.99, 0.01),
    "10 arms": (0.1,) * 10,
}
ALPHAS = (0.05, 0.01, 0.001)
_BLOCK = 100  # runs at once


@dataclass(frozen=True, slots=True)
class Looks:
    """How often an experiment is looked at, and after how many units each time."""

    count: int = 200
    units: int = 500


OFTEN = Looks(1000, 1000)


@dataclass(frozen=True, slots=True)
class Lost:
    """Shares that are not those of the plan, and by how many units half of all runs must alarm."""

    plan: tuple[float, ...]
    truth: tuple[float, ...]
    looks: Looks
    most: int

    def median(self, runs: int) -> float:
        """After how many units half of all runs have alarmed."""
        first = [_first(log_e) for log_e in _evidence(self.plan, self.truth, runs, self.looks)]
        return float(np.median(np.concatenate(first))) * self.looks.units

    def complaints(self, name: str, median: float) -> list[str]:
        """Why so many units are too many, if they are."""
        return [] if median <= self.most else [f"{name}: {median:,.0f} is above {self.most:,}"]


LOST = {
    "60 : 40 of 50 : 50": Lost(HALVES, (0.6, 0.4), Looks(400, 10), 650),
    "55 : 45 of 50 : 50": Lost(HALVES, (0.55, 0.45), Looks(400, 20), 2400),
    "52 : 48 of 50 : 50": Lost(HALVES, (0.52, 0.48), Looks(400, 100), 14_000),
    "51 : 49 of 50 : 50": Lost(HALVES, (0.51, 0.49), Looks(400, 500), 50_000),
    "50.5 : 49.5 of 50 : 50": Lost(HALVES, (0.505, 0.495), Looks(600, 1000), 175_000),
    "99.1 : 0.9 of 99 : 1": Lost((0.99, 0.01), (0.991, 0.009), Looks(600, 1000), 175_000),
    "a tenth arm without 2%": Lost(
        (0.1,) * 10, (0.098, *(0.902 / 9,) * 9), Looks(400, 5000), 800_000
    ),
}


def alarms(
    plan: tuple[float, ...], runs: int, looks: Looks, truth: tuple[float, ...] | None = None
) -> dict[float, float]:
    """How often shares are doubted at any look, where units come as planned or by `truth`, by α."""
    evidence = _evidence(plan, plan if truth is None else truth, runs, looks)
    highest = np.concatenate([log_e.max(axis=1) for log_e in evidence])
    return {alpha: float((highest >= -math.log(alpha)).mean()) for alpha in ALPHAS}


def alarm_complaints(name: str, found: dict[float, float], runs: int | None) -> list[str]:
    """Why so many alarms are too many, if they are; beyond the noise of so many runs if given."""
    return [
        complaint
        for alpha, share in found.items()
        for bound in [Bound(0.0, alpha) if runs is None else at_most(alpha, runs)]
        for complaint in bound.complaints(f"{name}, {alpha:g}", share)
    ]


def _evidence(
    plan: tuple[float, ...], truth: tuple[float, ...], runs: int, looks: Looks
) -> Iterator[Array]:
    rng = np.random.default_rng(7)
    for start in range(0, runs, _BLOCK):
        shape = (min(_BLOCK, runs - start), looks.count)
        units = rng.multinomial(looks.units, truth, shape).cumsum(axis=1).astype(np.float64)
        yield log_e_values(units, np.array(plan))


def _first(log_e: Array) -> Array:
    """The number of the look that alarms, from 1; infinite where none does."""
    alarm = log_e >= math.log(ALARM)
    return np.where(alarm.any(axis=1), alarm.argmax(axis=1) + 1.0, np.inf)
