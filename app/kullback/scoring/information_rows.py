"""Entropy and divergences of each row, in nats."""

import math

import numpy as np

from kullback.numerics.logspace import phi, psi, softplus
from kullback.numerics.types import Array, Flags
from kullback.scoring.arrays import row_blocks, row_sums

_NEAR = 0.5
_MEANT = 1e-3
_TINY = float(np.finfo(np.float64).tiny)


def dot(p: Array, logs: Array) -> Array:
    """Σₖ pₖ·logₖ of each row, with 0·(−∞) = 0."""
    if not logs.min() > -np.inf:
        logs = np.where(p == 0, 0.0, logs)
    return row_sums(p * logs)


def entropy_rows(p: Array, log_p: Array | None) -> Array:
    """H(p) of each row of (n, k): nats, (n,), never negative."""
    rows = cross_entropy_rows(p, p) if log_p is None else 0.0 - dot(p, log_p)
    np.maximum(rows, 0.0, out=rows)  # a row may sum to a little more than 1
    return rows


def cross_entropy_rows(p: Array, q: Array) -> Array:
    """−Σₖ pₖ ln qₖ of each row of (n, k) arrays that are distributions: nats, (n,)."""
    rows = np.empty(p.shape[0])
    with np.errstate(divide="ignore"):
        for block in row_blocks(*p.shape):
            rows[block] = dot(p[block], np.log(q[block]))
    np.subtract(0.0, rows, out=rows)
    np.maximum(rows, 0.0, out=rows)  # q of a row may be a little more than 1
    return rows


def kl_rows(p: Array, q: Array, log_ratio: Array | None) -> Array:
    """KL(p‖q) of each row from terms pₖφ(uₖ) ≥ 0, u = (q − p)/p, that sum to KL + Σq − Σp.

    Σq − Σp is rounding where both rows are normalized, and is then left out: it would only
    add noise. Where it is more (rows within `sum_tolerance`) it is real if p is not near q, and
    beyond what rows of single precision are off by it is real everywhere.
    `log_ratio` is ln q − ln p where either came from logits.
    """
    rows = np.empty(p.shape[0])
    for block in row_blocks(*p.shape):
        d = None if log_ratio is None else log_ratio[block]
        terms, near = _kl_terms(p[block], q[block], d)
        sums = terms.sum(axis=1)
        surplus = (q[block] - p[block]).sum(axis=1)
        rounding = 4 * p.shape[1] * np.finfo(np.float64).eps
        real = np.abs(surplus) > np.where(near, _MEANT, rounding)
        rows[block] = np.where(real, sums - surplus, sums)
    np.maximum(rows, 0.0, out=rows)
    return rows


def _kl_terms(p: Array, q: Array, d: Array | None) -> tuple[Array, Flags]:
    """The terms pₖφ(uₖ), and which rows have p near q throughout.

    From logarithms, d = ln q − ln p, they are pₖ(e^d − 1 − d).
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if d is None:
            u = (q - p) / p
            close = np.abs(u) <= _NEAR
            terms = p * phi(np.where(close, u, 0.0))
            far = (p > 0) & ~close
            terms[far] = p[far] * _log_quotient(p[far], q[far]) + (q[far] - p[far])
        else:
            close = np.abs(d) <= _NEAR
            terms = p * psi(np.where(close, d, 0.0))
            far = (p > 0) & ~close
            terms[far] = (q[far] - p[far]) - p[far] * d[far]
    absent = p == 0
    terms[absent] = q[absent]
    if d is not None:
        terms[d == -np.inf] = np.inf  # ruled out by q alone, though p may be 0 as a double
    return terms, (close | absent).all(axis=1)


def _log_quotient(a: Array, b: Array) -> Array:
    """ln(a/b), a > 0: of the quotient while that is a normal number, as ln a − ln b cancels."""
    quotient = a / b
    log: Array = np.log(quotient)
    lost = ~((quotient > _TINY) & (quotient < np.inf))
    log[lost] = np.log(a[lost]) - np.log(b[lost])
    return log


def js_rows(p: Array, q: Array, log_ratio: Array | None = None, weight: float = 0.5) -> Array:
    """weight·KL(p‖m) + (1 − weight)·KL(q‖m), m = weight·p + (1 − weight)·q: nats, (n,).

    `log_ratio` is ln q − ln p where either came from logarithms. At most H(weight).
    """
    rows, rest = np.empty(p.shape[0]), 1.0 - weight
    for block in row_blocks(*p.shape):
        d = None if log_ratio is None else log_ratio[block]
        terms = 2.0 * weight * _to_mixture(p[block], q[block], d, (weight, rest))
        back = None if d is None else 0.0 - d
        terms += 2.0 * rest * _to_mixture(q[block], p[block], back, (rest, weight))
        rows[block] = 0.5 * terms.sum(axis=1)
    np.clip(rows, 0.0, -weight * math.log(weight) - rest * math.log(rest), out=rows)
    return rows


def _to_mixture(p: Array, q: Array, d: Array | None, shares: tuple[float, float]) -> Array:
    """pₖ φ((mₖ − pₖ)/pₖ), m = weight·p + rest·q, and the mass rest·qₖ owed where pₖ = 0."""
    weight, rest = shares
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u = (q - p) / (p / rest) if d is None else rest * np.expm1(d)
        close = np.abs(u) <= _NEAR
        terms = p * phi(np.where(close, u, 0.0))
        far = (p > 0) & ~close
        mass, other = p[far], q[far]
        if d is None:
            logs = _log_quotient(mass, mass + rest / weight * other)
        else:
            logs = 0.0 - softplus(d[far] + math.log(rest / weight))
        terms[far] = mass * (logs - math.log(weight)) + rest * (other - mass)
    alone = p == 0
    terms[alone] = rest * q[alone]
    only = (q == 0) & (p > 0)
    terms[only] = p[only] * (-math.log(weight) - rest)
    return terms


def js_gradient(p: Array, q: Array, log_ratio: Array | None = None, weight: float = 0.5) -> Array:
    """∂JS/∂qₖ = rest·ln(qₖ/mₖ), m = weight·p + rest·q, (n, k): by log1p where p is near q."""
    rest = 1.0 - weight
    odds = weight / rest
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if log_ratio is None:
            middle = odds * p + q
            lead = odds * (q - p) / middle
            direct = np.log(q / middle) - math.log(rest)
        else:
            move = weight * np.expm1(0.0 - log_ratio)
            lead = 0.0 - move / (1.0 + move)
            direct = 0.0 - softplus(math.log(odds) - log_ratio) - math.log(rest)
        logs = np.where(np.abs(lead) <= _NEAR, np.log1p(lead), direct)
    gradient: Array = rest * logs
    gradient[(p == 0) & (q == 0)] = rest * -math.log(rest)
    return gradient


def reverse_gradient(p: Array, q: Array, log_ratio: Array | None) -> Array:
    """∂KL(q‖p)/∂qₖ = ln(qₖ/pₖ) + 1, (n, k); ∞ where p rules the outcome out."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = np.log(q) - np.log(p) if log_ratio is None else log_ratio
        gradient: Array = logs + 1.0
    gradient[np.isnan(gradient)] = np.inf
    return gradient


def cross_gradient(p: Array, q: Array) -> Array:
    """∂H(p, q)/∂qₖ = −pₖ/qₖ, which is that of KL(p‖q) too, (n, k)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        steep: Array = np.where(p > 0, 0.0 - p / q, 0.0)
    return steep


def cross_logit_gradient(p: Array, q: Array) -> Array:
    """The same with respect to logits of q: qₖ Σp − pₖ, (n, k)."""
    slope: Array = q * p.sum(axis=1, keepdims=True) - p
    return slope
