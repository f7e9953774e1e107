"""Rows of an experiment: arms, predictions, outcomes, units and times."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kullback.numerics.types import Array
from kullback.scoring.labels import Labels


@dataclass(frozen=True, slots=True)
class ArmRows:
    """Columns of n rows each.

    Attributes:
        y_true: labels 0 and 1, or shares in [0, 1].
        y_proba: P(1) (n,) by the arm of each row; or of each arm by its name, (n,) each.
        unit: whom each row is about, or None where rows are independent of each other.
        arm: the arm of each row, where each row is of one.
        weight: weights ≥ 0, or None.
        importance: target propensity over logging propensity ρ ≥ 0 of each row, or None.
        timestamp: epoch seconds, or None.
        slices: by slice the value of each row.
    """

    y_true: Labels
    y_proba: Array | Mapping[str, Array]
    unit: Labels | None = None
    arm: list[str] | None = None
    weight: Array | None = None
    importance: Array | None = None
    timestamp: Array | None = None
    slices: Mapping[str, list[str]] = field(default_factory=dict)
