"""Entropy."""

import math

import numpy as np

from kullback.numerics.means import exp
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.scoring.checked_distribution import CheckedDistribution, SentDistribution
from kullback.scoring.options import Options
from kullback.scoring.score import Losses, Reduced, Score, reduce_rows, score_rows


def entropy(p: SentDistribution, options: Options) -> Score:
    """How uncertain a distribution is.

        H(p) = −Σₖ pₖ ln pₖ        0·ln 0 = 0

    Args:
        p: shape (k,) or (n, k), each row sums to 1; or its logarithms; or logits z with
            p = softmax(z). −∞ where an outcome is ruled out.
        options: see Options; the gradient is ∂H/∂pₖ = −(ln pₖ + 1), ∂H/∂ln pₖ = −pₖ(ln pₖ + 1)
            or ∂H/∂zₖ = −pₖ(ln pₖ + H).

    Returns:
        In [0, ln k] nats. `normalized` is H / ln k (undefined for one outcome),
        `effective_outcomes` e^H, `maximum` ln k.

    Raises:
        InvalidInput: not exactly one form of p, or a row that is no distribution.

    Source: Cover & Thomas, Elements of Information Theory (2006), §2.1.
    """
    side = CheckedDistribution.read("p", p, options, "logits")
    rows = side.entropy()
    gradient = _entropy_gradient(side, rows) if options.gradient else None
    context = side.context("entropy", options)
    reduced = reduce_rows(Losses(rows), context.options.sample_weight)
    maximum = math.log(side.values.shape[1])
    details = {
        "normalized": _normalized(reduced, maximum),
        "effective_outcomes": exp(reduced.value()),
        "maximum": maximum / options.nats,
    }
    return score_rows(Losses(rows, gradient=gradient), details, context, reduced)


def _normalized(reduced: Reduced, maximum: float) -> float | Undefined:
    mean = reduced.value()
    if isinstance(mean, Undefined):
        return mean
    return min(mean / maximum, 1.0) if maximum > 0 else Undefined(Reason.ONE_OUTCOME)


def _entropy_gradient(side: CheckedDistribution, rows: Array) -> Array:
    if side.logs is None:
        with np.errstate(divide="ignore"):
            gradient: Array = -1.0 - np.log(side.values)
        return gradient
    finite = np.where(side.values > 0, side.logs, 0.0)
    descent: Array = -side.values * (finite + (1.0 if side.logits is None else rows[:, None]))
    return descent
