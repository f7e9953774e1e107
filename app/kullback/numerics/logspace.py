"""Logarithms without loss of digits: the primitives under every formula."""

import numpy as np

from kullback.numerics.types import Array, Indices

_SMALL = 0.1
_LN2 = float(np.log(2.0))
_FAR = 30.0  # beyond it p may be 0 where q is not


def log_softmax(logits: Array) -> Array:
    """Ln softmax(z), row by row.

        ln pⱼ = (zⱼ − max z) − log1p(Σ_{i ≠ argmax} e^{zᵢ − max z})

    The largest term is left out of the sum, so that ln p of a near-certain outcome keeps its
    digits (z = [40, 0] gives −4.248e-18, where z − logsumexp(z) gives 0).

    Args:
        logits: z, shape (n, k), −∞ allowed beside a finite entry.

    Returns:
        nats, shape (n, k), at most 0.
    """
    rows = np.arange(logits.shape[0])
    top = logits.argmax(axis=1)
    with np.errstate(over="ignore"):  # a gap beyond a double is −∞
        shifted = logits - logits[rows, top][:, None]
    grown = np.exp(shifted)
    grown[rows, top] = 0.0
    log_p: Array = shifted - np.log1p(grown.sum(axis=1))[:, None]
    return log_p


def log_softmax_ratio(logits: Array, others: Array) -> Array:
    """Ln softmax(x) − ln softmax(z), from x − z, so that logits that are close keep their digits.

        dⱼ = δⱼ − ln Σᵢ pᵢ e^{δᵢ},  δ = x − z less its value at argmax z,  p = softmax(z)

    Args:
        logits: z, shape (n, k).
        others: x, same shape.

    Returns:
        nats, shape (n, k); not a number where both rule the outcome out.
    """
    log_p, log_q = log_softmax(logits), log_softmax(others)
    with np.errstate(invalid="ignore", over="ignore"):
        direct: Array = log_q - log_p
        shift = others - logits
        shift -= shift[np.arange(shift.shape[0]), logits.argmax(axis=1)][:, None]
        gone = (logits == -np.inf) & (others == -np.inf)
        moved = np.where(gone, 0.0, np.exp(log_p) * np.expm1(shift))
        grown = moved.sum(axis=1)
        steady = (np.abs(grown) <= 0.5) & (gone | (shift <= _FAR)).all(axis=1)
        ratio: Array = shift - np.log1p(np.where(steady, grown, 0.0))[:, None]
    return np.where(steady[:, None], ratio, direct)


def log_sum_exp(values: Array) -> Array:
    """Ln Σⱼ e^{vⱼ} of each row (n, k); −∞ where the row is nothing but −∞."""
    top = values.max(axis=1)
    anchor = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        sums: Array = np.log(np.exp(values - anchor[:, None]).sum(axis=1)) + anchor
    return sums


def log_complement(log_p: Array, index: Indices) -> Array:
    """ln(1 − p_y) of each row, from ln p (n, k): the other outcomes added, never 1 − e^{ln p}."""
    others = log_p.copy()
    others[np.arange(others.shape[0]), index] = -np.inf
    return log_sum_exp(others)


def softplus(x: Array) -> Array:
    """ln(1 + eˣ) = log1p(e^{−|x|}) + max(x, 0), element by element."""
    grown: Array = np.log1p(np.exp(-np.abs(x)))
    grown += np.maximum(x, 0.0)
    return grown


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^{−x}), from e^{−|x|} so that nothing overflows."""
    small = np.exp(-np.abs(x))
    grown: Array = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return grown


def phi(u: Array) -> Array:
    """U − log1p(u) ≥ 0 for u > −1, by its series Σ_{k≥2} (−u)ᵏ/k where u is small."""
    with np.errstate(divide="ignore"):
        direct = u - np.log1p(u)
    return _near_zero(u, direct, [(-1.0) ** k / k for k in range(2, 19)])


def psi(d: Array) -> Array:
    """expm1(d) − d ≥ 0, by its series Σ_{k≥2} dᵏ/k! where d is small."""
    direct = np.expm1(d) - d
    coefficients = [0.5]
    for k in range(3, 14):
        coefficients.append(coefficients[-1] / k)
    return _near_zero(d, direct, coefficients)


def _near_zero(x: Array, direct: Array, coefficients: list[float]) -> Array:
    """`direct`, but x²·(c₀ + c₁x + …) where |x| is small."""
    near = np.abs(x) < _SMALL
    if near.any():
        small = x[near]
        series = np.zeros_like(small)
        for coefficient in reversed(coefficients):
            series = series * small + coefficient
        direct[near] = series * small * small
    return direct


def neg_log_complement_of_exp(log_p: Array) -> Array:
    """−ln(1 − e^{ln p}): by expm1 where p is near 1, by log1p where it is near 0."""
    with np.errstate(divide="ignore"):
        near = np.log(0.0 - np.expm1(np.maximum(log_p, -1.0)))
        far = np.log1p(0.0 - np.exp(np.minimum(log_p, -0.5)))
    cost: Array = 0.0 - np.where(log_p > -_LN2, near, far)
    return cost


def neg_log_complement(p: Array) -> Array:
    """−ln(1 − p): by log1p, so that p = 1e-20 costs 1e-20 and not 0."""
    with np.errstate(divide="ignore"):
        cost: Array = 0.0 - np.log1p(-p)
    return cost
