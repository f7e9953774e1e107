"""Batches of rows to be kept: observations, predictions, labels and references."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from kullback.errors import InvalidInput
from kullback.monitoring.rows import (
    Baseline,
    LabelRows,
    ObservationRows,
    PredictionRows,
    ReferenceDistributions,
    ReferenceOffset,
    ReferencePeriod,
)
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array
from kullback.payload.columns import Column, EntryType
from kullback.payload.durations import Duration
from kullback.payload.identifiers import checked_identifiers, identifiers_as_text
from kullback.payload.timestamps import Moment, seconds
from kullback.requests.validation import array_fields
from kullback.scoring.arrays import HEAVIEST_WEIGHT, refuse, row_sums, unit_interval
from kullback.scoring.labels import Labels

MAX_SLICES = 20
SLICE_NAME = r"^[a-zA-Z_][a-zA-Z0-9_.-]{0,62}$"
_TOLERANCE = 1e-6


def _predictions(values: Array) -> Array:
    unit_interval("y_proba", values)
    if values.ndim == 2:
        sums = row_sums(values)
        refuse(
            "y_proba",
            ~(np.abs(sums - 1) <= _TOLERANCE),
            lambda at: f"the row sums to {_sum(sums[at])}, not 1 within {_TOLERANCE:g}",
        )
    return values


def _sum(total: float) -> str:
    return numeral(total, 1.0, 1.0 - _TOLERANCE, 1.0 + _TOLERANCE)


def _outcomes(values: Labels) -> Labels:
    """Labels that are whole as integers, however they were written; others are shares."""
    if isinstance(values, list):
        return checked_identifiers(values, "y_true")
    if values.dtype == np.int64:
        return values
    shares = np.asarray(values, np.float64)
    if ((np.abs(shares) < 2**53) & (shares == np.floor(shares))).all():
        return shares.astype(np.int64)
    return unit_interval("y_true", shares)


def _masses(name: str, values: Array) -> Array:
    refuse(
        name,
        ~((values >= 0) & (values <= HEAVIEST_WEIGHT)),
        lambda at: (
            f"{numeral(values[at], 0.0, HEAVIEST_WEIGHT)} is not in [0, {HEAVIEST_WEIGHT:g}]"
        ),
    )
    return values


def _distribution(name: str, values: Array) -> Array:
    if not _masses(name, values).any():
        raise InvalidInput.at("all are 0", name)
    return values


def _slices(values: dict[str, Labels]) -> dict[str, list[str]]:
    return {name: _slice(name, column) for name, column in values.items()}


def _slice(name: str, column: Labels) -> list[str]:
    if not re.fullmatch(SLICE_NAME, name):
        raise InvalidInput.at("no slice may be named so", "slice", name)
    if not isinstance(column, list) and column.ndim != 1:
        raise InvalidInput.at("lists, where single entries are expected", "slice", name)
    if len(column) == 0:
        raise InvalidInput.at("an empty list", "slice", name)
    return identifiers_as_text(column, "slice", name)


Truth = Annotated[Labels, Column(EntryType.LABEL, 1), AfterValidator(_outcomes)]
Forecasts = Annotated[Array, Column(EntryType.NUMBER, 2), AfterValidator(_predictions)]
Weights = Annotated[
    Array, Column(EntryType.NUMBER, 1), AfterValidator(partial(_masses, "sample_weight"))
]
Times = Annotated[Array, Column(EntryType.TIME, 1), AfterValidator(partial(seconds, "timestamp"))]
Units = Annotated[
    Labels,
    Column(EntryType.ID, 1),
    AfterValidator(lambda values: checked_identifiers(values, "unit")),
]
Ids = Annotated[
    list[str],
    Column(EntryType.ID, 1),
    AfterValidator(lambda values: identifiers_as_text(values, "id")),
]
ScoreHistogram = Annotated[
    Array,
    Column(EntryType.NUMBER, 1, per_row=False),
    AfterValidator(partial(_distribution, "score_histogram")),
]
LabelDistribution = Annotated[
    Array,
    Column(EntryType.NUMBER, 1, per_row=False),
    AfterValidator(partial(_distribution, "label_distribution")),
]
Slices = Annotated[
    dict[str, list[str]], Column(EntryType.VALUE, 1, keys=MAX_SLICES), AfterValidator(_slices)
]
RowWeights = Annotated[Weights | None, Field(description="Weight of each row, at least 0.")]
RowTimes = Annotated[
    Times | None,
    Field(
        description="Time of each row: epoch seconds, or RFC 3339 with Z or an offset; default now."
    ),
]
RowSlices = Annotated[
    Slices | None, Field(description="Value of each row for each slice, such as country.")
]
SliceNames = Annotated[
    list[Annotated[str, Field(pattern=SLICE_NAME)]],
    Field(max_length=MAX_SLICES, description="Names by which rows may be sliced."),
]


class RowBatch(BaseModel):
    """Columns of as many rows each."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

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


class Forecast(RowBatch):
    """Fields of rows beside what was predicted."""

    y_proba: Forecasts = Field(description="P(positive label) [n]; or [n][k], a column per label.")
    sample_weight: RowWeights = None
    timestamp: RowTimes = None
    unit: Units | None = Field(
        default=None,
        description="Unit of each row, such as a user id; rows of one unit are not independent.",
    )
    slice: RowSlices = None

    def _rows(self, y_true: Labels | None) -> ObservationRows:
        return ObservationRows(
            y_true, self.y_proba, self.sample_weight, self.timestamp, self.unit, self.slice or {}
        )


class ObservationBatch(Forecast):
    """Predictions with their outcomes."""

    y_true: Truth = Field(description="Labels [n]; soft labels [n] in [0, 1].")
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

    def predictions(self) -> PredictionRows:
        """The batch as a monitor takes it."""
        return PredictionRows(self.id, self._rows(None))


class LabelBatch(RowBatch):
    """Labels whose predictions arrive separately."""

    id: Ids = Field(description="Id that joins each label to its prediction.")
    y_true: Truth = Field(description="Labels [n]; soft labels [n] in [0, 1].")
    on_duplicate: Literal["ignore", "correct"] = Field(
        default="ignore",
        description="What a label does whose id has one already: nothing, or it replaces that one.",
    )

    def labels(self) -> LabelRows:
        """The batch as a monitor takes it."""
        return LabelRows(self.id, self.y_true, self.on_duplicate == "correct")


class ReferenceBatch(RowBatch):
    """Reference of a monitor: a batch, a period of its own past, or distributions."""

    y_true: Truth | None = Field(default=None, description="Labels [n] of a batch.")
    y_proba: Forecasts | None = Field(default=None, description="Predictions of a batch.")
    sample_weight: RowWeights = None
    slice: Slices | None = Field(default=None, description="Value of each row for each slice.")
    start: Moment | None = Field(default=None, alias="from", description="Start of a period.")
    stop: Moment | None = Field(default=None, alias="to", description="End of a period, exclusive.")
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
        if self.start is not None and self.stop is not None and not self.start < self.stop:
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
            return ObservationRows(self.y_true, self.y_proba, weight, None, None, slices)
        if self.start is not None and self.stop is not None:
            return ReferencePeriod(self.start, self.stop)
        if self.offset is not None:
            return ReferenceOffset(self.offset)
        return ReferenceDistributions(self.score_histogram, self.label_distribution)


_FORMS = (
    ("y_true", "y_proba", "sample_weight", "slice"),
    ("from", "to"),
    ("offset",),
    ("score_histogram", "label_distribution"),
)
