"""Scores of counts: entropy estimates and goodness of fit."""

import math
from dataclasses import replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax
from kullback.numerics.means import exp, weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.special import chi_square_tail
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import distributions, logit_rows, same_shape, weights
from kullback.scoring.entropy_estimators import (
    ESTIMATORS,
    Estimator,
    checked_counts,
    combinatorial_gap,
    estimate_error,
    log_multiplicity,
    log_shares,
    needs_whole,
    plugin,
)
from kullback.scoring.information_rows import cross_entropy_rows, cross_gradient, dot, kl_rows
from kullback.scoring.options import Options
from kullback.scoring.score import Context, Losses, Score, in_unit, reduce_rows, score_rows


def entropy_of_counts(counts: Array, estimator: Estimator, options: Options) -> Score:
    """The entropy of what produced these counts, or of the counts as they are.

        plugin         H(n/N)                          biased low by (K − 1)/2N
        miller_madow   H(n/N) + (m − 1)/2N             m cells observed
        jackknife      N·H − ((N − 1)/N) Σ nₖ H(n − eₖ)
        chao_shen      coverage-adjusted, for many unseen cells
        james_stein    shrunk towards uniform
        combinatorial  (1/N) ln W, W = N!/Π nᵢ!        no estimate: below the plug-in

    Args:
        counts: shape (k,) or (n, k), at least 0, each row with a count above 0; whole numbers
            for jackknife, chao_shen and combinatorial.
        estimator: which of them.
        options: see Options; there is no gradient.

    Returns:
        Nats. `plugin` beside it, `normalized`, `effective_outcomes` and `maximum` as for
        distributions, `ln_multiplicity` ln W for combinatorial. The standard error of a single
        row is that of the estimator where one is known (the delta method, 0 for uniform counts;
        the jackknife's own); of a batch, that of the mean over rows.

    Raises:
        InvalidInput: a count is impossible.

    Source: see kullback/scoring/entropy_estimators.py, per estimator.
    """
    table, single = checked_counts("counts", counts, whole=needs_whole(estimator))
    n, k = table.shape
    weight = weights("sample_weight", options.sample_weight, n)
    options = replace(options, sample_weight=weight, gradient=False)
    rows = Losses(ESTIMATORS[estimator](table))
    reduced = reduce_rows(rows, weight)
    if n == 1:
        reduced = replace(reduced, standard_error=estimate_error(estimator, table))
    mean = reduced.value()
    maximum = math.log(k)
    details: dict[str, object] = {
        "plugin": in_unit(weighted_mean(plugin(table), weight), options),
        "normalized": _normalized(mean, maximum),
        "effective_outcomes": exp(mean),
        "maximum": maximum / options.nats,
    }
    if estimator == "combinatorial":
        details["ln_multiplicity"] = weighted_mean(log_multiplicity(table), weight)
    context = Context("entropy", options, conventions={"estimator": estimator}, single=single)
    return score_rows(rows, details, context, reduced)


def _normalized(mean: float | Undefined, maximum: float) -> float | Undefined:
    if isinstance(mean, Undefined):
        return mean
    return mean / maximum if maximum > 0 else Undefined(Reason.ONE_OUTCOME)


def fit_of_counts(
    counts: Array, q: Array | None, q_logits: Array | None, options: Options
) -> Score:
    """kl_of_counts of a distribution that was sent as probabilities or as logits.

    Raises:
        InvalidInput: not exactly one of the two, or a row that is no distribution.
    """
    if (q is None) == (q_logits is None):
        raise InvalidInput.at("send either q or q_logits", "q")
    if q is not None:
        checked = distributions("q", q, options)
        score = kl_of_counts(counts, checked.values, options)
        seen = replace(
            score.diagnostics,
            clipped=checked.clipped,
            renormalized=checked.renormalized,
            max_sum_error=checked.max_sum_error,
        )
        return replace(score, diagnostics=seen)
    assert q_logits is not None
    rows, _ = logit_rows("q_logits", q_logits)
    log_q = log_softmax(rows)
    return kl_of_counts(counts, np.exp(log_q), options, log_q)


def kl_of_counts(counts: Array, q: Array, options: Options, log_q: Array | None = None) -> Score:
    """How badly a distribution fits counts: KL(n/N‖q), with what it means statistically.

        G = 2 Σ n ln(n/Nq) = 2N·KL ~ χ² with K − 1 degrees of freedom where q is true
        D_N = −(1/N) ln P,  P = W Π qᵢ^{nᵢ} the multinomial probability of these very counts

    Args:
        counts: n, shape (k,) or (n, k), whole numbers.
        q: checked distributions, shape (n, k).
        options: see Options; the gradient is −p/q, or q − p with respect to logits of q.
        log_q: ln q where q came from logits, which may be finite where q is 0.

    Returns:
        KL in nats. `g_statistic` and `degrees_of_freedom` are summed over rows, `p_value` is of
        the sum; cells with q = 0 give no freedom. `combinatorial_divergence` is D_N, at least KL.

    Raises:
        InvalidInput: a count is impossible, or the shapes differ.

    Source: Wilks, Annals of Mathematical Statistics 9 (1938); Niven, Physics Letters A 342 (2005).
    """
    table, single = checked_counts("p_counts", counts, whole=True)
    same_shape("q", q, "p_counts", table)
    n = table.shape[0]
    weight = weights("sample_weight", options.sample_weight, n)
    options = replace(options, sample_weight=weight)
    size = table.sum(axis=1)
    p = table / size[:, None]
    ratio = None
    if log_q is not None:
        with np.errstate(invalid="ignore"):  # where neither occurs
            ratio = log_q - log_shares(table)
    divergences = kl_rows(p, q, ratio)
    g = 2.0 * math.fsum((size * divergences).tolist())
    degrees = int(np.count_nonzero(q if log_q is None else log_q > -np.inf)) - n
    details = {
        "cross_entropy": in_unit(weighted_mean(_costs(p, q, log_q), weight), options),
        "entropy": in_unit(weighted_mean(plugin(table), weight), options),
        "g_statistic": g,
        "degrees_of_freedom": degrees,
        "p_value": chi_square_tail(g, degrees) if degrees > 0 else Undefined(Reason.ONE_CELL),
        "combinatorial_divergence": in_unit(
            weighted_mean(divergences + combinatorial_gap(table), weight), options
        ),
    }
    gradient = cross_gradient(p, q, of_logits=log_q is not None) if options.gradient else None
    context = Context("kl_divergence", options, single=single)
    return score_rows(Losses(divergences, gradient=gradient), details, context)


def _costs(p: Array, q: Array, log_q: Array | None) -> Array:
    return cross_entropy_rows(p, q) if log_q is None else 0.0 - dot(p, log_q)


def refuse_both(name: str, counts: Array | None, *others: Array | None) -> None:
    """Refuse counts beside probabilities or logits of the same thing.

    Raises:
        InvalidInput: both were sent.
    """
    if counts is not None and any(other is not None for other in others):
        raise InvalidInput.at("counts and probabilities or logits exclude each other", name)
