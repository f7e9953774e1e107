"""Cross-entropy."""

from kullback.numerics.means import exp
from kullback.numerics.types import Array
from kullback.scoring.distribution_pair import (
    checked_pair,
    cross_entropy_gradient,
    kl_of_pair,
    mean_in_unit,
    pair_context,
)
from kullback.scoring.information_rows import cross_entropy_rows, dot, entropy_rows
from kullback.scoring.options import Options
from kullback.scoring.score import Losses, Score, reduce_rows, score_rows


def cross_entropy(p: Array, q: Array | None, q_logits: Array | None, options: Options) -> Score:
    """Cost of coding draws from `p` with a code built for `q`.

        H(p, q) = −Σₖ pₖ ln qₖ = H(p) + KL(p‖q)        0·ln 0 = 0

    Args:
        p: target, shape (k,) or (n, k); each row sums to 1.
        q: predicted, same shape; each row sums to 1. Or
        q_logits: z with q = softmax(z).
        options: see Options; the gradient is ∂H/∂qₖ = −pₖ/qₖ or ∂H/∂zₖ = qₖ Σp − pₖ.

    Returns:
        In [H(p), ∞] nats; infinite where q rules out an outcome that p allows.
        `entropy` is H(p), `kl_divergence` KL(p‖q), `perplexity` e^{H(p, q)}.

    Raises:
        InvalidInput: a row is not a distribution, or the shapes differ.

    Source: Cover & Thomas, Elements of Information Theory (2006), §5.4.
    """
    target, predicted = checked_pair((p, None), (q, q_logits), options)
    if predicted.logs is None:
        rows = cross_entropy_rows(target.values, predicted.values)
    else:
        rows = 0.0 - dot(target.values, predicted.logs)
    context = pair_context("cross_entropy", target, predicted, options)
    weight = context.options.sample_weight
    reduced = reduce_rows(Losses(rows), weight)
    details = {
        "entropy": mean_in_unit(entropy_rows(target.values, None), weight, options),
        "kl_divergence": mean_in_unit(kl_of_pair(target, predicted), weight, options),
        "perplexity": exp(reduced.value()),
    }
    gradient = cross_entropy_gradient(target, predicted) if options.gradient else None
    return score_rows(Losses(rows, gradient=gradient), details, context, reduced)
