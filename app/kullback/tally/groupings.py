"""Groupings: the tallies of the same rows by window, by segment, … in one pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.tally.bins import BINS, RANK_BINS, rank_bin_of
from kullback.tally.exact import UNIT
from kullback.tally.grouped_sums import Cells, GroupSums, digits_of
from kullback.tally.sum_names import MOMENTS, SCALARS, VECTORS
from kullback.tally.tally import Tally
from kullback.tally.terms import Outcomes, Terms, rounded, sums_of
from kullback.tally.units import BUCKETS, GROUPS, group_of

_NOTHING = GroupSums({}, {})
_SQUARES = ("wwy", "wwyy")
_Sums = Mapping[str, GroupSums]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The group of each row, (n,), in [0, groups)."""

    group: Indices
    groups: int

    def counts(self, rows: Indices) -> list[int]:
        """How many of some rows each group has."""
        counts: list[int] = np.bincount(self.group[rows], minlength=self.groups).tolist()
        return counts

    def places(self, rows: Indices) -> Iterator[tuple[int, Indices]]:
        """Each group that has any of some rows, with where they are among these."""
        group = self.group[rows]
        order = np.argsort(group, kind="stable")
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        for places in np.split(order, starts[1:]) if starts.size else ():
            yield int(group[places[0]]), places


def grouped(terms: Terms, groupings: Sequence[Grouping]) -> list[dict[int, Tally]]:
    """Of each grouping the tally of each group that has rows: the same that Terms.groups has.

    Args:
        terms: of a clustered layout, of one row at least.
        groupings: of its rows.
    """
    assert terms.outcomes is not None
    assert terms.units is not None
    rows = _Rows(terms, terms.outcomes, terms.units)
    sums = rows.sums(groupings)
    return [dict(rows.tallies(*pair)) for pair in zip(groupings, sums, strict=True)]


class _Rows:
    """Rows as sums see them; a column is cut into digits once for all groupings."""

    def __init__(self, terms: Terms, outcomes: Outcomes, units: Indices) -> None:
        self._layout, self._outcomes, self._w = terms.layout, outcomes, terms.w
        ranks = group_of(units) * RANK_BINS + rank_bin_of(terms.bins)
        losses = {"l": outcomes.loss, "p": terms.p, "b": outcomes.error}
        # which cell of how many each row is in, and what is summed there
        self._cells: Mapping[str, tuple[Indices, int, Mapping[str, Array]]] = {
            "bin_w": (terms.bins, BINS, {"p": rounded(terms.p)}),
            "unit_w": (units, BUCKETS, losses),
            "rank_w": (ranks, GROUPS * RANK_BINS, {}),
        }
        self._some = np.flatnonzero(outcomes.y > 0)
        self._positive = {"y": self._weighted(outcomes.y)[self._some]}
        if self._w is not None:
            self._positive["w"] = self._w[self._some]

    def sums(self, groupings: Sequence[Grouping]) -> list[dict[str, GroupSums]]:
        """Of each grouping the sums of each vector."""
        by_grouping: list[dict[str, GroupSums]] = [{} for _ in groupings]
        some = self._some
        for name, (index, size, columns) in self._cells.items():
            cells = [Cells(each.group, each.groups, index, size) for each in groupings]
            weighted = {key: self._weighted(column) for key, column in columns.items()}
            if self._w is not None:
                weighted[""] = self._w
            for key, column in weighted.items():
                digits = digits_of(column)
                for sums, own in zip(by_grouping, cells, strict=True):
                    sums[name + key] = own.sums(digits)
            if self._w is None:
                for sums, own in zip(by_grouping, cells, strict=True):
                    sums[name] = own.counts()
            if some.size:  # often few
                digits = digits_of(self._positive["y"])
                for sums, each in zip(by_grouping, groupings, strict=True):
                    few = Cells(each.group[some], each.groups, index[some], size)
                    sums[f"{name}y"] = few.sums(digits)
        return by_grouping

    def tallies(self, grouping: Grouping, sums: _Sums) -> Iterator[tuple[int, Tally]]:
        """The tally of each group that has rows."""
        outcomes, w = self._outcomes, self._w
        every = np.arange(outcomes.y.size)
        rows = grouping.counts(every)
        counts = {
            "rows": rows,
            "weighted_rows": rows if w is None else grouping.counts(np.flatnonzero(w)),
            "clipped": grouping.counts(np.flatnonzero(outcomes.clipped)),
            "infinite": grouping.counts(np.flatnonzero(outcomes.infinite)),
        }
        weights = None if w is None else self._squares(grouping, every, ("ww",), {"w": w})
        squares = self._squares(grouping, self._some, _SQUARES, self._positive)
        for group in np.flatnonzero(rows).tolist():
            scalars = {name: count[group] for name, count in counts.items()}
            scalars |= {
                name: sums.get(f"unit_{name}", _NOTHING).totals.get(group, 0) for name in MOMENTS
            }
            scalars |= squares.get(group, {})
            scalars |= {"ww": rows[group] << 2 * UNIT} if weights is None else weights[group]
            yield (
                group,
                Tally(
                    self._layout,
                    tuple(scalars.get(name, 0) for name in SCALARS),
                    tuple(sums.get(name, _NOTHING).of(group) for name in VECTORS),
                ),
            )

    def _squares(
        self,
        grouping: Grouping,
        rows: Indices,
        names: Sequence[str],
        columns: Mapping[str, Array],
    ) -> dict[int, dict[str, int]]:
        """SQUARES of some rows, whose columns these are, by group."""
        if all((column == 1).all() for column in columns.values()):
            counts = enumerate(grouping.counts(rows))
            return {group: dict.fromkeys(names, count << 2 * UNIT) for group, count in counts}
        return {
            group: sums_of(names, {name: column[places] for name, column in columns.items()})
            for group, places in grouping.places(rows)
        }

    def _weighted(self, column: Array) -> Array:
        return column if self._w is None else column * self._w
