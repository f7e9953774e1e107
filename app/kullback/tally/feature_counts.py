"""Counts of the values of one feature, numbers or categories: exact, and they merge."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.tally.drift import Shares, tenths
from kullback.tally.feature_bins import OUTERMOST, feature_bins, lower_edge

FeatureKind = Literal["numeric", "categorical"]
OTHER_VALUES = "(other)"  # categories that are not counted apart
LEAST_SHARE = 1 / 200  # of a reference: rarer categories have no cell of their own

Values = Indices | Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureCounts:
    """How many rows have each value: a commutative monoid under `merged`.

    Every row counts once, whatever its weight. Equal counts have equal arrays.

    Attributes:
        kind: what the values are.
        missing: rows that have none.
        values: bins of numbers, or categories; each once, in ascending order.
        counts: rows of each, (v,), more than 0.
    """

    kind: FeatureKind
    missing: int
    values: Values
    counts: Indices

    @classmethod
    def of_numbers(cls, values: Array) -> "FeatureCounts":
        """Counts of numbers, (n,); NaN is missing, infinity in the outermost bin."""
        is_missing = np.isnan(values)
        missing = int(np.count_nonzero(is_missing))
        bins = feature_bins(values[~is_missing] if missing else values)
        bins.sort(kind="stable")  # a radix sort, of 16 bits
        return cls("numeric", missing, *runs(bins.astype(np.int64)))

    @classmethod
    def of_categories(cls, counts: Iterable[tuple[str | None, int]]) -> "FeatureCounts":
        """Counts of categories, of which one may stand several times; None is missing."""
        sums: dict[str | None, int] = defaultdict(int)
        for value, count in counts:
            sums[value] += count
        missing = sums.pop(None, 0)
        present = sorted((value, count) for value, count in sums.items() if value is not None)
        return cls(
            "categorical",
            missing,
            [value for value, _ in present],
            np.array([count for _, count in present], np.int64),
        )

    @classmethod
    def merged(cls, some: Sequence["FeatureCounts"]) -> "FeatureCounts":
        """The counts of all rows of one or more, all of one kind."""
        if len(some) == 1:
            return some[0]
        missing = sum(each.missing for each in some)
        if some[0].kind == "categorical":
            pairs = (pair for each in some for pair in each.pairs())
            merged = cls.of_categories(pairs)
            return cls("categorical", missing, merged.values, merged.counts)
        bins = np.concatenate([each.bins for each in some])
        if not bins.size:
            return cls("numeric", missing, bins, bins)
        sums = np.zeros(2 * OUTERMOST + 1, np.int64)
        np.add.at(sums, bins + OUTERMOST, np.concatenate([each.counts for each in some]))
        present = np.flatnonzero(sums)
        return cls("numeric", missing, present - OUTERMOST, sums[present])

    @property
    def rows(self) -> int:
        """How many rows were counted, those without a value too."""
        return self.missing + int(self.counts.sum())

    @property
    def missing_share(self) -> float | None:
        """The share of rows without a value; None where there are no rows."""
        return self.missing / self.rows if self.rows else None

    @property
    def bins(self) -> Indices:
        """The values of a numeric feature."""
        return np.asarray(self.values, np.int64)

    def pairs(self) -> Iterable[tuple[str, int]]:
        """The values of a categorical feature, each with its rows."""
        return zip(map(str, self.values), self.counts.tolist(), strict=True)

    def largest(self, most: int) -> "FeatureCounts":
        """The same where so many categories at most stand apart, those of most rows."""
        if len(self.values) <= most:
            return self
        order = sorted(self.pairs(), key=lambda pair: (-pair[1], pair[0]))
        return self.moved({value for value, _ in order[most:]})

    def moved(self, others: Iterable[str]) -> "FeatureCounts":
        """The same where some categories are OTHER_VALUES."""
        gone = set(others)
        pairs = ((OTHER_VALUES if v in gone else v, count) for v, count in self.pairs())
        moved = FeatureCounts.of_categories(pairs)
        return FeatureCounts(self.kind, self.missing, moved.values, moved.counts)

    def shares_like(self, reference: "FeatureCounts") -> Shares:
        """The rows in the cells of a reference, the last of which is of those without a value."""
        return FeatureCells.of(reference).shares(self)


@dataclass(frozen=True, slots=True)
class FeatureCells:
    """Cells that depend on a reference alone, so that a test against it holds.

    Of numbers they are tenths of the reference, as far as its bins allow; of categories those with
    LEAST_SHARE of it at least, the most frequent first, then all others. The last is of rows
    without a value.

    Attributes:
        starts: the first bin of each cell but the last, of numbers.
        values: the categories with a cell of their own.
    """

    starts: Indices | None
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, reference: FeatureCounts) -> "FeatureCells":
        """The cells of a reference."""
        if reference.kind == "categorical":
            least = LEAST_SHARE * int(reference.counts.sum())
            order = sorted(reference.pairs(), key=lambda pair: (-pair[1], pair[0]))
            return cls(None, tuple(v for v, count in order if count >= least and v != OTHER_VALUES))
        bins = reference.bins
        if not bins.size:
            return cls(np.array([-OUTERMOST]))
        cell = tenths(reference.counts.astype(np.float64))
        first = np.unique(cell, return_index=True)[1]
        if first.size == 1:  # below it, it, and above it
            return cls(np.array([-OUTERMOST - 1, bins[0], bins[-1] + 1]))
        starts = bins[first]
        starts[0] = -OUTERMOST
        return cls(starts)

    def shares(self, counts: FeatureCounts) -> Shares:
        """How many rows are in each cell."""
        if self.starts is not None:
            cell = np.searchsorted(self.starts, counts.bins, side="right") - 1
            mass = np.zeros(self.starts.size + 1)
            np.add.at(mass, cell, counts.counts)
        else:
            place = {value: at for at, value in enumerate(self.values)}
            mass = np.zeros(len(place) + 2)
            for value, count in counts.pairs():
                mass[place.get(value, len(place))] += count
        mass[-1] = counts.missing
        return Shares(mass, float(counts.rows))

    def edges(self) -> list[tuple[float | None, float | None]]:
        """Where each cell of numbers begins and ends; None where nothing bounds it."""
        assert self.starts is not None
        inner = [lower_edge(start) for start in self.starts[1:].tolist()]
        return list(zip([None, *inner], [*inner, None], strict=True))


def runs(ordered: Indices) -> tuple[Indices, Indices]:
    """Which numbers stand in a list in order, and how often."""
    if not ordered.size:
        return ordered, ordered
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[first], np.diff(first, append=ordered.size)
