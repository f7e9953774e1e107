"""Simulated worlds with a known truth: users, what they do, and who predicts it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kullback.numerics.types import Array, Flags, Indices
from kullback.tally.units import bucket_of

Activity = Literal["geometric", "whales"]
MOST_ROWS = 2000  # of one user


@dataclass(frozen=True, slots=True)
class World:
    """Users of a taste of their own, which predictors know a part of.

        η = base + taste + mood        y ~ Bernoulli(σ(η))
        logit p = η − 0.35 taste + what it gets wrong of the user + what it gets wrong of the row

    All predictors are exchangeable: none is better than another.

    Attributes:
        users: how many.
        base: the logit of a user without taste.
        activity: rows per user: geometric with mean 5, or min(1 + ⌊3 Pareto(1.3)⌋, 2000).
        taste: standard deviation of the taste.
        bias: standard deviation of what a predictor gets wrong of a user.
    """

    users: int
    base: float = 0.0
    activity: Activity = "geometric"
    taste: float = 0.8
    bias: float = 0.5


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows: whose, what happened, and the logits of two predictors and of the truth, (n,) each.

    Attributes:
        unit: the id of each user, (users,).
        user: of each row, its place in `unit`.
    """

    unit: Indices
    user: Indices
    y: Array
    truth: Array
    first: Array
    second: Array

    @property
    def buckets(self) -> Indices:
        """The bucket of each row's user, (n,)."""
        return bucket_of(self.unit)[self.user]


def visits(rng: np.random.Generator, world: World) -> Indices:
    """The user of each row, users in turn."""
    if world.activity == "whales":
        wild = 1.0 + np.floor(3.0 * rng.pareto(1.3, world.users))
        rows = np.minimum(wild, MOST_ROWS).astype(np.int64)
    else:
        rows = rng.geometric(0.2, world.users)
    return np.repeat(np.arange(world.users), rows)


def shown(rng: np.random.Generator, world: World, user: Indices | None = None) -> Shown:
    """What happened, and who had predicted what."""
    user = visits(rng, world) if user is None else user
    taste = world.taste * rng.standard_normal(world.users)
    truth = world.base + taste[user] + 0.8 * rng.standard_normal(user.size)
    known = truth - 0.35 * taste[user]
    first, second = (known + _errors(rng, world, user) for _ in range(2))
    y = (rng.random(user.size) < probability(truth)).astype(np.float64)
    unit = rng.integers(0, 2**63, world.users)
    return Shown(unit, user, y, truth, first, second)


def coins(rng: np.random.Generator, n: int) -> Flags:
    """True for one in two."""
    flags: Flags = rng.random(n) < 0.5
    return flags


def probability(logit: Array) -> Array:
    """σ(x) = 1/(1 + e⁻ˣ)."""
    share: Array = 1.0 / (1.0 + np.exp(-logit))
    return share


def loss(y: Array, logit: Array) -> Array:
    """−y ln σ(x) − (1 − y) ln(1 − σ(x)), nats."""
    nats: Array = np.logaddexp(0.0, logit) - y * logit
    return nats


def _errors(rng: np.random.Generator, world: World, user: Indices) -> Array:
    errors: Array = (world.bias * rng.standard_normal(world.users))[user]
    errors += 0.5 * rng.standard_normal(user.size)
    return errors
