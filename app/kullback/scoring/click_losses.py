"""Click losses: yes-or-no predictions, corrected for sampling, and what each cost."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from kullback.numerics.logspace import neg_log_complement_of_exp, sigmoid, softplus
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
    logs: Array | None = None

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
    def of_logs(cls, y: Array, logs: Array, rate: float, convention: Convention) -> Self:
        """What p costs where ln p was sent, of which no digit is lost without a convention."""
        clicks = cls.of_probabilities(y, np.exp(logs), rate, convention)
        losses = clicks.losses
        if convention is EXACT:
            losses = _logit_losses(y, logs + neg_log_complement_of_exp(logs) + np.log(rate))
        return replace(clicks, score=logs, losses=losses, logs=logs)

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
        if self.logs is not None:
            return self._slope_of_logs(self.logs, self.convention)
        slope = binary_gradient(self.y, self.p, self.convention)
        odds = self.score * self.rate + (1.0 - self.score)
        return slope if self.rate == 1.0 else slope * (self.rate / odds / odds)

    def _slope_of_logs(self, logs: Array, convention: Convention) -> Array:
        """[−y + (1 − y)·s·p/(1 − p)] / (1 − p + s·p), and 0 where p' was clipped."""
        if convention is not EXACT:
            p = np.exp(logs)
            odds = p * self.rate + (1.0 - p)
            slope = binary_gradient(self.y, self.p, convention)
            steep: Array = slope * (self.rate * p / odds / odds)
            return np.where(np.isnan(steep), 0.0, steep)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            fall = np.where(self.y < 1, (1.0 - self.y) * self.rate / np.expm1(0.0 - logs), 0.0)
        exact: Array = (fall - self.y) / (self.rate * np.exp(logs) - np.expm1(logs))
        return exact


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
