"""Which rows of the overview are shown, as its address says."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlencode

MOST_ROWS = 200  # of a page, of monitors and of experiments
CHOICES = 12  # tags and owners that are in sight, those of most monitors
MOST_CHOICES = 100  # with those that open; the rest by words
FOLDED = 3  # monitors without rows that have a row each; of more there is a list


class FilteredRow(Protocol):
    """What rows are chosen by."""

    @property
    def state(self) -> str:
        """The word of its state."""

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to be told of it."""

    @property
    def owner(self) -> str | None:
        """Whose it is."""

    @property
    def tags(self) -> Sequence[str]:
        """What it is tagged with."""

    @property
    def words(self) -> str:
        """What is searched, casefolded."""


Row = TypeVar("Row", bound=FilteredRow)
STATES = ("critical", "warning", "ok", "unknown")


@dataclass(frozen=True, slots=True)
class OverviewFilter:
    """Words that must all stand in a row, and its state, tag and owner where they are chosen.

    Attributes:
        page, arms: which part of the monitors is shown, and of the arms of experiments, from 1 on.
    """

    q: str = ""
    state: str = ""
    tag: str = ""
    owner: str = ""
    page: int = 1
    arms: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "OverviewFilter":
        """What an address asks for."""
        q, state, tag, owner = (query.get(name, "") for name in ("q", "state", "tag", "owner"))
        page, arms = (_page(query.get(name, "")) for name in ("page", "arms"))
        return cls(q.strip(), state, tag, owner, page, arms)

    @property
    def is_chosen(self) -> bool:
        """Whether not all are shown."""
        return replace(self, page=1, arms=1) != OverviewFilter()

    def address(self, **changes: str | int) -> str:
        """The query of an address that asks for this, with some of it changed: its first page."""
        fields = {"q": self.q, "state": self.state, "tag": self.tag, "owner": self.owner, **changes}
        return "?" + urlencode({name: value for name, value in fields.items() if value})

    def has_words(self, row: FilteredRow) -> bool:
        """Whether all words stand in a row."""
        return all(word in row.words for word in self.q.casefold().split())

    def fits(self, row: FilteredRow) -> bool:
        """Whether a row is shown."""
        return (
            self.has_words(row)
            and self.state in ("", row.state)
            and self.owner in ("", row.owner)
            and (not self.tag or self.tag in row.tags)
        )

    def counts(self, rows: Sequence[FilteredRow]) -> dict[str, int]:
        """How many rows are in each state, whichever of these is chosen; without empty ones."""
        beside = replace(self, state="")
        numbers = Counter(row.state for row in rows if beside.fits(row))
        return {state: numbers[state] for state in STATES if numbers[state]}

    def tags(self, rows: Sequence[FilteredRow]) -> list[tuple[str, int]]:
        """The tags that most of the rows have, and how many."""
        beside = replace(self, tag="")
        numbers = Counter(tag for row in rows if beside.fits(row) for tag in row.tags)
        return numbers.most_common(MOST_CHOICES)

    def owners(self, rows: Sequence[FilteredRow]) -> list[tuple[str, int]]:
        """The owners of most of the rows, and of how many."""
        beside = replace(self, owner="")
        numbers = Counter(row.owner for row in rows if beside.fits(row) and row.owner)
        return numbers.most_common(MOST_CHOICES)

    def message(self) -> str:
        """What cannot be followed; "" where all can."""
        if self.state in ("", *STATES):
            return ""
        return f"No state “{self.state[:40]}”; there are {', '.join(STATES)}."


@dataclass(frozen=True, slots=True)
class RowsPage(Generic[Row]):
    """The rows of one page, of `total` that fit."""

    rows: Sequence[Row]
    number: int
    total: int

    @classmethod
    def of(cls, rows: Sequence[Row], number: int) -> "RowsPage[Row]":
        """The page of that number, or the last there is."""
        number = min(number, max(1, math.ceil(len(rows) / MOST_ROWS)))
        return cls(rows[(number - 1) * MOST_ROWS : number * MOST_ROWS], number, len(rows))

    @property
    def first(self) -> int:
        """The number of its first row, from 1 on."""
        return (self.number - 1) * MOST_ROWS + 1

    @property
    def last(self) -> int:
        """The number of its last row."""
        return self.first + len(self.rows) - 1


def chosen_rows(
    chosen: OverviewFilter, monitors: Sequence[FilteredRow], experiments: Sequence[FilteredRow]
) -> dict[str, object]:
    """What the overview shows: rows that are chosen, and what there is to choose from."""
    message = chosen.message()
    chosen = replace(chosen, state="") if message else chosen
    fitting = [row for row in monitors if chosen.fits(row)]
    bare = [] if chosen.q or chosen.state else [row for row in fitting if row.is_bare]
    if len(bare) > FOLDED:
        fitting = [row for row in fitting if not row.is_bare]
    arms = [row for row in experiments if chosen.has_words(row)]
    return {
        "here": "Overview",
        "live": True,
        "chosen": chosen,
        "message": message,
        "counts": chosen.counts(monitors),
        "tags": chosen.tags(monitors),
        "owners": chosen.owners(monitors),
        "has_monitors": bool(monitors),
        "monitors": RowsPage.of(fitting, chosen.page),
        "bare": bare if len(bare) > FOLDED else [],
        "most_rows": MOST_ROWS,
        "in_sight": CHOICES,
        "has_experiments": bool(experiments),
        "experiments": RowsPage.of(arms, chosen.arms),
    }


def _page(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 7
    return max(1, int(text)) if is_number else 1
