"""Rows of a monitor: predictions, labels, times, units and slices."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kullback.numerics.types import Array, Indices
from kullback.scoring.column_names import Names
from kullback.scoring.label_types import rows_of, texts_of
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable
from kullback.scoring.screening import NONE_LEFT_OUT, Screening
from kullback.timezones import Time, Timestamps


@dataclass(frozen=True, slots=True)
class ObservationRows:
    """Predictions, with their outcomes or under ids, all columns of n rows.

    `y_true` holds labels, or shares in [0, 1]; it is None where they come apart, by `ids`.
    `y_proba` is P(positive) (n,), or a distribution per row (n, k). Timestamps may be without a
    time zone, if the monitor has one. Rows with `ids` count once each. `names` are those that the
    columns of a field came under, where it came as several. The values of `features` are numbers or
    texts.
    """

    y_true: Labels | None
    y_proba: Array
    weight: Array | None
    timestamp: Timestamps | None
    unit: Labels | None
    slices: Mapping[str, list[str]]
    ids: list[str] | None = None
    screening: Screening = NONE_LEFT_OUT
    names: Mapping[str, Names] = field(default_factory=dict)
    features: Mapping[str, Nullable] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y_proba)

    def taken(self, rows: Indices) -> "ObservationRows":
        """Those of some rows."""
        return replace(
            self,
            y_true=None if self.y_true is None else rows_of(self.y_true, rows),
            y_proba=self.y_proba[rows],
            weight=None if self.weight is None else self.weight[rows],
            timestamp=None if self.timestamp is None else self.timestamp.taken(rows),
            unit=None if self.unit is None else rows_of(self.unit, rows),
            slices={name: texts_of(values, rows) for name, values in self.slices.items()},
            ids=None if self.ids is None else texts_of(self.ids, rows),
            features={name: values.taken(rows) for name, values in self.features.items()},
        )


@dataclass(frozen=True, slots=True)
class LabelRows:
    """Outcomes of predictions that came before or are to come, each under the id of its own.

    Of an id that has one already the first counts, unless the new one `corrects` it.
    """

    ids: list[str]
    y_true: Labels
    corrects: bool = False
    screening: Screening = NONE_LEFT_OUT
    names: Mapping[str, Names] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def taken(self, rows: Indices) -> "LabelRows":
        """Those of some rows."""
        return replace(self, ids=texts_of(self.ids, rows), y_true=rows_of(self.y_true, rows))


@dataclass(frozen=True, slots=True)
class ReferencePeriod:
    """Time from `start` up to, not including, `stop`."""

    start: Time
    stop: Time


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
