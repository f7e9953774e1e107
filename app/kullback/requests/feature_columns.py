"""Columns of features: what a value of one may be, whatever kind the monitor says that it is."""

import re
from typing import Annotated

import numpy as np
from pydantic import AfterValidator

from kullback.errors import InvalidInput
from kullback.payload.columns import Column, EntryType
from kullback.payload.identifiers import checked_identifiers
from kullback.requests.batch_columns import SLICE_NAME
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable

MAX_FEATURES = 100


def _features(columns: dict[str, Labels | Nullable]) -> dict[str, Nullable]:
    return {name: _feature(name, column) for name, column in columns.items()}


def _feature(name: str, column: Labels | Nullable) -> Nullable:
    """A column of numbers, of which NaN are missing, or of texts, of which empty ones are."""
    if not re.fullmatch(SLICE_NAME, name):
        raise InvalidInput.at("no feature may be named so", "features", name)
    values = column.values if isinstance(column, Nullable) else column
    missing = np.zeros(len(values), np.bool_)
    if isinstance(column, Nullable):
        missing = column.missing
    if not isinstance(values, list):
        if values.ndim != 1:
            raise InvalidInput.at("lists, where single entries are expected", "features", name)
        if values.dtype.kind == "f":
            missing = missing | np.isnan(values)
        return Nullable(values, missing)
    if "" in values:
        missing = missing | np.fromiter((not value for value in values), np.bool_, len(values))
        values = [value or _NOTHING for value in values]
    checked_identifiers(values, "features", name)
    return Nullable(values, missing)


_NOTHING = "-"  # in place of what is missing

RowFeatures = Annotated[
    dict[str, Nullable],
    Column(EntryType.FEATURE, 1, keys=MAX_FEATURES, rows=True, empty=True),
    AfterValidator(_features),
]
