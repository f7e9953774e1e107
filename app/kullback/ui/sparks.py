"""Sparklines: courses on one scale for all, with their base line; drawn by the upkeep."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

PASS_SECONDS = 1.0  # of a pass: the others are drawn in the next
OLD_SECONDS, CHANGED_SECONDS = 300.0, 20.0
_HEIGHT = 46.0  # on either side of the base line, at 50 of 100


@dataclass(frozen=True, slots=True)
class Spark:
    """A course as a picture 100 wide and 100 high, and what was read with it.

    Attributes:
        path: the line; what lies beyond the scale is drawn at its edge, and again in `beyond`.
        base: the number at the base line; None where that is no reference.
        last: when the last rows came, where that was read.
    """

    path: str = ""
    beyond: str = ""
    base: float | None = None
    last: float | None = None


NOTHING = Spark()


class Sparks:
    """The sparklines of names: drawn by one thread, read by any."""

    def __init__(self) -> None:
        self._kept: Mapping[str, tuple[float, Hashable, Spark]] = {}

    def refresh(
        self, marks: Mapping[str, Hashable], draw: Callable[[str], Spark], now: float
    ) -> None:
        """Draw those that are old, or whose mark has changed, for so long as a pass may take."""
        kept = {name: self._kept[name] for name in marks if name in self._kept}
        due = sorted(
            (name for name, mark in marks.items() if _is_due(kept.get(name), mark, now)),
            key=lambda name: kept[name][0] if name in kept else -math.inf,
        )
        until = monotonic() + PASS_SECONDS
        for name in due:
            kept[name] = now, marks[name], draw(name)
            if monotonic() > until:
                break
        self._kept = kept

    def of(self, name: str) -> Spark:
        """That of a name; empty as long as it is not drawn."""
        return self._kept[name][2] if name in self._kept else NOTHING


def _is_due(kept: tuple[float, Hashable, Spark] | None, mark: Hashable, now: float) -> bool:
    if kept is None:
        return True
    time, before, _ = kept
    return not 0 <= now - time < (OLD_SECONDS if mark == before else CHANGED_SECONDS)


def course(values: Sequence[float]) -> tuple[str, str]:
    """The line through values from −1 to 1, the base line being 0, and the part of it beyond."""
    if len(values) < 2:
        return "", ""
    step = 100 / (len(values) - 1)
    places = [
        f"{step * at:.0f} {50 - _HEIGHT * max(-1.0, min(1.0, value)):.0f}"
        for at, value in enumerate(values)
    ]
    beyond = "".join(
        f"M{max(0.0, step * (at - 0.5)):.0f} {places[at].split()[1]}"
        f"H{min(100.0, step * (at + 0.5)):.0f}"
        for at, value in enumerate(values)
        if abs(value) > 1
    )
    return "M" + "L".join(places), beyond
