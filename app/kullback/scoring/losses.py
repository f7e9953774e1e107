"""Losses of rows under a convention, and their gradients, in nats."""

import numpy as np

from kullback.numerics.means import blocks
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.arrays import row_sums
from kullback.scoring.conventions import Convention


def binary_losses(y: Array, p: Array, convention: Convention) -> tuple[Array, Flags]:
    """−y ln p − (1 − y) ln(1 − p) of each row, in nats, and which rows were clipped."""
    losses, clipped, soft = np.empty_like(p), np.empty(p.shape, dtype=np.bool_), has_soft(y)
    for block in blocks(p.size):
        losses[block], clipped[block] = convention.costs(y[block], p[block], soft=soft)
    return losses, clipped


def has_soft(y: Array) -> bool:
    """Whether a label lies between 0 and 1."""
    return any(bool(((y[b] > 0) & (y[b] < 1)).any()) for b in blocks(y.shape[0]))


def used_rows(p: Array, convention: Convention) -> Array:
    """Rows (n, k) as the convention scores them: divided by their sums where it does that."""
    return p / row_sums(p)[:, None] if convention.normalizes_rows else p


def outcome_losses(index: Indices, p: Array, convention: Convention) -> tuple[Array, Flags]:
    """−ln p[row, index] of each row of (n, k), in nats, (n,), and which rows were clipped."""
    return convention.outcomes(used_rows(p, convention)[np.arange(index.size), index])


def binary_gradient(y: Array, p: Array, convention: Convention) -> Array:
    """∂ℓ/∂p = −y/p + (1 − y)/(1 − p); 0 where the convention holds p fixed."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rise = np.where(y > 0, y / p, 0.0)
        fall = np.where(y < 1, (1.0 - y) / (1.0 - p), 0.0)
        _, _, clipped = convention.bernoulli(y, p, soft=has_soft(y))
    gradient: Array = np.where(clipped, 0.0, fall - rise)
    return gradient


def outcome_gradient(target: Array, p: Array, convention: Convention) -> Array:
    """∂(−Σ tₖ ln pₖ)/∂pₖ = −tₖ/pₖ, through the row sum where the convention divides by it."""
    sums = row_sums(p)[:, None] if convention.normalizes_rows else 1.0
    _, clipped = convention.outcomes(p / sums)
    free = np.where(clipped, 0.0, target)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        gradient: Array = np.where(free > 0, 0.0 - free / p, 0.0)
    if convention.normalizes_rows:
        gradient += free.sum(axis=1, keepdims=True) / sums
    return gradient


def scaled(values: Array, weight: Array) -> Array:
    """Values × weight, row by row, with 0 · ∞ = 0."""
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0, values * weight, 0.0)
