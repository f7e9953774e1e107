"""Log loss of multilabel tasks, where a row may have any number of labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.means import Mean
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import CheckedProbabilities, probabilities, row_sums, same_shape
from kullback.scoring.checks import after_checks
from kullback.scoring.class_weights import ClassWeightName, class_weights
from kullback.scoring.conventions import Convention
from kullback.scoring.entries import EntryWeights, entry_weights, ignored_entries, neutral
from kullback.scoring.labels import Label, Labels
from kullback.scoring.log_probabilities import sent_probabilities
from kullback.scoring.losses import binary_gradient, binary_losses, scaled
from kullback.scoring.options import Options
from kullback.scoring.score import Context, Losses, Score, in_unit, score_rows


def multilabel_target(
    y_true: Labels, scores: Array, labels: Sequence[Label] | None, options: Options
) -> CheckedProbabilities:
    """What came true of each label of each row, (n, k), in [0, 1].

    Raises:
        InvalidInput: there is no column for each column of the scores, or no name for each.
    """
    if isinstance(y_true, list):
        raise InvalidInput.at("multilabel y_true is [n][k], one column a label", "y_true")
    if y_true.ndim == scores.shape[1] == 1:
        y_true = y_true.reshape(scores.shape)
    if labels is not None and len(labels) != scores.shape[1]:
        names, columns = len(labels), scores.shape[1]
        raise InvalidInput.at(f"labels names {names} labels but there are {columns}", "labels")
    truth = probabilities("y_true", y_true, options)
    same_shape("y_true", truth.values, "the prediction", scores)
    return truth


@dataclass(frozen=True, slots=True)
class MultilabelOptions:
    """What log loss of labels can be asked: how labels weigh, and which entries count."""

    class_weight: Array | ClassWeightName | None = None
    labels: Sequence[Label] | None = None
    mask: Array | None = None
    ignore_index: int | None = None
    is_log: bool = False


def multilabel(
    y_true: Labels,
    y_proba: Array,
    settings: MultilabelOptions,
    convention: Convention,
    context: Context,
) -> Score:
    """Log loss of independent labels: see log_loss. A row's loss is the mean over its entries."""
    ignored = ignored_entries(y_true, y_proba, settings.ignore_index)
    assert not isinstance(y_true, list)
    name = "log_proba" if settings.is_log else "y_proba"
    entries = entry_weights(name, y_proba, ignored, settings.mask, context.options)
    half = math.log(0.5) if settings.is_log else 0.5
    sent = neutral(y_proba, entries, half)
    checked = sent_probabilities(sent, context.options, is_log=settings.is_log)
    target = neutral(y_true, entries, 0.0)
    truth = multilabel_target(target, checked.values, settings.labels, context.options)
    p, y = checked.values, truth.values
    if isinstance(settings.class_weight, str):
        detail = (
            "class_weight of a multilabel task is one number per label; to balance 0 and 1 within "
            "each label send sample_weight [n][k], of an entry n / (2 · how many are like it)"
        )
        raise InvalidInput.at(detail, "class_weight")
    n, k = p.shape
    logs = None if checked.logs is None else checked.logs.reshape(-1)
    flat, clipped = binary_losses(y.reshape(-1), p.reshape(-1), convention, logs)
    losses = flat.reshape(n, k)
    label_weight = class_weights(settings.class_weight, np.ones(k), None)
    columns = np.ones(k) if label_weight is None else label_weight
    gradient = binary_gradient(y, p, convention, checked.logs) if context.options.gradient else None
    details = _details(losses, p, y, entries, context.options)
    bounded = np.count_nonzero(clipped if entries is None else clipped[entries.counted.reshape(-1)])
    context = after_checks(context, checked, truth, clipped=int(bounded))
    if entries is not None:
        context = replace(context, options=entries.options)
        rows, reduced = entries.rows(losses, columns, gradient)
        return score_rows(rows, details, context, reduced)
    share = None if label_weight is None else np.full(n, columns.sum() / k)
    sums = row_sums(scaled(losses, np.broadcast_to(columns, losses.shape))) / k
    gradient = None if gradient is None else gradient * (columns / k)
    return score_rows(Losses(sums, share, gradient=gradient), details, context)


def _details(
    losses: Array, p: Array, y: Array, entries: EntryWeights | None, options: Options
) -> dict[str, object]:
    k = p.shape[1]
    weight = options.sample_weight if entries is None else entries.row_weight()
    right, miss = (p > 0.5) == (y > 0.5), (p - y) ** 2
    if entries is not None:
        shares = entries.values.sum(axis=1, keepdims=True)
        miss = np.divide(miss * entries.values * k, shares, out=np.zeros_like(p), where=shares > 0)
    per_label = []
    for label in range(k):
        mean = Mean()
        if entries is None:
            mean.add(losses[:, label], weight)
        else:
            kept = entries.counted[:, label]
            mean.add(losses[kept, label], entries.column(label)[kept])
        per_label.append(in_unit(mean.value(), options))
    accuracy, brier = Mean(), Mean()
    accuracy.add(right.all(axis=1), weight)
    brier.add(row_sums(miss) / k, weight)
    present = [mean for mean in per_label if not isinstance(mean, Undefined)]
    return {
        "accuracy": accuracy.value(),
        "brier": brier.value(),
        "macro": sum(present) / len(present) if present else per_label[0],
        "per_label": per_label,
    }
