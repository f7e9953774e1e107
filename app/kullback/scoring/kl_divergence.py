"""Kullback-Leibler divergence, forward, reverse and symmetric."""

from functools import reduce
from typing import Literal

import numpy as np

from kullback.numerics.types import Array
from kullback.scoring.distribution_pair import DistributionPair, mean_in_unit
from kullback.scoring.information_rows import reverse_gradient
from kullback.scoring.options import Options
from kullback.scoring.score import Losses, Score, score_rows

Direction = Literal["forward", "reverse", "symmetric"]


def kl_divergence(
    pair: DistributionPair, options: Options, direction: Direction = "forward"
) -> Score:
    """What is lost by believing `q` where `p` is true.

        forward    KL(p‖q) = Σₖ pₖ ln(pₖ/qₖ)        0·ln(0/q) = 0
        reverse    KL(q‖p)
        symmetric  KL(p‖q) + KL(q‖p) = Σₖ (pₖ − qₖ) ln(pₖ/qₖ), Jeffreys' divergence

    Near p ≈ q a sum is taken as Σ pₖ φ((qₖ − pₖ)/pₖ) with φ(u) = u − ln(1 + u) ≥ 0, so that
    it keeps its digits and is never negative.

    Args:
        pair: target p and predicted q, rows that sum to 1, of k outcomes.
        options: see Options; the gradient is with respect to what was sent of q. Forward it is
            −pₖ/qₖ, −pₖ for ln q, qₖ Σp − pₖ for logits; reverse ln(qₖ/pₖ) + 1,
            qₖ(ln(qₖ/pₖ) + 1) for ln q, qₖ(ln(qₖ/pₖ) − KL(q‖p)) for logits.
        direction: which of the three.

    Returns:
        In [0, ∞] nats; infinite where q rules out an outcome that p allows (reverse: the other
        way round). `cross_entropy` is H(p, q), `entropy` H(p); reverse H(q, p) and H(q), and
        symmetric the sums of both, with `forward` and `reverse` beside them.

    Raises:
        InvalidInput: a weight is impossible.

    Source: Kullback & Leibler, Annals of Mathematical Statistics 22 (1951); Jeffreys,
        Proceedings of the Royal Society A 186 (1946).
    """
    parts = {"forward": pair, "reverse": pair.reversed()}
    if direction != "symmetric":
        parts = {direction: parts[direction]}
    context = pair.context("kl_divergence", options, {"direction": direction})
    weight = context.options.sample_weight
    rows = {name: part.kl() for name, part in parts.items()}
    crossed = reduce(np.add, [part.cross_entropy() for part in parts.values()])
    uncertain = reduce(np.add, [part.target.entropy() for part in parts.values()])
    details = {
        "cross_entropy": mean_in_unit(crossed, weight, options),
        "entropy": mean_in_unit(uncertain, weight, options),
        **pair.tails(weight),
    }
    if len(rows) > 1:
        details |= {name: mean_in_unit(part, weight, options) for name, part in rows.items()}
    gradient: Array | None = None
    if options.gradient:
        gradient = reduce(np.add, [_slope(pair, name) for name in parts])
    losses = Losses(reduce(np.add, rows.values()), gradient=gradient)
    return score_rows(losses, details, context)


def _slope(pair: DistributionPair, direction: str) -> Array:
    if direction == "forward":
        return pair.cross_entropy_slope()
    q = pair.predicted
    return q.slope(reverse_gradient(pair.target.values, q.values, pair.log_ratio()))
