"""What the outcomes of one block say: computed once, however often a history is judged."""

from dataclasses import dataclass

import numpy as np

from kullback.judgement.blocks import Block
from kullback.judgement.recalibration import (
    RATE_WEIGHTS,
    SLOPE_WEIGHTS,
    Null,
    Tolerance,
    class_evidence,
    class_skill_evidence,
    rate_evidence,
    slope_evidence,
)
from kullback.numerics.types import Array

_FEW = 5.0  # the variance of a count that tells nothing of how much counts vary


@dataclass(frozen=True, slots=True, eq=False)
class JudgedBlock:
    """A block, and the logarithms of its e-values.

    Attributes:
        rate: against rates that are off, (2·RATES,); of a multiclass task of each class, in turn.
        slope: against slopes that are off, (SLOPES,); of a multiclass task against no skill, (1,).
        residual: how many standard deviations the outcomes are from what was said; NaN of few.
    """

    block: Block
    rate: Array
    slope: Array
    residual: float

    @property
    def rows(self) -> int:
        """Rows whose labels are mature."""
        return self.block.rows


def judged(block: Block, tolerance: Tolerance, others: Block | None = None) -> JudgedBlock:
    """What the outcomes of a block say: of a value of a slice, beside the `others` of its hour."""
    if block.layout.task == "multiclass":
        if not block.rows:
            none = np.zeros(2 * block.layout.classes * RATE_WEIGHTS.size // 2)
            return JudgedBlock(block, none, np.zeros(1), np.nan)
        rate = class_evidence(block, tolerance, others).reshape(-1)
        return JudgedBlock(block, rate, class_skill_evidence(block), _residual(block))
    if not block.rows:
        return JudgedBlock(block, np.zeros(RATE_WEIGHTS.size), np.zeros(SLOPE_WEIGHTS.size), np.nan)
    null = Null.of(block, tolerance, others)
    rate, slope = rate_evidence(block, null), slope_evidence(block, null)
    return JudgedBlock(block, rate, slope, _residual(block))


def _residual(block: Block) -> float:
    weight, predicted = block.weight / block.scale, block.predicted / block.scale
    some = weight > 0
    variance = float((predicted - predicted**2 / np.where(some, weight, 1.0)).sum())
    off = float((block.positive - block.predicted).sum()) / block.scale
    return off / variance**0.5 if variance >= _FEW else np.nan
