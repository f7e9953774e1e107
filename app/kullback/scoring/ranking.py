"""Ranking: the area under the ROC curve, of all rows and within groups."""

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined


def auc(p: Array, y: Array, weight: Array | None) -> float | Undefined:
    """The chance that a positive row is scored above a negative one, ties counting half.

        AUC = Σᵢ Σⱼ w⁺ᵢ w⁻ⱼ (1{pᵢ > pⱼ} + ½ 1{pᵢ = pⱼ}) / (Σ w⁺ · Σ w⁻),  w⁺ = wy, w⁻ = w(1 − y)

    A soft label is y of a positive row and 1 − y of a negative one, as aggregated rows are.

    Args:
        p: scores (n,).
        y: outcomes in [0, 1] (n,).
        weight: of each row (n,), or None.

    Returns:
        In [0, 1]; undefined (`one_class`) without positives or without negatives.

    Source: Hanley & McNeil, Radiology 143 (1982).
    """
    return _areas(p, y, weight, np.zeros(p.size, dtype=np.int64), 1)[0]


def group_aucs(
    p: Array, y: Array, weight: Array | None, group: Indices, groups: int
) -> list[float | Undefined]:
    """The AUC within each of the groups 0..groups−1."""
    return _areas(p, y, weight, group, groups)


def _areas(
    p: Array, y: Array, weight: Array | None, group: Indices, groups: int
) -> list[float | Undefined]:
    w = np.ones_like(p) if weight is None else weight
    order = np.lexsort((p, group)) if groups > 1 else np.argsort(p, kind="stable")
    p, y, w, group = p[order], y[order], w[order], group[order]
    fresh = np.empty(p.size, dtype=np.bool_)
    fresh[:1] = True
    fresh[1:] = (p[1:] != p[:-1]) | (group[1:] != group[:-1])
    ties = np.flatnonzero(fresh)
    positive = np.add.reduceat(w * y, ties)
    negative = np.add.reduceat(w * (1.0 - y), ties)
    owner = group[ties]
    positives, negatives = (np.bincount(owner, of, groups) for of in (positive, negative))
    # by a power of two for each group: beside a heavy group the sums of a light one would be lost
    up, down = -np.frexp(positives)[1], -np.frexp(negatives)[1]
    positive, negative = np.ldexp(positive, up[owner]), np.ldexp(negative, down[owner])
    below = np.cumsum(negative) - negative
    first = np.searchsorted(owner, np.arange(groups), side="left")
    present = first < owner.size
    base = np.where(present, below[np.minimum(first, owner.size - 1)], 0.0)
    won = positive * (below - base[owner] + 0.5 * negative)
    wins = np.bincount(owner, won, groups)
    pairs = np.ldexp(positives, up) * np.ldexp(negatives, down)
    return [
        win / pair if pair > 0 else Undefined(Reason.ONE_CLASS)
        for win, pair in zip(wins.tolist(), pairs.tolist(), strict=True)
    ]
