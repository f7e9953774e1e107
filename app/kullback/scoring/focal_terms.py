"""Terms of the focal loss and their slopes, entry by entry."""

from dataclasses import dataclass

import numpy as np

from kullback.numerics.logspace import neg_log_complement, softplus
from kullback.numerics.types import Array, Indices


@dataclass(frozen=True, slots=True)
class Truth:
    """ln p and ln(1 − p) of what was true, entry by entry, and what an entry weighs."""

    log_p: Array
    log_miss: Array
    alpha: Array | float


def log_pairs(scores: Array, *, of_logits: bool) -> tuple[Array, Array]:
    """Ln p and ln(1 − p) of the positive side, from p or from a logit of it."""
    if of_logits:
        return 0.0 - softplus(-scores), 0.0 - softplus(scores)
    with np.errstate(divide="ignore"):
        log_p: Array = np.log(scores)
        log_rest: Array = 0.0 - neg_log_complement(scores)
    return log_p, log_rest


def focal_terms(truth: Truth, gamma: float) -> Array:
    """α(1 − p)^γ(−ln p), with α = 0 and (1 − p)⁰ as they should be."""
    with np.errstate(invalid="ignore", over="ignore"):  # of γ beyond a double: a power of 0
        power = np.exp(gamma * truth.log_miss) if gamma > 0 else 1.0
        losses = truth.alpha * (power * (0.0 - truth.log_p))
    return np.where(np.asarray(truth.alpha) > 0, losses, 0.0)


def focal_slopes(truth: Truth, gamma: float, *, of_logits: bool) -> Array:
    """dFL/dp_t, or dFL/dx_t for a logit: α(1−p)^γ(γ p ln p − (1−p)); 0 where 1 − p is 0."""
    p, miss = np.exp(truth.log_p), np.exp(truth.log_miss)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        power = np.exp(gamma * truth.log_miss) if gamma > 0 else np.ones_like(p)
        if of_logits:
            inner = np.where(p > 0, gamma * p * truth.log_p, 0.0) - miss
        else:
            inner = np.where(miss > 0, gamma * truth.log_p / miss, 0.0) - 1.0 / p
        slope = truth.alpha * (power * inner)
    done = (miss == 0) & (gamma > 0)
    return np.where(done | (np.asarray(truth.alpha) == 0), 0.0, slope)


def soft_terms(
    pair: tuple[Array, Array], y: Array, alpha: Array | None, gamma: float
) -> tuple[Array, Array]:
    """Of binary soft labels, α_t m^γ B, and its slope by p.

        m = y(1 − p) + (1 − y)p,  B = −y ln p − (1 − y) ln(1 − p),  α_t = y α₁ + (1 − y) α₀

    Args:
        pair: ln p and ln(1 − p).
        y: labels in [0, 1], of the same shape.
        alpha: (α₀, α₁), or None for no weighting.
        gamma: γ.
    """
    log_p, log_rest = pair
    p, rest = np.exp(log_p), np.exp(log_rest)
    weight = 1.0 if alpha is None else y * alpha[1] + (1.0 - y) * alpha[0]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        cost = np.where(y > 0, 0.0 - y * log_p, 0.0) + np.where(y < 1, (y - 1.0) * log_rest, 0.0)
        miss = y * rest + (1.0 - y) * p
        power = miss**gamma if gamma > 0 else np.ones_like(miss)
        bend = gamma * miss ** (gamma - 1.0) * (1.0 - 2.0 * y) if gamma > 0 else 0.0
        slope = np.where(y < 1, (1.0 - y) / rest, 0.0) - np.where(y > 0, y / p, 0.0)
        terms = weight * (power * cost)
        slopes = weight * (bend * cost + power * slope)
    dead = np.asarray(weight) == 0
    return np.where(dead, 0.0, terms), np.where(dead, 0.0, slopes)


def softmax_gradient(truth: Truth, logs: Array, index: Indices, gamma: float) -> Array:
    """α(1−p_y)^{γ−1}(γ p_y ln p_y − (1−p_y))(1{j=y} − p_j), the class itself as minus the rest."""
    slope = focal_slopes(truth, gamma, of_logits=True)
    rows = np.arange(index.size)
    share = np.exp(logs)
    share[rows, index] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        share /= share.sum(axis=1, keepdims=True)  # p_j / (1 − p_y)
    gradient = np.where(slope[:, None] == 0, 0.0, 0.0 - slope[:, None] * share)
    gradient[rows, index] = 0.0 - gradient.sum(axis=1)
    return gradient


def soft_softmax_gradient(slopes: Array, truth: Truth, target: Array, gamma: float) -> Array:
    """R − p Σ R, R_c = t_c dFL_c/dx_c / (1 − p_c), from t_c dFL_c/dx_c: (n, k)."""
    miss = np.exp(truth.log_miss)
    with np.errstate(divide="ignore", invalid="ignore"):
        pulls = slopes / miss
    sure = 0.0 - truth.alpha * target if gamma == 0 else 0.0
    pulls = np.where(miss > 0, pulls, sure)
    gradient: Array = pulls - np.exp(truth.log_p) * pulls.sum(axis=1, keepdims=True)
    return gradient


def log_others(log_p: Array) -> Array:
    """ln(1 − p) of every outcome (n, k): of the likeliest from the others, never 1 − e^{ln p}."""
    rows, top = np.arange(log_p.shape[0]), log_p.argmax(axis=1)
    p = np.exp(log_p)
    rest = p.copy()
    rest[rows, top] = 0.0
    p[rows, top] = 0.0
    with np.errstate(divide="ignore"):
        logs: Array = np.log1p(-p)
        logs[rows, top] = np.log(rest.sum(axis=1))
    return logs
