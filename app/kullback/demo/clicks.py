"""Clicks on advertisements, and a click model that is right until users change."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.demo.arrivals import rhythm
from kullback.demo.columns import Columns, Numbers

COUNTRIES = ("BR", "DE", "FR", "US")
DEVICES = ("desktop", "phone", "tablet")
CAMPAIGN = 0.6  # the part of all rows that a campaign brings in the end

_SHARES = {"usual": (0.1, 0.3, 0.2, 0.4), "campaign": (0.85, 0.05, 0.05, 0.05)}
_OF_COUNTRY = np.array([0.0, 0.1, -0.1, 0.2])  # logits, as those below
_OF_DEVICE = np.array([0.2, -0.1, 0.0])
_MEAN, _SPREAD, _OF_DAY = -2.0, 0.9, 0.05
_PROMISED = 1.2  # logits by which the model overrates those whom a campaign brings
_USERS = 8_000


@dataclass(frozen=True, slots=True)
class Clicks:
    """Impressions, each with the probability of a click that a model gives it.

    The model is calibrated. From the hour `onset` on, and in full `ramp` hours later, a campaign
    brings other people: mostly from BR, and no keener on clicking, though the model believes so.
    """

    onset: float = math.inf
    ramp: float = 1.0

    def rows(self, rng: np.random.Generator, hours: Numbers) -> Columns:
        """A row for each of these hours."""
        n = hours.size
        is_new = rng.random(n) < CAMPAIGN * np.clip((hours - self.onset) / self.ramp, 0, 1)
        usual, campaign = (rng.choice(len(COUNTRIES), n, p=p) for p in _SHARES.values())
        country = np.where(is_new, campaign, usual)
        device = rng.choice(len(DEVICES), n, p=(0.35, 0.55, 0.1))
        logit = rng.normal(_MEAN, _SPREAD, n) + _OF_COUNTRY[country] + _OF_DEVICE[device]
        logit += _OF_DAY * rhythm(hours)
        return {
            "y_true": (rng.random(n) < sigmoid(logit)).astype(np.int64),
            "y_proba": sigmoid(logit + _PROMISED * is_new),
            "unit": rng.integers(0, _USERS, n),
            "slice.country": np.array(COUNTRIES)[country],
            "slice.device": np.array(DEVICES)[device],
        }


def sigmoid(logit: Numbers) -> Numbers:
    """1 / (1 + exp(−z)), for logits far from overflow."""
    probability: Numbers = 1 / (1 + np.exp(-logit))
    return probability
