"""Tallies of what came in some time: slice by slice, and step by step."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput
from kullback.monitoring.cells import LABELLED, SCORED
from kullback.monitoring.windows import Span
from kullback.numerics.types import Array
from kullback.storage.base import Part
from kullback.stored_sums import naming_damage
from kullback.tally.bins import BINS
from kullback.tally.drift import Shares
from kullback.tally.exact import real
from kullback.tally.inference import kish
from kullback.tally.tally import Tally, decoded_total, total

PARTS_HELD = 64  # of one sum at a time
MAX_POINTS = 10_000  # of a series


@dataclass(frozen=True, slots=True)
class WindowTallies:
    """What came in some time: the rows whose labels are known, and all that were scored."""

    labelled: Tally | None = None
    scored: Tally | None = None

    @property
    def predictions(self) -> int:
        """How many rows were scored."""
        return 0 if self.scored is None else self.scored.scalar("rows")

    def scores(self) -> tuple[Array, float]:
        """The mass of each bin of scores, and of how many rows it is."""
        if self.scored is None:
            return np.zeros(BINS), 0.0
        return self.scored.vector("bin_w").reals(BINS), kish(self.scored)

    def labels(self) -> Shares:
        """The mass of each label."""
        if self.labelled is None:
            return Shares(np.zeros(1), None)
        layout = self.labelled.layout
        if layout.task == "multiclass":
            mass = self.labelled.vector("class_w").reals(layout.classes)
        else:
            weight, positive = (self.labelled.scalar(name) for name in ("w", "wy"))
            mass = np.array([real(weight - positive), real(positive)])
        return Shares(mass, kish(self.labelled))


def tallies_by_slice(parts: Iterable[Part]) -> dict[str, WindowTallies]:
    """What came, by slice; all rows are the slice ""."""
    kept: dict[str, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        cell = part[0]
        _keep(kept[cell.slice][cell.kind], part)
    return {name: _window_tallies(kinds) for name, kinds in sorted(kept.items())}


def _keep(some: list[Part], part: Part) -> None:
    """Keep a part; many of them as their sum."""
    some.append(part)
    if len(some) >= PARTS_HELD:
        some[:] = [(part[0], _sum(some).encoded())]


def _sum(parts: Sequence[Part]) -> Tally:
    with naming_damage(parts):
        return decoded_total([content for _, content in parts])


def _window_tallies(kinds: Mapping[str, Sequence[Part]]) -> WindowTallies:
    sums = {kind: _sum(parts) for kind, parts in kinds.items()}
    labelled, scored = (
        [sums[kind] for kind in wanted if kind in sums] for wanted in (LABELLED, SCORED)
    )
    return WindowTallies(total(labelled) if labelled else None, total(scored) if scored else None)


def tallies_by_step(parts: Iterable[Part], step_at: Callable[[int], Span]) -> dict[Span, Tally]:
    """The rows with labels of each step in which such rows came, in order.

    Raises:
        InvalidInput: the steps are more than a series may have.
    """
    steps: dict[Span, list[Part]] = defaultdict(list)
    for part in parts:
        if part[0].kind in LABELLED:
            _keep(steps[step_at(part[0].start)], part)
            if len(steps) > MAX_POINTS:
                detail = f"more than {MAX_POINTS} points: ask for a longer step or a shorter time"
                raise InvalidInput.at(detail, "step")
    return {span: _sum(some) for span, some in sorted(steps.items())}
