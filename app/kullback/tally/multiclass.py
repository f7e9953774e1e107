"""Terms of a multiclass task: what each row adds to a tally."""

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.scoring.conventions import CONVENTIONS
from kullback.scoring.losses import outcome_losses
from kullback.tally.binary import bins_of, without_infinite
from kullback.tally.tally import Layout
from kullback.tally.terms import Outcomes, Terms


def multiclass_terms(
    layout: Layout, classes: Indices | None, proba: Array, w: Array | None, units: Indices | None
) -> Terms:
    """The terms of rows with true class c and predictions p₁…p_k.

        loss = −ln p_c under the layout's convention        error = Σₖ (pₖ − 1{k = c})²

    As outcome and prediction stand whether the most probable class was right (ties to the lowest
    index) and its probability.

    Args:
        layout: of a multiclass task.
        classes: indices of the true classes (n,), or None where they are not known yet.
        proba: rows (n, k) that sum to 1.
        w: weights ≥ 0 (n,), or None.
        units: the bucket of each row's unit (n,), or None.
    """
    top = proba.argmax(axis=1)
    confidence = np.minimum(proba[np.arange(top.size), top], 1.0)
    outcomes = None
    if classes is not None:
        loss, clipped = outcome_losses(classes, proba, CONVENTIONS[layout.convention])
        loss, infinite = without_infinite(loss, w)
        right = np.where(top == classes, 1.0, 0.0)
        outcomes = Outcomes(right, loss, _errors(classes, proba), clipped, infinite, classes)
    return Terms(layout, confidence, bins_of(confidence), w, units, proba, outcomes)


def _errors(classes: Indices, proba: Array) -> Array:
    distance = proba.copy()
    distance[np.arange(classes.size), classes] -= 1.0
    # one after the other: classes without mass behind the others change no bit of it
    errors: Array = np.add.accumulate(np.square(distance), axis=1)[:, -1]
    return errors
