"""Columns of batches: what an entry of each may be, and what is wrong with one that may not."""

import re
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array
from kullback.payload.columns import Column, EntryType
from kullback.payload.identifiers import checked_identifiers, identifiers_as_text
from kullback.payload.timestamps import timestamps
from kullback.scoring.arrays import HEAVIEST_WEIGHT
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable
from kullback.scoring.options import Options
from kullback.scoring.refusals import outside, refuse
from kullback.scoring.screening import NO_VALUE
from kullback.timezones import Timestamps

MAX_SLICES = 20
SLICE_NAME = r"^[a-zA-Z_][a-zA-Z0-9_.-]{0,62}$"

_OPTIONS = Options()
_NOWHERE = np.empty(0, np.int64)


def probabilities(name: str | tuple[str, ...], values: Array) -> Array:
    """Numbers in [0, 1]; those outside by no more than the tolerance of their type are 0 or 1.

    Raises:
        InvalidRows: one is further off, or is not a number.
    """
    tolerance = _OPTIONS.tolerance(values.dtype)
    wide = np.asarray(values, np.float64)
    if wide.size == 0 or (wide.min() >= 0 and wide.max() <= 1):
        return wide
    near = (wide >= 0.0 - tolerance) & (wide <= 1.0 + tolerance)
    refuse(name, ~near, lambda at: outside(float(wide[at]), tolerance, ""))
    return np.clip(wide, 0.0, 1.0)


def _predictions(values: Array) -> Array:
    """Probabilities; those of several labels in their type, which says how exact their sums are."""
    checked = probabilities("y_proba", values)
    return (
        checked.astype(values.dtype) if values.ndim == 2 and values.dtype.kind == "f" else checked
    )


def _outcomes(values: Labels) -> Labels:
    """Labels that are whole as integers, however they were written, if all are; else shares."""
    if isinstance(values, list):
        return checked_identifiers(values, "y_true")
    if values.dtype == np.int64:
        return values
    shares = np.asarray(values, np.float64)
    is_whole = (np.abs(shares) < 2**53) & (shares == np.floor(shares))
    if is_whole.all():
        return shares.astype(np.int64)
    neither = ~(is_whole | ((shares >= 0) & (shares <= 1)))
    refuse("y_true", neither, lambda at: f"{numeral(shares[at], 0.0, 1.0)} is not in [0, 1]")
    return shares


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


def _slice(name: str, column: Labels | Nullable) -> list[str]:
    if not re.fullmatch(SLICE_NAME, name):
        raise InvalidInput.at("no slice may be named so", "slice", name)
    missing = np.flatnonzero(column.missing) if isinstance(column, Nullable) else _NOWHERE
    column = column.values if isinstance(column, Nullable) else column
    if not isinstance(column, list) and column.ndim != 1:
        raise InvalidInput.at("lists, where single entries are expected", "slice", name)
    if isinstance(column, list):
        column = [value or NO_VALUE for value in column] if "" in column else column
    elif column.dtype.kind == "f":  # of nothing but nulls
        return [NO_VALUE] * len(column)
    texts = identifiers_as_text(column, "slice", name)
    for row in missing.tolist():
        texts[row] = NO_VALUE
    return texts


Truth = Annotated[Labels, Column(EntryType.LABEL, 1, empty=True), AfterValidator(_outcomes)]
LabelledTruth = Annotated[
    Labels,
    Column(EntryType.LABEL, 2, empty=True, flat_texts=True),
    AfterValidator(_outcomes),
]
Forecasts = Annotated[
    Array,
    Column(EntryType.NUMBER, 2, typed=True, empty=True),
    AfterValidator(_predictions),
]
Weights = Annotated[
    Array,
    Column(EntryType.NUMBER, 1, empty=True),
    AfterValidator(partial(_masses, "sample_weight")),
]
Times = Annotated[
    Timestamps,
    Column(EntryType.TIME, 1, empty=True),
    AfterValidator(partial(timestamps, "timestamp")),
]
Units = Annotated[
    Labels,
    Column(EntryType.ID, 1, empty=True),
    AfterValidator(lambda values: checked_identifiers(values, "unit")),
]
Ids = Annotated[
    list[str],
    Column(EntryType.ID, 1, empty=True),
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
    dict[str, list[str]],
    Column(EntryType.VALUE, 1, keys=MAX_SLICES, rows=True, empty=True),
    AfterValidator(_slices),
]
RowWeights = Annotated[Weights | None, Field(description="Weight of each row, at least 0.")]
RowTimes = Annotated[
    Times | None,
    Field(
        description=(
            "Time of each row: epoch seconds, or RFC 3339 with Z or an offset, which may be "
            "missing where a monitor has a timezone; default now."
        )
    ),
]
RowSlices = Annotated[
    Slices | None,
    Field(
        description=(
            "Value of each row for each slice, such as country; null is the value (none), as is "
            "an empty text."
        )
    ),
]
SliceNames = Annotated[
    list[Annotated[str, Field(pattern=SLICE_NAME)]],
    Field(max_length=MAX_SLICES, description="Names by which rows may be sliced."),
]
