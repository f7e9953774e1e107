"""Isotonic regression, and the decomposition of log loss that it gives."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.numerics.logspace import neg_log_complement
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined

_VECTOR_PASSES = 64


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Log loss as miscalibration − discrimination + uncertainty, in nats."""

    miscalibration: float | Undefined
    discrimination: float | Undefined
    uncertainty: float | Undefined


def isotonic_means(weight: Array, mass: Array) -> tuple[Array, Array]:
    """The non-decreasing step function nearest to yᵢ = massᵢ / weightᵢ in weighted squares.

    Pool-adjacent-violators, each pass pooling every maximal run of falling means at once; what
    is left after many passes is finished one block at a time.

    Args:
        weight: w > 0 of each point, in the order of the predictor, (m,).
        mass: Σ w·y of each point, (m,).

    Returns:
        The weight and the mass of each pooled block, whose means rise strictly.

    Source: Barlow, Bartholomew, Bremner & Brunk (1972), §1.2.
    """
    for _ in range(_VECTOR_PASSES):
        means = mass / weight
        rises = np.flatnonzero(np.diff(means) > 0) + 1
        if rises.size == means.size - 1:
            return weight, mass
        starts = np.concatenate(([0], rises))
        weight, mass = np.add.reduceat(weight, starts), np.add.reduceat(mass, starts)
    return _one_by_one(weight, mass)


def _one_by_one(weight: Array, mass: Array) -> tuple[Array, Array]:
    pooled: list[tuple[float, float]] = []
    for w, m in zip(weight.tolist(), mass.tolist(), strict=True):
        block_weight, block_mass = w, m
        while pooled and pooled[-1][1] * block_weight >= block_mass * pooled[-1][0]:
            last_weight, last_mass = pooled.pop()
            block_weight += last_weight
            block_mass += last_mass
        pooled.append((block_weight, block_mass))
    weights, masses = np.array(pooled).T
    return weights, masses


def decompose(p: Array, y: Array, weight: Array | None, log_loss: float) -> Decomposition:
    """Split mean log loss S(p, y) by isotonic recalibration p̂ of p and the base rate r.

        miscalibration = S(p, y) − S(p̂, y)
        discrimination = S(r, y) − S(p̂, y)
        uncertainty    = S(r, y)
        S(p, y) = miscalibration − discrimination + uncertainty

    Args:
        p: predictions (n,).
        y: outcomes in [0, 1] (n,).
        weight: of each row (n,), or None.
        log_loss: S(p, y), nats.

    Returns:
        Each at least 0 up to rounding, in nats; miscalibration is infinite where log loss is.

    Source: Dimitriadis, Gneiting & Jordan, PNAS 118 (2021).
    """
    w = np.ones_like(p) if weight is None else weight
    alive = w > 0
    if not alive.any():
        nothing = Undefined(Reason.ZERO_WEIGHT)
        return Decomposition(nothing, nothing, nothing)
    p, y, w = p[alive], y[alive], w[alive]
    order = np.argsort(p, kind="stable")
    p, y, w = p[order], y[order], w[order]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(p)) + 1))
    weights, masses = isotonic_means(np.add.reduceat(w, starts), np.add.reduceat(w * y, starts))
    total = math.fsum(weights.tolist())
    positives = math.fsum(masses.tolist())
    recalibrated = binary_entropy_sum(masses, weights) / total
    uncertainty = binary_entropy(positives / total)
    # p̂ minimizes the loss among monotone functions of p: below 0 is rounding
    miscalibration = max(log_loss - recalibrated, 0.0)
    discrimination = max(uncertainty - recalibrated, 0.0)
    return Decomposition(miscalibration, discrimination, uncertainty)


def binary_entropy(rate: float) -> float:
    """H_b(r) = −r ln r − (1 − r) ln(1 − r), nats; 0 at r = 0 and r = 1."""
    if not 0 < rate < 1:
        return 0.0
    return -rate * math.log(rate) - (1 - rate) * math.log1p(-rate)


def binary_entropy_sum(mass: Array, weight: Array) -> float:
    """Σ w·H_b(mass / w) over blocks, nats."""
    rate = np.clip(mass / weight, 0.0, 1.0)
    inner = (rate > 0) & (rate < 1)
    r, w = rate[inner], weight[inner]
    return math.fsum((w * ((1 - r) * neg_log_complement(r) - r * np.log(r))).tolist())
