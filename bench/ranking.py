"""Ranking: the AUC within each of many groups."""

import numpy as np

from bench.measure import Rows, Target, agree, interleaved
from kullback.numerics.types import Array, Indices
from kullback.scoring.group_scores import GroupScores, group_numbers
from kullback.scoring.options import Options
from kullback.scoring.ranking import Ranking
from kullback.scoring.recommender import RecommenderOptions, recommender


def grouped_auc(n: int = 2_000_000, groups: int = 1_000_000, rounds: int = 5) -> Rows:
    """Grouped AUC of n rows against rank sums in NumPy, ties averaged, on the same arrays."""
    random = np.random.default_rng(7)
    group = random.integers(0, groups, n)
    p = random.random(n)
    y = (random.random(n) < p).astype(np.float64)
    settings, options = RecommenderOptions(group=group), Options()

    def alone() -> float:
        ranking = Ranking.of(p, group_numbers(group, n))
        area = GroupScores.of(ranking, y, y, None).grouped_auc()
        assert isinstance(area, float)
        return area

    def report() -> float:
        area = recommender(y, p, None, settings, options).details["grouped_auc"]
        assert isinstance(area, float)
        return area

    def rival() -> float:
        return _rank_sums(p, y, group)

    for ours in (alone, report):
        agree(f"grouped AUC, {ours.__name__}", ours(), rival())
    size = f"grouped AUC, {n:,} rows in {groups:,} groups"
    yield interleaved(alone, rival, rounds).share(f"{size}, vs numpy", Target("≤", 2))
    yield interleaved(report, rival, rounds).share(
        f"{size}, the whole report, vs numpy's one number", Target("≤", 2)
    )


def _rank_sums(p: Array, y: Array, group: Indices) -> float:
    """Mann and Whitney's U of each group: sort by group and score, average the ranks of ties."""
    order = np.lexsort((p, group))
    p, y, group = p[order], y[order], group[order]
    fresh = np.concatenate(([True], group[1:] != group[:-1]))
    start = np.flatnonzero(fresh)
    index = np.cumsum(fresh) - 1
    rank = np.arange(p.size) - start[index] + 1.0
    tie = np.flatnonzero(fresh | np.concatenate(([True], p[1:] != p[:-1])))
    size = np.diff(tie, append=p.size)
    average = np.repeat(np.add.reduceat(rank, tie) / size, size)
    positive = np.bincount(index, y)
    rows = np.bincount(index)
    negative = rows - positive
    both = (positive > 0) & (negative > 0)
    wins = (np.bincount(index, y * average) - positive * (positive + 1) / 2)[both]
    weight = rows[both]
    areas = wins / (positive * negative)[both]
    return float((areas * weight).sum() / weight.sum())
