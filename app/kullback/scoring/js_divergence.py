"""Jensen-Shannon divergence."""

import math

from kullback.numerics.types import Array, Undefined
from kullback.scoring.distribution_pair import checked_pair, pair_context
from kullback.scoring.information_rows import js_gradient, js_rows
from kullback.scoring.options import Options
from kullback.scoring.score import Losses, Score, reduce_rows, score_rows


def js_divergence(p: Array, q: Array, options: Options) -> Score:
    """How far two distributions lie from their middle: symmetric, finite, at most ln 2.

        JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m),  m = (p + q)/2

    Taken as ½ Σ [pₖ φ((qₖ − pₖ)/2pₖ) + qₖ φ((pₖ − qₖ)/2qₖ)], which forms no mₖ that could
    underflow and no difference that could turn negative.

    Args:
        p: shape (k,) or (n, k); each row sums to 1.
        q: same shape; each row sums to 1.
        options: see Options; the gradient is ∂JS/∂qₖ = ½ ln(2qₖ/(pₖ + qₖ)).

    Returns:
        The divergence, in [0, ln 2] nats. `distance` is the square root of the divergence in
        the unit asked for; it is a metric.

    Raises:
        InvalidInput: a row is not a distribution, or the shapes differ.

    Source: Lin, IEEE Transactions on Information Theory 37 (1991).
    """
    target, predicted = checked_pair((p, None), (q, None), options)
    rows = js_rows(target.values, predicted.values)
    context = pair_context("js_divergence", target, predicted, options)
    reduced = reduce_rows(Losses(rows), context.options.sample_weight)
    mean = reduced.value()
    distance = mean if isinstance(mean, Undefined) else math.sqrt(mean / options.nats)
    gradient = js_gradient(target.values, predicted.values) if options.gradient else None
    losses = Losses(rows, gradient=gradient)
    return score_rows(losses, {"distance": distance}, context, reduced)
