"""Ranked lists: by hand, by every order of the ties, and beside scikit-learn."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, permutations
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.ranked_lists import ranking_scores
from kullback.scoring.ranking import Ranking
from tests import strategies as draw

tied_scores = st.sampled_from((0.0, 0.25, 0.5))
lists = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        draw.columns_of(n, draw.outcome), draw.columns_of(n, tied_scores), draw.indices(n, 2)
    )
)
Scores = Mapping[str, object]


def scores(y: Array, p: Array, group: Indices, cutoffs: Sequence[int] = (1, 2, 4)) -> Scores:
    return ranking_scores(Ranking.of(p, group), y, group, cutoffs)


def at(found: Scores, name: str) -> list[float]:
    table = found["at"]
    assert isinstance(table, list)
    values = [row[name] for row in table]
    assert all(isinstance(value, float) for value in values)
    return values


def orders(p: Array) -> list[tuple[int, ...]]:
    """Every order of the rows in which no better score stands below a worse one."""
    return [
        order
        for order in permutations(range(p.size))
        if all(p[above] >= p[below] for above, below in pairwise(order))
    ]


def over_orders(y: Array, p: Array, group: Indices, k: int) -> tuple[float, float, float] | None:
    """NDCG, reciprocal rank and hit rate at k, of all orders of each list, then of the lists."""
    gain, reciprocal, hits, count = 0.0, Fraction(0), Fraction(0), 0
    for number in np.unique(group):
        labels, predicted = y[group == number], p[group == number]
        if not labels.any() or labels.size == 1:
            continue
        count += 1
        possible = orders(predicted)
        best = sum(1 / log2(rank + 2) for rank in range(min(int(labels.sum()), k)))
        for order in possible:
            ranks = [rank for rank, row in enumerate(order[:k]) if labels[row]]
            gain += sum(1 / log2(rank + 2) for rank in ranks) / best / len(possible)
            if ranks:
                reciprocal += Fraction(1, (ranks[0] + 1) * len(possible))
                hits += Fraction(1, len(possible))
    return (gain / count, float(reciprocal / count), float(hits / count)) if count else None


def test_by_hand() -> None:
    y, p = np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.5, 0.25, 0.25, 0.125])
    found = scores(y, p, np.zeros(4, np.int64))
    assert (found["lists"], found["without_positives"]) == (1, 0)
    assert at(found, "hit_rate") == [0.0, 0.5, 1.0]
    assert at(found, "mrr") == pytest.approx([0.0, 0.25, 0.25 + 1 / 6])
    assert found["mrr"] == pytest.approx(0.25 + 1 / 6)
    ndcg = [0.0, 0.5 / log2(3), 0.5 / log2(3) + 0.25]
    assert at(found, "ndcg") == pytest.approx(ndcg, rel=1e-15)


@given(lists)
def test_it_is_the_mean_over_every_order_of_the_ties(drawn: tuple[Array, Array, Indices]) -> None:
    found = scores(*drawn)
    for place, k in enumerate((1, 2, 4)):
        expected = over_orders(*drawn, k)
        if expected is None:
            reason = Reason.ONE_CLASS if drawn[0].any() else Reason.NO_POSITIVES
            assert found["mrr"] == Undefined(reason)
        else:
            ours = [at(found, name)[place] for name in ("ndcg", "mrr", "hit_rate")]
            assert ours == pytest.approx(expected, rel=1e-14, abs=1e-15)


soft = st.integers(2, 9).flatmap(
    lambda n: st.tuples(draw.columns_of(n, st.floats(0.05, 1.0)), draw.columns_of(n, tied_scores))
)


@given(soft, st.integers(1, 9))
def test_scikit_learn_averages_over_ties_alike(drawn: tuple[Array, Array], k: int) -> None:
    y, p = drawn
    found = scores(y, p, np.zeros(y.size, np.int64), [k])
    assert at(found, "ndcg")[0] == pytest.approx(ndcg_score([y], [p], k=k), rel=1e-12)
    if (y < 1).any():
        assert found["mrr"] == Undefined(Reason.SOFT_LABELS)


@given(st.integers(2, 40).flatmap(lambda n: st.tuples(st.permutations(range(n)), st.just(n))))
def test_without_ties_it_is_the_reciprocal_rank(drawn: tuple[Sequence[int], int]) -> None:
    order, n = drawn
    p, y = np.array(order, np.float64), np.zeros(n)
    y[n // 2] = 1.0
    found = scores(y, p, np.zeros(n, np.int64), [3])
    assert found["mrr"] == label_ranking_average_precision_score([y], [p])
    assert at(found, "hit_rate")[0] == (p[n // 2] >= n - 3)


@pytest.mark.parametrize("positives", [1, 2, 700, 20_000])
def test_a_long_list_of_ties_agrees_with_exact_fractions(positives: int) -> None:
    n = 20_000
    y = np.zeros(n)
    y[:positives] = 1.0
    found = scores(y, np.full(n, 0.5), np.zeros(n, np.int64), [10])
    missed, mrr = 1.0, 0.0
    for place in range(n - positives + 1):
        chance = positives / (n - place)
        mrr += missed * chance / (place + 1)
        missed *= 1 - chance
    assert found["mrr"] == pytest.approx(mrr, rel=1e-11)
    hit = 1.0
    for place in range(10):
        hit *= max(n - positives - place, 0) / (n - place)
    assert at(found, "hit_rate")[0] == pytest.approx(1 - hit, rel=1e-12)


@given(lists)
def test_a_constant_prediction_scores_as_chance_and_not_as_perfect(
    drawn: tuple[Array, Array, Indices],
) -> None:
    y, _, group = drawn
    found = scores(y, np.full(y.size, 0.5), group, [1])
    listed = [y[group == number] for number in np.unique(group)]
    chances = [labels.mean() for labels in listed if labels.any() and labels.size > 1]
    if chances:
        assert at(found, "hit_rate")[0] == pytest.approx(np.mean(chances), rel=1e-14)


@given(lists)
def test_larger_cutoffs_find_no_less(drawn: tuple[Array, Array, Indices]) -> None:
    found = scores(*drawn, [1, 2, 3, 4, 5, 6])
    if isinstance(found["mrr"], float):
        for name in ("hit_rate", "mrr"):
            values = at(found, name)
            assert all(low <= high + 1e-15 for low, high in pairwise(values))
        assert at(found, "hit_rate")[-1] == pytest.approx(1.0, rel=1e-15)
        assert at(found, "mrr")[-1] == found["mrr"]


def test_lists_without_a_positive_or_of_one_row_are_counted_and_left_out() -> None:
    y, p = np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.9, 0.1, 0.2, 0.3])
    found = scores(y, p, np.array([5, 5, 8, 2]), [1])
    assert [found[name] for name in ("lists", "without_positives", "of_one_row")] == [1, 1, 1]
    assert at(found, "ndcg") == at(found, "hit_rate") == at(found, "mrr") == [1.0]
