"""Axes: positions of numbers in a picture, and their ticks."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kullback.figures.typesetting import in_powers

_HUGE, _TINY = 1e13, 1e-5  # beyond which labels are told in powers of ten
_LEAST = 1e-6  # of a logit axis; 1 − this is the most
_NEAR = 54.0  # closer labels touch
_ROUND = (  # probabilities, the roundest first
    0.5,
    *(
        float(f"{p:.9g}")
        for times in (1, 2, 5)
        for power in range(1, 7)
        for p in (times / 10**power, 1 - times / 10**power)
    ),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from `low` to `high` along a line from `start` to `stop`; others at its ends."""

    low: float
    high: float
    start: float
    stop: float
    logit: bool = False

    def __call__(self, value: float) -> float:
        """Where a number stands."""
        low, high, at = (self._straight(number) for number in (self.low, self.high, value))
        part = min(1.0, max(0.0, (at - low) / (high - low)))
        return self.start + part * (self.stop - self.start)

    def holds(self, value: float) -> bool:
        """Whether a number stands where it belongs, not at an end instead."""
        return self.low <= value <= self.high

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers along the line."""
        return self._odds() if self.logit else round_numbers(self.low, self.high, most)

    def _straight(self, value: float) -> float:
        if not self.logit:
            return value
        p = min(1 - _LEAST, max(_LEAST, value))
        return math.log(p / (1 - p))

    def _odds(self) -> list[float]:
        kept: list[float] = []
        for value in _ROUND:
            far = all(abs(self(value) - self(other)) >= _NEAR for other in kept)
            if self.low <= value <= self.high and far:
                kept.append(value)
        return sorted(kept)


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten from `low` to `high`: about so many, at least 3.

    Args:
        low: one end.
        high: the other, above `low`.
        most: how many there is room for.
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = [times * power for times in (10, 5, 2, 1, 0.5)]
    choices = [_multiples(step, low, high) for step in steps]
    few = [numbers for numbers in choices if len(numbers) >= 3] or choices[-1:]
    fitting = [numbers for numbers in few if len(numbers) <= most]
    return fitting[-1] if fitting else few[0]


def labelled(values: Sequence[float]) -> list[tuple[float, str]]:
    """Numbers along an axis with their labels: thousands as k, and no digit that says nothing."""
    largest = max(map(abs, values), default=0.0)
    if largest >= _HUGE or 0 < largest < _TINY:
        return [(value, _in_powers(value)) for value in values]
    units = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
    size, name = next((unit for unit in units if largest >= max(unit[0], 1e4)), (1.0, ""))
    return [(value, _short(value / size) + (name if value else "")) for value in values]


def thinned(places: Iterable[float], least: float) -> Iterator[float]:
    """Of places in order the first, and each that is so far from the last that was taken."""
    last = -math.inf
    for place in places:
        if place - last >= least:
            last = place
            yield place


def around(values: Iterable[float], room: float = 0.06) -> tuple[float, float]:
    """From the least to the largest of the numbers, with some room at both ends."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    largest = max(abs(low), abs(high))
    width = high - low if high - low > 1e-9 * largest else largest
    width = width if width > 1e-300 else 1.0
    return low - room * width, high + room * width


def within_logits(probabilities: Iterable[float]) -> tuple[float, float]:
    """The ends of an axis of logits on which all of the probabilities stand but 0 and 1."""
    inside = [min(1 - _LEAST, max(_LEAST, p)) for p in probabilities if 0 < p < 1] or [0.5]
    low, high = min(inside), max(inside)
    low = max(_LEAST, low / 1.5, 1 - (1 - low) * 1.5)
    return low, min(1 - _LEAST, high * 1.5, 1 - (1 - high) / 1.5)


def _multiples(step: float, low: float, high: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{at * step:.12g}") for at in range(first, last + 1)]


def _short(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _in_powers(value: float) -> str:
    if not value:
        return "0"
    factor, power = f"{value:.9e}".split("e")
    return in_powers(f"{float(factor):g}e{power}").replace("\u00a0", "")
