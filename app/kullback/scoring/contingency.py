"""Contingency tables: how often the values of two variables occur together."""

from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.arrays import shown
from kullback.scoring.labels import Labels, row_count, whole
from kullback.scoring.refusals import refuse

_NEAR = 0.5


@dataclass(frozen=True, slots=True)
class ContingencyTable:
    """Cells with a count above 0, in the order of rows, and the sums of rows and of columns."""

    counts: Array
    row: Indices
    column: Indices
    row_sums: Array
    column_sums: Array

    @property
    def total(self) -> float:
        """N, what all cells count together."""
        return float(self.row_sums.sum())

    @property
    def is_whole(self) -> bool:
        """Whether the cells count observations, each as one."""
        return self.total < 2**53 and bool((self.counts == np.floor(self.counts)).all())

    def shares(self) -> Array:
        """What part of all each cell counts, (m,)."""
        return self.counts / self.total

    def products(self) -> Array:
        """What part each cell would have if rows and columns were independent, (m,)."""
        rows, columns = self.row_sums[self.row], self.column_sums[self.column]
        return (rows / self.total) * (columns / self.total)

    def pointwise_information(self) -> Array:
        """ln(N n_ij / (a_i b_j)) of each cell: nats, (m,)."""
        expected = self.row_sums[self.row] * self.column_sums[self.column] / self.total
        gap = (self.counts - expected) / expected
        with np.errstate(divide="ignore"):
            far = np.log(self.counts / expected)
        near: Array = np.where(np.abs(gap) < _NEAR, np.log1p(gap), far)
        return near

    def dense(self) -> Array:
        """All cells, also those that count nothing, (a·b,)."""
        cells = np.zeros(self.row_sums.size * self.column_sums.size)
        cells[self.row * self.column_sums.size + self.column] = self.counts
        return cells


def table_of_counts(name: str, counts: Array, *, whole_counts: bool) -> ContingencyTable:
    """The table that was sent as such, [a][b]; rows and columns that count nothing are left out.

    Raises:
        InvalidInput: it has not two axes, or a count is impossible.
    """
    if counts.ndim != 2:
        raise InvalidInput.at(f"{name} has shape {shown(counts)}; [a][b] is expected", name)
    bad = ~((counts >= 0) & (counts < 2**53))
    refuse(name, bad, lambda at: f"{numeral(counts[at], 0.0)} is not a count")
    if whole_counts:
        broken = counts != np.floor(counts)
        refuse(name, broken, lambda at: f"{numeral(counts[at], 0.0)} is not a whole count")
    if not counts.any():
        raise InvalidInput.at("the table counts nothing", name)
    rows, columns = counts.sum(axis=1) > 0, counts.sum(axis=0) > 0
    kept = counts[rows][:, columns]
    row, column = np.nonzero(kept)
    return ContingencyTable(kept[row, column], row, column, kept.sum(axis=1), kept.sum(axis=0))


def table_of_labels(
    x: Labels, y: Labels, weight: Array | None
) -> tuple[ContingencyTable, Indices, Flags]:
    """The table of two columns of labels (n,), the cell of each row, and which rows have weight.

    Raises:
        InvalidInput: the columns are of unequal lengths, or a label is neither whole nor a string.
    """
    if row_count(x) != row_count(y):
        raise InvalidInput.at(f"y has {row_count(y)} rows but x has {row_count(x)}", "y")
    codes = label_codes("x", x), label_codes("y", y)
    alive = np.ones(codes[0].size, np.bool_) if weight is None else weight > 0
    row, column = (np.unique(code[alive], return_inverse=True)[1] for code in codes)
    width = int(column.max(initial=0)) + 1
    places, cell = np.unique(row * width + column, return_inverse=True)
    w = None if weight is None else weight[alive]
    counts = np.bincount(cell, w, places.size).astype(np.float64)
    table = ContingencyTable(
        counts,
        places // width,
        places % width,
        np.bincount(row, w).astype(np.float64),
        np.bincount(column, w).astype(np.float64),
    )
    return table, cell, alive


def label_sums(labels: Labels, weight: Array | None) -> Array:
    """How often each label occurs, or its weight, (k,)."""
    _, code = np.unique(label_codes("x", labels), return_inverse=True)
    return np.bincount(code, weight).astype(np.float64)


def label_codes(name: str, labels: Labels) -> Indices:
    """A number for each label, in the order of the labels; client integers enter no hash table.

    Raises:
        InvalidInput: a label is a number that is not whole.
    """
    if isinstance(labels, list):
        code = {label: at for at, label in enumerate(sorted(set(labels)))}
        return np.fromiter((code[label] for label in labels), np.int64, len(labels))
    return whole(name, labels)
