"""Reports of arms in files."""

from collections.abc import Mapping
from dataclasses import dataclass

from kullback.experiments.report import ArmsReport, Interval

OTHER_ARMS = "other_arms"  # why rows are left out that are of arms that nobody named


@dataclass(frozen=True, slots=True)
class EvaluationLook:
    """The effect of an arm after some rows of files."""

    arm: str
    effect: float | None
    sequence: Interval | None
    fixed_interval: Interval | None
    e_value: float | None
    log_e_value: float | None


@dataclass(frozen=True, slots=True)
class EvaluationStep:
    """The effects after the first `n` rows of files."""

    n: int
    comparisons: tuple[EvaluationLook, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport(ArmsReport):
    """The report of arms in files; `excluded` counts rows by what is missing in them.

    `formats` counts the files by what they hold; `skipped` lie beside them and were not read.
    """

    files: tuple[str, ...]
    formats: Mapping[str, int]
    skipped: tuple[str, ...]
    rows: int
    excluded: Mapping[str, int]
    path: tuple[EvaluationStep, ...]

    @property
    def left_out(self) -> list[tuple[int, str]]:
        """How many rows were left out, and what they lack."""
        return [
            (count, "of other arms" if name == OTHER_ARMS else f"without {name}")
            for name, count in self.excluded.items()
            if count
        ]

    def looks(self, arm: str) -> list[tuple[int, EvaluationLook]]:
        """The effects of an arm, with the number of rows, in order."""
        return [
            (step.n, look) for step in self.path for look in step.comparisons if look.arm == arm
        ]
