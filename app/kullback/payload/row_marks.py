"""Marks of rows that a reader finds bad: the first refuses the body, or all are kept in mind."""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from kullback.errors import FieldError, InvalidRows, MalformedBody, Step, pointer
from kullback.numerics.types import Flags
from kullback.scoring.refusals import ERRORS_NAMED

Place = tuple[str, ...]
NULL = "null, where a value is expected"
MISSING = "this field is missing"
Describe = Callable[[int], tuple[str, Sequence[Step]]]  # of a row: what is wrong, and where in it


class RowMarks:
    """Bad rows, by what is wrong with them; each reader says which and why.

    Where they are not to be dropped, the first ones that are marked are refused.
    """

    def __init__(self, *, drop: bool, required: Collection[str] = ()) -> None:
        self.drop = drop
        self.required = required  # fields of every row
        self.refusals: list[InvalidRows] = []
        self.count = 0  # rows that were read, where those are not the entries of columns

    def mark(self, place: Place, rows: Sequence[int], describe: Describe) -> None:
        """Mark rows in a field, with what is wrong in each of them and where.

        Raises:
            InvalidRows: they are not to be dropped.
        """
        if not rows:
            return
        first = []
        for row in rows[:ERRORS_NAMED]:
            detail, within = describe(row)
            first.append(FieldError(pointer(*place, row, *within), detail))
        name = f"{place[0]}: " if place else ""
        refusal = InvalidRows(f"{name}{first[0].detail}", first, len(rows), rows, first)
        refusal.depth = len(place)
        if not self.drop:
            raise refusal
        self.refusals.append(refusal)

    def mark_cells(self, place: Place, bad: Flags, detail: str) -> None:
        """Mark the rows of cells, (n,) or more."""
        cells = np.flatnonzero(bad)
        width = max(bad.size // max(len(bad), 1), 1)
        rows, at = np.unique(cells // width, return_index=True)
        within = dict(zip(rows[:ERRORS_NAMED].tolist(), cells[at[:ERRORS_NAMED]], strict=True))

        def describe(row: int) -> tuple[str, Sequence[Step]]:
            return detail, [int(step) for step in np.unravel_index(within[row], bad.shape)[1:]]

        self.mark(place, rows.tolist(), describe)

    def mark_lines(self, rows: Sequence[int], detail: str) -> None:
        """Mark rows that are none.

        Raises:
            MalformedBody: they are not to be dropped.
        """
        if rows and not self.drop:
            raise MalformedBody.at(detail, rows[0])
        self.mark((), rows, lambda _: (detail, ()))

    @property
    def rows(self) -> set[int]:
        """All that are marked."""
        return {row for refusal in self.refusals for row in refusal.rows}
