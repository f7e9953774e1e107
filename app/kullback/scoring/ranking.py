"""Ranking: the area under the ROC curve, of all rows and within groups."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Indices, Undefined


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows in order of group, and of score within a group.

    `order` (n,) are the rows, the lowest score of a group first; `groups` (g,) and `ties` (t,)
    are the places in that order where a group, and where a run of equal scores begins.
    """

    order: Indices
    groups: Indices
    ties: Indices

    @classmethod
    def of(cls, score: Array, group: Indices | None = None) -> Self:
        """The ranking of all rows, or within groups that have any integers as ids."""
        order = np.argsort(score, kind="stable")
        if group is not None:
            return cls._grouped(score, group, order)
        return cls(order, np.zeros(1, np.int64), np.flatnonzero(_steps(score[order])))

    @classmethod
    def _grouped(cls, score: Array, group: Indices, by_score: Indices) -> Self:
        order = by_score[np.argsort(group[by_score], kind="stable")]
        fresh = _steps(group[order])
        return cls(order, np.flatnonzero(fresh), np.flatnonzero(fresh | _steps(score[order])))

    def within(self, score: Array, group: Indices) -> Self:
        """The ranking within groups, from that of all rows: sorting takes most of the time."""
        return self._grouped(score, group, self.order)

    def areas(self, y: Array, w: Array) -> Array:
        """The AUC of each group (g,), nan without positives or without negatives.

        Args:
            y: outcomes in [0, 1], in this order (n,).
            w: weights, in this order (n,).
        """
        first = np.searchsorted(self.ties, self.groups)
        owner = np.repeat(np.arange(first.size), np.diff(first, append=self.ties.size))
        positive = np.add.reduceat(w * y, self.ties)
        negative = np.add.reduceat(w * (1.0 - y), self.ties)
        positives, negatives = (np.add.reduceat(of, first) for of in (positive, negative))
        # by a power of two for each group: beside a heavy group those of a light one would be lost
        up, down = -np.frexp(positives)[1], -np.frexp(negatives)[1]
        positive, negative = np.ldexp(positive, up[owner]), np.ldexp(negative, down[owner])
        positives, negatives = np.ldexp(positives, up), np.ldexp(negatives, down)
        steps = negative.copy()
        steps[first[1:]] -= negatives[:-1]  # back to 0 after each group: a long sum loses digits
        below = np.cumsum(steps) - negative
        won = positive * (below - below[first][owner] + 0.5 * negative)
        pairs = positives * negatives
        areas = np.full(first.size, np.nan)
        np.divide(np.add.reduceat(won, first), pairs, out=areas, where=pairs > 0)
        return areas


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
    return area(Ranking.of(p), y, weight)


def area(ranking: Ranking, y: Array, weight: Array | None) -> float | Undefined:
    """See auc; the ranking is that of all rows."""
    w = np.ones_like(y) if weight is None else weight[ranking.order]
    value = float(ranking.areas(y[ranking.order], w)[0])
    return Undefined(Reason.ONE_CLASS) if np.isnan(value) else value


def _steps(values: Array | Indices) -> Flags:
    """Where sorted values begin or change."""
    fresh = np.empty(values.size, dtype=np.bool_)
    fresh[:1] = True
    np.not_equal(values[1:], values[:-1], out=fresh[1:])
    return fresh
