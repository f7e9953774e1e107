"""Scores of counts: entropy estimates and goodness of fit."""

import math
from dataclasses import replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.means import exp, weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.special import chi_square_tail
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import CheckedDistributions, weights
from kullback.scoring.checked_distribution import CheckedDistribution, SentDistribution
from kullback.scoring.distribution_pair import DistributionPair
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


def kl_of_counts(counts: Array, sent: SentDistribution, options: Options) -> Score:
    """How badly a distribution fits counts: KL(n/N‖q), with what it means statistically.

        G = 2 Σ n ln(n/Nq) = 2N·KL ~ χ² with K − 1 degrees of freedom where q is true
        D_N = −(1/N) ln P,  P = W Π qᵢ^{nᵢ} the multinomial probability of these very counts

    Args:
        counts: n, shape (k,) or (n, k), whole numbers.
        sent: q, of the same shape, or one row beside many.
        options: see Options; the gradient is −p/q, −p with respect to ln q, or q − p with respect
            to logits of q.

    Returns:
        KL in nats. `g_statistic` and `degrees_of_freedom` are summed over rows, `p_value` is of
        the sum; cells with q = 0 give no freedom. `combinatorial_divergence` is D_N, at least KL.

    Raises:
        InvalidInput: a count is impossible, q is no distribution, or the shapes differ.

    Source: Wilks, Annals of Mathematical Statistics 9 (1938); Niven, Physics Letters A 342 (2005).
    """
    table, single = checked_counts("p_counts", counts, whole=True)
    predicted = CheckedDistribution.read("q", sent, options)
    size = table.sum(axis=1)
    logs = None if predicted.logs is None else log_shares(table)
    shares = CheckedDistributions(table / size[:, None], single=single, logs=logs)
    pair = DistributionPair.of(CheckedDistribution("p_counts", shares), predicted)
    table = np.broadcast_to(table, pair.target.values.shape)
    context = pair.context("kl_divergence", options)
    weight = context.options.sample_weight
    divergences = pair.kl()
    g = 2.0 * math.fsum((size * divergences).tolist())
    q = pair.predicted.values if pair.predicted.logs is None else pair.predicted.logs > -np.inf
    degrees = int(np.count_nonzero(q)) - table.shape[0]
    details = {
        "cross_entropy": in_unit(weighted_mean(pair.cross_entropy(), weight), options),
        "entropy": in_unit(weighted_mean(plugin(table), weight), options),
        "g_statistic": g,
        "degrees_of_freedom": degrees,
        "p_value": chi_square_tail(g, degrees) if degrees > 0 else Undefined(Reason.ONE_CELL),
        "combinatorial_divergence": in_unit(
            weighted_mean(divergences + combinatorial_gap(table), weight), options
        ),
    }
    gradient = pair.cross_entropy_slope() if options.gradient else None
    return score_rows(Losses(divergences, gradient=gradient), details, context)


def refuse_both(name: str, counts: Array | None, *others: object) -> None:
    """Refuse counts beside another form of the same thing.

    Raises:
        InvalidInput: both were sent.
    """
    if counts is not None and any(other is not None for other in others):
        raise InvalidInput.at("counts and probabilities or logits exclude each other", name)
