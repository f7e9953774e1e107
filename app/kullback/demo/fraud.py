"""Payments, and a model of fraud that one of its features is lost to."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.demo.clicks import sigmoid
from kullback.demo.columns import Columns, Numbers

CHANNELS = ("app", "shop", "web")
LOST = 0.8  # the part of amounts that do not arrive any more

_MEAN, _PER_AMOUNT, _PER_AGE = -3.0, 1.1, -0.5
_OF_CHANNEL = np.array([-0.2, -0.4, 0.4])  # logits
_USUAL_AMOUNT, _USUAL_AGE = 40.0, 300.0  # currency, days


@dataclass(frozen=True, slots=True)
class Fraud:
    """Payments with what the model is fed: the amount, the age of the account, and the channel.

    The model is calibrated. From the hour `onset` on most amounts do not arrive, and it takes the
    usual one in their place.
    """

    onset: float = math.inf

    def rows(self, rng: np.random.Generator, hours: Numbers) -> Columns:
        """A row for each of these hours."""
        n = hours.size
        size, age = rng.normal(0, 1, n), rng.normal(0, 1, n)
        channel = rng.choice(len(CHANNELS), n, p=(0.5, 0.2, 0.3))
        rest = _MEAN + _PER_AGE * age + _OF_CHANNEL[channel]
        is_lost = (hours >= self.onset) & (rng.random(n) < LOST)
        amount = _USUAL_AMOUNT * np.exp(size)
        return {
            "y_true": (rng.random(n) < sigmoid(rest + _PER_AMOUNT * size)).astype(np.int64),
            "y_proba": sigmoid(rest + _PER_AMOUNT * np.where(is_lost, 0.0, size)),
            "features.amount": np.where(is_lost, np.nan, amount),
            "features.account_age": _USUAL_AGE * np.exp(age),
            "features.channel": np.array(CHANNELS)[channel],
            "slice.channel": np.array(CHANNELS)[channel],
        }
