"""Screening of a batch: rows that cannot be counted are refused, or left out and named."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol, Self, TypeVar

import numpy as np

from kullback.errors import FieldError, InvalidInput, InvalidRows, KullbackError
from kullback.numerics.types import Indices
from kullback.scoring.refusals import ERRORS_NAMED, refuse

NO_VALUE = "(none)"  # the value of a slice where a row has none
OnInvalid = Literal["error", "drop"]


class Rows(Protocol):
    """Columns of as many rows each."""

    def __len__(self) -> int:
        """How many rows there are."""

    def taken(self, rows: Indices) -> Self:
        """Those of some rows."""


AnyRows = TypeVar("AnyRows", bound=Rows)
AnyRefusal = TypeVar("AnyRefusal", bound=KullbackError)
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

    def named(self, refusal: AnyRefusal) -> AnyRefusal:
        """The same refusal, with its places as they were sent."""
        if not self.by_row or not refusal.offences:
            return refusal
        depth = refusal.depth if isinstance(refusal, InvalidRows) else 0

        def moved(offence: FieldError) -> FieldError:
            return self.placed(offence, depth)

        name, first = refusal.offences[0].pointer.split("/")[1], moved(refusal.offences[0])
        line, _, detail = first.detail.partition(": ")
        if self.lines is None or first is refusal.offences[0]:
            return refusal.moved(moved, refusal.message)
        return refusal.moved(moved, ": ".join((line, *[name] * bool(depth), detail)))


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

    def without(self, refusals: Sequence[InvalidRows], n: int) -> tuple["Screening", Indices]:
        """The same without the rows that were refused of n, and the places of those that stay.

        Of a row that was refused several times the first refusal counts.

        Raises:
            InvalidRows: the first refusal, with its places as they were sent, if no row is to be
                left out.
        """
        if self.on_invalid == "error" or not any(len(each.rows) for each in refusals):
            raise self.places.named(refusals[0]) from refusals[0]
        sent = np.arange(n) if self.kept is None else self.kept
        inside, named = np.ones(n, np.bool_), dict[int, FieldError]()
        for each in refusals:
            inside[each.rows] = False
            for at, place in zip(each.rows, each.first, strict=False):
                row = int(sent[at])
                named.setdefault(row, self.places.placed(place, each.depth, row))
        stay = np.flatnonzero(inside)
        left = replace(
            self,
            kept=sent[stay],
            rejected=self.rejected + n - stay.size,
            rejections=tuple(sorted([*self.rejections, *named.items()], key=_row))[:ERRORS_NAMED],
        )
        return left, stay


NONE_LEFT_OUT = Screening()


def _same(detail: str, _: tuple[int, ...]) -> str:
    return detail


def refuse_strays(
    slices: Mapping[str, Sequence[str | None]], refuse_slice: Callable[[str], None]
) -> None:
    """Refuse a slice that is none of those there are: the rows that have it, where they are few.

    Raises:
        InvalidRows: fewer than half of the rows have a value of it.
        InvalidInput: more have, as in a column that nobody asked for.
    """
    for name, values in slices.items():
        try:
            refuse_slice(name)
        except InvalidInput as error:
            describe = partial(_same, error.offences[0].detail)
            has = np.fromiter((value != NO_VALUE for value in values), np.bool_, len(values))
            if 2 * np.count_nonzero(has) >= has.size:
                raise
            refuse(("slice", name), has, describe)


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
            screening, stay = screening.without([refusal], len(rows))
            rows = rows.taken(stay)
    return None, rows, screening


def screened_batch(
    rows: AnyRows, check: Callable[[AnyRows], Checked], screening: Screening
) -> tuple[Checked | None, AnyRows, Screening]:
    """The same of a batch as it was sent: its columns are checked where they have no rows too.

    Raises:
        KullbackError: see screened.
    """
    if not len(rows) and not screening.places.by_row:
        check(rows)
    return screened(rows, check, screening)
