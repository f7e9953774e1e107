"""Focal loss: log loss with less weight on rows that are already predicted well."""

from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_complement, log_softmax, neg_log_complement, softplus
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import (
    RENORMALIZE,
    CheckedProbabilities,
    distributions,
    logit_rows,
    probabilities,
    refuse,
    row_sums,
    same_shape,
    unit_interval,
    weights,
)
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.labels import Labels, binary_target, flat, hard_labels, row_count
from kullback.scoring.options import Options
from kullback.scoring.score import Context, Losses, Score, score_rows
from kullback.scoring.task import MULTILABEL, Task, may_be_multilabel, refuse_task


@dataclass(frozen=True, slots=True)
class FocalOptions:
    """What focal loss can be asked beside Options."""

    task: Task | None = None
    gamma: float = 2.0
    alpha: Array | None = None


@dataclass(frozen=True, slots=True)
class _Truth:
    """ln p and ln(1 − p) of what was true, entry by entry, and what an entry weighs."""

    log_p: Array
    log_miss: Array
    alpha: Array | float


def focal_loss(
    y_true: Labels,
    y_proba: Array | None,
    logits: Array | None,
    settings: FocalOptions,
    options: Options,
) -> Score:
    """Log loss, less for what is already well predicted.

        FL = −α_t (1 − p_t)^γ ln p_t,  p_t the probability of what was true

    Args:
        y_true: 0 or 1 (n,), or (n, k) for multilabel; class indices (n,) for multiclass.
        y_proba: P(1) (n,), rows (n, k) that sum to 1, or P(1) (n, k) for multilabel. Or
        logits: of a sigmoid (n,), of a softmax (n, k), or of sigmoids (n, k) for multilabel.
        settings: gamma γ ≥ 0; alpha: a number weighs class 1 and 1 − alpha class 0, a list weighs
            each class, None weighs nothing.
        options: see Options; the gradient is with respect to the logits or to y_proba.

    Returns:
        In [0, ∞]: nats that are modulated, no longer a proper score. `positives` counts the
        entries that are not of class 0.

    Raises:
        InvalidInput: a probability, a label, gamma or alpha is impossible.

    Source: Lin, Goyal, Girshick, He & Dollár, ICCV (2017), eq. 5.
    """
    name, scores = _sent(y_proba, logits)
    task = settings.task or ("binary" if flat(scores).ndim == 1 else "multiclass")
    column = task == "binary" and scores.ndim == 2
    scores = flat(scores) if column else scores
    refuse_task(task, name, scores)
    n = scores.shape[0]
    if row_count(y_true) != n:
        raise InvalidInput.at(f"y_true has {row_count(y_true)} rows but {name} has {n}", "y_true")
    weight = weights("sample_weight", options.sample_weight, n)
    extra = {
        "task": task,
        "gamma": settings.gamma,
        "alpha": None if settings.alpha is None else settings.alpha.tolist(),
    }
    options = replace(options, sample_weight=weight)
    context = Context("focal_loss", options, conventions=extra, column=column)
    if task == "multiclass":
        return _multiclass(y_true, name, scores, settings, context)
    y = _hard(y_true, scores, options)
    alpha = _per_class(settings.alpha, 2)
    checked = (
        CheckedProbabilities(scores) if name == "logits" else probabilities(name, scores, options)
    )
    context = replace(context, clipped=checked.clipped)
    truth = _bernoulli(name, checked.values, y, alpha)
    losses = _losses(truth, settings.gamma)
    gradient = None
    if options.gradient:
        sign = np.where(y == 1, 1.0, -1.0)
        gradient = sign * _slope(truth, settings.gamma, logits=name == "logits")
    if task == "multilabel":
        gradient = None if gradient is None else gradient / scores.shape[1]
        losses = row_sums(losses) / scores.shape[1]
    details = {"positives": int(np.count_nonzero(y))}
    return score_rows(Losses(losses, gradient=gradient), details, context)


def _sent(y_proba: Array | None, logits: Array | None) -> tuple[str, Array]:
    if y_proba is not None and logits is None:
        return "y_proba", y_proba
    if logits is not None and y_proba is None:
        return "logits", logits
    raise InvalidInput.at("send either y_proba or logits", "y_proba")


def _hard(y_true: Labels, scores: Array, options: Options) -> Array:
    if scores.ndim == 1:
        y = binary_target("y_true", y_true, None, None, options).values
    elif isinstance(y_true, list):
        raise InvalidInput.at("multilabel y_true is [n][k], one column a label", "y_true")
    else:
        y = probabilities("y_true", y_true, options).values
    same_shape("y_true", y, "the prediction", scores)
    refuse("y_true", (y != 0) & (y != 1), lambda at: f"{numeral(y[at])} is neither 0 nor 1")
    return y


def _per_class(alpha: Array | None, k: int) -> Array | None:
    if alpha is None or alpha.ndim:
        return weights("alpha", alpha, k)
    if k != 2:
        raise InvalidInput.at(f"alpha must be a list of {k} numbers, one a class", "alpha")
    share = float(unit_interval("alpha", alpha))
    return np.array([1.0 - share, share])


def _bernoulli(name: str, scores: Array, y: Array, alpha: Array | None) -> _Truth:
    weight = 1.0 if alpha is None else alpha[y.astype(np.int64)]
    if name == "logits":
        x = np.where(y == 1, 1.0, -1.0) * checked_logits("logits", scores)
        return _Truth(0.0 - softplus(-x), 0.0 - softplus(x), weight)
    p = scores
    with np.errstate(divide="ignore"):
        log_p, log_rest = np.log(p), 0.0 - neg_log_complement(p)
    positive = y == 1
    return _Truth(np.where(positive, log_p, log_rest), np.where(positive, log_rest, log_p), weight)


def _losses(truth: _Truth, gamma: float) -> Array:
    """α(1 − p)^γ(−ln p), with α = 0 and (1 − p)⁰ as they should be."""
    with np.errstate(invalid="ignore"):
        power = np.exp(gamma * truth.log_miss) if gamma > 0 else 1.0
        losses = truth.alpha * (power * (0.0 - truth.log_p))
    return np.where(np.asarray(truth.alpha) > 0, losses, 0.0)


def _slope(truth: _Truth, gamma: float, *, logits: bool) -> Array:
    """dFL/dp_t, or dFL/dx_t for a logit: α(1−p)^γ(γ p ln p − (1−p)); 0 where 1 − p is 0."""
    p, miss = np.exp(truth.log_p), np.exp(truth.log_miss)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        power = np.exp(gamma * truth.log_miss) if gamma > 0 else np.ones_like(p)
        if logits:
            inner = np.where(p > 0, gamma * p * truth.log_p, 0.0) - miss
        else:
            inner = np.where(miss > 0, gamma * truth.log_p / miss, 0.0) - 1.0 / p
        slope = truth.alpha * (power * inner)
    done = (miss == 0) & (gamma > 0)
    return np.where(done | (np.asarray(truth.alpha) == 0), 0.0, slope)


def _multiclass(
    y_true: Labels, name: str, scores: Array, settings: FocalOptions, context: Context
) -> Score:
    n, k = scores.shape
    index = hard_labels("y_true", y_true, None, k, context.options)
    alpha = _per_class(settings.alpha, k)
    rows = np.arange(n)
    weight = 1.0 if alpha is None else alpha[index]
    if name == "logits":
        logs = log_softmax(logit_rows("logits", scores)[0])
        truth = _Truth(logs[rows, index], log_complement(logs, index), weight)
    else:
        remedy = MULTILABEL if may_be_multilabel(y_true, k) else RENORMALIZE
        checked = distributions("y_proba", scores, context.options, remedy)
        context = replace(
            context,
            clipped=checked.clipped,
            renormalized=checked.renormalized,
            max_sum_error=checked.max_sum_error,
        )
        p = np.minimum(checked.values[rows, index], 1.0)
        with np.errstate(divide="ignore"):
            truth = _Truth(np.log(p), 0.0 - neg_log_complement(p), weight)
    losses = _losses(truth, settings.gamma)
    gradient = None
    if context.options.gradient and name == "logits":
        gradient = _softmax_gradient(truth, logs, index, settings.gamma)
    elif context.options.gradient:
        gradient = np.zeros((n, k))
        gradient[rows, index] = _slope(truth, settings.gamma, logits=False)
    details = {"positives": int(np.count_nonzero(index))}
    return score_rows(Losses(losses, gradient=gradient), details, context)


def _softmax_gradient(truth: _Truth, logs: Array, index: Indices, gamma: float) -> Array:
    """α(1−p_y)^{γ−1}(γ p_y ln p_y − (1−p_y))(1{j=y} − p_j), the class itself as minus the rest."""
    slope = _slope(truth, gamma, logits=True)
    rows = np.arange(index.size)
    share = np.exp(logs)
    share[rows, index] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        share /= share.sum(axis=1, keepdims=True)  # p_j / (1 − p_y)
    gradient = np.where(slope[:, None] == 0, 0.0, 0.0 - slope[:, None] * share)
    gradient[rows, index] = 0.0 - gradient.sum(axis=1)
    return gradient
