"""Ranked lists: NDCG, reciprocal rank and hit rate of each list, such as a user's items."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Indices, Undefined
from kullback.scoring.losses import has_soft
from kullback.scoring.ranking import Ranking

_CELLS = 1 << 18


def ranking_scores(
    ranking: Ranking, y: Array, group: Indices, cutoffs: Sequence[int]
) -> dict[str, object]:
    """How early the positives of each list stand when it is sorted by score, best first.

        NDCG@k = DCG@k / DCG@k of the best order,  DCG@k = Σ_{r ≤ k} y_r / log₂(r + 1)
        MRR@k = mean of 1/r where the first positive has rank r ≤ k, else 0
        hit rate@k = share of lists with a positive among the first k

    Rows of equal score stand in every order with the same chance: each number is its mean over
    these orders, in closed form. With c positives among m ties below a other rows,
    P(first positive is the j-th of them) = c/(m − j + 1) · Π_{i < j−1} (m − c − i)/(m − i).

    Args:
        ranking: of the rows, within lists.
        y: outcomes, or relevances in [0, 1], (n,); the gain of NDCG is y itself.
        group: the list of each row (n,).
        cutoffs: each k.

    Returns:
        Means over `lists` with a positive, each list counting once; lists without one, or of one
        row, are counted and left out. MRR and hit rate are undefined (`soft_labels`) where an
        outcome lies between 0 and 1.

    Source: Järvelin & Kekäläinen, ACM TOIS 20 (2002), and McSherry & Najork, ECIR (2008), for
        ties; Voorhees, TREC-8 (1999).
    """
    blocks = _TieBlocks.of(ranking, y)
    several = np.diff(ranking.groups, append=y.size) > 1
    positive = blocks.positives > 0
    relevant = positive & several
    head: dict[str, object] = {
        "lists": int(np.count_nonzero(relevant)),
        "without_positives": int(np.count_nonzero(~positive)),
        "of_one_row": int(np.count_nonzero(positive & ~several)),
    }
    if not relevant.any():
        nothing = Undefined(Reason.ONE_CLASS if positive.any() else Reason.NO_POSITIVES)
        rows = [{"k": k, "ndcg": nothing, "hit_rate": nothing, "mrr": nothing} for k in cutoffs]
        return head | {"mrr": nothing, "at": rows}
    best = _TieBlocks.of(Ranking.of(y, group), y)
    ndcgs = [blocks.gain(k)[relevant] / best.gain(k)[relevant] for k in cutoffs]
    if has_soft(y):
        soft = Undefined(Reason.SOFT_LABELS)
        early: list[tuple[object, object]] = [(soft, soft)] * (len(cutoffs) + 1)
    else:
        early = [*blocks.first_positives(relevant, [*cutoffs, ranking.order.size])]
    return head | {
        "mrr": early[-1][1],
        "at": [
            {"k": k, "ndcg": float(ndcg.mean()), "hit_rate": hit_rate, "mrr": mrr}
            for k, ndcg, (hit_rate, mrr) in zip(cutoffs, ndcgs, early[:-1], strict=True)
        ],
    }


@dataclass(frozen=True, slots=True)
class _TieBlocks:
    """Runs of equal score (t,), the lowest of a list first, and the lists (g,) they are of.

    `size` rows of `relevance` Σ y stand below `above` others of their list; `rank` (n,) is that
    of each row, in the order of the ranking, where ties stand in one of their orders.
    """

    ties: Indices
    first: Indices
    size: Indices
    above: Indices
    relevance: Array
    rank: Indices

    @classmethod
    def of(cls, ranking: Ranking, y: Array) -> Self:
        """The runs of a ranking within lists, with outcomes (n,) in the order of the rows."""
        n, ties, groups = y.size, ranking.ties, ranking.groups
        ends = np.append(groups[1:], n)
        rank = np.repeat(ends, np.diff(groups, append=n)) - np.arange(n)
        last = np.append(ties[1:], n) - 1
        return cls(
            ties,
            np.searchsorted(ties, groups),
            np.diff(ties, append=n),
            rank[last] - 1,
            np.add.reduceat(y[ranking.order], ties),
            rank,
        )

    @property
    def positives(self) -> Array:
        """Σ y of each list."""
        sums: Array = np.add.reduceat(self.relevance, self.first)
        return sums

    def gain(self, k: int) -> Array:
        """DCG@k of each list, the mean over all orders of its ties."""
        discount = np.where(self.rank <= k, 1.0 / np.log2(self.rank + 1.0), 0.0)
        shares = np.add.reduceat(discount, self.ties) / self.size
        gains: Array = np.add.reduceat(self.relevance * shares, self.first)
        return gains

    def first_positives(
        self, relevant: Flags, cutoffs: Sequence[int]
    ) -> Iterator[tuple[float, float]]:
        """Hit rate and mean reciprocal rank at each cutoff over the relevant lists."""
        places = np.where(self.relevance > 0, np.arange(self.ties.size), -1)
        at = np.maximum.reduceat(places, self.first)[relevant]
        above, size = self.above[at], self.size[at]
        positive = self.relevance[at].astype(np.int64)
        hits, reciprocals = (np.zeros((len(cutoffs), at.size)) for _ in range(2))
        for chosen, width in _similar(size - positive + 1):
            step = np.arange(width)
            left = np.maximum(size[chosen, None] - step, 1)  # of the ties, after so many of them
            others = np.maximum(size[chosen, None] - positive[chosen, None] - step, 0)
            missed = np.cumprod(others / left, axis=1)
            chance = positive[chosen, None] / left
            chance[:, 1:] *= missed[:, :-1]
            rank = above[chosen, None] + step + 1
            for row, k in enumerate(cutoffs):
                near = np.where(rank <= k, chance, 0.0)
                hits[row, chosen] = np.minimum(near.sum(axis=1), 1.0)
                reciprocals[row, chosen] = (near / rank).sum(axis=1)
        return zip(hits.mean(axis=1).tolist(), reciprocals.mean(axis=1).tolist(), strict=True)


def _similar(lengths: Indices) -> Iterator[tuple[Indices, int]]:
    """Which entries have lengths up to the same power of two, and the longest of them."""
    powers = np.frexp(lengths - 0.5)[1]
    order = np.argsort(powers, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(powers[order])) + 1):
        width = int(lengths[part].max())
        rows = max(1, _CELLS // width)
        for start in range(0, part.size, rows):
            yield part[start : start + rows], width
