"""Click losses: yes-or-no predictions, corrected for sampling, and what each cost."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from kullback.numerics.logspace import sigmoid, softplus
from kullback.numerics.types import Array
from kullback.scoring.conventions import EXACT, Convention
from kullback.scoring.losses import binary_gradient, binary_losses


@dataclass(frozen=True, slots=True)
class ClickLosses:
    """Outcomes y of n rows, and P(click) after the correction p' = p / (p + (1 − p)/s).

    `score` ranks the rows: the prediction as it was sent, where the correction or a sigmoid
    might round two to one. `miss` is p' − y.
    """

    y: Array
    score: Array
    p: Array
    miss: Array
    losses: Array
    rate: float
    convention: Convention | None
    clipped: int = 0

    @classmethod
    def of_probabilities(cls, y: Array, p: Array, rate: float, convention: Convention) -> Self:
        """What p costs under a convention, negatives having been kept at the rate s."""
        corrected = p if rate == 1.0 else p * rate / (p * rate + (1.0 - p))
        losses, clipped = binary_losses(y, corrected, convention)
        if rate < 1.0 and convention is EXACT:
            losses = _logit_losses(y, _log_odds(p) + np.log(rate))
        miss, counted = corrected - y, int(np.count_nonzero(clipped))
        return cls(y, p, corrected, miss, losses, rate, convention, counted)

    @classmethod
    def of_logits(cls, y: Array, logits: Array, rate: float) -> Self:
        """What p = σ(x) costs: y·softplus(−x) + (1 − y)·softplus(x) at x + ln s."""
        x = logits + np.log(rate)
        p = sigmoid(x)
        miss = (1.0 - y) * p - y * sigmoid(0.0 - x)
        return cls(y, logits, p, miss, _logit_losses(y, x), rate, None)

    def slope(self) -> Array:
        """That of each loss, in nats, along the prediction as it was sent."""
        if self.convention is None:
            return self.miss
        slope = binary_gradient(self.y, self.p, self.convention)
        odds = self.score * self.rate + (1.0 - self.score)
        return slope if self.rate == 1.0 else slope * (self.rate / odds / odds)


def _log_odds(p: Array) -> Array:
    with np.errstate(divide="ignore"):
        log_odds: Array = np.log(p) - np.log1p(-p)
    return log_odds


def _logit_losses(y: Array, x: Array) -> Array:
    """Of the odds themselves: p' may round to 1, or underflow to 0, where its odds do not."""
    with np.errstate(invalid="ignore", over="ignore"):  # 0 · ∞, a side that does not count
        miss = np.where(y > 0, y * softplus(0.0 - x), 0.0)
        alarm = np.where(y < 1, (1.0 - y) * softplus(x), 0.0)
    losses: Array = miss + alarm
    return losses
