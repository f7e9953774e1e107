"""Information that two labelings of the same sizes share by chance."""

import math
from collections.abc import Iterator

import numpy as np

from kullback.numerics.logspace import phi
from kullback.numerics.types import Array, Flags

_TAIL = 42.0  # e⁻⁴² of the mass is left out: less than rounding
_CELLS = 1 << 16
_NEAR = 0.5


def expected_information(row_sums: Array, column_sums: Array) -> float:
    """The mean information of tables with these sums, all arrangements of the N alike.

        E[I] = Σ_ij Σ_k P(k) (k/N) ln(N k / (a_i b_j)),  k ~ Hypergeometric(N, a_i, b_j)
             = Σ_ij Σ_k P(k) [k ln(k/μ) − k + μ]/N,  μ = a_i b_j / N = E[k]

    The second form has no term below 0. P comes from the ratios of neighbours, normalized to
    1: a difference of logarithms of factorials would lose the digits of N ln N.

    Args:
        row_sums: a, whole numbers above 0, (r,).
        column_sums: b, (c,), of the same sum N.

    Returns:
        Nats, at least 0.

    Source: Vinh, Epps & Bailey, Journal of Machine Learning Research 11 (2010), eq. 24.
    """
    total = float(row_sums.sum())
    parts = []
    for a, weight, b, low, high in _pairs(row_sums, column_sums):
        k = low[:, None] + np.arange(float((high - low).max()) + 1.0)
        inside = k <= high[:, None]
        mean = (a * b / total)[:, None]
        terms = _hypergeometric(k, inside, a, b[:, None], total) * _excess(k, mean)
        parts.append(float((terms.sum(axis=1) * weight).sum()))
    return math.fsum(parts) / total


def expected_terms(row_sums: Array, column_sums: Array) -> int:
    """How many terms that sum has."""
    return sum(
        b.size * int((high - low).max() + 1) for _, _, b, low, high in _pairs(row_sums, column_sums)
    )


def _pairs(
    row_sums: Array, column_sums: Array
) -> Iterator[tuple[float, Array, Array, Array, Array]]:
    """Each different a with blocks of the different b: how often they meet, b, and the bounds of k.

    Bernstein: P(|k − μ| ≥ t) ≤ 2 exp(−t²/(2(v + t/3))), which also holds of draws that are not
    put back (Hoeffding, 1963).
    """
    total = float(row_sums.sum())
    rows, row_times = np.unique(row_sums, return_counts=True)
    columns, column_times = np.unique(column_sums, return_counts=True)
    for a, times in zip(rows.tolist(), row_times.tolist(), strict=True):
        p, q = a / total, columns / total
        spread = np.minimum(a * q * (1.0 - q), columns * (p * (1.0 - p)))
        reach = _TAIL / 3 + np.sqrt(_TAIL**2 / 9 + 2 * _TAIL * spread)
        low = np.maximum(np.floor(a * q - reach), np.maximum(a + columns - total, 0.0))
        high = np.minimum(np.ceil(a * q + reach), np.minimum(a, columns))
        step = max(1, int(_CELLS / (float((high - low).max()) + 1.0)))
        for start in range(0, columns.size, step):
            block = slice(start, start + step)
            met = times * column_times[block].astype(np.float64)
            yield a, met, columns[block], low[block], high[block]


def _hypergeometric(k: Array, inside: Flags, a: float, b: Array, total: float) -> Array:
    """P(k) in each row, whose k run upwards by one; 0 outside."""
    up = np.maximum(a - k, 0.0) * np.maximum(b - k, 0.0)
    with np.errstate(divide="ignore"):
        steps = np.log(up / ((k + 1.0) * (total - a - b + k + 1.0)))
    logs = np.zeros_like(k)
    np.cumsum(steps[:, :-1], axis=1, out=logs[:, 1:])
    logs[~inside] = -np.inf
    mass = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: Array = mass / mass.sum(axis=1, keepdims=True)
    return shares


def _excess(k: Array, mean: Array) -> Array:
    """K ln(k/μ) − k + μ ≥ 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (mean - k) / k
        near = np.abs(u) < _NEAR
        close = k * phi(np.where(near, u, 0.0))
        far = np.where(k > 0, k * np.log(k / mean), 0.0) - k + mean
    return np.where(near, close, far)
