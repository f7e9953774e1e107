"""Rows that two arms have scored, and what oracles say of them."""

import math
from dataclasses import replace

import numpy as np

from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.conventions import CONVENTIONS
from kullback.scoring.losses import binary_losses
from kullback.tally.contrast import Contrast
from kullback.tally.tally import Layout
from tests.tally.strategies import Batch

BINARY = Layout("binary", 2, "sklearn")


def arms(n: int = 3000, *, is_weighted: bool = True) -> tuple[Batch, Batch]:
    """The same rows scored by two arms."""
    rng = np.random.default_rng(5)
    logit = rng.normal(-1.0, 1.0, n)
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-logit)), 1.0, 0.0)
    off = rng.normal(size=(2, n)) * np.array([[0.6], [0.9]])
    p, q = 1 / (1 + np.exp(-(logit + off)))
    w = rng.gamma(2.0, 1.0, n) if is_weighted else None
    first = Batch(BINARY, p, y, w=w, units=rng.integers(0, 1024, n))
    return first, replace(first, p=q)


def halves(batches: tuple[Batch, Batch]) -> tuple[Batch, Batch]:
    """The rows of each arm's own units."""
    first, second = batches
    assert first.units is not None
    even = first.units % 2 == 0
    return first.mapped(lambda column: column[even]), second.mapped(lambda column: column[~even])


def losses(batch: Batch) -> Array:
    assert batch.y is not None
    return binary_losses(batch.y, batch.p, CONVENTIONS["sklearn"])[0]


def columns(batch: Batch) -> tuple[Array, Indices]:
    """The weight and the unit of each row."""
    assert batch.w is not None
    assert batch.units is not None
    return batch.w, batch.units


def jackknife(effects: Array) -> float:
    count = effects.size
    return math.sqrt((count - 1) / count * np.square(effects - effects.mean()).sum())


def sure(found: Contrast | Undefined) -> Contrast:
    assert isinstance(found, Contrast)
    return found
