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

    def areas(self, y: Array, weight: Array | None) -> Array:
        """The AUC of each group (g,), nan without positives or without negatives.

        Args:
            y: outcomes in [0, 1], in this order (n,).
            weight: of each row, in this order (n,), or None.
        """
        first = np.searchsorted(self.ties, self.groups)
        sizes = np.diff(first, append=self.ties.size)
        rest = 1.0 - y
        positive = np.add.reduceat(y if weight is None else weight * y, self.ties)
        negative = np.add.reduceat(rest if weight is None else weight * rest, self.ties)
        positives, negatives = (np.add.reduceat(of, first) for of in (positive, negative))
        # by a power of two for each group: beside a heavy group those of a light one would be lost
        up, down = _near_one(positives), _near_one(negatives)
        positive *= np.repeat(up, sizes)
        negative *= np.repeat(down, sizes)
        positives, negatives = positives * up, negatives * down
        below = negative.copy()
        below[first[1:]] -= negatives[:-1]  # back to 0 after each group: a long sum loses digits
        np.cumsum(below, out=below)
        below -= np.repeat(below[first] - negative[first], sizes)
        below -= 0.5 * negative
        won = np.add.reduceat(np.multiply(positive, below, out=below), first)
        pairs = positives * negatives
        areas = np.full(first.size, np.nan)
        np.divide(won, pairs, out=areas, where=pairs > 0)
        np.minimum(areas, 1.0, out=areas)  # rounding may pass it
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
    order = ranking.order
    value = float(ranking.areas(y[order], None if weight is None else weight[order])[0])
    return Undefined(Reason.ONE_CLASS) if np.isnan(value) else value


def _near_one(sums: Array) -> Array:
    """Powers of two that bring sums between ½ and 1, or as near as a double can."""
    return np.ldexp(1.0, np.minimum(-np.frexp(sums)[1], 1023))


def _steps(values: Array | Indices) -> Flags:
    """Where sorted values begin or change."""
    fresh = np.empty(values.size, dtype=np.bool_)
    fresh[:1] = True
    np.not_equal(values[1:], values[:-1], out=fresh[1:])
    return fresh
