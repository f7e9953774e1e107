"""Thresholds of checks: what is too far, from how many rows on, and how often they may be wrong."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

HOURS = 8766  # of a year
SPARE = 10.0  # a detector has 25 times as long between false alarms as its threshold, see ADR 0028
CheckName = Literal[
    "log_loss",
    "no_skill",
    "calibration",
    "score_drift",
    "label_drift",
    "feature_drift",
    "slice",
    "silence",
    "maturity",
]
CHECKS: tuple[CheckName, ...] = get_args(CheckName)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of one check.

    Attributes:
        tolerance: how far off is not worth a word, in the unit of the check's value.
        critical: how far off is critical.
        minimum_rows: fewer are not judged.
        alarms_per_year: how many false ones this check may raise in a year, at most.
        enabled: whether it is looked at.
    """

    tolerance: float
    critical: float
    minimum_rows: int = 200
    alarms_per_year: float = 1 / len(CHECKS)
    enabled: bool = True

    @property
    def log_threshold(self) -> float:
        """Ln of the evidence at which it raises an alarm: hours between two false ones.

        Less what these are more often than a threshold promises, at least.
        """
        return math.log(HOURS / self.alarms_per_year / SPARE)


@dataclass(frozen=True, slots=True)
class ChosenThresholds:
    """Thresholds of a check where they are not the default ones; None where they are."""

    tolerance: float | None = None
    critical: float | None = None
    minimum_rows: int | None = None
    alarms_per_year: float | None = None
    enabled: bool = True

    @classmethod
    def like(cls, other: object) -> "ChosenThresholds":
        """Those of anything that has them."""
        return cls(*(getattr(other, each.name) for each in fields(cls)))

    def over(self, default: Thresholds) -> Thresholds:
        """These, and the default ones of what is not said.

        Where the tolerance alone is said, what is critical moves with it.
        """
        tolerance = default.tolerance if self.tolerance is None else self.tolerance
        scale = tolerance / default.tolerance if default.tolerance else 1.0
        return Thresholds(
            tolerance,
            default.critical * scale if self.critical is None else self.critical,
            default.minimum_rows if self.minimum_rows is None else self.minimum_rows,
            default.alarms_per_year if self.alarms_per_year is None else self.alarms_per_year,
            self.enabled,
        )


DEFAULTS: Mapping[str, Thresholds] = {
    "log_loss": Thresholds(0.3, 0.6),  # of the information gain, lost
    "no_skill": Thresholds(0.0, 0.0),  # information gain
    "calibration": Thresholds(0.1, 0.25),  # of the rate
    "score_drift": Thresholds(0.25, 0.5),  # PSI
    "label_drift": Thresholds(0.5, 1.0),  # of the rate
    "feature_drift": Thresholds(0.25, 0.5),  # PSI
    "slice": Thresholds(0.1, 0.25),  # as calibration
    "silence": Thresholds(0.9, 0.9, 12),  # of the rows that are usual
    "maturity": Thresholds(0.8, 0.8, 12),  # of the labels that are usual
}
