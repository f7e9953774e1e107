"""Power: how soon an effect is found, by every method, of Brownian scores."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array
from kullback.tally.confidence_sequence import boundary
from kullback.tally.horizon import Horizon
from tests.statistics.bounds import Bound
from tests.statistics.coverage import ALPHA

FIXED = 1.959964 + 0.841621  # standard errors that one look finds by 80 %
STEPS = 60  # looks for each time the rows of that look
TIMES = (1.0, 1.5, 2.0, 3.0)
LONG = 5  # times: how long A/A goes on
_BATCH = 500
_GROWTHBOOK_USERS = 5000.0  # what its boundary is narrowest at
_TWICE_FOUND = Bound(0.95, 1.0)
_HORIZON_CLAIMED = Bound(0.0, 0.058)  # 5 % and two standard deviations of 3,000 runs


@dataclass(frozen=True, slots=True)
class PowerRow:
    """What is found by so many times the rows of one look, and claimed without an effect."""

    found: tuple[float, ...]
    claimed: float


def _times() -> Array:
    times: Array = np.arange(1, LONG * STEPS + 1) / STEPS
    return times


def _sequence(time: float) -> float:
    return boundary(FIXED**2 * time, ALPHA)


def _one_phi(time: float) -> float:
    v = FIXED**2 * time
    return math.sqrt((1 + v) / v * (math.log1p(v) - 2 * math.log(ALPHA)))


def _growthbook(users: float) -> Callable[[float], float]:
    """Its sequential interval, of so many users at one look.

    Source: Waudby-Smith et al. (2024), theorem 2.2, tuned as GrowthBook documents.
    """
    aim = -2 * math.log(ALPHA)
    rho = math.sqrt((aim + math.log(aim + 1)) / _GROWTHBOOK_USERS)

    def at(time: float) -> float:
        n = users * time * rho * rho
        return math.sqrt(2 * (n + 1) / n * math.log(math.sqrt(n + 1) / ALPHA))

    return at


def _horizon(power: float) -> Callable[[float], float]:
    """Looks until the first at or after the horizon; none later."""
    horizon = Horizon(ALPHA, power)
    end = (horizon.drift / FIXED) ** 2

    def at(time: float) -> float:
        if time >= end + 1 / STEPS:
            return math.inf
        return horizon.boundary(time / end)

    return at


METHODS: Mapping[str, Callable[[float], float]] = {
    "sequence: what is answered": _sequence,
    "one normal mixture, φ = δ²": _one_phi,
    "GrowthBook's, 5,000 users": _growthbook(5e3),
    "GrowthBook's, 100,000 users": _growthbook(1e5),
    "horizon of 80 % power": _horizon(0.8),
    "horizon of 95 % power": _horizon(0.95),
    "horizon of 97 % power": _horizon(0.97),
    "fixed interval at every look": lambda _: 1.959964,
}


def power_table(runs: int) -> Mapping[str, PowerRow]:
    """Of so many runs each."""
    times = _times()
    boundaries = {name: np.array([at(time) for time in times]) for name, at in METHODS.items()}
    found = {name: np.zeros(len(TIMES)) for name in METHODS}
    claimed = dict.fromkeys(METHODS, 0.0)
    for start in range(0, runs, _BATCH):
        size = min(_BATCH, runs - start)
        rng = np.random.default_rng([11, start])
        scores = np.cumsum(rng.standard_normal((size, times.size)) / math.sqrt(STEPS), axis=1)
        noise = scores / np.sqrt(times)
        shown = noise + FIXED * np.sqrt(times)
        for name, limits in boundaries.items():
            crossed = np.maximum.accumulate(shown >= limits, axis=1)
            places = [round(time * STEPS) - 1 for time in TIMES]
            found[name] += crossed[:, places].sum(axis=0)
            claimed[name] += float((np.abs(noise) >= limits).any(axis=1).sum())
    return {
        name: PowerRow(tuple((found[name] / runs).tolist()), claimed[name] / runs)
        for name in METHODS
    }


def table_complaints(table: Mapping[str, PowerRow]) -> list[str]:
    """Why horizons do not find what they plan, or claim too much, if they do not."""
    complaints = _TWICE_FOUND.complaints("a horizon", table["horizon of 95 % power"].found[2])
    for name, row in table.items():
        if name.startswith("horizon"):
            complaints += _HORIZON_CLAIMED.complaints(name, row.claimed)
    return complaints
