"""This file is about what a monitor answers, read again: in types that its page may trust."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import Field, TypeAdapter

from kullback.experiments.told import Bin, Metric
from kullback.scoring.labels import Label
from kullback.tally.documents import Document
from kullback.tally.tally import Task


@dataclass(frozen=True, slots=True)
class Drift:
    """How far something is from the reference; numbers are None where `statement` says why."""

    statement: str
    kl: float | None = None
    js: float | None = None
    psi: float | None = None
    g_statistic: float | None = None
    degrees_of_freedom: int | None = None
    p_value: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Drifts:
    """Drift of scores, of labels, and of how rows fall into the values of a slice."""

    score: Drift
    label: Drift
    slices: Mapping[str, Drift] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one value of a slice."""

    slice: Mapping[str, str]
    n: int
    weight: float
    predictions: int
    metrics: Mapping[str, Metric]

    @property
    def value(self) -> str:
        """The value that the rows have."""
        return next(iter(self.slice.values()))


@dataclass(frozen=True, slots=True)
class Report:
    """A report of some time."""

    n: int
    weight: float
    predictions: int
    clipped: int
    infinite: int
    metrics: Mapping[str, Metric]
    reliability: tuple[Bin, ...]
    drift: Drifts
    groups: tuple[Group, ...]
    units: float | None = None

    @classmethod
    def of(cls, document: Document) -> "Report":
        """The report that a document is of."""
        return TypeAdapter(cls).validate_python(document)


@dataclass(frozen=True, slots=True)
class Point:
    """A metric in one step."""

    begins: Annotated[datetime, Field(alias="from")]
    ends: Annotated[datetime, Field(alias="to")]
    n: int
    value: float | None
    standard_error: float | None = None

    @property
    def start(self) -> float:
        """When it begins, in epoch seconds."""
        return self.begins.timestamp()

    @property
    def stop(self) -> float:
        """When it ends, in epoch seconds."""
        return self.ends.timestamp()


@dataclass(frozen=True, slots=True)
class Sides:
    """Rows that have only one of their halves."""

    predictions: int
    labels: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What came in all the time there is."""

    observations: int
    predictions: int
    labels: int
    matched: int
    duplicates: int
    late: int
    pending: Sides
    expired: Sides

    @property
    def is_joined(self) -> bool:
        """Whether predictions and labels come apart."""
        return self.predictions > 0 or self.labels > 0


@dataclass(frozen=True, slots=True)
class Basis:
    """What drift is measured against."""

    source: str
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """How a monitor was set up, and what came."""

    name: str
    task: Task
    labels: tuple[Label, ...] | None
    pos_label: Label | None
    window_seconds: int
    retention_days: int
    slices: tuple[str, ...]
    convention: str
    created: datetime
    counts: Counts
    last_window: datetime | None = None
    reference: Basis | None = None

    @classmethod
    def of(cls, document: Document) -> "Setup":
        """The setup that a document is of."""
        return TypeAdapter(cls).validate_python(document)

    @property
    def is_empty(self) -> bool:
        """Whether nothing came ever."""
        counts = self.counts
        return not (counts.observations or counts.predictions or counts.labels)


def points(document: Document) -> list[Point]:
    """The points of a series, in order."""
    return TypeAdapter(list[Point]).validate_python(document["points"])
