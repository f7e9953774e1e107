"""Batches of rows to be kept: observations, predictions, labels and references."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from kullback.errors import InvalidInput
from kullback.monitoring.rows import (
    Baseline,
    LabelRows,
    ObservationRows,
    ReferenceDistributions,
    ReferenceOffset,
    ReferencePeriod,
)
from kullback.payload.durations import Duration
from kullback.payload.timestamps import PeriodTime
from kullback.requests.batch_columns import (
    Forecasts,
    Ids,
    LabelDistribution,
    LabelledTruth,
    RowSlices,
    RowTimes,
    RowWeights,
    ScoreHistogram,
    Slices,
    Units,
)
from kullback.requests.feature_columns import RowFeatures
from kullback.requests.validation import array_fields
from kullback.scoring.column_names import Names
from kullback.scoring.labels import Labels
from kullback.scoring.screening import NONE_LEFT_OUT, OnInvalid, Screening

_TRUTH = "Labels [n]; soft labels [n] in [0, 1]; of a multilabel monitor [n][k], 0 or 1 each."


class PlacedBatch(BaseModel):
    """Rows that know how they were sent, so that each is named by its place."""

    _screening: Screening = PrivateAttr(default=NONE_LEFT_OUT)

    @property
    def screening(self) -> Screening:
        """How rows are named, and what came of those that are not here."""
        return self._screening

    def keep(self, screening: Screening) -> None:
        """Keep the screening that has left this batch."""
        self._screening = screening


class ScreenedBatch(PlacedBatch):
    """Rows of which bad ones may be left out."""

    on_invalid: OnInvalid = Field(
        default="error",
        description=(
            "error: a bad row refuses the batch. drop: it is left out and named, and the others "
            "are kept. A parameter of the query too."
        ),
    )


class RowBatch(BaseModel):
    """Columns of as many rows each."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    _names: Mapping[str, Names] = PrivateAttr(default_factory=dict)

    @property
    def names(self) -> Mapping[str, Names]:
        """The names that the columns of a field came under, where it came as several."""
        return self._names

    def keep_names(self, names: Mapping[str, Names]) -> None:
        """Keep the names that columns came under."""
        self._names = names

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        check_lengths(self)
        return self


def check_lengths(batch: BaseModel) -> None:
    """Refuse columns of unequal lengths.

    Raises:
        InvalidInput: one has not as many rows as the first.
    """
    first, n = "", 0
    for name, column in array_fields(type(batch)).items():
        values = getattr(batch, name)
        parts = values if isinstance(values, Mapping) else {None: values}
        for key, part in parts.items() if column.per_row and values is not None else ():
            first, n = (first, n) if first else (name, len(part))
            if len(part) != n:
                place = (name,) if key is None else (name, key)
                raise InvalidInput.at(f"{len(part)} rows where {first} has {n}", *place)


class Forecast(RowBatch, ScreenedBatch):
    """Fields of rows beside what was predicted."""

    y_proba: Forecasts = Field(description="P(positive label) [n]; or [n][k], a column per label.")
    sample_weight: RowWeights = None
    timestamp: RowTimes = None
    unit: Units | None = Field(
        default=None,
        description="Unit of each row, such as a user id; rows of one unit are not independent.",
    )
    slice: RowSlices = None
    features: RowFeatures | None = Field(
        default=None,
        description="Value of each row of the features that the monitor has; null is missing.",
    )

    def _rows(self, y_true: Labels | None) -> ObservationRows:
        return ObservationRows(
            y_true,
            self.y_proba,
            self.sample_weight,
            self.timestamp,
            self.unit,
            self.slice or {},
            screening=self.screening,
            names=self.names,
            features=self.features or {},
        )


class ObservationBatch(Forecast):
    """Predictions with their outcomes."""

    y_true: LabelledTruth = Field(description=_TRUTH)
    id: Ids | None = Field(
        default=None,
        description="Id of each row: rows of one id count once within ttl_seconds, in any batches.",
    )

    def rows(self) -> ObservationRows:
        """The batch as a monitor takes it."""
        return replace(self._rows(self.y_true), ids=self.id)


class PredictionBatch(Forecast):
    """Predictions whose labels arrive separately."""

    id: Ids = Field(description="Id that joins each label to its prediction.")

    def rows(self) -> ObservationRows:
        """The batch as a monitor takes it."""
        return replace(self._rows(None), ids=self.id)


class LabelBatch(RowBatch, ScreenedBatch):
    """Labels whose predictions arrive separately."""

    id: Ids = Field(description="Id that joins each label to its prediction.")
    y_true: LabelledTruth = Field(description=_TRUTH)
    on_duplicate: Literal["ignore", "correct"] = Field(
        default="ignore",
        description="What a label does whose id has one already: nothing, or it replaces that one.",
    )

    def labels(self) -> LabelRows:
        """The batch as a monitor takes it."""
        corrects = self.on_duplicate == "correct"
        return LabelRows(self.id, self.y_true, corrects, self.screening, self.names)


class ReferenceBatch(RowBatch, PlacedBatch):
    """Reference of a monitor: a batch, a period of its own past, an offset, or distributions."""

    y_true: LabelledTruth | None = Field(
        default=None, description="Labels of a batch, as those of observations."
    )
    y_proba: Forecasts | None = Field(default=None, description="Predictions of a batch.")
    sample_weight: RowWeights = None
    slice: Slices | None = Field(default=None, description="Value of each row for each slice.")
    features: RowFeatures | None = Field(
        default=None, description="Value of each row of the features that the monitor has."
    )
    start: PeriodTime | None = Field(default=None, alias="from", description="Start of a period.")
    stop: PeriodTime | None = Field(
        default=None, alias="to", description="End of a period, exclusive."
    )
    offset: Duration | None = Field(
        default=None,
        description="How long before what is compared with it the reference is: it moves.",
    )
    score_histogram: ScoreHistogram | None = Field(
        default=None, description="Mass of each bin, where equal bins divide [0, 1]."
    )
    label_distribution: LabelDistribution | None = Field(
        default=None, description="Mass of each label, in the order of the labels."
    )

    @model_validator(mode="after")
    def _of_one_form(self) -> Self:
        forms = [[name for name in form if name in self._sent()] for form in _FORMS]
        present = [form for form in forms if form]
        if len(present) != 1:
            detail = "a batch, a period (from, to), an offset, or distributions: one is expected"
            raise InvalidInput.at(detail, present[1][0] if present else "y_proba")
        needed = ("y_proba",) if forms[0] else ("from", "to") if forms[1] else ()
        for name in needed:
            if name not in self._sent():
                raise InvalidInput.at("this field is missing", name)
        if self.y_proba is not None and len(self.y_proba) == 0:
            raise InvalidInput.at("an empty list", "y_proba")
        start, stop = self.start, self.stop
        if isinstance(start, float) and isinstance(stop, float) and not start < stop:
            raise InvalidInput.at("not after from", "to")
        return self

    def _sent(self) -> list[str]:
        fields = type(self).model_fields
        names = [name for name in fields if getattr(self, name) is not None]
        return [fields[name].alias or name for name in names]

    def baseline(self) -> Baseline:
        """The reference as a monitor takes it."""
        if self.y_proba is not None:
            weight, slices = self.sample_weight, self.slice or {}
            columns = (self.y_true, self.y_proba, weight, None, None, slices)
            rows = ObservationRows(*columns, screening=self.screening, names=self.names)
            return replace(rows, features=self.features or {})
        if self.start is not None and self.stop is not None:
            return ReferencePeriod(self.start, self.stop)
        if self.offset is not None:
            return ReferenceOffset(self.offset)
        return ReferenceDistributions(self.score_histogram, self.label_distribution)


_FORMS = (
    ("y_true", "y_proba", "sample_weight", "slice", "features"),
    ("from", "to"),
    ("offset",),
    ("score_histogram", "label_distribution"),
)
