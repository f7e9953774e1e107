"""Planned horizons as they stand in reports."""

from dataclasses import dataclass

from kullback.experiments.verdict import VerdictWord


@dataclass(frozen=True, slots=True)
class HorizonReport:
    """A comparison on its way to a planned horizon, by group-sequential looks.

    `information_fraction` of the horizon is there; |`statistic`| of `boundary` or more claims a
    difference; `interval` holds at all looks up to the last one, the first with a fraction of 1 or
    more: `answer` stays what it was then, or when the boundary was reached first.
    """

    information_fraction: float | None
    statistic: float | None
    boundary: float | None
    interval: tuple[float, float] | None
    answer: VerdictWord
    is_last: bool
