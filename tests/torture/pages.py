"""Batches to send: the weights of their rows say afterwards which batches were added.

A page is a window and a value of a slice. It has DIGITS places; what belongs to a place weighs
BASE ** place. The weight of a page, written in that base, says how often each of them was added:
a loss here and a double there cannot cancel.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

BASE = 8
DIGITS = 16  # 8 ** 16 and parts of it are whole in a double
WINDOW_SECONDS = 10
WINDOWS_AT_MOST = 8_000  # beyond 24 hours they would become hours


class Row(NamedTuple):
    """A prediction with its label; of an experiment, what its arms have predicted of whom."""

    y: int
    p: float
    w: float
    time: float
    unit: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)


class Said(NamedTuple):
    """What an answer says: how many rows count, and what is wrong with those that do not."""

    accepted: int | None  # None where that depends on what came before
    rejections: Sequence[str] = ()  # pointers


class Job(NamedTuple):
    """A request that is to be answered, as often as it is sent; what comes `then` only after it.

    It brings the rows of the places `digits`, and may change the labels of the places `relabels`.
    """

    path: str
    key: str
    body: bytes
    digits: frozenset[int]
    relabels: frozenset[int] = frozenset()
    said: Said | None = None
    is_keyed: bool = True
    then: "Job | None" = None
    pause: float = 0.0  # before it is sent
    method: str = "POST"

    @property
    def name(self) -> str:
        """Keys are of one path each."""
        return f"{self.path} {self.key}"


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs that bring the rows of one slice of one monitor or experiment.

    The rows are as they are in the end, the counts what the monitor counts of them; `unsure` are
    counts that depend on what came first. Of a page that is `rebatched` each job alone brings the
    rows of its places; places `by_default` have no labels but the default one. Of one that is
    `removed` the rows are none in the end: its last job removes them.
    """

    monitor: str
    number: int
    start: int
    stop: int
    rows: Mapping[int, Sequence[Row]]
    jobs: Sequence[Job]
    counts: Mapping[str, int] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()
    rebatched: bool = False
    by_default: frozenset[int] = frozenset()
    removed: bool = False

    def due(self, answered: Collection[str], *, is_over: bool = False) -> set[int]:
        """The places whose rows must be there; those of a default once all `is_over`."""
        if self.removed:
            return set()
        if self.rebatched:
            return {at for job in self.jobs if job.name in answered for at in job.digits}
        still_open = {at for job in self.jobs if job.name not in answered for at in job.digits}
        return set(range(DIGITS)) - still_open - (set() if is_over else self.by_default)

    def settled(self, answered: Collection[str], *, is_over: bool = False) -> Mapping[int, int]:
        """The labels of places that must be as they are in the end, where each is a row."""
        if any(len(rows) > 1 for rows in self.rows.values()):
            return {}
        still_open = {at for job in self.jobs if job.name not in answered for at in job.relabels}
        due = self.due(answered, is_over=is_over)
        return {at: self.rows[at][0].y for at in due - still_open}

    def is_done(self, answered: Collection[str]) -> bool:
        """Whether nothing is to come that changes its rows."""
        return not self.by_default and all(job.name in answered for job in self.jobs)


Pages = Iterator[Page]


def added(weight: float) -> list[int]:
    """How often what belongs to each place was added, by the weight of the page."""
    return [int(weight) // BASE**place % BASE for place in range(DIGITS)]


def windows(newest: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Windows by number, from the last that has ended back to the first."""
    for number in range(WINDOWS_AT_MOST):
        start = newest - WINDOW_SECONDS * (number + 2)
        yield number, (start, start + WINDOW_SECONDS)


def batch(rng: Random, span: tuple[int, int], place: int) -> list[Row]:
    """The rows of a place: 1, 2 or 4."""
    return rows_at(rng, span, place, rng.choice((1, 2, 4)))


def rows_at(rng: Random, span: tuple[int, int], place: int, count: int) -> list[Row]:
    """So many rows of a place."""
    weight = BASE**place / count
    return [
        Row(rng.randrange(2), rng.uniform(0.01, 0.99), weight, rng.randrange(*span))
        for _ in range(count)
    ]


def cut(rng: Random, places: Sequence[int] = range(DIGITS)) -> list[list[int]]:
    """Places in random order, in three to five parts."""
    mixed = rng.sample(places, len(places))
    cuts = sorted(rng.sample(range(1, len(places)), rng.randrange(2, 5)))
    return [mixed[a:b] for a, b in zip([0, *cuts], [*cuts, len(places)], strict=True)]
