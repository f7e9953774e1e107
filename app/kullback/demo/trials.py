"""Two trials: a ranker that is better, and a layout that changes nothing."""

from dataclasses import dataclass

import numpy as np

from kullback.demo.clicks import sigmoid
from kullback.demo.columns import Columns, Numbers, Whole

RANKERS = ("old", "new")
LAYOUTS = ("grid", "list")
PLATFORMS = ("app", "web")

_USERS = 12_000
_MEAN, _SPREAD, _TASTE = -1.8, 0.8, 0.5
_NOISE = {"old": 0.65, "new": 0.45}  # logits by which a ranker misses the truth
_IN_THE_APP = 0.6


@dataclass(frozen=True, slots=True)
class PairedRankers:
    """Every row is scored by both rankers, and the new one is nearer to the truth."""

    def rows(self, rng: np.random.Generator, hours: Numbers) -> Columns:
        """A row for each of these hours."""
        user, logit = _visits(rng, hours.size)
        forecasts = {
            f"y_proba.{name}": sigmoid(logit + rng.normal(0, _NOISE[name], hours.size))
            for name in RANKERS
        }
        return {"y_true": _clicks(rng, logit), **forecasts, **_whose(rng, user)}


@dataclass(frozen=True, slots=True)
class ParallelLayouts:
    """Half of the users see another layout; they click as the others do."""

    def rows(self, rng: np.random.Generator, hours: Numbers) -> Columns:
        """A row for each of these hours."""
        user, logit = _visits(rng, hours.size)
        return {
            "y_true": _clicks(rng, logit),
            "y_proba": sigmoid(logit),
            "arm": np.array(LAYOUTS)[user % 2],
            **_whose(rng, user),
        }


def _visits(rng: np.random.Generator, n: int) -> tuple[Whole, Numbers]:
    """Who comes, and how likely a click is, in logits; a user has the same taste every time."""
    user = rng.integers(0, _USERS, n)
    taste = _TASTE * np.sin(np.arange(_USERS) * np.e)[user]
    return user, taste + rng.normal(_MEAN, _SPREAD, n)


def _clicks(rng: np.random.Generator, logit: Numbers) -> Whole:
    return (rng.random(logit.size) < sigmoid(logit)).astype(np.int64)


def _whose(rng: np.random.Generator, user: Whole) -> Columns:
    in_the_app = rng.random(user.size) < _IN_THE_APP
    return {"unit": user, "slice.platform": np.where(in_the_app, *PLATFORMS)}
