"""This file is about reports as the page of an experiment needs them: typed, with every count."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from kullback.experiments import told
from kullback.experiments.plan import Arm, Design
from kullback.experiments.told import Interval
from kullback.tally.documents import Document


@dataclass(frozen=True, slots=True)
class Why(told.Why):
    """Where the difference of log loss comes from, in words and in nats."""

    calibration: float | None = None
    ranking: float | None = None
    rows: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison(told.Comparison):
    """An arm against the control, with what its guards count."""

    why: Why | None = None
    reason_code: str = ""
    information_needed: float | None = None
    clusters: int | None = None
    largest_share: float | None = None


@dataclass(frozen=True, slots=True)
class Report(told.Report):
    """A report of an experiment."""

    comparisons: tuple[Comparison, ...]

    @property
    def seen(self) -> int:
        """How many rows came: each is of every arm where arms are paired."""
        counts = [arm.n for arm in self.arms]
        return max(counts) if self.design == "paired" else sum(counts)


@dataclass(frozen=True, slots=True)
class Point:
    """What was known of an arm at the end of a step."""

    to: datetime
    effect: float | None
    sequence: Interval | None
    fixed_interval: Interval | None
    log_e_value: float | None


@dataclass(frozen=True, slots=True)
class Setup:
    """An experiment as it was set up, and how many rows came in each epoch."""

    epoch: int
    arms: tuple[Arm, ...]
    design: Design
    slices: tuple[str, ...]
    observations: Mapping[int, int]
    created: datetime
    last_window: datetime | None

    @classmethod
    def of(cls, document: Document) -> "Setup":
        """The set-up that a document is of."""
        return _SETUP.validate_python(document)


_SETUP = TypeAdapter(Setup)
_POINTS = TypeAdapter(tuple[Point, ...])


def points(series: Document) -> tuple[Point, ...]:
    """The points of a series."""
    return _POINTS.validate_python(series["points"])
