"""Kernels: the arithmetic alone, arrays in and losses out, without HTTP."""

from functools import partial

import numpy as np
from sklearn.metrics import log_loss as sklearn_log_loss

from bench.measure import ROUNDS, Rows, Target, WrongResult, agree, interleaved
from kullback.numerics.types import Array
from kullback.scoring.arrays import distributions
from kullback.scoring.conventions import EXACT
from kullback.scoring.information_rows import cross_entropy_rows
from kullback.scoring.labels import class_indices
from kullback.scoring.log_loss import LogLossOptions
from kullback.scoring.log_loss import log_loss as scored
from kullback.scoring.losses import outcome_losses
from kullback.scoring.options import Options

ZEROS = 0.2


def log_loss(n: int = 100_000, k: int = 10, rounds: int = ROUNDS) -> Rows:
    """Log loss of n rows against scikit-learn's, which always validates."""
    random = np.random.default_rng(7)
    p, y = random.dirichlet(np.ones(k), n), random.integers(0, k, n)
    y[:k] = np.arange(k)
    options, asked = Options(), LogLossOptions()

    def bare() -> float:
        return float(outcome_losses(y, p, EXACT)[0].mean())

    def checked() -> float:
        rows = distributions("y_proba", p, options)
        index = class_indices("y_true", y, None, k)
        return float(outcome_losses(index, rows.values, EXACT)[0].mean())

    def complete() -> float:
        return scored(y, p, asked, options).value

    def rival() -> float:
        return float(sklearn_log_loss(y, p))

    for ours in (bare, checked, complete):
        agree(f"log loss, {ours.__name__}", ours(), rival())
    size = f"log-loss kernel, {n:,} x {k}"
    yield interleaved(bare, rival, rounds).faster(f"{size}, vs scikit-learn", Target("≥", 20))
    yield interleaved(checked, rival, rounds).faster(f"{size}, with validation", Target("≥", 8))
    yield interleaved(complete, rival, rounds).faster(
        f"{size}, whole score with details", Target("≥", 8)
    )


def cross_entropy(n: int = 100_000, k: int = 10, rounds: int = ROUNDS) -> Rows:
    """Cross-entropy of about a million cells against one line of numpy, on the same arrays."""
    side = round((n * k) ** 0.5)
    for height, width in ((n, k), (side, side)):
        for zeros, most in ((0.0, 1.5), (ZEROS, 2.0)):
            p, q = _pair(height, width, zeros)
            _check(p, q)
            what = f"{zeros:.0%} of p and q zero" if zeros else "no zeros"
            times = interleaved(partial(cross_entropy_rows, p, q), partial(_naive, p, q), rounds)
            name = f"cross-entropy kernel, {height:,} x {width:,}, {what}, vs numpy"
            yield times.share(name, Target("≤", most))


def _pair(n: int, k: int, zeros: float) -> tuple[Array, Array]:
    """Two batches of distributions, with zeros in the same places."""
    random = np.random.default_rng(7)
    absent = random.random((n, k)) < zeros
    absent[:, 0] = False
    p, q = (np.where(absent, 0.0, random.random((n, k)) + 1e-3) for _ in range(2))
    return p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)


def _naive(p: Array, q: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        rows: Array = -(p * np.log(q)).sum(1)
    return rows


def _check(p: Array, q: Array) -> None:
    """The naive rows where they are numbers, and 0·log 0 = 0 in all the others."""
    rows, naive = cross_entropy_rows(p, q), _naive(p, q)
    masked = -(p * np.log(np.where(p == 0, 1.0, q))).sum(1)
    expected = np.where(np.isfinite(naive), naive, masked)
    if not np.allclose(rows, expected, rtol=1e-12, atol=0):
        raise WrongResult("cross-entropy: the rows are not the naive ones")
