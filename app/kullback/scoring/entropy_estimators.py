"""Estimators of entropy from counts, and the multinomial distribution behind them."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from kullback.numerics.numerals import numeral
from kullback.numerics.special import stirling_remainder
from kullback.numerics.types import Array
from kullback.scoring.arrays import matrix
from kullback.scoring.refusals import refuse

Estimator = Literal[
    "plugin", "miller_madow", "jackknife", "chao_shen", "james_stein", "combinatorial"
]
_WHOLE: frozenset[Estimator] = frozenset({"jackknife", "chao_shen", "combinatorial"})


def checked_counts(name: str, values: Array, *, whole: bool) -> tuple[Array, bool]:
    """Rows of counts (n, k), each with a count above 0, and whether one row [k] was sent.

    Raises:
        InvalidInput: a count is negative, not finite, or not whole where it must be; or a row
            counts nothing.
    """
    counts, single = matrix(name, values)
    bad = ~((counts >= 0) & (counts < 2**53))
    refuse(name, bad, lambda at: f"{numeral(counts[at], 0.0)} is not a count", single=single)
    if whole:
        broken = counts != np.floor(counts)
        refuse(
            name,
            broken,
            lambda at: f"{numeral(counts[at], 0.0)} is not a whole count",
            single=single,
        )
    refuse(name, counts.sum(axis=1) == 0, lambda _: "the row counts nothing", single=single)
    return counts, single


def needs_whole(estimator: Estimator) -> bool:
    """Whether an estimator looks at single observations."""
    return estimator in _WHOLE


def log_shares(counts: Array) -> Array:
    """ln(nᵢ/N) of each count: by log1p of the rest where nᵢ > N/2; −∞ for 0."""
    total = counts.sum(axis=1, keepdims=True)
    return _exact_logs(counts / total, _others(counts) / total)


def _exact_logs(p: Array, others: Array) -> Array:
    """Ln p, from 1 − p where p > ½: there ln p itself has few digits."""
    with np.errstate(divide="ignore"):
        logs: Array = np.where(p > 0.5, np.log1p(-np.minimum(others, 0.5)), np.log(p))
    return logs


def _others(parts: Array) -> Array:
    """Σ parts − partᵢ of each part; of the largest as a sum, as a difference loses its digits."""
    rows, top = np.arange(parts.shape[0]), parts.argmax(axis=1)
    others: Array = parts.sum(axis=1, keepdims=True) - parts
    rest = parts.copy()
    rest[rows, top] = 0.0
    others[rows, top] = rest.sum(axis=1)
    return others


def _finite(logs: Array) -> Array:
    """0 in place of −∞, beside a share of 0."""
    return np.where(logs > -np.inf, logs, 0.0)


def plugin(counts: Array) -> Array:
    """H(n/N) = −Σ (nᵢ/N) ln(nᵢ/N) of each row: nats, (n,)."""
    p = counts / counts.sum(axis=1, keepdims=True)
    logs = log_shares(counts)
    entropy: Array = -(p * _finite(logs)).sum(axis=1)
    return np.maximum(entropy, 0.0)


def miller_madow(counts: Array) -> Array:
    """Plug-in + (m − 1)/(2N), m the cells observed.

    Source: Miller, Information Theory in Psychology (1955).
    """
    observed = np.count_nonzero(counts, axis=1)
    corrected: Array = plugin(counts) + (observed - 1) / (2.0 * counts.sum(axis=1))
    return corrected


def _leave_one_out(n: Array) -> Array:
    """e(n) = 1 + (n − 1) log1p(−1/n), 1 for n ≤ 1: n ln n − (n − 1) ln(n − 1) = ln n + 1 − e(n).

    Its series is Σ_{j≥1} n⁻ʲ/(j(j + 1)).
    """
    x = 1.0 / np.maximum(n, 2.0)
    series = np.zeros_like(x)
    for j in range(10, 0, -1):
        series = (series + 1.0 / (j * (j + 1))) * x
    direct = 1.0 + (1.0 / x - 1.0) * np.log1p(-x)
    return np.where(n > 1, np.where(n > 50, series, direct), 1.0)


def jackknife(counts: Array) -> Array:
    """N·H − ((N − 1)/N) Σ nₖ H(n − eₖ), without its cancellation: H + Σ pₖ e(nₖ) − e(N).

    Source: Zahl, Ecology 58 (1977).
    """
    total = counts.sum(axis=1)
    p = counts / total[:, None]
    corrected: Array = (
        plugin(counts) + (p * _leave_one_out(counts)).sum(axis=1) - _leave_one_out(total)
    )
    return corrected


def chao_shen(counts: Array) -> Array:
    """−Σ p̃ ln p̃ / (1 − (1 − p̃)^N) with p̃ = C·n/N and coverage C = 1 − f₁/N.

    f₁ counts the cells seen once; if all are, it is taken as N − 1.

    Source: Chao & Shen, Environmental and Ecological Statistics 10 (2003).
    """
    total = counts.sum(axis=1, keepdims=True)
    once = (counts == 1).sum(axis=1, keepdims=True).astype(np.float64)
    once = np.where(once == total, total - 1.0, once)
    p = (1.0 - once / total) * counts / total
    logs = _exact_logs(p, (_others(counts) + once * counts / total) / total)
    with np.errstate(divide="ignore", invalid="ignore"):
        inclusion = -np.expm1(total * np.log1p(-p))
        terms = np.where(counts > 0, -p * logs / inclusion, 0.0)
    entropy: Array = np.maximum(terms.sum(axis=1), 0.0)
    return entropy


def shrunk(counts: Array) -> Array:
    """n/N shrunk towards 1/K by λ = (1 − Σp²) / ((N − 1) Σ(1/K − p)²), held in [0, 1]: (n, k).

    Source: Hausser & Strimmer, Journal of Machine Learning Research 10 (2009).
    """
    total = counts.sum(axis=1, keepdims=True)
    k = counts.shape[1]
    p = counts / total
    spread = (total[:, 0] - 1.0) * (((total - k * counts) / (k * total)) ** 2).sum(axis=1)
    noise = (p * (_others(counts) / total)).sum(axis=1)  # 1 − Σp²
    share = np.divide(noise, spread, out=np.ones_like(noise), where=spread > 0)
    share = np.clip(share, 0.0, 1.0)[:, None]
    shares: Array = share / k + (1.0 - share) * p
    return shares


def james_stein(counts: Array) -> Array:
    """H of the counts' shares, shrunk towards uniform: see shrunk."""
    p = shrunk(counts)
    logs = np.where(p > 0, _exact_logs(p, _others(p)), 0.0)
    entropy: Array = np.maximum(-(p * logs).sum(axis=1), 0.0)
    return entropy


def log_multiplicity(counts: Array) -> Array:
    """Ln W, W = N!/Π nᵢ! the ways to arrange N entities: nats, (n,).

    Taken as N·H(n/N) less Stirling's gap, where lgamma(N + 1) − Σ lgamma(nᵢ + 1) cancels.
    """
    log_w: Array = counts.sum(axis=1) * (plugin(counts) - combinatorial_gap(counts))
    return np.maximum(log_w, 0.0)


def combinatorial_gap(counts: Array) -> Array:
    """H(n/N) − H_N ≥ 0 of each row: −(1/N)[½ ln 2πN − Σ ½ ln 2πnᵢ + r(N) − Σ r(nᵢ)], nats."""
    total = counts.sum(axis=1)
    present = counts > 0
    n = np.where(present, counts, 1.0)
    local = np.where(present, 0.5 * np.log(2 * math.pi * n) + stirling_remainder(n), 0.0)
    whole = 0.5 * np.log(2 * math.pi * total) + stirling_remainder(total)
    gap = np.maximum((local.sum(axis=1) - whole) / total, 0.0)
    return np.where(np.count_nonzero(present, axis=1) == 1, 0.0, gap)


def combinatorial(counts: Array) -> Array:
    """H_N = (1/N) ln W, the entropy of N distinguishable entities: nats each, below the plug-in.

    Source: Niven, Physics Letters A 342 (2005).
    """
    return np.maximum(plugin(counts) - combinatorial_gap(counts), 0.0)


def plugin_error(counts: Array) -> Array:
    """√((Σ p ln²p − H²)/N) of each row; 0 for uniform counts, where the delta method is blind.

    Source: Basharin, Theory of Probability and its Applications 4 (1959).
    """
    total = counts.sum(axis=1)
    p = counts / total[:, None]
    error: Array = np.sqrt(_variance(p, log_shares(counts)) / total)
    return error


def _variance(p: Array, values: Array) -> Array:
    """Of values that occur with p, (n,): exactly 0 where those that occur are equal."""
    seen = p > 0
    deviations = np.where(seen, values, -np.inf)
    deviations = np.where(seen, deviations - deviations.max(axis=1, keepdims=True), 0.0)
    deviations -= (p * deviations).sum(axis=1, keepdims=True)
    variance: Array = (p * deviations**2).sum(axis=1)
    return variance


def jackknife_error(counts: Array) -> Array:
    """√((N − 1)/N Σ nₖ (H₋ₖ − H̄)²) of each row, H₋ₖ the plug-in without one of class k."""
    total = counts.sum(axis=1)
    p = counts / total[:, None]
    pull = _leave_one_out(counts) - log_shares(counts)  # (N − 1)(H − H₋ₖ) but for a constant
    variance = _variance(p, pull)
    error: Array = np.where(total > 1, np.sqrt(variance / np.maximum(total - 1.0, 1.0)), 0.0)
    return error


ESTIMATORS: dict[Estimator, Callable[[Array], Array]] = {
    "plugin": plugin,
    "miller_madow": miller_madow,
    "jackknife": jackknife,
    "chao_shen": chao_shen,
    "james_stein": james_stein,
    "combinatorial": combinatorial,
}
_ERRORS = {"plugin": plugin_error, "miller_madow": plugin_error, "jackknife": jackknife_error}


def estimate_error(estimator: Estimator, counts: Array) -> float | None:
    """The standard error of the mean estimate over rows, where one is known."""
    estimate = _ERRORS.get(estimator)
    if estimate is None:
        return None
    errors = estimate(counts)
    return math.sqrt(math.fsum((errors**2).tolist())) / errors.size
