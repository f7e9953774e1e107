"""A multilabel task: what each row adds to a tally, and what a tally says of each label."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.numerics.isotonic import binary_entropy
from kullback.numerics.types import Array, Flags, Indices, Undefined
from kullback.scoring.arrays import row_sums
from kullback.tally.binary import bins_of, entry_losses, without_infinite
from kullback.tally.exact import real
from kullback.tally.functionals import ONE_CLASS, log_loss, missing
from kullback.tally.tally import Layout, Tally
from kullback.tally.terms import LabelOutcomes, Outcomes, Terms


@dataclass(frozen=True, slots=True)
class LabelMeans:
    """Weighted means of one label over rows; the loss in nats, infinite where that of a row is."""

    base_rate: float | Undefined
    mean_prediction: float | Undefined
    log_loss: float | Undefined


def multilabel_terms(
    layout: Layout, y: Array | None, proba: Array, w: Array | None, units: Indices | None
) -> Terms:
    """The terms of rows with outcomes y₁…y_l and predictions p₁…p_l, a mean over labels each.

        loss = 1/l Σₖ (−yₖ ln pₖ − (1 − yₖ) ln(1 − pₖ)) under the layout's convention
        error = 1/l Σₖ (yₖ − pₖ)²      y = 1/l Σₖ yₖ      p = 1/l Σₖ pₖ

    Args:
        layout: of a multilabel task with l labels.
        y: outcomes in [0, 1] (n, l), or None where they are not known yet.
        proba: P(label) in [0, 1] (n, l).
        w: weights ≥ 0 (n,), or None.
        units: the bucket of each row's unit (n,), or None.
    """
    proba = np.ascontiguousarray(proba)
    bins = bins_of(proba.reshape(-1)).reshape(proba.shape)
    outcomes = None if y is None else _outcomes(layout, np.ascontiguousarray(y), proba, w)
    return Terms(layout, _means(proba), bins, w, units, proba, outcomes)


def _outcomes(layout: Layout, y: Array, proba: Array, w: Array | None) -> Outcomes:
    flat, bounded = entry_losses(layout, y.reshape(-1), proba.reshape(-1))
    entries = flat.reshape(proba.shape)
    loss, infinite = without_infinite(_means(entries), w)
    weights = None if w is None else w[:, None]
    labels = LabelOutcomes(y, *without_infinite(entries, weights))
    error = y - proba
    error = _means(np.square(error, out=error))
    clipped: Flags = np.logical_or.reduce(bounded.reshape(proba.shape), axis=1)
    return Outcomes(_means(y), loss, error, clipped, infinite, labels=labels)


def _means(values: Array) -> Array:
    """The mean of each row, as scores have it."""
    means: Array = row_sums(values) / values.shape[1]
    return means


def label_normalized_entropy(tally: Tally) -> float | Undefined:
    """NE = (Σ wl / Σ w) / (1/l Σₖ H_b(qₖ)), qₖ = Σ w·yₖ / Σ w the base rate of each label.

    There is no standard error: a tally lacks the products of labels with each other.

    Args:
        tally: of a multilabel task.

    Returns:
        At least 0; 1 is as good as always predicting the base rates; infinite where a loss is.
        Undefined: `empty`, `zero_weight`, `one_class` where no label has both outcomes.

    Source: He et al., ADKDD (2014), §3, for one label.
    """
    nothing = missing(tally)
    if nothing:
        return nothing
    rates = _shares(tally, "class_w").tolist()
    entropy = math.fsum(map(binary_entropy, rates)) / tally.layout.classes
    loss = log_loss(tally).value
    assert not isinstance(loss, Undefined)
    return loss / entropy if entropy > 0 else ONE_CLASS


def label_means(tally: Tally) -> list[LabelMeans]:
    """The means of each label, in their order."""
    nothing = missing(tally)
    if nothing:
        return [LabelMeans(nothing, nothing, nothing)] * tally.layout.classes
    infinite = tally.vector("class_infinite").reals(tally.layout.classes) > 0
    losses = np.where(infinite, math.inf, _totals(tally, "class_wl") / real(tally.scalar("w")))
    columns = (_shares(tally, "class_w"), _shares(tally, "class_wp"), losses)
    return [LabelMeans(*row) for row in zip(*(each.tolist() for each in columns), strict=True)]


def label_masses(tally: Tally) -> tuple[Array, float]:
    """Σ w·yₖ of each label (l,), and the share of rows that have at least one label, at least.

    Labels of one row may come together: no more is known than that of the most frequent one.
    """
    masses, weight = _totals(tally, "class_w"), real(tally.scalar("w"))
    return masses, min(float(masses.max()) / weight, 1.0) if weight > 0 else 0.0


def _totals(tally: Tally, name: str) -> Array:
    return tally.vector(name).reals(tally.layout.classes)


def _shares(tally: Tally, name: str) -> Array:
    shares: Array = np.minimum(_totals(tally, name) / real(tally.scalar("w")), 1.0)
    return shares
