"""E-values of counts in cells: whether they are unlike all that there is to compare them with.

    ln e = ln KT(c) − max_q Σⱼ cⱼ ln qⱼ

KT is the mixture of all distributions that Krichevsky and Trofimov give counts c (Dirichlet(½,
…, ½)); q are the distributions that are no further than a tolerance from one of the baselines. No
alternative has to be named: whatever the counts are now like, the mixture soon knows. What it has
to learn costs it (k − 1)/2 · ln n of evidence in every hour; a change that lasts is known by the
hours before, whose shares are an alternative beside it.

Source: Krichevsky & Trofimov, IEEE Transactions on Information Theory 27 (1981); Wasserman, Ramdas
& Balakrishnan, PNAS 117 (2020).
"""

import math
from collections.abc import Sequence

import numpy as np

from kullback.judgement.comparisons import Baseline
from kullback.numerics.types import Array
from kullback.tally.drift import Shares, drift

_HALVINGS = 30


def share_evidence(
    counts: Array,
    baselines: Sequence[Baseline],
    tolerance: float,
    others: Array | None = None,
    recent: Array | None = None,
) -> float:
    """Ln e of counts (k,) against baselines (k,), each with a PSI of up to its tolerance around.

    A baseline of few rows is known no better than these tell: its tolerance is wider by that. Equal
    parts of the alternative are the mixture, `others`, shares (m, k) that a change might lead to,
    and those of `recent` mass (k,), of the hours before, where there are any.
    """
    parts = [mixture(counts)]
    if others is not None:
        named = np.log(others) @ counts
        parts.append(float(np.logaddexp.reduce(named)) - math.log(named.size))
    if recent is not None:
        parts.append(_likelihood(counts, smoothed(recent)))
    log_e = float(np.logaddexp.reduce(parts)) - math.log(len(parts))
    return log_e - max(_best(counts, each.shares, tolerance * each.room) for each in baselines)


def mixture(counts: Array) -> float:
    """Ln of the Dirichlet(½) mixture of Π qⱼ^cⱼ."""
    k, n = counts.size, float(counts.sum())
    ends = math.lgamma(k / 2) - math.lgamma(n + k / 2)
    return ends + sum(math.lgamma(c + 0.5) - math.lgamma(0.5) for c in counts.tolist())


def rate_evidence(
    positive: float,
    rows: float,
    spans: Sequence[tuple[float, float]],
    recent: tuple[float, float] | None = None,
) -> float:
    """Ln e of so many positive ones among rows against rates within spans of [0, 1].

    Half of the alternative is the rate of `recent` positive ones and rows, of the hours before.
    """
    counts = np.array([positive, max(rows - positive, 0.0)])
    here = positive / rows
    nearest = (min(max(here, low), high) for low, high in spans)
    log_e = mixture(counts)
    if recent is not None:
        before = np.array([recent[0], max(recent[1] - recent[0], 0.0)])
        log_e = float(np.logaddexp(log_e, _likelihood(counts, smoothed(before)))) - math.log(2)
    return log_e - max(_likelihood(counts, np.array([r, 1 - r])) for r in nearest)


def psi(counts: Array, baseline: Shares) -> float:
    """The population stability index of counts (k,) and a baseline."""
    result = drift(Shares(counts, float(counts.sum())), baseline).psi
    return result if isinstance(result, float) else 0.0


def size_of(counts: Array, baselines: Sequence[Baseline]) -> tuple[float, float]:
    """The PSI from the nearest baseline, and that of the nearest as the tolerance measures it."""
    sizes = [(psi(counts, each.shares), each.room) for each in baselines]
    nearest = min(size for size, room in sizes if room == max(room for _, room in sizes))
    return nearest, min(size / room for size, room in sizes)


def smoothed(mass: Array) -> Array:
    """Shares of mass (..., k) with half a row more in every cell."""
    shares: Array = (mass + 0.5) / (mass.sum(axis=-1, keepdims=True) + 0.5 * mass.shape[-1])
    return shares


def _best(counts: Array, baseline: Shares, tolerance: float) -> float:
    """The largest log-likelihood of counts within the tolerance of a baseline.

    Towards the counts on the line between both: there KL(baseline ‖ q) of a likelihood is least.
    """
    rows = baseline.rows or np.inf
    past = smoothed(baseline.mass)
    here = counts / counts.sum()
    room = tolerance + (counts.size - 1) * (1 / rows)

    def index(t: float) -> float:
        q = past + t * (here - past)
        return float((q - past) @ np.log(q / past)) if t < 1 or here.min() > 0 else np.inf

    low, high = 0.0, 1.0
    if index(1.0) <= room:
        return _likelihood(counts, here)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if index(middle) <= room else (low, middle)
    return _likelihood(counts, past + low * (here - past))


def _likelihood(counts: Array, q: Array) -> float:
    some = counts > 0
    with np.errstate(divide="ignore"):
        return float(counts[some] @ np.log(q[some]))
