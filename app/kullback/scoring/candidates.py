"""Candidates: the score of one positive item beside those of its negatives, row by row."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Flags
from kullback.scoring.arrays import shown
from kullback.scoring.entries import checked_mask
from kullback.scoring.score import Score

_Check = Callable[[str, Array], Array]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Scores of the positive (n, 1) and of m negatives (n, m), and which negatives count."""

    positive: Array
    negative: Array
    valid: Flags

    @classmethod
    def of(
        cls, positive: Array, negative: Array, mask: Array | None, check: _Check
    ) -> "Candidates":
        """The scores as they were sent: one negative per row may be (n,).

        Raises:
            InvalidInput: a score is impossible, or the shapes do not fit.
        """
        if positive.ndim == 2 and positive.shape[1] == 1:
            positive = positive.reshape(-1)
        if positive.ndim != 1:
            detail = f"positive_logits has shape {shown(positive)}; [n] is expected"
            raise InvalidInput.at(detail, "positive_logits")
        n = positive.size
        table = negative.reshape(n, 1) if negative.shape == (n,) else negative
        if table.ndim != 2 or table.shape[0] != n:
            detail = f"negative_logits has shape {shown(negative)}; [{n}][m] is expected"
            raise InvalidInput.at(detail, "negative_logits")
        valid = np.ones(table.shape, dtype=np.bool_)
        if mask is not None:
            valid = checked_mask(mask, "negative_logits", negative).reshape(table.shape) > 0
        checked = check("negative_logits", np.where(valid, table, 0.0).reshape(negative.shape))
        return cls(
            check("positive_logits", positive).reshape(n, 1), checked.reshape(table.shape), valid
        )


def gradients_apart(score: Score, negatives: tuple[int, ...]) -> Score:
    """The score with the gradient (n, 1 + m) of its candidates as those of two arrays."""
    if score.gradient is None:
        return score
    table = score.gradient
    parts = {
        "positive_logits": table[:, 0],
        "negative_logits": table[:, 1:].reshape(negatives),
    }
    return replace(score, gradient=None, gradients=parts)
