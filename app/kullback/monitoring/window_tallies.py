"""Tallies of what came in some time: slice by slice, and step by step."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput
from kullback.monitoring.cells import LABELLED, RETRACTED, SCORED
from kullback.monitoring.windows import Span
from kullback.numerics.types import Array
from kullback.storage.base import Part
from kullback.stored_sums import naming_damage
from kullback.tally.bins import BINS
from kullback.tally.drift import Shares
from kullback.tally.exact import real
from kullback.tally.inference import kish
from kullback.tally.tally import Tally, decoded_total, difference, total

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
    scored = [_sum(kinds[kind]) for kind in SCORED if kind in kinds]
    return WindowTallies(_labelled(kinds), total(scored) if scored else None)


def _labelled(kinds: Mapping[str, Sequence[Part]]) -> Tally | None:
    """The rows with labels less those whose labels were taken back; None where none are left.

    Where another replica's clock has put a row into a wider window than was asked for, it may be
    taken back before it is seen: then it is left as it is, until the next reading has both.
    """
    came = [_sum(kinds[kind]) for kind in LABELLED if kind in kinds]
    if not came:
        return None
    whole = total(came)
    if RETRACTED not in kinds:
        return whole
    try:
        rest = difference(whole, _sum(kinds[RETRACTED]))
    except ArithmeticError:
        return whole
    return rest if rest.scalar("rows") else None


def tallies_by_step(parts: Iterable[Part], step_at: Callable[[int], Span]) -> dict[Span, Tally]:
    """The rows with labels of each step in which such rows came, in order.

    Raises:
        InvalidInput: the steps are more than a series may have.
    """
    steps: dict[Span, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        kind = part[0].kind
        if kind in LABELLED or kind == RETRACTED:
            _keep(steps[step_at(part[0].start)][kind], part)
            if len(steps) > MAX_POINTS:
                detail = f"more than {MAX_POINTS} points: ask for a longer step or a shorter time"
                raise InvalidInput.at(detail, "step")
    tallies = {span: _labelled(kinds) for span, kinds in sorted(steps.items())}
    return {span: tally for span, tally in tallies.items() if tally is not None}
