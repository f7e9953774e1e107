"""Timing of two sides fairly, and the rows of the table."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

ROUNDS = 15


class WrongResult(Exception):
    """The two sides of a row do not agree: their times mean nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio must reach: at least a speed, or at most a share of the rival's time."""

    sense: Literal["≥", "≤"]
    bound: float
    unit: str = "x"
    stretch: float | None = None

    def __str__(self) -> str:
        """As the table shows it."""
        stretch = "" if self.stretch is None else f" (stretch {self.stretch:g}{self.unit})"
        return f"{self.sense} {self.bound:g}{self.unit}{stretch}"

    def verdict(self, value: float) -> str:
        """Whether a value reaches it."""
        if self.stretch is not None and self._reached(value, self.stretch):
            return "yes, stretch"
        return "yes" if self._reached(value, self.bound) else "no"

    def _reached(self, value: float, bound: float) -> bool:
        return value >= bound if self.sense == "≥" else value <= bound


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `value` is what the target is about."""

    name: str
    ours: str
    rival: str
    value: float
    target: Target | None = None

    @property
    def cells(self) -> tuple[str, str, str, str, str, str]:
        """Row, ours, rival, ratio, target, met."""
        unit = "x" if self.target is None else self.target.unit
        shown = f"{self.value:.0f}" if self.value >= 10 else f"{self.value:.2f}"
        if self.target is None:
            return self.name, self.ours, self.rival, shown + unit, "-", "-"
        met = self.target.verdict(self.value)
        return self.name, self.ours, self.rival, shown + unit, str(self.target), met


Rows = Iterator[Row]


@dataclass(frozen=True, slots=True)
class Times:
    """The best time of each side, in seconds."""

    ours: float
    rival: float

    def faster(self, name: str, target: Target | None = None) -> Row:
        """How many times faster ours is."""
        return Row(name, shown(self.ours), shown(self.rival), self.rival / self.ours, target)

    def share(self, name: str, target: Target | None = None) -> Row:
        """Our time as a multiple of the rival's."""
        return Row(name, shown(self.ours), shown(self.rival), self.ours / self.rival, target)


def interleaved(
    ours: Callable[[], object], rival: Callable[[], object], rounds: int = ROUNDS
) -> Times:
    """The best of each side, taken in turn so that a noisy moment meets both."""
    ours()
    rival()
    best_ours = best_rival = float("inf")
    gc.collect()
    for _ in range(rounds):
        best_ours = min(best_ours, timed(ours))
        best_rival = min(best_rival, timed(rival))
    return Times(best_ours, best_rival)


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes, once."""
    began = perf_counter()
    work()
    return perf_counter() - began


def shown(seconds: float) -> str:
    """Seconds as a reader likes them."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 0.1 else f"{seconds * 1e3:.0f} ms"


def agree(what: str, ours: float, rival: float, tolerance: float = 1e-12) -> None:
    """Refuse to compare the speed of different results.

    Raises:
        WrongResult: they differ by more than a relative tolerance.
    """
    if not abs(ours - rival) <= tolerance * max(abs(ours), abs(rival)):
        raise WrongResult(f"{what}: ours is {ours!r} but the rival's is {rival!r}")
