"""Screening of a batch: rows that cannot be counted are refused, or left out and named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self, TypeVar

import numpy as np

from kullback.errors import FieldError, InvalidRows
from kullback.numerics.types import Indices
from kullback.scoring.refusals import ERRORS_NAMED

OnInvalid = Literal["error", "drop"]


class Rows(Protocol):
    """Columns of as many rows each."""

    def __len__(self) -> int:
        """How many rows there are."""

    def taken(self, rows: Indices) -> Self:
        """Those of some rows."""


AnyRows = TypeVar("AnyRows", bound=Rows)
Checked = TypeVar("Checked")


@dataclass(frozen=True, slots=True)
class RowPlaces:
    """How the rows of a batch are named where they are wrong.

    Attributes:
        by_row: whether the row stands before the field in a place: /3/y_true, not /y_true/3.
        lines: the line of each row, from 1, where rows are lines.
    """

    by_row: bool = False
    lines: Sequence[int] | None = None

    def placed(self, offence: FieldError, depth: int, row: int | None = None) -> FieldError:
        """A wrong place as it was sent; `row` is the number of its row, if that is another."""
        steps = offence.pointer.split("/")[1:]
        if len(steps) <= depth or not steps[depth].isdecimal():
            return offence
        sent = int(steps[depth]) if row is None else row
        rest = [*steps[:depth], *steps[depth + 1 :]]
        if not self.by_row:
            rest.insert(depth, str(sent))
            return FieldError("/" + "/".join(rest), offence.detail)
        line = "" if self.lines is None else f"line {self.lines[sent]}: "
        return FieldError("/" + "/".join((str(sent), *rest)), line + offence.detail)


@dataclass(frozen=True, slots=True)
class Screening:
    """Which rows of a batch are still in, and what is wrong with the others.

    Attributes:
        on_invalid: "error" where a bad row refuses the batch, "drop" where it is left out.
        places: how rows are named.
        kept: the number, as it was sent, of each row that is in; None where all are.
        rejected: how many were left out.
        rejections: a wrong place in each of the first of those, in the order of rows.
    """

    on_invalid: OnInvalid = "error"
    places: RowPlaces = RowPlaces()
    kept: Indices | None = None
    rejected: int = 0
    rejections: tuple[tuple[int, FieldError], ...] = ()

    def without(self, refusal: InvalidRows, n: int) -> tuple["Screening", Indices]:
        """The same without the rows that were refused of n, and the places of those that stay.

        Raises:
            InvalidRows: the refusal, with its places as they were sent, if no row is to be left
                out.
        """
        if self.on_invalid == "error" or not len(refusal.rows):
            raise self.named(refusal) from refusal
        sent = np.arange(n) if self.kept is None else self.kept
        first = sent[np.asarray(refusal.rows[: len(refusal.first)])].tolist()
        named = zip(first, refusal.first, strict=True)
        more = [(row, self.places.placed(each, refusal.depth, row)) for row, each in named]
        inside = np.ones(n, np.bool_)
        inside[refusal.rows] = False
        stay = np.flatnonzero(inside)
        left = replace(
            self,
            kept=sent[stay],
            rejected=self.rejected + n - stay.size,
            rejections=tuple(sorted([*self.rejections, *more], key=_row))[:ERRORS_NAMED],
        )
        return left, stay

    def named(self, refusal: InvalidRows) -> InvalidRows:
        """The same refusal, with its places as they were sent."""
        if not self.places.by_row:
            return refusal

        def moved(offence: FieldError) -> FieldError:
            return self.places.placed(offence, refusal.depth)

        if self.places.lines is None:
            return refusal.moved(moved, refusal.message)
        name, row = refusal.offences[0].pointer.split("/")[1], moved(refusal.offences[0])
        line, _, detail = row.detail.partition(": ")
        return refusal.moved(moved, f"{line}: {name}: {detail}")


NONE_LEFT_OUT = Screening()


def _row(rejection: tuple[int, FieldError]) -> int:
    return rejection[0]


def screened(
    rows: AnyRows, check: Callable[[AnyRows], Checked], screening: Screening
) -> tuple[Checked | None, AnyRows, Screening]:
    """What a check makes of the rows that it does not refuse; None where it refuses all.

    Each time that rows are refused the others are checked again: as often as there are checks, as
    each names all that it refuses.

    Raises:
        KullbackError: what is refused is more than rows, or no row is to be left out.
    """
    while len(rows):
        try:
            return check(rows), rows, screening
        except InvalidRows as refusal:
            screening, stay = screening.without(refusal, len(rows))
            rows = rows.taken(stay)
    return None, rows, screening
