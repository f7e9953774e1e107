"""Recommender metrics: log loss, and what makes it comparable between logs."""

from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import softplus
from kullback.numerics.means import weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import probabilities, same_shape, weights
from kullback.scoring.conventions import EXACT, ConventionName, chosen_convention
from kullback.scoring.group_scores import GroupScores, group_numbers, normalized_entropy
from kullback.scoring.labels import Labels, positive_shares
from kullback.scoring.losses import binary_gradient, binary_losses
from kullback.scoring.options import Options
from kullback.scoring.ranking import Ranking, area
from kullback.scoring.reliability import Reliability
from kullback.scoring.score import Context, Losses, Reduced, Score, reduce_rows, score_rows

BINS = 15


@dataclass(frozen=True, slots=True)
class RecommenderOptions:
    """What the recommender report can be asked beside Options."""

    group: Labels | None = None
    negative_sampling_rate: float | None = None
    convention: ConventionName = "exact"
    per_group: bool = False
    epsilon: float | None = None


def recommender(
    y_true: Labels, y_proba: Array, settings: RecommenderOptions, options: Options
) -> Score:
    """Log loss of click predictions, with what makes it comparable between logs.

        NE  = LL / H_b(r),  r = Σ wy / Σ w        RIG = 1 − NE
        calibration ratio = Σ wp / Σ wy
        with negatives kept at rate s, p is first corrected to p / (p + (1 − p)/s)

    Args:
        y_true: clicks (n,), 0 or 1, or click rates in [0, 1] of aggregated rows.
        y_proba: P(click) (n,).
        settings: `group` (n,), such as user ids, with a row for each if `per_group`;
            `negative_sampling_rate` s in (0, 1]; convention, or epsilon.
        options: see Options; the gradient is with respect to y_proba as sent.

    Returns:
        Log loss in [0, ∞] nats. NE, RIG and AUC are undefined (`one_class`) without clicks or
        without non-clicks. `grouped_auc` weighs the groups that have both by impressions (the
        sum of their sample weights); `macro_log_loss` is the plain mean over groups. `groups`
        are at most the 10,000 heaviest; `groups_rest` sums up the others.

    Raises:
        InvalidInput: a probability, a label, a weight or the rate is impossible.

    Source: He et al., ADKDD (2014), §3 and §6.3; Fawcett (2006) for AUC.
    """
    p = probabilities("y_proba", y_proba)
    if p.ndim != 1:
        raise InvalidInput.at("y_proba is [n]: one P(click) per row", "y_proba")
    y = positive_shares("y_true", y_true)
    same_shape("y_true", y, "y_proba", p)
    n = p.size
    options = replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))
    weight = options.sample_weight
    group = None if settings.group is None else group_numbers(settings.group, n)
    if group is None and settings.per_group:
        raise InvalidInput.at("per_group needs group, an id for each row", "per_group")
    rate = settings.negative_sampling_rate or 1.0
    corrected = _corrected(p, rate)
    convention = chosen_convention(settings.convention, settings.epsilon, y_proba.dtype)
    losses, clipped = binary_losses(y, corrected, convention)
    if convention is EXACT and rate < 1:
        losses = _corrected_losses(y, p, rate)
    extra = {"negative_sampling_rate": settings.negative_sampling_rate, "bins": BINS}
    context = Context(
        "recommender",
        options,
        settings.convention,
        extra,
        clipped=int(np.count_nonzero(clipped)),
        epsilon=settings.epsilon,
    )
    gradient = None
    if options.gradient:
        gradient = binary_gradient(y, corrected, convention) * _correction_slope(p, rate)
    rows = Losses(losses, gradient=gradient)
    reduced = reduce_rows(rows, weight)
    ranking = Ranking.of(corrected)
    details = _overall(corrected, y, ranking, reduced, options)
    if group is not None:
        ranking = ranking.within(corrected, group)
    details |= _by_group(ranking, y, losses, settings, options)
    return score_rows(rows, details, context, reduced)


def _corrected(p: Array, rate: float) -> Array:
    if rate == 1.0:
        return p
    corrected: Array = p * rate / (p * rate + (1.0 - p))
    return corrected


def _corrected_losses(y: Array, p: Array, rate: float) -> Array:
    """Y ln(1 + 1/o) + (1 − y) ln(1 + o) with the corrected odds o = ps/(1 − p).

    The corrected p itself may round to 1, or underflow to 0, where its odds do not.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_odds = np.log(p) + np.log(rate) - np.log1p(-p)
        miss = np.where(y > 0, y * softplus(-log_odds), 0.0)
        alarm = np.where(y < 1, (1.0 - y) * softplus(log_odds), 0.0)
    losses: Array = miss + alarm
    return losses


def _correction_slope(p: Array, rate: float) -> Array | float:
    if rate == 1.0:
        return 1.0
    odds = p * rate + (1.0 - p)
    slope: Array = rate / odds / odds
    return slope


def _overall(
    p: Array, y: Array, ranking: Ranking, reduced: Reduced, options: Options
) -> dict[str, object]:
    weight = options.sample_weight
    base_rate, mean_prediction = weighted_mean(y, weight), weighted_mean(p, weight)
    normalized = normalized_entropy(reduced.mean, base_rate)
    return {
        "normalized_entropy": normalized,
        "relative_information_gain": (
            normalized if isinstance(normalized, Undefined) else 1.0 - normalized
        ),
        "calibration_ratio": _ratio(mean_prediction, base_rate),
        "base_rate": base_rate,
        "mean_prediction": mean_prediction,
        "brier": weighted_mean((p - y) ** 2, weight),
        "ece": (
            base_rate
            if isinstance(base_rate, Undefined)
            else Reliability.of(p, y, weight, BINS, "uniform").ece()
        ),
        "auc": base_rate if isinstance(base_rate, Undefined) else area(ranking, y, weight),
    }


def _ratio(mean_prediction: float | Undefined, base_rate: float | Undefined) -> float | Undefined:
    if isinstance(base_rate, Undefined) or isinstance(mean_prediction, Undefined):
        return base_rate
    return mean_prediction / base_rate if base_rate > 0 else Undefined(Reason.NO_POSITIVES)


def _by_group(
    ranking: Ranking, y: Array, losses: Array, settings: RecommenderOptions, options: Options
) -> dict[str, object]:
    group = settings.group
    if group is None:
        none = Undefined(Reason.NO_GROUP)
        return {"grouped_auc": none, "macro_log_loss": none, "groups": []}
    scores = GroupScores.of(ranking, y, losses, options.sample_weight)
    listed = scores.heaviest(group, options) if settings.per_group else {"groups": []}
    return {
        "grouped_auc": scores.grouped_auc(),
        "grouped_auc_weight": "impressions",
        "macro_log_loss": scores.macro_log_loss(options),
        "group_summary": scores.summary(),
        **listed,
    }
