"""Kullback-Leibler divergence."""

import numpy as np

from kullback.scoring.distribution_pair import (
    Sent,
    checked_pair,
    cross_entropy_gradient,
    kl_of_pair,
    mean_in_unit,
    pair_context,
)
from kullback.scoring.information_rows import dot, entropy_rows
from kullback.scoring.options import Options
from kullback.scoring.score import Losses, Score, score_rows


def kl_divergence(p: Sent, q: Sent, options: Options) -> Score:
    """What is lost by believing `q` where `p` is true.

        KL(p‖q) = Σₖ pₖ ln(pₖ/qₖ)        0·ln(0/q) = 0

    Near p ≈ q the sum is taken as Σ pₖ φ((qₖ − pₖ)/pₖ) with φ(u) = u − ln(1 + u) ≥ 0, so that
    it keeps its digits and is never negative.

    Args:
        p: target as (probabilities, logits), one of them given: shape (k,) or (n, k).
        q: predicted, likewise, of the same shape.
        options: see Options; the gradient is ∂KL/∂qₖ = −pₖ/qₖ or, for logits, qₖ Σp − pₖ.

    Returns:
        In [0, ∞] nats; infinite where q rules out an outcome that p allows.
        `cross_entropy` is H(p, q), `entropy` H(p).

    Raises:
        InvalidInput: a row is not a distribution, or the shapes differ.

    Source: Kullback & Leibler, Annals of Mathematical Statistics 22 (1951).
    """
    target, predicted = checked_pair(p, q, options)
    rows = kl_of_pair(target, predicted)
    context = pair_context("kl_divergence", target, predicted, options)
    weight = context.options.sample_weight
    with np.errstate(divide="ignore"):
        log_q = np.log(predicted.values) if predicted.logs is None else predicted.logs
    details = {
        "cross_entropy": mean_in_unit(0.0 - dot(target.values, log_q), weight, options),
        "entropy": mean_in_unit(entropy_rows(target.values, target.logs), weight, options),
    }
    gradient = cross_entropy_gradient(target, predicted) if options.gradient else None
    return score_rows(Losses(rows, gradient=gradient), details, context)
