"""Predicted over observed: how far that is off, from where on that is too far, and in words."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.judgement.blocks import Block
from kullback.judgement.findings import LEAST_RATIO, LEAST_ROWS, ratio_bound, ratio_off

_CLEAR = 0.005  # a ratio below it would read as 0.00


@dataclass(frozen=True, slots=True)
class Ratio:
    """What was predicted beside what happened; of a multiclass task, of the class furthest off.

    Attributes:
        expected, happened: effective rows.
        mean: the mean prediction, of what is rarer than its opposite at 0.
        what: of which outcomes.
    """

    expected: float
    happened: float
    mean: float
    what: str

    @classmethod
    def of(cls, rows: Block) -> "Ratio":
        """That of a block."""
        if rows.layout.task == "multiclass":
            seen, said = rows.class_weight / rows.scale, rows.class_predicted / rows.scale
            ratios = np.maximum(said / np.maximum(seen, LEAST_ROWS), LEAST_RATIO)
            k = int(np.argmax(np.abs(np.log(ratios))))
            return cls(float(said[k]), float(seen[k]), 0.0, f"rows of class {k}")
        happened, expected = float(rows.positive.sum()), float(rows.predicted.sum())
        sums = expected / rows.scale, happened / rows.scale
        return cls(*sums, rows.mean_prediction, "positives")

    @property
    def value(self) -> float:
        """Expected over happened; infinite where nothing happened."""
        return self.expected / self.happened if self.happened > 0 else math.inf

    @property
    def off(self) -> float:
        """How far it is from 1, either way alike, as a share of the rarer outcome."""
        return ratio_off(self.expected / max(self.happened, LEAST_ROWS), self.mean)

    def bound(self, tolerance: float) -> float:
        """The ratio above 1 from which on it is too far; below 1 its inverse is."""
        return ratio_bound(tolerance, self.mean)

    @property
    def words(self) -> str:
        """How it stands: a ratio, or both numbers where that says nothing."""
        if self.happened > 0 and self.value >= _CLEAR:
            return f"predictions are {self.value:.2f} times what happened"
        expected, happened = _count(self.expected, "no"), _count(self.happened, "none")
        return f"{expected} {self.what} were expected, {happened} happened"


def _count(rows: float, nothing: str) -> str:
    if not rows:
        return nothing
    if rows < 0.1:
        return "fewer than 0.1"
    return f"{rows:,.0f}" if rows >= 10 else f"{rows:.2g}"
