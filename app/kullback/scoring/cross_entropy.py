"""Cross-entropy."""

from kullback.numerics.means import exp
from kullback.scoring.distribution_pair import DistributionPair, mean_in_unit
from kullback.scoring.options import Options
from kullback.scoring.score import Losses, Score, reduce_rows, score_rows


def cross_entropy(pair: DistributionPair, options: Options) -> Score:
    """Cost of coding draws from `p` with a code built for `q`.

        H(p, q) = −Σₖ pₖ ln qₖ = H(p) + KL(p‖q)        0·ln 0 = 0

    Args:
        pair: target p and predicted q, rows that sum to 1, of k outcomes.
        options: see Options; the gradient is ∂H/∂qₖ = −pₖ/qₖ, ∂H/∂ln qₖ = −pₖ, or for logits of
            q ∂H/∂zₖ = qₖ Σp − pₖ.

    Returns:
        In [H(p), ∞] nats; infinite where q rules out an outcome that p allows.
        `entropy` is H(p), `kl_divergence` KL(p‖q), `perplexity` e^{H(p, q)}.

    Raises:
        InvalidInput: a weight is impossible.

    Source: Cover & Thomas, Elements of Information Theory (2006), §5.4.
    """
    rows = pair.cross_entropy()
    context = pair.context("cross_entropy", options)
    weight = context.options.sample_weight
    reduced = reduce_rows(Losses(rows), weight)
    details: dict[str, object] = {}
    if options.details:
        details = {
            "entropy": mean_in_unit(pair.target.entropy(), weight, options),
            "kl_divergence": mean_in_unit(pair.kl(), weight, options),
            "perplexity": exp(reduced.value()),
            **pair.tails(weight),
        }
    gradient = pair.cross_entropy_slope() if options.gradient else None
    return score_rows(Losses(rows, gradient=gradient), details, context, reduced)
