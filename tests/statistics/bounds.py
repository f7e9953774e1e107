"""Bounds that must hold, of few runs and of many, and mutations that break them."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """What a share of runs must be: in [low, high]."""

    low: float
    high: float

    def complaints(self, name: str, share: float) -> list[str]:
        """Why this share is not, if it is not."""
        if self.low <= share <= self.high:
            return []
        return [f"{name}: {share:.2%} is not within {self.low:.2%} and {self.high:.2%}"]


def noise(share: float, runs: int) -> float:
    """The standard deviation of a share over so many runs."""
    return math.sqrt(share * (1 - share) / runs)


COVERED = Bound(0.92, 0.98)
WELL_COVERED = Bound(0.935, 0.965)  # by 3,000 runs, as all that is called so
WHALES_COVERED = Bound(0.925, 0.98)
NAIVELY_COVERED = Bound(0.0, 0.80)

CLAIMED = Bound(0.0, 0.07)
RARELY_CLAIMED = Bound(0.0, 0.05)
CLAIMED_BY_FIXED = Bound(0.08, 1.0)

FOUND = Bound(0.80, 0.95)
WELL_FOUND = Bound(0.82, 0.88)
FOUND_ANYHOW = Bound(0.72, 0.88)  # by a margin that is ten times too small
WRONG = Bound(0.0, 0.025)

NOTICED = Bound(0.99, 1.0)


def at_most(share: float, runs: int) -> Bound:
    """What is called true at most so often, up to two standard deviations of so many runs."""
    return Bound(0.0, share + 2 * noise(share, runs))
