"""Batches to send: the weights of their rows say afterwards which batches were added.

A page is a window and a value of a slice. It has DIGITS places; what belongs to a place weighs
BASE ** place. The weight of a page, written in that base, says how often each of them was added:
a loss here and a double there cannot cancel.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from threading import Lock
from types import MappingProxyType
from typing import NamedTuple

BASE = 8
DIGITS = 16  # 8 ** 16 and parts of it are whole in a double
TWINS = 0.15
PAGES_AT_ONCE = 2
WINDOW_SECONDS = 10
WINDOWS_AT_MOST = 8_000  # beyond 24 hours they would become hours


class Row(NamedTuple):
    """A prediction with its label; of an experiment, what its arms have predicted of whom."""

    y: int
    p: float
    w: float
    time: float
    unit: str = ""
    scores: Mapping[str, float] = MappingProxyType({})


class Job(NamedTuple):
    """A request that is to be answered, as often as it is sent."""

    path: str
    key: str
    body: bytes
    digits: frozenset[int]

    @property
    def name(self) -> str:
        """Keys are of one path each."""
        return f"{self.path} {self.key}"


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs that bring the rows of one slice of one monitor or experiment."""

    monitor: str
    number: int
    start: int
    stop: int
    rows: Mapping[int, Sequence[Row]]
    jobs: Sequence[Job]

    def due(self, answered: Collection[str]) -> set[int]:
        """The places whose jobs were all answered."""
        open_still = {
            place for job in self.jobs if job.name not in answered for place in job.digits
        }
        return set(range(DIGITS)) - open_still


Pages = Iterator[Page]


def added(weight: float) -> list[int]:
    """How often what belongs to each place was added, by the weight of the page."""
    return [int(weight) // BASE**place % BASE for place in range(DIGITS)]


def observed(monitor: str, newest: int, rng: Random) -> Pages:
    """Pages of observations: a place is a batch of 1, 2 or 4 rows."""
    for number in range(WINDOWS_AT_MOST):
        start = newest - WINDOW_SECONDS * (number + 2)
        within = (start, start + WINDOW_SECONDS)
        rows = {place: batch(rng, within, place) for place in range(DIGITS)}
        yield _observed(monitor, number, within, rows)


def batch(rng: Random, span: tuple[int, int], place: int) -> list[Row]:
    """The rows of a place: 1, 2 or 4."""
    return _rows(rng, span, place, rng.choice((1, 2, 4)))


def spread(monitor: str, span: tuple[int, int], rows: int, rng: Random) -> Pages:
    """Pages of observations, all in the same time: a place is a batch of so many rows."""
    for number in range(WINDOWS_AT_MOST):
        of_places = {place: _rows(rng, span, place, rows) for place in range(DIGITS)}
        yield _observed(monitor, number, span, of_places)


def joined(monitor: str, newest: int, rng: Random) -> Pages:
    """Pages of predictions and labels that are joined by id: a place is a row."""
    for number in range(WINDOWS_AT_MOST):
        start = newest - WINDOW_SECONDS * (number + 2)
        within = (start, start + WINDOW_SECONDS)
        rows = [_rows(rng, within, place, 1)[0] for place in range(DIGITS)]

        def predictions(places: Sequence[int]) -> Mapping[str, object]:
            some = [rows[place] for place in places]  # noqa: B023 - used before the next page
            return _predicted(some, number)  # noqa: B023

        def labels(places: Sequence[int]) -> Mapping[str, object]:
            return {"y_true": [rows[place].y for place in places]}  # noqa: B023

        jobs = [
            *_halves(monitor, number, "predictions", _cut(rng), predictions),
            *_halves(monitor, number, "labels", _cut(rng), labels),
        ]
        yield Page(monitor, number, *within, {at: [row] for at, row in enumerate(rows)}, jobs)


class Supply:
    """Hands out the jobs of some pages at a time in random order, some of them to two at once."""

    def __init__(self, sources: Sequence[Pages], rng: Random) -> None:
        self.pages: list[Page] = []
        self._sources = sources
        self._rng = rng
        self._lock = Lock()
        self._ready: list[Job] = []
        self._is_closed = False

    def take(self) -> Job | None:
        """The next one; nothing once it is closed and all begun pages are handed out."""
        with self._lock:
            if not self._ready and not self._is_closed:
                self._refill()
            return self._ready.pop() if self._ready else None

    def close(self) -> None:
        """Begin no more pages."""
        with self._lock:
            self._is_closed = True

    def _refill(self) -> None:
        pages = [next(source) for source in self._sources for _ in range(PAGES_AT_ONCE)]
        self.pages += pages
        jobs = [job for page in pages for job in page.jobs]
        self._rng.shuffle(jobs)
        for job in jobs:
            self._ready += [job] * (2 if self._rng.random() < TWINS else 1)


def _rows(rng: Random, span: tuple[int, int], place: int, count: int) -> list[Row]:
    weight = BASE**place / count
    return [
        Row(rng.randrange(2), rng.uniform(0.01, 0.99), weight, rng.randrange(*span))
        for _ in range(count)
    ]


def _observed(
    monitor: str, number: int, span: tuple[int, int], rows: Mapping[int, Sequence[Row]]
) -> Page:
    jobs = [
        Job(
            f"/v1/monitors/{monitor}/observations",
            f"{number}-{place}",
            json.dumps(_predicted(some, number) | {"y_true": [row.y for row in some]}).encode(),
            frozenset([place]),
        )
        for place, some in rows.items()
    ]
    return Page(monitor, number, *span, rows, jobs)


def _predicted(rows: Sequence[Row], number: int) -> dict[str, object]:
    return {
        "y_proba": [row.p for row in rows],
        "sample_weight": [row.w for row in rows],
        "timestamp": [row.time for row in rows],
        "slice": {"page": [str(number)] * len(rows)},
    }


def _halves(
    monitor: str,
    number: int,
    side: str,
    parts: Sequence[Sequence[int]],
    columns: Callable[[Sequence[int]], Mapping[str, object]],
) -> Iterator[Job]:
    for part, places in enumerate(parts):
        ids = [f"{number}-{place}" for place in places]
        body = json.dumps({"id": ids, **columns(places)}).encode()
        yield Job(f"/v1/monitors/{monitor}/{side}", f"{number}-{part}", body, frozenset(places))


def _cut(rng: Random) -> list[list[int]]:
    """All places in random order, in three to five parts."""
    places = rng.sample(range(DIGITS), DIGITS)
    cuts = sorted(rng.sample(range(1, DIGITS), rng.randrange(2, 5)))
    return [places[a:b] for a, b in zip([0, *cuts], [*cuts, DIGITS], strict=True)]
