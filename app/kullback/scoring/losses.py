"""Losses of rows under a convention, and their gradients, in nats."""

import numpy as np

from kullback.numerics.means import blocks, part
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.arrays import CheckedProbabilities, row_sums
from kullback.scoring.conventions import Convention


def binary_losses(
    y: Array, p: Array, convention: Convention, logs: Array | None = None
) -> tuple[Array, Flags]:
    """−y ln p − (1 − y) ln(1 − p) of each row, in nats, and which rows were clipped.

    `logs` are ln p where those were sent.
    """
    losses, clipped, soft = np.empty_like(p), np.empty(p.shape, dtype=np.bool_), has_soft(y)
    for block in blocks(p.size):
        log_p = part(logs, block)
        losses[block], clipped[block] = convention.costs(y[block], p[block], soft=soft, logs=log_p)
    return losses, clipped


def has_soft(y: Array) -> bool:
    """Whether a label lies between 0 and 1."""
    return any(bool(((y[b] > 0) & (y[b] < 1)).any()) for b in blocks(y.shape[0]))


def used_rows(p: Array, convention: Convention) -> Array:
    """Rows (n, k) as the convention scores them: divided by their sums where it does that."""
    return p / row_sums(p)[:, None] if convention.normalizes_rows else p


def outcome_losses(
    index: Indices, p: Array, convention: Convention, logs: Array | None = None
) -> tuple[Array, Flags]:
    """−ln p[row, index] of each row of (n, k), in nats, (n,), and which rows were clipped."""
    at = np.arange(index.size), index
    return convention.outcomes(used_rows(p, convention)[at], None if logs is None else logs[at])


def binary_gradient(
    y: Array,
    p: Array,
    convention: Convention,
    logs: Array | None = None,
    class_weight: tuple[float, float] = (1.0, 1.0),
) -> Array:
    """∂ℓ/∂p = −c₁y/p + c₀(1 − y)/(1 − p), or ∂ℓ/∂ln p where logarithms were sent.

    It is 0 where the convention holds p fixed.
    """
    negative, positive = class_weight
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if logs is None:
            rise = np.where(y > 0, positive * y / p, 0.0)
            fall = np.where(y < 1, negative * (1.0 - y) / (1.0 - p), 0.0)
        else:
            rise = positive * y
            fall = np.where(y < 1, negative * (1.0 - y) / np.expm1(0.0 - logs), 0.0)
        _, _, clipped = convention.bernoulli(y, p, soft=has_soft(y), logs=logs)
    gradient: Array = np.where(clipped, 0.0, fall - rise)
    return gradient


def outcome_gradient(
    target: Array, p: Array, convention: Convention, logs: Array | None = None
) -> Array:
    """∂(−Σ tₖ ln pₖ)/∂pₖ = −tₖ/pₖ, or ∂/∂ln pₖ = −tₖ where logarithms were sent.

    It goes through the row sum where the convention divides by it.
    """
    sums = row_sums(p)[:, None] if convention.normalizes_rows else 1.0
    _, clipped = convention.outcomes(p / sums, logs)
    free = np.where(clipped, 0.0, target)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        steep = free if logs is not None else free / p
        gradient: Array = np.where(free > 0, 0.0 - steep, 0.0)
    if convention.normalizes_rows:
        slope = free.sum(axis=1, keepdims=True) / sums
        gradient += slope if logs is None else slope * p
    return gradient


def scaled(values: Array, weight: Array) -> Array:
    """Values × weight, row by row, with 0 · ∞ = 0."""
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0, values * weight, 0.0)


def weighted_halves(
    y: Array,
    checked: CheckedProbabilities,
    convention: Convention,
    class_weight: tuple[float, float],
) -> Array:
    """Soft labels weigh their two halves: c₁·y·(−ln p) + c₀·(1 − y)·(−ln(1 − p))."""
    negative, positive = class_weight
    rise, fall, _ = convention.bernoulli(y, checked.values, soft=True, logs=checked.logs)
    return scaled(rise, np.full_like(y, positive)) + scaled(fall, np.full_like(y, negative))
