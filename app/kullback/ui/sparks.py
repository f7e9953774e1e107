"""Sparklines: the course of a number as one small path, kept for a while."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

AT_ONCE = 20  # the others are drawn at the next look
SECONDS = 300.0
Numbers = Callable[[str], Sequence[float]]


class Sparks:
    """The paths of pictures 100 wide and 100 high; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, tuple[float, str]] = {}

    def drawn(self, names: Sequence[str], numbers: Numbers, now: float) -> Mapping[str, str]:
        """The path of each name, of these numbers; empty where it is not drawn yet."""
        with self._lock:
            here = set(names)
            self._kept = {name: kept for name, kept in self._kept.items() if name in here}
            old = [name for name in names if now - self._kept.get(name, (0.0, ""))[0] > SECONDS]
            for name in old[:AT_ONCE]:
                self._kept[name] = now, path(numbers(name))
            return {name: self._kept.get(name, (0.0, ""))[1] for name in names}


def path(values: Sequence[float]) -> str:
    """A line through the values, from left to right; empty for fewer than two."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    places = [
        f"{100 * at / (len(values) - 1):.0f} {92 - 84 * (value - low) / room:.0f}"
        for at, value in enumerate(values)
    ]
    return "M" + "L".join(places)
