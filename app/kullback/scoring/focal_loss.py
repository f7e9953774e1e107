"""Focal loss: log loss with less weight on rows that are already predicted well."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_complement, log_softmax
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import (
    CheckedDistributions,
    CheckedProbabilities,
    distributions,
    logit_rows,
    probabilities,
    row_sums,
    same_shape,
    unit_interval,
    weights,
)
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.checks import after_checks
from kullback.scoring.entries import (
    EntryWeights,
    entry_weights,
    ignored_entries,
    neutral,
    refuse_entries,
)
from kullback.scoring.focal_score import FocalNormalizer, Positives, focal_score
from kullback.scoring.focal_terms import (
    Truth,
    focal_slopes,
    focal_terms,
    log_others,
    log_pairs,
    soft_softmax_gradient,
    soft_terms,
    softmax_gradient,
)
from kullback.scoring.labels import Label, Labels, binary_target, class_labels, flat
from kullback.scoring.losses import scaled
from kullback.scoring.options import Options
from kullback.scoring.refusals import RENORMALIZE
from kullback.scoring.score import Context, Losses, Score
from kullback.scoring.task import (
    MULTILABEL,
    Task,
    may_be_multilabel,
    refuse_label_shape,
    refuse_task,
    refuse_unused,
)


@dataclass(frozen=True, slots=True)
class FocalOptions:
    """What focal loss can be asked beside Options."""

    task: Task | None = None
    gamma: float = 2.0
    alpha: Array | None = None
    labels: Sequence[Label] | None = None
    label_smoothing: float = 0.0
    normalizer: FocalNormalizer = "rows"
    mask: Array | None = None
    ignore_index: int | None = None


def focal_loss(
    y_true: Labels,
    y_proba: Array | None,
    logits: Array | None,
    settings: FocalOptions,
    options: Options,
) -> Score:
    """Log loss, less for what is already well predicted.

        FL = −α_t (1 − p_t)^γ ln p_t,  p_t the probability of what was true
        soft rows    FL = −Σ_c α_c t_c (1 − p_c)^γ ln p_c
        soft shares  FL = α_t (1 − p_t)^γ (−y ln p − (1 − y) ln(1 − p)),
                     p_t = y p + (1 − y)(1 − p),  α_t = y α₁ + (1 − y) α₀

    Args:
        y_true: labels (n,), also soft in [0, 1]; (n, k) for multilabel; classes (n,) or rows (n, k)
            for multiclass.
        y_proba: P(1) (n,), rows (n, k) that sum to 1, or P(1) (n, k) for multilabel. Or
        logits: of a sigmoid (n,), of a softmax (n, k), or of sigmoids (n, k) for multilabel.
        settings: gamma γ ≥ 0; alpha: a number weighs class 1 and 1 − alpha class 0, a list weighs
            each class, None weighs nothing; label_smoothing ε: t = (1 − ε) y + ε/k (k = 2 where y
            is a share); the normalizer of the mean: rows, or how much is positive, at least 1;
            for multilabel the mask (n, k) and the ignore_index of entries that do not count.
        options: see Options; `sample_weight` may be of entries (n, k) for multilabel; the gradient
            is with respect to the logits or to y_proba.

    Returns:
        In [0, ∞]: nats that are modulated, no longer a proper score. `positives` counts the
        entries that are not of class 0, soft ones in parts, `normalizer` is what the mean divides
        by.

    Raises:
        InvalidInput: a probability, a label, gamma or alpha is impossible.

    Source: Lin, Goyal, Girshick, He & Dollár, ICCV (2017), eq. 5; the soft forms as in Keras 3.
    """
    name, scores = _sent(y_proba, logits)
    task = settings.task or ("binary" if flat(scores).ndim == 1 else "multiclass")
    column = task == "binary" and scores.ndim == 2
    scores = flat(scores) if column else scores
    refuse_task(task, name, scores)
    n = scores.shape[0]
    refuse_unused(task, None, options)
    refuse_label_shape(y_true, name, scores, task)
    if settings.normalizer == "positives" and options.reduction == "sum":
        raise InvalidInput.at("a sum is not divided by a normalizer", "normalizer")
    entries = None
    if task == "multilabel":
        ignored = ignored_entries(y_true, scores, settings.ignore_index)
        entries = entry_weights(name, scores, ignored, settings.mask, options)
    else:
        refuse_entries(settings.mask, settings.ignore_index)
        weights("sample_weight", options.sample_weight, n)
    extra = {
        "task": task,
        "gamma": settings.gamma,
        "alpha": None if settings.alpha is None else settings.alpha.tolist(),
        "label_smoothing": settings.label_smoothing,
        "normalizer": settings.normalizer,
    }
    context = Context("focal_loss", options, conventions=extra, column=column)
    if task == "multiclass":
        return _multiclass(y_true, name, scores, settings, context)
    return _bernoulli(y_true, name, scores, (settings, entries), context)


def _sent(y_proba: Array | None, logits: Array | None) -> tuple[str, Array]:
    if y_proba is not None and logits is None:
        return "y_proba", y_proba
    if logits is not None and y_proba is None:
        return "logits", logits
    raise InvalidInput.at("send either y_proba or logits", "y_proba")


def _per_class(alpha: Array | None, k: int) -> Array | None:
    if alpha is not None and not alpha.ndim and alpha < 0:
        raise InvalidInput.at(
            f"{numeral(float(alpha), 0.0)} is no weight: leave alpha out for none", "alpha"
        )
    if alpha is None or alpha.ndim:
        return weights("alpha", alpha, k)
    if k != 2:
        raise InvalidInput.at(f"alpha must be a list of {k} numbers, one a class", "alpha")
    share = float(unit_interval("alpha", alpha))
    return np.array([1.0 - share, share])


def _bernoulli(
    y_true: Labels,
    name: str,
    scores: Array,
    chosen: tuple[FocalOptions, EntryWeights | None],
    context: Context,
) -> Score:
    """Of independent yes-or-no outcomes: one a row (n,), or one for each label (n, k)."""
    settings, entries = chosen
    options, of_logits = context.options, name == "logits"
    truth = _shares(y_true, scores, settings, entries, options)
    scores = neutral(scores, entries, 0.5)
    if of_logits:
        checked = CheckedProbabilities(checked_logits(name, scores))
    else:
        checked = probabilities(name, scores, options)
    context = after_checks(context, checked, truth)
    y = (1.0 - settings.label_smoothing) * truth.values + settings.label_smoothing / 2
    alpha = _per_class(settings.alpha, 2)
    pair = log_pairs(checked.values, of_logits=of_logits)
    hard, positive = (y == 0) | (y == 1), y == 1
    hard_truth = Truth(
        np.where(positive, *pair),
        np.where(positive, *pair[::-1]),
        1.0 if alpha is None else alpha[positive.astype(np.int64)],
    )
    losses = focal_terms(hard_truth, settings.gamma)
    gradient = None
    if options.gradient:
        slopes = focal_slopes(hard_truth, settings.gamma, of_logits=of_logits)
        gradient = np.where(positive, slopes, 0.0 - slopes)
    if not hard.all():
        soft, slopes = soft_terms(pair, y, alpha, settings.gamma)
        losses = np.where(hard, losses, soft)
        if gradient is not None:
            chain = np.exp(pair[0] + pair[1]) if of_logits else 1.0
            gradient = np.where(hard, gradient, slopes * chain)
    if entries is not None:
        context = replace(context, options=entries.options)
    if scores.ndim == 1:
        rows, positives = Losses(losses, gradient=gradient), Positives.of(truth.values)
    else:
        rows, positives = _entry_rows(losses, gradient, truth.values, entries)
    return focal_score(rows, positives, settings.normalizer, context)


def _shares(
    y_true: Labels,
    scores: Array,
    settings: FocalOptions,
    entries: EntryWeights | None,
    options: Options,
) -> CheckedProbabilities:
    if scores.ndim == 1:
        truth = binary_target("y_true", y_true, settings.labels, None, options)
    else:
        assert not isinstance(y_true, list)
        y_true = y_true.reshape(scores.shape)
        truth = probabilities("y_true", neutral(y_true, entries, 0.0), options)
    same_shape("y_true", truth.values, "the prediction", scores)
    return truth


def _entry_rows(
    losses: Array, gradient: Array | None, y: Array, entries: EntryWeights | None
) -> tuple[Losses, Positives]:
    """Rows whose loss is the mean over their labels."""
    share = 1.0 / y.shape[1]  # of a row, in each of its entries
    if entries is None:
        gradient = None if gradient is None else gradient * share
        return Losses(row_sums(losses) * share, gradient=gradient), Positives(
            row_sums(y) * share, float(y.sum()), share
        )
    rows, reduced = entries.rows(losses, np.ones(y.shape[1]), gradient)
    mass = row_sums(y * entries.values) * share
    total = float(y[entries.counted].sum())
    return rows, Positives(mass, total, share, reduced.weight if entries.own else None)


def _multiclass(
    y_true: Labels, name: str, scores: Array, settings: FocalOptions, context: Context
) -> Score:
    n, k = scores.shape
    options, of_logits = context.options, name == "logits"
    target = class_labels("y_true", y_true, settings.labels, k, options)
    alpha = _per_class(settings.alpha, k)
    if of_logits:
        logs = log_softmax(logit_rows("logits", scores)[0])
        p = np.empty((0, k))
    else:
        remedy = MULTILABEL if may_be_multilabel(y_true, k) else RENORMALIZE
        checked = distributions("y_proba", scores, options, remedy)
        context = after_checks(context, checked)
        p = np.minimum(checked.values, 1.0)
        logs = np.empty((0, k))
    if isinstance(target, CheckedDistributions) or settings.label_smoothing > 0:
        return _soft(target, (p, logs), alpha, settings, context)
    rows, index = np.arange(n), target
    weight = 1.0 if alpha is None else alpha[index]
    if of_logits:
        truth = Truth(logs[rows, index], log_complement(logs, index), weight)
    else:
        truth = Truth(*log_pairs(p[rows, index], of_logits=False), weight)
    losses = focal_terms(truth, settings.gamma)
    gradient = None
    if options.gradient and of_logits:
        gradient = softmax_gradient(truth, logs, index, settings.gamma)
    elif options.gradient:
        gradient = np.zeros((n, k))
        gradient[rows, index] = focal_slopes(truth, settings.gamma, of_logits=False)
    positives = Positives.of((index > 0).astype(np.float64))
    return focal_score(Losses(losses, gradient=gradient), positives, settings.normalizer, context)


def _soft(
    target: CheckedDistributions | Indices,
    prediction: tuple[Array, Array],
    alpha: Array | None,
    settings: FocalOptions,
    context: Context,
) -> Score:
    """Of rows of targets t: Σ_c t_c FL_c."""
    p, logs = prediction
    k, gamma = p.shape[1], settings.gamma
    of_logits = p.size == 0
    if isinstance(target, CheckedDistributions):
        y, context = target.values, after_checks(context, target)
    else:
        y = np.eye(k)[target]
    t = (1.0 - settings.label_smoothing) * y + settings.label_smoothing / k
    pair = (logs, log_others(logs)) if of_logits else log_pairs(p, of_logits=False)
    truth = Truth(*pair, 1.0 if alpha is None else alpha)
    losses = row_sums(scaled(focal_terms(truth, gamma), t))
    gradient = None
    if context.options.gradient:
        slopes = scaled(focal_slopes(truth, gamma, of_logits=of_logits), t)
        gradient = soft_softmax_gradient(slopes, truth, t, gamma) if of_logits else slopes
    rows = Losses(losses, gradient=gradient)
    return focal_score(rows, Positives.of(1.0 - y[:, 0]), settings.normalizer, context)
