"""What stands beside the log loss of classes: accuracy, Brier score, and the mean over classes."""

import numpy as np

from kullback.numerics.means import ClassMeans, Mean, part
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.options import Options
from kullback.scoring.score import in_unit

_ROWS = 1 << 13  # what is made of them stays in cache, by class


def class_details(index: Indices, p: Array, losses: Array, options: Options) -> dict[str, object]:
    """Details of n rows of which `index` are the classes, (n,).

        accuracy = mean of [argmaxₖ pₖ = y], the first where several are largest, in [0, 1]
        brier = mean of Σₖ (pₖ − [k = y])², in [0, 2]
        macro = mean over the classes that occur of their mean loss, in the unit asked for

    Args:
        index: classes (n,).
        p: probabilities (n, k).
        losses: in nats (n,).
        options: the weights of rows and the unit.
    """
    weight, k = options.sample_weight, p.shape[1]
    accuracy, brier, macro = Mean(), Mean(), ClassMeans(k)
    rows = np.arange(min(_ROWS, index.size))
    room = np.empty((k, rows.size))  # by class: a maximum over rows is ten times faster
    for start in range(0, index.size, _ROWS):
        block = slice(start, start + _ROWS)
        w, truth = part(weight, block), index[block]
        own = truth, rows[: truth.size]
        by_class = room[:, : truth.size]
        np.copyto(by_class, p[block].T)
        accuracy.add(_is_largest(own, by_class), w)
        by_class[own] -= 1.0
        brier.add(np.square(by_class, out=by_class).sum(axis=0), w)
        macro.add(losses[block], truth, w)
    return {
        "accuracy": accuracy.value(),
        "brier": brier.value(),
        "macro": in_unit(macro.value(), options),
    }


def _is_largest(own: tuple[Indices, Indices], by_class: Array) -> Flags:
    """Whether each row's own entry is its first largest one."""
    truth, largest = own[0], by_class.max(axis=0)
    if np.count_nonzero(by_class == largest) > truth.size:  # several are, somewhere
        first: Flags = by_class.argmax(axis=0) == truth
        return first
    hits: Flags = by_class[own] == largest
    return hits
