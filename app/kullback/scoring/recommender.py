"""Recommender metrics: log loss, and what makes it comparable between logs."""

import math
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.isotonic import binary_entropy
from kullback.numerics.logspace import softplus
from kullback.numerics.means import bin_sums, sum_up, weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import probabilities, same_shape, weights
from kullback.scoring.conventions import CONVENTIONS, EXACT, ConventionName
from kullback.scoring.labels import Labels, positive_shares, row_count, whole
from kullback.scoring.losses import binary_gradient, binary_losses
from kullback.scoring.options import Options
from kullback.scoring.ranking import auc, group_aucs
from kullback.scoring.reliability import Reliability
from kullback.scoring.score import Context, Losses, Reduced, Score, reduce_rows, score_rows

BINS = 15


@dataclass(frozen=True, slots=True)
class RecommenderOptions:
    """What the recommender report can be asked beside Options."""

    group: Labels | None = None
    negative_sampling_rate: float | None = None
    convention: ConventionName = "exact"


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
        settings: `group` (n,), such as user ids; `negative_sampling_rate` s in (0, 1]; convention.
        options: see Options; the gradient is with respect to y_proba as sent.

    Returns:
        Log loss in [0, ∞] nats. NE, RIG and AUC are undefined (`one_class`) without clicks or
        without non-clicks. `grouped_auc` weighs the groups that have both by impressions (the
        sum of their sample weights); `macro_log_loss` is the plain mean over groups.

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
    rate = settings.negative_sampling_rate or 1.0
    corrected = _corrected(p, rate)
    convention = CONVENTIONS[settings.convention]
    losses, clipped = binary_losses(y, corrected, convention)
    if convention is EXACT and rate < 1:
        losses = _corrected_losses(y, p, rate)
    extra = {"negative_sampling_rate": settings.negative_sampling_rate, "bins": BINS}
    context = Context(
        "recommender", options, settings.convention, extra, clipped=int(np.count_nonzero(clipped))
    )
    gradient = None
    if options.gradient:
        gradient = binary_gradient(y, corrected, convention) * _correction_slope(p, rate)
    rows = Losses(losses, gradient=gradient)
    reduced = reduce_rows(rows, weight)
    details = _overall(corrected, y, reduced, options) | _by_group(
        corrected, y, losses, settings.group, options
    )
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


def _overall(p: Array, y: Array, reduced: Reduced, options: Options) -> dict[str, object]:
    weight = options.sample_weight
    base_rate, mean_prediction = weighted_mean(y, weight), weighted_mean(p, weight)
    normalized = _normalized(reduced.mean, base_rate)
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
        "auc": base_rate if isinstance(base_rate, Undefined) else auc(p, y, weight),
    }


def _normalized(log_loss: float, base_rate: float | Undefined) -> float | Undefined:
    if isinstance(base_rate, Undefined):
        return base_rate
    entropy = binary_entropy(base_rate)
    return log_loss / entropy if entropy > 0 else Undefined(Reason.ONE_CLASS)


def _ratio(mean_prediction: float | Undefined, base_rate: float | Undefined) -> float | Undefined:
    if isinstance(base_rate, Undefined) or isinstance(mean_prediction, Undefined):
        return base_rate
    return mean_prediction / base_rate if base_rate > 0 else Undefined(Reason.NO_POSITIVES)


def _by_group(
    p: Array, y: Array, losses: Array, group: Labels | None, options: Options
) -> dict[str, object]:
    if group is None:
        none = Undefined(Reason.NO_GROUP)
        return {"grouped_auc": none, "macro_log_loss": none, "groups": []}
    if row_count(group) != p.size:
        detail = f"group has {row_count(group)} rows but y_proba has {p.size}"
        raise InvalidInput.at(detail, "group")
    names, index = _numbered(group)
    size = len(names)
    w = np.ones_like(p) if options.sample_weight is None else options.sample_weight
    with np.errstate(invalid="ignore"):
        lost = bin_sums(index, np.where(w > 0, w * losses, 0.0), size)
    impressions = bin_sums(index, w, size)
    clicks = bin_sums(index, w * y, size)
    counts = np.bincount(index, minlength=size)
    areas = group_aucs(p, y, options.sample_weight, index, size)
    rows = [
        _Group(*row).row(options)
        for row in zip(
            names,
            counts.tolist(),
            impressions.tolist(),
            lost.tolist(),
            clicks.tolist(),
            areas,
            strict=True,
        )
    ]
    return {
        "grouped_auc": _impression_mean(areas, impressions),
        "grouped_auc_weight": "impressions",
        "macro_log_loss": _plain_mean([row["log_loss"] for row in rows]),
        "groups": rows,
    }


def _numbered(group: Labels) -> tuple[list[str] | list[int], Indices]:
    """The groups in the order in which they first appear, and the number of each row's."""
    if isinstance(group, list):
        number: dict[str, int] = {}
        index = [number.setdefault(name, len(number)) for name in group]
        return list(number), np.array(index, dtype=np.int64)
    distinct, first, index_sorted = np.unique(
        whole("group", group), return_index=True, return_inverse=True
    )
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return distinct[order].tolist(), rank[index_sorted]


@dataclass(frozen=True, slots=True)
class _Group:
    """The sums of one group."""

    name: str | int
    n: int
    weight: float
    lost: float
    clicks: float
    auc: float | Undefined

    def row(self, options: Options) -> dict[str, object]:
        """The group as a row of the answer."""
        head = {"group": self.name, "n": self.n, "weight": self.weight}
        if self.weight == 0:
            gone = Undefined(Reason.ZERO_WEIGHT)
            return {**head, "log_loss": gone, "normalized_entropy": gone, "auc": gone}
        mean = self.lost / self.weight
        return {
            **head,
            "log_loss": mean / options.nats,
            "normalized_entropy": _normalized(mean, min(self.clicks / self.weight, 1.0)),
            "auc": self.auc,
        }


def _impression_mean(areas: list[float | Undefined], impressions: Array) -> float | Undefined:
    pairs = [
        (area, weight)
        for area, weight in zip(areas, impressions.tolist(), strict=True)
        if not isinstance(area, Undefined)
    ]
    total = math.fsum(weight for _, weight in pairs)
    if total == 0:
        return Undefined(Reason.ONE_CLASS)
    return math.fsum(area * weight for area, weight in pairs) / total


def _plain_mean(values: list[object]) -> float | Undefined:
    defined = [value for value in values if isinstance(value, float)]
    return sum_up(defined) / len(defined) if defined else Undefined(Reason.ZERO_WEIGHT)
