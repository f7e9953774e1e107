"""Jensen-Shannon divergence."""

import math

import numpy as np

from kullback.numerics.means import weighted_mean
from kullback.numerics.types import Undefined
from kullback.scoring.distribution_pair import DistributionPair
from kullback.scoring.information_rows import js_gradient, js_rows
from kullback.scoring.options import Options
from kullback.scoring.score import Losses, Score, reduce_rows, score_rows


def js_divergence(pair: DistributionPair, options: Options, mixture_weight: float = 0.5) -> Score:
    """How far two distributions lie from their mixture: finite, and symmetric at π = ½.

        JS(p, q) = π KL(p‖m) + (1 − π) KL(q‖m) = H(m) − π H(p) − (1 − π) H(q)
        m = π p + (1 − π) q

    Taken as Σ [π pₖ φ((mₖ − pₖ)/pₖ) + (1 − π) qₖ φ((mₖ − qₖ)/qₖ)], φ(u) = u − ln(1 + u), which
    forms no mₖ that could underflow and no difference that could turn negative.

    Args:
        pair: p and q, rows that sum to 1, of k outcomes.
        options: see Options; the gradient is ∂JS/∂qₖ = (1 − π) ln(qₖ/mₖ), or that of ln q or of
            logits where those were sent.
        mixture_weight: π in (0, 1).

    Returns:
        The divergence, in [0, H(π)] nats, at most ln 2. `distance` is the square root of the
        value in the unit asked for, `mean_distance` the mean of the square roots of the rows;
        of single rows both are a metric at π = ½.

    Raises:
        InvalidInput: a weight is impossible.

    Source: Lin, IEEE Transactions on Information Theory 37 (1991).
    """
    p, q = pair.target.values, pair.predicted.values
    ratio = pair.log_ratio()
    rows = js_rows(p, q, ratio, mixture_weight)
    context = pair.context("js_divergence", options, {"mixture_weight": mixture_weight})
    weight = context.options.sample_weight
    reduced = reduce_rows(Losses(rows), weight)
    mean = reduced.value()
    details = {
        "distance": mean if isinstance(mean, Undefined) else math.sqrt(mean / options.nats),
        "mean_distance": weighted_mean(np.sqrt(rows / options.nats), weight),
        **pair.tails(weight),
    }
    gradient = None
    if options.gradient:
        gradient = pair.predicted.slope(js_gradient(p, q, ratio, mixture_weight))
    return score_rows(Losses(rows, gradient=gradient), details, context, reduced)
