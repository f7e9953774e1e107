"""Tallies of what came in some time: slice by slice, and step by step."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from kullback.errors import InvalidInput
from kullback.monitoring.cells import LABELLED, MATCHED, OBSERVED, PREDICTED, RETRACTED, SCORED
from kullback.monitoring.windows import Span, middle
from kullback.numerics.types import Array
from kullback.storage.base import Part
from kullback.stored_sums import naming_damage
from kullback.tally.bins import BINS
from kullback.tally.drift import Shares
from kullback.tally.exact import real
from kullback.tally.inference import kish
from kullback.tally.multilabel import label_masses
from kullback.tally.row_count import stored_rows
from kullback.tally.tally import Tally, decoded_total, difference, total

PARTS_HELD = 64  # of one sum at a time
MOST_HELD = 4 * 10_000  # of all sums at a time
MAX_POINTS = 10_000  # of a series: its steps, times values of slices, times metrics

Key = TypeVar("Key", str, tuple[str, Span])  # a slice, or a step of it


class RowCounts(NamedTuple):
    """How many rows came with their labels, were predicted, and of these have labels by now."""

    observed: int = 0
    predicted: int = 0
    matched: int = 0

    @classmethod
    def of(cls, kinds: Mapping[str, int]) -> "RowCounts":
        """The rows of each kind of cell; those that were taken back have come again, or will."""
        rest = kinds.get(MATCHED, 0) - kinds.get(RETRACTED, 0)
        return cls(kinds.get(OBSERVED, 0), kinds.get(PREDICTED, 0), rest)

    def with_rows(self, others: "RowCounts") -> "RowCounts":
        """These and others."""
        return RowCounts(*map(sum, zip(self, others, strict=True)))

    @property
    def scored(self) -> int:
        """All rows, each once."""
        return self.observed + self.predicted

    @property
    def labelled(self) -> int:
        """Those with labels."""
        return self.observed + self.matched

    @property
    def labelled_share(self) -> float | None:
        """The share of rows that have labels; None where there are no rows."""
        return self.labelled / self.scored if self.scored else None


NO_ROWS = RowCounts()


@dataclass(frozen=True, slots=True)
class WindowTallies:
    """What came in some time: the rows whose labels are known, and all that were scored."""

    labelled: Tally | None = None
    scored: Tally | None = None
    rows: RowCounts = NO_ROWS

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
        elif layout.task == "multilabel":
            mass, share = label_masses(self.labelled)
            return Shares(mass, kish(self.labelled) * share)
        else:
            weight, positive = (self.labelled.scalar(name) for name in ("w", "wy"))
            mass = np.array([real(weight - positive), real(positive)])
        return Shares(mass, kish(self.labelled))


class _RunningSums(Generic[Key]):
    """Sums of parts that come one by one, of which few are in memory at a time."""

    def __init__(self) -> None:
        self._kinds: dict[Key, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
        self._held = 0

    def __len__(self) -> int:
        return len(self._kinds)

    def add(self, key: Key, part: Part) -> None:
        """Add a part to the sum of its kind."""
        some = self._kinds[key][part[0].kind]
        some.append(part)
        self._held += 1
        if len(some) >= PARTS_HELD:
            self._put_together(some)
        if self._held >= MOST_HELD + 4 * len(self._kinds):  # of each kind there stays one
            for kinds in self._kinds.values():
                for each in kinds.values():
                    self._put_together(each)

    def totals(self) -> Iterator[tuple[Key, Mapping[str, Tally]]]:
        """The sum of each kind, by key."""
        for key in sorted(self._kinds):
            yield key, {kind: _sum(some) for kind, some in self._kinds[key].items()}

    def _put_together(self, some: list[Part]) -> None:
        if len(some) > 1:
            self._held -= len(some) - 1
            some[:] = [(some[0][0], _sum(some).encoded())]


def tallies_by_slice(parts: Iterable[Part]) -> dict[str, WindowTallies]:
    """What came, by slice; all rows are the slice ""."""
    sums = _RunningSums[str]()
    for part in parts:
        sums.add(part[0].slice, part)
    return {name: _window_tallies(kinds) for name, kinds in sums.totals()}


def tallies_by_step(
    parts: Iterable[Part], step_at: Callable[[int], Span], most: int = MAX_POINTS
) -> dict[str, dict[Span, Tally]]:
    """The rows with labels of each slice and of each step in which such rows came, in order.

    Raises:
        InvalidInput: the steps of all slices are more than `most`.
    """
    sums = _RunningSums[tuple[str, Span]]()
    for part in parts:
        cell = part[0]
        if cell.kind in LABELLED or cell.kind == RETRACTED:
            sums.add((cell.slice, step_at(middle(cell))), part)
            if len(sums) > most:
                detail = (
                    f"more than {MAX_POINTS} points, a step of each value and metric: ask for a "
                    "longer step, a shorter time, fewer metrics, or one value of a slice"
                )
                raise InvalidInput.at(detail, "step")
    by_slice: dict[str, dict[Span, Tally]] = defaultdict(dict)
    for (name, step), kinds in sums.totals():
        tally = _labelled(kinds)
        if tally is not None:
            by_slice[name][step] = tally
    return dict(by_slice)


def row_counts(parts: Iterable[Part]) -> RowCounts:
    """How many rows some parts are of: nothing else of them is read."""
    kinds: dict[str, int] = defaultdict(int)
    for cell, content in parts:
        kinds[cell.kind] += stored_rows(content)
    return RowCounts.of(kinds)


def window_tallies(parts: Iterable[Part]) -> WindowTallies:
    """What came in the windows of some parts, whatever their slice."""
    kinds: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        kinds[part[0].kind].append(part)
    return _window_tallies({kind: _sum(some) for kind, some in kinds.items()})


def _sum(parts: Sequence[Part]) -> Tally:
    with naming_damage(parts):
        return decoded_total([content for _, content in parts])


def _window_tallies(kinds: Mapping[str, Tally]) -> WindowTallies:
    scored = [kinds[kind] for kind in SCORED if kind in kinds]
    rows = RowCounts.of({kind: tally.scalar("rows") for kind, tally in kinds.items()})
    return WindowTallies(_labelled(kinds), total(scored) if scored else None, rows)


def _labelled(kinds: Mapping[str, Tally]) -> Tally | None:
    """The rows with labels less those whose labels were taken back; None where none are left.

    Where another replica's clock has put a row into a wider window than was asked for, it may be
    taken back before it is seen: then it is left as it is, until the next reading has both.
    """
    came = [kinds[kind] for kind in LABELLED if kind in kinds]
    if not came:
        return None
    whole = total(came)
    if RETRACTED not in kinds:
        return whole
    try:
        rest = difference(whole, kinds[RETRACTED])
    except ArithmeticError:
        return whole
    return rest if rest.scalar("rows") else None
