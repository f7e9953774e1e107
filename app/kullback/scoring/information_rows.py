"""Entropy and divergences of each row, in nats."""

import math

import numpy as np

from kullback.numerics.logspace import phi, psi
from kullback.numerics.types import Array, Flags
from kullback.scoring.arrays import row_blocks, row_sums

_LN2 = math.log(2.0)
_NEAR = 0.5
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
    add noise. Where it is more (rows within `sum_tolerance`), and p is not near q, it is real.
    `log_ratio` is ln q − ln p where either came from logits.
    """
    rows = np.empty(p.shape[0])
    for block in row_blocks(*p.shape):
        d = None if log_ratio is None else log_ratio[block]
        terms, near = _kl_terms(p[block], q[block], d)
        sums = terms.sum(axis=1)
        surplus = (q[block] - p[block]).sum(axis=1)
        real = ~near & (np.abs(surplus) > 4 * p.shape[1] * np.finfo(np.float64).eps)
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


def js_rows(p: Array, q: Array) -> Array:
    """JS(p, q) of each row of (n, k): nats, (n,), in [0, ln 2]."""
    rows = np.empty(p.shape[0])
    for block in row_blocks(*p.shape):
        terms = _half(p[block], q[block])
        terms += _half(q[block], p[block])
        rows[block] = 0.5 * terms.sum(axis=1)
    np.clip(rows, 0.0, _LN2, out=rows)
    return rows


def _half(p: Array, q: Array) -> Array:
    """pₖ φ((qₖ − pₖ)/2pₖ), and the mass ½qₖ that KL(p‖m) owes where pₖ = 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u = (q - p) / (2.0 * p)
        close = np.abs(u) <= _NEAR
        terms = p * phi(np.where(close, u, 0.0))
        far = (p > 0) & ~close
        mass, other = p[far], q[far]
        terms[far] = mass * (_log_quotient(mass, mass + other) + _LN2) + 0.5 * (other - mass)
    alone = p == 0
    terms[alone] = 0.5 * q[alone]
    only = (q == 0) & (p > 0)
    terms[only] = p[only] * (_LN2 - 0.5)
    return terms


def js_gradient(p: Array, q: Array) -> Array:
    """∂JS/∂qₖ = ½ ln(2qₖ/(pₖ + qₖ)), (n, k): by log1p where p is near q."""
    with np.errstate(divide="ignore", invalid="ignore"):
        lead = (q - p) / (p + q)
        logs = np.where(np.abs(lead) <= _NEAR, np.log1p(lead), np.log(q / (p + q)) + _LN2)
    gradient: Array = 0.5 * logs
    gradient[(p == 0) & (q == 0)] = 0.5 * _LN2
    return gradient


def cross_gradient(p: Array, q: Array, *, of_logits: bool) -> Array:
    """Of −Σ p ln q, which is that of KL(p‖q) too: −pₖ/qₖ, or qₖ Σp − pₖ for logits of q, (n, k)."""
    if of_logits:
        slope: Array = q * p.sum(axis=1, keepdims=True) - p
        return slope
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        steep: Array = np.where(p > 0, 0.0 - p / q, 0.0)
    return steep
