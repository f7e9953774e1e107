"""Mutual information as classifiers and scores of pairs bound it."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax, log_sum_exp
from kullback.numerics.means import weighted_mean
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import (
    logit_rows,
    refuse_ruled_out,
    shown,
    weights,
)
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.information_rows import entropy_rows
from kullback.scoring.labels import Labels
from kullback.scoring.options import Options
from kullback.scoring.pc_softmax import (
    corrected_gradient,
    labels_of,
    log_prior_of,
    pointwise_information,
    possible,
)
from kullback.scoring.score import Context, Losses, Score, in_unit, reduce_rows, score_rows

LogitKind = Literal["posterior", "pc"]
PairEstimator = Literal["infonce", "dv", "nwj"]


def information_of_classifier(
    logits: Array,
    y_true: Labels,
    prior: Array | None,
    logit_kind: LogitKind | None,
    options: Options,
) -> Score:
    """A lower bound, in the mean, on the information that inputs carry about labels.

        posterior  ln softmax(z)_y − ln π_y      (networks trained with cross-entropy)
        pc         z_y − ln Σⱼ πⱼ e^{zⱼ}         (networks trained with the PC-softmax loss)

    Args:
        logits: z, shape (n, k).
        y_true: class indices (n,).
        prior: π (k,), sums to 1; uniform where None.
        logit_kind: which of the two z is; needed unless π is uniform, where both are the same.
        options: see Options; the gradient is 1{j = y} minus softmax(z), or softmax(z + ln π).

    Returns:
        At most H(Y) in the mean, nats; may be negative. `entropy_y` and `upper_bound` are H(π),
        `cross_entropy` the mean of −ln p(y|x), `per_row` the pointwise information.

    Raises:
        InvalidInput: the prior is no distribution of k classes, a label has π = 0, or the kind
            of logits is not said.

    Source: Qin, Kim & Gedeon, arXiv:1911.10688 (2019); Barber & Agakov, NIPS (2003).
    """
    z, single = logit_rows("logits", logits)
    n, k = z.shape
    index = labels_of(y_true, z, options)
    log_prior = log_prior_of(prior, k, options)
    possible(index, z, log_prior)
    kind = _kind(logit_kind, log_prior)
    options = replace(options, sample_weight=weights("sample_weight", options.sample_weight, n))
    if kind == "posterior":
        log_p = log_softmax(z)[np.arange(n), index]
        information = log_p - log_prior[index]
        slope = corrected_gradient(z, index, np.zeros(k)) if options.gradient else None
    else:
        information = pointwise_information(z, index, log_prior)
        log_p = information + log_prior[index]
        slope = corrected_gradient(z, index, log_prior) if options.gradient else None
    prior_share = np.exp(log_prior)
    entropy_y = float(entropy_rows((prior_share / prior_share.sum())[None], None)[0])
    cross_entropy = weighted_mean(0.0 - log_p, options.sample_weight)
    details = {
        "entropy_y": entropy_y / options.nats,
        "cross_entropy": in_unit(cross_entropy, options),
        "upper_bound": entropy_y / options.nats,
        "estimator": "prior_corrected" if kind == "posterior" else "pc_softmax",
    }
    context = Context("mutual_information", options, single=single)
    gradient = None if slope is None else 0.0 - slope
    return score_rows(Losses(information, gradient=gradient), details, context)


def _kind(logit_kind: LogitKind | None, log_prior: Array) -> LogitKind:
    if logit_kind is not None:
        return logit_kind
    if np.ptp(np.exp(log_prior)) > 1e-12:
        detail = (
            "say whether the logits are of a posterior (trained with cross-entropy) or of the "
            "PC-softmax (pc): with a prior that is not uniform they mean different things"
        )
        raise InvalidInput.at(detail, "logit_kind")
    return "posterior"


@dataclass(frozen=True, slots=True)
class _Bound:
    """A bound as rows whose mean it is, or as one number; and its gradient."""

    rows: Array
    gradient: Array
    upper: float | Undefined
    has_error: bool


def information_of_pairs(scores: Array, estimator: PairEstimator, options: Options) -> Score:
    """A lower bound on mutual information from scores of pairs, those on the diagonal joint.

        infonce  ln n + mean(f_ii − ln Σⱼ e^{f_ij})          at most ln n
        dv       mean f_ii − ln mean_{i≠j} e^{f_ij}
        nwj      mean f_ii − e⁻¹ mean_{i≠j} e^{f_ij}

    Args:
        scores: f, shape (n, n).
        estimator: which bound.
        options: see Options; the gradient is with respect to f.

    Returns:
        Nats; may be negative. `upper_bound` is ln n for infonce, else undefined (`unbounded`).
        The standard error is that of the mean over rows, for infonce.

    Raises:
        InvalidInput: the table is not square, or dv and nwj have a single row.

    Source: van den Oord et al., arXiv:1807.03748 (2018); Donsker & Varadhan (1983); Nguyen,
        Wainwright & Jordan, IEEE Transactions on Information Theory 56 (2010).
    """
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1]:
        detail = f"pair_scores has shape {shown(scores)}; [n][n] is expected"
        raise InvalidInput.at(detail, "pair_scores")
    f = checked_logits("pair_scores", scores)
    refuse_ruled_out("pair_scores", f)
    if options.sample_weight is not None:
        detail = "sample_weight does not apply to pair scores"
        raise InvalidInput.at(detail, "sample_weight")
    if estimator != "infonce" and f.shape[0] < 2:
        raise InvalidInput.at(f"{estimator} needs two rows", "pair_scores")
    bound = {"infonce": _infonce, "dv": _donsker_varadhan, "nwj": _nwj}[estimator](f)
    upper = bound.upper
    details = {"upper_bound": in_unit(upper, options), "estimator": estimator}
    rows = Losses(bound.rows, gradient=bound.gradient if options.gradient else None)
    reduced = reduce_rows(rows, None)
    if not bound.has_error:
        reduced = replace(reduced, standard_error=None)
    return score_rows(rows, details, Context("mutual_information", options), reduced)


def _infonce(f: Array) -> _Bound:
    n = f.shape[0]
    log_p = log_softmax(f)
    gradient = 0.0 - np.exp(log_p)
    np.fill_diagonal(gradient, 0.0)
    np.fill_diagonal(gradient, -gradient.sum(axis=1))
    return _Bound(math.log(n) + np.diagonal(log_p), gradient, math.log(n), has_error=True)


def _off_diagonal(f: Array) -> Array:
    masked = f.copy()
    np.fill_diagonal(masked, -np.inf)
    return masked


def _donsker_varadhan(f: Array) -> _Bound:
    n = f.shape[0]
    others = _off_diagonal(f)
    with np.errstate(over="ignore"):  # a gap beyond a double is −∞
        log_total = log_sum_exp(others.reshape(1, -1))[0]
    log_mean = log_total - math.log(n * (n - 1))
    with np.errstate(invalid="ignore", over="ignore"):
        gradient = np.where(others > -np.inf, -n * np.exp(others - log_total), 0.0)
    np.fill_diagonal(gradient, 1.0)
    with np.errstate(over="ignore"):
        rows = np.diagonal(f) - log_mean
    return _Bound(rows, gradient, Undefined(Reason.UNBOUNDED), has_error=False)


def _nwj(f: Array) -> _Bound:
    n = f.shape[0]
    others = _off_diagonal(f)
    with np.errstate(over="ignore"):
        grown = np.exp(others - 1.0)
        mean = grown.sum() / (n * (n - 1))
    gradient = -grown / (n - 1)
    np.fill_diagonal(gradient, 1.0)
    rows = np.diagonal(f) - mean
    return _Bound(rows, gradient, Undefined(Reason.UNBOUNDED), has_error=False)
