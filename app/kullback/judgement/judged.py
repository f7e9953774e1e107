"""What the outcomes of one block say: computed once, however often a history is judged."""

from dataclasses import dataclass

import numpy as np

from kullback.judgement.blocks import Block, foreseen_of, labels_of
from kullback.judgement.recalibration import (
    RATE_WEIGHTS,
    SLOPES,
    Null,
    Tolerance,
    class_evidence,
    class_skill_evidence,
    rate_evidence,
    slope_evidence,
)
from kullback.numerics.types import Array

_ABOUT_ALL = 0.9
_CLEARLY = -1.0  # of ln e: whoever says something else has lost
ALONE = 0.05
_FEW = 5.0  # the variance of a count that tells nothing of how much counts vary


@dataclass(frozen=True, slots=True, eq=False)
class JudgedBlock:
    """A block, and the logarithms of its e-values.

    Attributes:
        rate: against rates that are off, (RATES,); of a multiclass task of each class, in turn.
        slope: against slopes that are off, (SLOPES,); of a multiclass task against no skill, (1,).
        residual: how many standard deviations the outcomes are from what was said; NaN of few.
        mark: tells blocks of one time with different rows apart.
        scores_mark: those with different scores: it is not changed by labels that come.
        labels, foreseen: effective rows of each label, (k,), and how many were predicted.
        expected: how many of all but the most frequent label were predicted.
        is_right: whether (about) all labels are there and speak for the predictions.
    """

    block: Block
    rate: Array
    slope: Array
    residual: float
    mark: int
    scores_mark: int
    labels: Array
    foreseen: Array
    expected: float
    is_right: bool = False

    @property
    def rows(self) -> int:
        """Rows whose labels are mature."""
        return self.block.rows


def judged(
    block: Block, tolerance: Tolerance, others: Block | None = None, mark: int | None = None
) -> JudgedBlock:
    """What the outcomes of a block say: of a value of a slice, beside the `others` of its hour.

    Of a value that about all rows have there is nothing to say beside what is said of all rows.
    """
    mark = id(block) if mark is None else mark
    is_alone = others is not None and others.rows < ALONE * block.rows
    foreseen = foreseen_of(block)
    labels, expected = (labels_of(block), foreseen), float(foreseen.sum() - foreseen.max())
    scores = hash((block.scored.tobytes(), block.scored_rows))
    is_multiclass = block.layout.task == "multiclass"
    if not block.rows or is_alone:
        rates = RATE_WEIGHTS.size * (block.layout.classes if is_multiclass else 1)
        slopes = 1 if is_multiclass else len(SLOPES)
        nothing = np.zeros(rates), np.zeros(slopes), np.nan
        return JudgedBlock(block, *nothing, mark, scores, *labels, expected)
    if is_multiclass:
        rate = class_evidence(block, tolerance, others).reshape(-1)
        slope = class_skill_evidence(block)
    else:
        null = Null.of(block, tolerance, others)
        rate, slope = rate_evidence(block, null), slope_evidence(block, null)
    is_right = _is_right(block, rate, slope)
    marks = mark, hash((scores, is_right))
    return JudgedBlock(block, rate, slope, _residual(block), *marks, *labels, expected, is_right)


def _residual(block: Block) -> float:
    weight, predicted = block.weight / block.scale, block.predicted / block.scale
    some = weight > 0
    variance = float((predicted - predicted**2 / np.where(some, weight, 1.0)).sum())
    off = float((block.positive - block.predicted).sum()) / block.scale
    return off / variance**0.5 if variance >= _FEW else np.nan


def _is_right(block: Block, rate: Array, slope: Array) -> bool:
    """Whether (about) all labels are there and speak for the predictions against all others."""
    if block.rows < _ABOUT_ALL * block.scored_rows:
        return False
    against = np.logaddexp.reduce(rate) - np.log(rate.size), np.logaddexp.reduce(slope)
    return bool(max(against[0], against[1] - np.log(slope.size)) < _CLEARLY)
