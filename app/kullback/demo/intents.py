"""Customer messages by intent, and a classifier of them."""

from dataclasses import dataclass

import numpy as np

from kullback.demo.columns import Columns, Numbers

INTENTS = ("billing", "cancel", "delivery", "refund", "other")
CHANNELS = ("chat", "mail", "phone")

_PRIOR = np.array([0.25, 0.1, 0.35, 0.18, 0.12])
_MARGIN = np.array([2.2, 1.8, 1.2])  # how clearly people speak on each channel


@dataclass(frozen=True, slots=True)
class Intents:
    """Messages with one of five intents; the model gives the exact posterior of each.

    What it sees of a message is x = m·(1 at the intent) + noise, so p ∝ prior · exp(m·x).
    """

    def rows(self, rng: np.random.Generator, hours: Numbers) -> Columns:
        """A row for each of these hours."""
        n = hours.size
        intent = rng.choice(len(INTENTS), n, p=_PRIOR)
        channel = rng.choice(len(CHANNELS), n, p=(0.6, 0.3, 0.1))
        margin = _MARGIN[channel][:, None]
        seen = margin * np.eye(len(INTENTS))[intent] + rng.normal(0, 1, (n, len(INTENTS)))
        return {
            "y_true": np.array(INTENTS)[intent],
            "y_proba": _softmax(np.log(_PRIOR) + margin * seen),
            "slice.channel": np.array(CHANNELS)[channel],
        }


def _softmax(logits: Numbers) -> Numbers:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Numbers = weights / weights.sum(axis=1, keepdims=True)
    return probabilities
