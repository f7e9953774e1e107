"""Rows of an experiment: arms, predictions, outcomes, units and times."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kullback.numerics.types import Array, Indices
from kullback.scoring.label_types import rows_of, texts_of
from kullback.scoring.labels import Labels
from kullback.scoring.screening import NONE_LEFT_OUT, Screening
from kullback.timezones import Timestamps

Column = Array | Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class ArmRows:
    """Columns of n rows each.

    Attributes:
        y_true: labels 0 and 1, or shares in [0, 1]; or None.
        y_proba: P(1) (n,) by the arm of each row; or of each arm by its name, (n,) each; or None.
        unit: whom each row is about, or None where rows are independent of each other.
        arm: the arm of each row, where each row is of one.
        weight: weights ≥ 0, or None.
        importance: target propensity over logging propensity ρ ≥ 0 of each row, or None.
        timestamp: when each row was, or None.
        slices: by slice the value of each row.
        measures: by field the numbers of each row (n,); or by arm, or by the name of the outcome.
        screening: what came of the rows that are not here.
    """

    y_true: Labels | None
    y_proba: Array | Mapping[str, Array] | None = None
    unit: Labels | None = None
    arm: list[str] | None = None
    weight: Array | None = None
    importance: Array | None = None
    timestamp: Timestamps | None = None
    slices: Mapping[str, list[str]] = field(default_factory=dict)
    measures: Mapping[str, Column] = field(default_factory=dict)
    screening: Screening = NONE_LEFT_OUT

    def __len__(self) -> int:
        if self.y_true is not None:
            return len(self.y_true)
        if self.unit is not None:
            return len(self.unit)
        column = next(iter(self.measures.values()), ())
        return len(next(iter(column.values())) if isinstance(column, Mapping) else column)

    def taken(self, rows: Indices) -> "ArmRows":
        """Those of some rows."""
        return replace(
            self,
            y_true=None if self.y_true is None else rows_of(self.y_true, rows),
            y_proba=None if self.y_proba is None else _taken(self.y_proba, rows),
            unit=None if self.unit is None else rows_of(self.unit, rows),
            arm=None if self.arm is None else texts_of(self.arm, rows),
            weight=None if self.weight is None else self.weight[rows],
            importance=None if self.importance is None else self.importance[rows],
            timestamp=None if self.timestamp is None else self.timestamp.taken(rows),
            slices={name: texts_of(values, rows) for name, values in self.slices.items()},
            measures={field: _taken(column, rows) for field, column in self.measures.items()},
        )


def _taken(column: Column, rows: Indices) -> Column:
    if isinstance(column, Mapping):
        return {name: part[rows] for name, part in column.items()}
    return column[rows]
