"""This file is about entropy, cross-entropy, and the divergences between distributions."""

import math
from dataclasses import replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.scoring.arrays import Distributions, distributions, logit_rows, same_shape, weights
from kullback.scoring.divergence import (
    cross_entropy_rows,
    cross_gradient,
    dot,
    entropy_rows,
    js_gradient,
    js_rows,
    kl_rows,
)
from kullback.scoring.logspace import log_softmax, log_softmax_ratio
from kullback.scoring.means import Array, Undefined, exp, weighted_mean
from kullback.scoring.score import (
    Context,
    Losses,
    Options,
    Reduced,
    Score,
    in_unit,
    reduce_rows,
    score_rows,
)


def entropy(p: Array | None, logits: Array | None, options: Options) -> Score:
    """How uncertain a distribution is.

        H(p) = −Σₖ pₖ ln pₖ        0·ln 0 = 0

    Args:
        p: shape (k,) or (n, k); each row sums to 1. Or
        logits: z with p = softmax(z), −∞ where an outcome is ruled out.
        options: see Options; the gradient is ∂H/∂pₖ = −(ln pₖ + 1) or ∂H/∂zₖ = −pₖ(ln pₖ + H).

    Returns:
        In [0, ln k] nats. `normalized` is H / ln k (undefined for one outcome),
        `effective_outcomes` e^H, `maximum` ln k.

    Raises:
        InvalidInput: not exactly one of p and logits, or a row that is no distribution.

    Source: Cover & Thomas, Elements of Information Theory (2006), §2.1.
    """
    side = _Side.read("p", p, "logits", logits, options)
    rows = entropy_rows(side.values, side.logs)
    gradient = _entropy_gradient(side, rows) if options.gradient else None
    context = side.context("entropy", options)
    reduced = reduce_rows(Losses(rows), context.options.sample_weight)
    maximum = math.log(side.values.shape[1])
    details = {
        "normalized": _normalized(reduced, maximum),
        "effective_outcomes": exp(reduced.known()),
        "maximum": maximum / options.nats,
    }
    return score_rows(Losses(rows, gradient=gradient), details, context, reduced)


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
    target, predicted = _pair(
        _Side.read("p", p, "p_logits", None, options),
        _Side.read("q", q, "q_logits", q_logits, options),
    )
    if predicted.logs is None:
        rows = cross_entropy_rows(target.values, predicted.values)
    else:
        rows = 0.0 - dot(target.values, predicted.logs)
    context = _pair_context("cross_entropy", target, predicted, options)
    weight = context.options.sample_weight
    reduced = reduce_rows(Losses(rows), weight)
    details = {
        "entropy": _mean(entropy_rows(target.values, None), weight, options),
        "kl_divergence": _mean(_kl(target, predicted), weight, options),
        "perplexity": exp(reduced.known()),
    }
    gradient = _cross_slope(target, predicted) if options.gradient else None
    return score_rows(Losses(rows, gradient=gradient), details, context, reduced)


def kl_divergence(
    p: tuple[Array | None, Array | None], q: tuple[Array | None, Array | None], options: Options
) -> Score:
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
    target, predicted = _pair(
        _Side.read("p", p[0], "p_logits", p[1], options),
        _Side.read("q", q[0], "q_logits", q[1], options),
    )
    rows = _kl(target, predicted)
    context = _pair_context("kl_divergence", target, predicted, options)
    weight = context.options.sample_weight
    with np.errstate(divide="ignore"):
        log_q = np.log(predicted.values) if predicted.logs is None else predicted.logs
    details = {
        "cross_entropy": _mean(0.0 - dot(target.values, log_q), weight, options),
        "entropy": _mean(entropy_rows(target.values, target.logs), weight, options),
    }
    gradient = _cross_slope(target, predicted) if options.gradient else None
    return score_rows(Losses(rows, gradient=gradient), details, context)


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
    target, predicted = _pair(
        _Side.read("p", p, "p_logits", None, options),
        _Side.read("q", q, "q_logits", None, options),
    )
    rows = js_rows(target.values, predicted.values)
    context = _pair_context("js_divergence", target, predicted, options)
    reduced = reduce_rows(Losses(rows), context.options.sample_weight)
    mean = reduced.known()
    distance = mean if isinstance(mean, Undefined) else math.sqrt(mean / options.nats)
    gradient = None
    if options.gradient:
        gradient = js_gradient(target.values, predicted.values)
    rows_and_slope = Losses(rows, gradient=gradient)
    return score_rows(rows_and_slope, {"distance": distance}, context, reduced)


class _Side:
    """One side of a divergence: probabilities, and their logarithms where logits were sent."""

    def __init__(
        self,
        name: str,
        checked: Distributions,
        logits: Array | None = None,
        logs: Array | None = None,
    ) -> None:
        self.name = name
        self.checked = checked
        self.values = checked.values
        self.logits = logits
        self.logs = logs

    @classmethod
    def read(
        cls,
        name: str,
        probabilities: Array | None,
        logits_name: str,
        logits: Array | None,
        options: Options,
    ) -> "_Side":
        """Check the one form that was sent."""
        if (probabilities is None) == (logits is None):
            problem = "is missing" if logits is None else f"and {logits_name} exclude each other"
            raise InvalidInput.at(f"{name} {problem}", name)
        if probabilities is not None:
            return cls(name, distributions(name, probabilities, options))
        assert logits is not None
        rows, single = logit_rows(logits_name, logits)
        logs = log_softmax(rows)
        return cls(logits_name, Distributions(np.exp(logs), single), rows, logs)

    def context(self, metric: str, options: Options) -> Context:
        """The context of a metric of this side alone."""
        rows = self.values.shape[0]
        weight = weights("sample_weight", options.sample_weight, rows)
        return Context(
            metric,
            replace(options, sample_weight=weight),
            renormalized=self.checked.renormalized,
            max_sum_error=self.checked.max_sum_error,
            single=self.checked.single,
        )


def _pair(target: _Side, predicted: _Side) -> tuple[_Side, _Side]:
    same_shape(predicted.name, predicted.values, target.name, target.values)
    if target.checked.single != predicted.checked.single:
        raise InvalidInput.at(
            f"{predicted.name} and {target.name} must both be [k] or both [n][k]", predicted.name
        )
    return target, predicted


def _pair_context(metric: str, target: _Side, predicted: _Side, options: Options) -> Context:
    context = predicted.context(metric, options)
    return replace(
        context,
        renormalized=context.renormalized + target.checked.renormalized,
        max_sum_error=max(context.max_sum_error, target.checked.max_sum_error),
    )


def _kl(target: _Side, predicted: _Side) -> Array:
    return kl_rows(target.values, predicted.values, _log_ratio(target, predicted))


def _log_ratio(target: _Side, predicted: _Side) -> Array | None:
    """Ln q − ln p, where either came from logits."""
    if target.logits is not None and predicted.logits is not None:
        return log_softmax_ratio(target.logits, predicted.logits)
    if target.logs is None and predicted.logs is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(target.values) if target.logs is None else target.logs
        log_q = np.log(predicted.values) if predicted.logs is None else predicted.logs
        ratio: Array = log_q - log_p
    return ratio


def _normalized(reduced: Reduced, maximum: float) -> float | Undefined:
    mean = reduced.known()
    if isinstance(mean, Undefined):
        return mean
    return min(mean / maximum, 1.0) if maximum > 0 else Undefined("one_outcome")


def _mean(rows: Array, weight: Array | None, options: Options) -> float | Undefined:
    return in_unit(weighted_mean(rows, weight), options)


def _entropy_gradient(side: _Side, rows: Array) -> Array:
    if side.logs is None:
        with np.errstate(divide="ignore"):
            gradient: Array = -1.0 - np.log(side.values)
        return gradient
    finite = np.where(side.values > 0, side.logs, 0.0)
    descent: Array = -side.values * (finite + rows[:, None])
    return descent


def _cross_slope(target: _Side, predicted: _Side) -> Array:
    return cross_gradient(target.values, predicted.values, of_logits=predicted.logs is not None)
