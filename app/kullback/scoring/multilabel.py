"""Log loss of multilabel tasks, where a row may have any number of labels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.means import Mean
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import CheckedProbabilities, probabilities, row_sums, same_shape
from kullback.scoring.class_weights import ClassWeightName, class_weights
from kullback.scoring.conventions import Convention
from kullback.scoring.labels import Label, Labels
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
    if isinstance(y_true, list) or y_true.ndim != 2:
        raise InvalidInput.at("multilabel y_true is [n][k], one column a label", "y_true")
    if labels is not None and len(labels) != scores.shape[1]:
        names, columns = len(labels), scores.shape[1]
        raise InvalidInput.at(f"labels names {names} labels but there are {columns}", "labels")
    truth = probabilities("y_true", y_true, options)
    same_shape("y_true", truth.values, "the prediction", scores)
    return truth


def multilabel(
    truth: CheckedProbabilities,
    checked: CheckedProbabilities,
    class_weight: Array | ClassWeightName | None,
    convention: Convention,
    context: Context,
) -> Score:
    """Log loss of independent labels: see log_loss. A row's loss is the mean over its labels."""
    p, y = checked.values, truth.values
    if isinstance(class_weight, str):
        detail = "class_weight of a multilabel task is one number per label"
        raise InvalidInput.at(detail, "class_weight")
    n, k = p.shape
    weight = context.options.sample_weight
    logs = None if checked.logs is None else checked.logs.reshape(-1)
    flat, clipped = binary_losses(y.reshape(-1), p.reshape(-1), convention, logs)
    losses = flat.reshape(n, k)
    per_label = []
    for label in range(k):
        mean = Mean()
        mean.add(losses[:, label], weight)
        per_label.append(in_unit(mean.value(), context.options))
    accuracy, brier = Mean(), Mean()
    accuracy.add(((p > 0.5) == (y > 0.5)).all(axis=1), weight)
    brier.add(row_sums((p - y) ** 2) / k, weight)
    present = [mean for mean in per_label if not isinstance(mean, Undefined)]
    details = {
        "accuracy": accuracy.value(),
        "brier": brier.value(),
        "macro": sum(present) / k if present else per_label[0],
        "per_label": per_label,
    }
    label_weight = class_weights(class_weight, np.ones(k), None)
    share = None
    columns = np.ones(k) if label_weight is None else label_weight
    if label_weight is not None:
        share = np.full(n, columns.sum() / k)
    rows = row_sums(scaled(losses, np.broadcast_to(columns, losses.shape))) / k
    gradient = None
    if context.options.gradient:
        gradient = binary_gradient(y, p, convention, checked.logs) * (columns / k)
    context = replace(
        context, clipped=int(np.count_nonzero(clipped)) + checked.clipped + truth.clipped
    )
    return score_rows(Losses(rows, share, gradient=gradient), details, context)
