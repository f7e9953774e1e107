"""Tallies of what came in some time: slice by slice, and step by step."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

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
    kept: dict[str, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for cell, content in parts:
        kept[cell.slice][cell.kind].append(content)
    with naming_damage(parts):
        return {name: _window_tallies(kinds) for name, kinds in sorted(kept.items())}


def _window_tallies(kinds: Mapping[str, Sequence[bytes]]) -> WindowTallies:
    sums = {kind: decoded_total(contents) for kind, contents in kinds.items()}
    labelled, scored = (
        [sums[kind] for kind in wanted if kind in sums] for wanted in (LABELLED, SCORED)
    )
    return WindowTallies(total(labelled) if labelled else None, total(scored) if scored else None)


def tallies_by_step(parts: Iterable[Part], step_at: Callable[[int], Span]) -> dict[Span, Tally]:
    """The rows with labels of each step in which such rows came, in order."""
    steps: dict[Span, list[bytes]] = defaultdict(list)
    for cell, content in parts:
        if cell.kind in LABELLED:
            steps[step_at(cell.start)].append(content)
    with naming_damage(parts):
        return {span: decoded_total(contents) for span, contents in sorted(steps.items())}
