"""Streams: the rows of a traffic model as the bodies that a caller would post."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from kullback.demo.arrivals import arrivals
from kullback.demo.columns import Columns, Numbers, Whole, Words

HOUR = 3600
_IDS_PER_SECOND = 100_000


class TrafficModel(Protocol):
    """What happens: rows for the hours at which they come."""

    def rows(self, rng: np.random.Generator, hours: Numbers) -> Columns:
        """A row for each hour since the history began."""


@dataclass(frozen=True, slots=True)
class Post:
    """A body on its way, and how many new rows are in it."""

    path: str
    columns: Columns
    rows: int


@dataclass(frozen=True, slots=True)
class DemoResource:
    """A monitor or an experiment, and where its rows come from.

    Attributes:
        address: where it stands: /v1/monitors/NAME or /v1/experiments/NAME.
        settings: what it is set up with.
        hours: how long its history is.
        sound: of that, the hours that are its reference; 0 if it has none.
        key: of its random numbers, beside the seed.
        marks: what happened at an hour of the history, in words.
    """

    address: str
    settings: Mapping[str, object]
    world: TrafficModel
    per_hour: float
    hours: float
    sound: float
    key: int
    marks: Mapping[float, str] = field(default_factory=dict)


class Stream(Protocol):
    """The rows of a source, second by second: the same for the same seed."""

    @property
    def source(self) -> DemoResource:
        """What it feeds."""

    def count(self, start: int, stop: int) -> int:
        """How many rows come within these seconds of the history."""

    def posts(self, start: int, stop: int) -> Iterator[Post]:
        """What is to be posted for these seconds, in order; spans follow each other."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Predictions that are posted with their labels; `origin` is when the history began."""

    source: DemoResource
    seed: int
    origin: float

    def count(self, start: int, stop: int) -> int:
        """See Stream."""
        return _came(self._rng(start), self.source, start, stop).size

    def posts(self, start: int, stop: int) -> Iterator[Post]:
        """See Stream."""
        times, rows = self.rows(start, stop)
        if times.size:
            columns = {**rows, "timestamp": times}
            yield Post(f"{self.source.address}/observations", columns, times.size)

    def rows(self, start: int, stop: int) -> tuple[Numbers, Columns]:
        """All that comes within these seconds, and when."""
        rng = self._rng(start)
        hours = _came(rng, self.source, start, stop)
        return self.origin + hours * HOUR, self.source.world.rows(rng, hours)

    def _rng(self, start: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.source.key, start])


@dataclass(slots=True)
class LabelledLater:
    """Predictions first, and their labels when they are known: minutes later, a few never.

    Attributes:
        stream: predictions with their labels.
        delay: seconds that half of the labels take.
        lost: the part of labels that never come.
        since: seconds of the history in which they come together still.
        only: the label that comes; the others are those of the monitor by default. "" for any.
    """

    stream: Observed
    delay: float = 240.0
    lost: float = 0.02
    since: int = 0
    only: str = ""
    _waiting: list[tuple[Numbers, Whole, Words]] = field(default_factory=list)

    @property
    def source(self) -> DemoResource:
        """See Stream."""
        return self.stream.source

    def count(self, start: int, stop: int) -> int:
        """See Stream."""
        return self.stream.count(start, stop)

    def posts(self, start: int, stop: int) -> Iterator[Post]:
        """See Stream."""
        if start < self.since:
            yield from self.stream.posts(start, stop)
            return
        times, rows = self.stream.rows(start, stop)
        ids = start * _IDS_PER_SECOND + np.arange(times.size)
        if times.size:
            columns = {"id": ids, **rows, "timestamp": times}
            del columns["y_true"]
            yield Post(f"{self.source.address}/predictions", columns, times.size)
        rng = np.random.default_rng([self.stream.seed, self.source.key, start, 1])
        due = times + rng.exponential(self.delay / np.log(2), times.size)
        due[rng.random(times.size) < self.lost] = np.inf
        labels = rows["y_true"].astype(np.str_)
        due[(labels != self.only) & bool(self.only)] = np.inf
        self._waiting.append((due, ids, labels))
        due_ids, due_labels = self._due(self.stream.origin + stop)
        if due_ids.size:
            yield Post(f"{self.source.address}/labels", {"id": due_ids, "y_true": due_labels}, 0)

    def _due(self, now: float) -> tuple[Whole, Words]:
        """Ids and labels that are known by now; they wait no longer."""
        due, ids, labels = map(np.concatenate, zip(*self._waiting, strict=True))
        waits = (due > now) & np.isfinite(due)
        self._waiting = [(due[waits], ids[waits], labels[waits])]
        return ids[due <= now], labels[due <= now]


def _came(rng: np.random.Generator, source: DemoResource, start: int, stop: int) -> Numbers:
    return arrivals(rng, start / HOUR, stop / HOUR, source.per_hour)
