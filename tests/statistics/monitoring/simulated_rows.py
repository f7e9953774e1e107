"""Simulated rows: what is predicted, what is true, and when each half of a row arrives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kullback.numerics.types import Array, Flags, Indices
from tests.statistics.monitoring.simulated_features import Features, Texts

NEVER = np.inf


@dataclass(frozen=True, slots=True)
class SimulatedRows:
    """Rows of some time, all columns of n rows.

    Attributes:
        time: epoch seconds.
        truth: P(1) as it is (n,), or P of each class or label (n, k).
        p: what the model says, of the same shape.
        y: outcomes (n,), classes, or outcomes of labels (n, k); drawn from the truth.
        arrives: when a prediction is sent, epoch seconds.
        labelled: when its label is sent; infinite where never.
        known: what the model knows of a row beside the hour, a standard normal deviate: `x` of it
            is a feature that is sent too.
        user: a number of each user.
        weight: ≥ 0.
        slices: a value of each row, by the name of the slice.
        features: that the rows are sent with, by name; NaN where a number is missing.
    """

    time: Array
    truth: Array
    p: Array
    y: Array
    arrives: Array
    labelled: Array
    x: Array
    user: Indices
    weight: Array
    slices: Mapping[str, Texts]
    features: Features = field(default_factory=dict)

    def __len__(self) -> int:
        return self.time.size

    def taken(self, rows: Indices | Flags) -> "SimulatedRows":
        """Those of some rows."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        slices = {name: values[rows] for name, values in self.slices.items()}
        features = {name: values[rows] for name, values in self.features.items()}
        return replace(self, **columns, slices=slices, features=features)

    def having(self, name: str, values: Texts) -> "SimulatedRows":
        """The same with other values of a slice."""
        return replace(self, slices={**self.slices, name: values})


_COLUMNS = ("time", "truth", "p", "y", "arrives", "labelled", "x", "user", "weight")


def joined(some: Sequence[SimulatedRows]) -> SimulatedRows:
    """All of them, in order."""
    columns = {name: np.concatenate([getattr(rows, name) for rows in some]) for name in _COLUMNS}
    names: Mapping[str, Array | Texts] = some[0].slices
    slices = {name: np.concatenate([rows.slices[name] for rows in some]) for name in names}
    names = some[0].features
    features = {name: np.concatenate([rows.features[name] for rows in some]) for name in names}
    return replace(some[0], **columns, slices=slices, features=features)


def logit(p: Array) -> Array:
    """ln p/(1 − p)."""
    odds: Array = np.log(p) - np.log1p(-p)
    return odds
