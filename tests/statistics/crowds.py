"""Many experiments as they go on: the sums at each of many looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array, Flags, Indices
from kullback.tally.units import BUCKETS
from tests.statistics import worlds
from tests.statistics.worlds import Shown, World, coins, shown

LOOKS = 100
RARE = -4.5  # 2 % of rows are positive
Visits = Callable[[np.random.Generator, World, int], tuple[Indices, Indices]]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Users of a world and when they come: the user and the look of each row."""

    world: World
    visits: Visits
    is_split: bool = False


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known at each look.

    Attributes:
        effect: θ (looks,), of all rows so far.
        u: influences by bucket (looks, BUCKETS).
        clusters: how many buckets have rows (looks,).
    """

    effect: Array
    u: Array
    clusters: Indices

    @property
    def standard_error(self) -> Array:
        """SE (looks,), as `contrast` has it of each look."""
        g = np.maximum(self.clusters, 2)
        error: Array = np.sqrt(g / (g - 1) * np.einsum("lb,lb->l", self.u, self.u))
        return error

    @property
    def statistic(self) -> Array:
        """θ/SE (looks,)."""
        found: Array = self.effect / self.standard_error
        return found


def arriving(rng: np.random.Generator, world: World, looks: int) -> tuple[Indices, Indices]:
    """Everyone comes once, and leaves."""
    user = worlds.visits(rng, world)
    return user, user * looks // world.users


def staying(rng: np.random.Generator, world: World, looks: int) -> tuple[Indices, Indices]:
    """The same users all the time, half of them at each look."""
    look, user = np.nonzero(rng.random((looks, world.users)) < 0.5)
    return user, look


def returning(rng: np.random.Generator, world: World, looks: int) -> tuple[Indices, Indices]:
    """Users come one after the other, and then again and again."""
    user = worlds.visits(rng, world)
    first = user * looks // world.users
    later = np.floor(rng.random(user.size) * (looks - first)).astype(np.int64)
    is_first = np.diff(user, prepend=-1) > 0
    return user, np.where(is_first, first, first + later)


CROWDS: Mapping[str, Crowd] = {
    "arrivals": Crowd(World(2000), arriving),
    "arrivals, rare positives": Crowd(World(2000, RARE), arriving),
    "arrivals, split": Crowd(World(2000), arriving, is_split=True),
    "panel, user effect": Crowd(World(200, bias=2.0), staying),
    "panel, rows independent": Crowd(World(200, taste=0.0, bias=0.0), staying),
    "returning users": Crowd(World(2000, bias=2.0), returning),
    "returning, rare positives": Crowd(World(2000, RARE, bias=2.0), returning),
}


def drawn(
    rng: np.random.Generator, crowd: Crowd, looks: int = LOOKS
) -> tuple[Shown, Indices, Flags]:
    """Rows, the look at which each is first seen, and whether its user is treated."""
    user, look = crowd.visits(rng, crowd.world, looks)
    rows = shown(rng, crowd.world, user)
    return rows, look, coins(rng, crowd.world.users)[user]


def seen(rng: np.random.Generator, crowd: Crowd, looks: int = LOOKS, shift: float = 0.0) -> Looks:
    """What is seen of a crowd where treatment adds `shift` to every loss."""
    rows, look, treated = drawn(rng, crowd, looks)
    at = look * BUCKETS + rows.buckets
    first = worlds.loss(rows.y, rows.first)
    if not crowd.is_split:
        d = worlds.loss(rows.y, rows.second) - first + shift
        return _looks(looks, [(1.0, at, d)])
    arms = [(1.0, treated, first + shift), (-1.0, ~treated, first)]
    return _looks(looks, [(sign, at[arm], losses[arm]) for sign, arm, losses in arms])


def _looks(looks: int, arms: list[tuple[float, Indices, Array]]) -> Looks:
    """Means of arms, added up with their signs."""
    effect = np.zeros(looks)
    counts, parts = [], []
    for sign, at, losses in arms:
        count, u = _so_far(looks, at, None), _so_far(looks, at, losses)
        total = sign * count.sum(axis=1)
        mean = sign * u.sum(axis=1) / total
        effect += sign * mean
        u -= mean[:, None] * count
        u /= total[:, None]
        if len(arms) > 1:  # each has a correction of its own, and the sum has another below
            u *= _correction(count)[:, None]
        counts.append(count)
        parts.append(u)
    # without a copy where there is one
    rows, u = (sum(several[1:], several[0]) for several in (counts, parts))
    if len(arms) > 1:
        u /= _correction(rows)[:, None]
    return Looks(effect, u, np.count_nonzero(rows, axis=1))


def _correction(rows: Array) -> Array:
    """√(G/(G − 1)) of the buckets with rows at each look, (looks,)."""
    g = np.maximum(np.count_nonzero(rows, axis=1), 2)
    corrected: Array = np.sqrt(g / (g - 1))
    return corrected


def _so_far(looks: int, at: Indices, values: Array | None) -> Array:
    """Σ of the values, or how many, by look and bucket."""
    flat = np.bincount(at, values, looks * BUCKETS).astype(np.float64)
    sums = flat.reshape(looks, BUCKETS)
    for look in range(1, looks):  # a tenth of the time of a cumulative sum down columns
        sums[look] += sums[look - 1]
    return sums
