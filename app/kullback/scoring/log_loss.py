"""Log loss: binary, multiclass and multilabel, under a named convention."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.means import ClassMeans, Mean, blocks, part
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import (
    CheckedDistributions,
    row_sums,
    weights,
)
from kullback.scoring.checks import after_checks
from kullback.scoring.class_details import class_details
from kullback.scoring.class_weights import ClassWeightName, class_counts, class_mass, class_weights
from kullback.scoring.conventions import Convention, ConventionName, chosen_convention
from kullback.scoring.entries import refuse_entries
from kullback.scoring.labels import (
    Label,
    Labels,
    binary_target,
    class_labels,
    flat,
)
from kullback.scoring.log_probabilities import sent_distributions, sent_probabilities
from kullback.scoring.losses import (
    binary_gradient,
    binary_losses,
    has_soft,
    outcome_gradient,
    outcome_losses,
    scaled,
    used_rows,
    weighted_halves,
)
from kullback.scoring.multilabel import MultilabelOptions, multilabel
from kullback.scoring.options import Options
from kullback.scoring.refusals import RENORMALIZE
from kullback.scoring.score import Context, Losses, Score, in_unit, score_rows
from kullback.scoring.task import (
    MULTILABEL,
    Task,
    may_be_multilabel,
    refuse_label_shape,
    refuse_task,
    refuse_unused,
)


@dataclass(frozen=True, slots=True)
class LogLossOptions:
    """What log loss can be asked beside Options."""

    task: Task | None = None
    labels: Sequence[Label] | None = None
    pos_label: Label | None = None
    class_weight: Array | ClassWeightName | None = None
    beta: float | None = None
    convention: ConventionName = "exact"
    epsilon: float | None = None
    is_log: bool = False  # ln p was sent
    mask: Array | None = None
    ignore_index: int | None = None

    @property
    def field(self) -> str:
        """What the predictions are called."""
        return "log_proba" if self.is_log else "y_proba"

    def bounds(self, y_proba: Array) -> Convention:
        """How probabilities that were sent like this are bounded."""
        return chosen_convention(self.convention, self.epsilon, y_proba.dtype)


def log_loss(y_true: Labels, y_proba: Array, settings: LogLossOptions, options: Options) -> Score:
    """The mean surprise at what happened: −ln of the probability given to the true label.

        binary      ℓ = −y ln p − (1 − y) ln(1 − p)
        multiclass  ℓ = −Σₖ yₖ ln pₖ
        multilabel  ℓ = the mean over labels of the binary loss
        value = Σ w·c_y·ℓ / Σ w·c_y        (Σ w·ℓ / Σ w where labels are soft)

    Args:
        y_true: labels (n,), integers or strings, or rows (n, k) of a single 1; soft labels (n,)
            in [0, 1] or rows (n, k) that sum to 1; for multilabel 0..1, (n, k).
        y_proba: P(pos_label) (n,); or rows (n, k) whose columns are `labels`, in that order; or
            their logarithms, if `settings.is_log`, of which no digit is lost.
        settings: task, labels, pos_label, class_weight and the convention for p = 0, or the
            epsilon that p is clipped by; for multilabel the mask (n, k) and the ignore_index of
            entries that do not count.
        options: see Options; `sample_weight` may be of entries (n, k) for multilabel; the gradient
            is with respect to y_proba.

    Returns:
        In [0, ∞] nats; infinite where p = 0 on the truth, under the exact convention.
        `accuracy` (p > ½, or the arg max, ties to the lowest index; every label, for multilabel),
        `brier`, `macro` (the mean of the per-class means), `base_rate`, `per_label`.

    Raises:
        InvalidInput: a probability, a row, a label or a weight is impossible.

    Source: Good, Journal of the Royal Statistical Society B 14 (1952).
    """
    name = settings.field
    if y_proba.size == 0:
        raise InvalidInput.at(f"{name} is empty", name)
    task = settings.task or ("binary" if flat(y_proba).ndim == 1 else "multiclass")
    column = task == "binary" and y_proba.ndim == 2
    y_proba = flat(y_proba) if column else y_proba
    refuse_task(task, name, y_proba)
    n = y_proba.shape[0]
    refuse_label_shape(y_true, name, y_proba, task)
    refuse_unused(task, settings.pos_label, options)
    if task != "multilabel":
        refuse_entries(settings.mask, settings.ignore_index)
        weights("sample_weight", options.sample_weight, n)
    extra = {"task": task, "class_weight": _named(settings)}
    context = Context(
        "log_loss", options, settings.convention, extra, column=column, epsilon=settings.epsilon
    )
    if task == "binary":
        return _binary(y_true, y_proba, settings, context)
    if task == "multilabel":
        convention = settings.bounds(y_proba)
        chosen = MultilabelOptions(
            class_weight=settings.class_weight,
            labels=settings.labels,
            mask=settings.mask,
            ignore_index=settings.ignore_index,
            is_log=settings.is_log,
        )
        return multilabel(y_true, y_proba, chosen, convention, context)
    return _multiclass(y_true, y_proba, settings, context)


def _named(settings: LogLossOptions) -> str | None:
    if settings.class_weight is None or isinstance(settings.class_weight, str):
        return settings.class_weight
    return "given"


def _binary(y_true: Labels, y_proba: Array, settings: LogLossOptions, context: Context) -> Score:
    options = context.options
    checked = sent_probabilities(y_proba, options, is_log=settings.is_log)
    truth = binary_target("y_true", y_true, settings.labels, settings.pos_label, options)
    p, y = checked.values, truth.values
    hard = not has_soft(y)
    convention = settings.bounds(y_proba)
    weight = context.options.sample_weight
    losses, clipped = binary_losses(y, p, convention, checked.logs)
    class_weight = _binary_weights(y, settings, weight)
    accuracy, brier, base_rate, macro = Mean(), Mean(), Mean(), ClassMeans(2)
    for block in blocks(p.size):
        w, label, predicted = part(weight, block), y[block], p[block]
        accuracy.add((predicted > 0.5) == (label > 0.5), w)
        brier.add((predicted - label) ** 2, w)
        base_rate.add(label, w)
        if hard:
            macro.add(losses[block], label.astype(np.int64), w)
    details: dict[str, object] = {
        "accuracy": accuracy.value(),
        "brier": brier.value(),
        "macro": in_unit(macro.value(), context.options) if hard else Undefined(Reason.SOFT_LABELS),
        "base_rate": base_rate.value(),
    }
    gradient = None
    if options.gradient:
        gradient = binary_gradient(y, p, convention, checked.logs)
    share = None
    if class_weight is not None:
        negative, positive = class_weight.tolist()
        row_weight = np.where(y == 1, positive, np.where(y == 0, negative, 1.0))
        if hard:
            share = row_weight
            losses = scaled(losses, row_weight)
            gradient = None if gradient is None else scaled(gradient, row_weight)
        else:
            losses = weighted_halves(y, checked, convention, (negative, positive))
            if options.gradient:
                sides = (negative, positive)
                gradient = binary_gradient(y, p, convention, checked.logs, sides)
        details["class_weights"] = class_weight
    context = after_checks(context, checked, truth, clipped=int(np.count_nonzero(clipped)))
    return score_rows(Losses(losses, share, gradient=gradient), details, context)


def _binary_weights(
    y: Array, settings: LogLossOptions, sample_weight: Array | None
) -> Array | None:
    """The weights of the negative and the positive class; rows of weight 0 do not count."""
    counted = y if sample_weight is None else y[sample_weight > 0]
    mass = float(np.sum(counted))
    counts = np.array([counted.size - mass, mass])
    weight = class_weights(settings.class_weight, counts, settings.beta)
    first = 0 if settings.labels is None else settings.labels[0]
    flipped = settings.pos_label == first
    if weight is not None and flipped and not isinstance(settings.class_weight, str):
        return weight[::-1]  # class_weight follows labels, and the first of them is positive
    return weight


def _multiclass(
    y_true: Labels, y_proba: Array, settings: LogLossOptions, context: Context
) -> Score:
    n, k = y_proba.shape
    remedy = MULTILABEL if may_be_multilabel(y_true, k) else RENORMALIZE
    checked = sent_distributions(y_proba, context.options, remedy, is_log=settings.is_log)
    convention = settings.bounds(y_proba)
    index = class_labels("y_true", y_true, settings.labels, k, context.options)
    if isinstance(index, CheckedDistributions):
        return _soft_rows(index, checked, convention, settings, context)
    p = checked.values
    weight = context.options.sample_weight
    class_weight = None
    if settings.class_weight is not None or settings.beta is not None:
        counts = class_counts(index if weight is None else index[weight > 0], k)
        class_weight = class_weights(settings.class_weight, counts, settings.beta)
    losses, clipped = np.empty(n), 0
    for block in blocks(n):
        logs = part(checked.logs, block)
        losses[block], bounded = outcome_losses(index[block], p[block], convention, logs)
        clipped += int(np.count_nonzero(bounded))
    details: dict[str, object] = {}
    if context.options.details:
        details = class_details(index, p, losses, context.options)
    gradient = None
    if context.options.gradient:
        target = np.zeros_like(p)
        target[np.arange(n), index] = 1.0
        gradient = outcome_gradient(target, p, convention, checked.logs)
    share = None
    if class_weight is not None:
        share = class_weight[index]
        losses = scaled(losses, share)
        gradient = None if gradient is None else scaled(gradient, share[:, None])
        details["class_weights"] = class_weight
    context = after_checks(context, checked, clipped=clipped)
    return score_rows(Losses(losses, share, gradient=gradient), details, context)


def _soft_rows(
    target: CheckedDistributions,
    checked: CheckedDistributions,
    convention: Convention,
    settings: LogLossOptions,
    context: Context,
) -> Score:
    y, p = target.values, checked.values
    k = p.shape[1]
    weight = context.options.sample_weight
    class_weight = class_weights(settings.class_weight, class_mass(y, weight), settings.beta)
    columns = np.ones(k) if class_weight is None else class_weight
    costs, bounded = convention.outcomes(used_rows(p, convention), checked.logs)
    mass = y * columns
    losses = row_sums(scaled(costs, mass))
    accuracy, brier = Mean(), Mean()
    accuracy.add(p.argmax(axis=1) == y.argmax(axis=1), weight)
    brier.add(row_sums((p - y) ** 2), weight)
    details: dict[str, object] = {
        "accuracy": accuracy.value(),
        "brier": brier.value(),
        "macro": Undefined(Reason.SOFT_LABELS),
    }
    if class_weight is not None:
        details["class_weights"] = class_weight
    gradient = None
    if context.options.gradient:
        gradient = outcome_gradient(mass, p, convention, checked.logs)
    clipped = int(np.count_nonzero((bounded & (y > 0)).any(axis=1)))
    context = after_checks(context, checked, target, clipped=clipped)
    return score_rows(Losses(losses, gradient=gradient), details, context)
