"""Rows of a monitor: predictions, labels, times, units and slices."""

from collections.abc import Mapping
from dataclasses import dataclass

from kullback.numerics.types import Array
from kullback.scoring.labels import Labels


@dataclass(frozen=True, slots=True)
class ObservationRows:
    """Predictions with their outcomes, all columns of n rows.

    `y_true` holds labels, or shares in [0, 1]; it is None where nobody knows yet. `y_proba` is
    P(positive) (n,), or a distribution per row (n, k). Timestamps are epoch seconds. Rows with
    `ids` count once each.
    """

    y_true: Labels | None
    y_proba: Array
    weight: Array | None
    timestamp: Array | None
    unit: Labels | None
    slices: Mapping[str, list[str]]
    ids: list[str] | None = None

    def __len__(self) -> int:
        return len(self.y_proba)


@dataclass(frozen=True, slots=True)
class PredictionRows:
    """Predictions whose outcomes come later, each under an id."""

    ids: list[str]
    rows: ObservationRows


@dataclass(frozen=True, slots=True)
class LabelRows:
    """Outcomes of predictions that came before or are to come, each under the id of its own.

    Of an id that has one already the first counts, unless the new one `corrects` it.
    """

    ids: list[str]
    y_true: Labels
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class ReferencePeriod:
    """Epoch seconds from `start` up to, not including, `stop`."""

    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class ReferenceDistributions:
    """How much of all lies in each score bin, and in each class; not normalized."""

    scores: Array | None
    labels: Array | None


@dataclass(frozen=True, slots=True)
class ReferenceOffset:
    """Seconds by which a reference lies before what is compared with it."""

    seconds: int


Baseline = ObservationRows | ReferencePeriod | ReferenceOffset | ReferenceDistributions
