"""The area under the ROC curve, of all rows and within groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.ranking import Ranking, auc
from tests import oracles
from tests import strategies as draw

scores = st.sampled_from((0.0, 0.25, 0.5, 0.5 + 2.0**-53, 1.0))
ranked = st.integers(2, 9).flatmap(
    lambda n: st.tuples(draw.columns_of(n, draw.share), draw.columns_of(n, scores), draw.weights(n))
)


def has_both(y: Array, w: Array) -> bool:
    return bool((w * y).sum() > 0 and (w * (1 - y)).sum() > 0)


def test_by_hand() -> None:
    p, y = np.array([0.9, 0.4, 0.4, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])
    assert auc(p, y, None) == 0.875
    assert auc(p, y, np.array([1.0, 3.0, 1.0, 1.0])) == pytest.approx((2 + 1.5 + 3) / 8)
    assert auc(p, 1 - y, None) == 0.125


@given(ranked)
def test_it_is_the_share_of_pairs_ranked_rightly(rows: tuple[Array, Array, Array]) -> None:
    y, p, w = rows
    found = auc(p, y, w)
    if isinstance(found, Undefined):
        assert not has_both(y, w)
    else:
        assert found == pytest.approx(oracles.auc(y.tolist(), p.tolist(), w.tolist()), abs=1e-14)


@given(ranked)
def test_scikit_learn_agrees(rows: tuple[Array, Array, Array]) -> None:
    y, p, w = rows
    y = np.round(y)
    if has_both(y, w):
        assert auc(p, y, w) == pytest.approx(roc_auc_score(y, p, sample_weight=w), abs=1e-12)


@given(ranked)
def test_a_soft_label_is_a_positive_and_a_negative_row(rows: tuple[Array, Array, Array]) -> None:
    y, p, w = rows
    apart = auc(
        np.concatenate((p, p)),
        np.concatenate((np.ones_like(y), np.zeros_like(y))),
        np.concatenate((w * y, w * (1 - y))),
    )
    assert auc(p, y, w) == (apart if isinstance(apart, Undefined) else pytest.approx(apart))


def areas(p: Array, y: Array, w: Array, group: Indices) -> dict[int, float]:
    """The AUC of each group by its id, nan where it has none."""
    ranking = Ranking.of(p, group)
    found = ranking.areas(y[ranking.order], w[ranking.order])
    return dict(zip(np.unique(group).tolist(), found.tolist(), strict=True))


@given(ranked, st.data())
def test_each_group_is_ranked_alone(rows: tuple[Array, Array, Array], data: st.DataObject) -> None:
    y, p, w = rows
    group = data.draw(draw.indices(y.size, 3)) * 2**40 - 7
    found = areas(p, y, w, group)
    for number, area in found.items():
        inside = group == number
        expected = auc(p[inside], y[inside], w[inside])
        if isinstance(expected, Undefined):
            assert np.isnan(area)
        else:
            assert area == pytest.approx(expected, abs=1e-14)


@given(ranked, st.data())
def test_ranking_within_groups_is_the_ranking_of_groups(
    rows: tuple[Array, Array, Array], data: st.DataObject
) -> None:
    _, p, _ = rows
    group = data.draw(draw.indices(p.size, 3))
    once, twice = Ranking.of(p, group), Ranking.of(p).within(p, group)
    assert once.order.tolist() == twice.order.tolist() == np.lexsort((p, group)).tolist()
    assert once.groups.tolist() == twice.groups.tolist()
    assert once.ties.tolist() == twice.ties.tolist()


def test_a_light_group_is_ranked_beside_a_heavy_one() -> None:
    p = np.concatenate((np.linspace(0.0, 0.5, 40), [0.9, 0.2, 0.25, 0.3]))
    y = np.concatenate((np.zeros(40), [1.0, 0.0, 1.0, 0.0]))
    w = np.concatenate((np.full(41, 0.1), np.full(3, 1e-30)))
    assert areas(p, y, w, np.repeat([0, 1], (41, 3))) == {0: 1.0, 1: 0.5}


def test_a_group_after_many_others_keeps_its_digits() -> None:
    n = 200_000
    p, y = np.tile([0.1, 0.2, 0.3], n), np.tile([0.0, 1.0, 0.0], n)
    w = np.tile([0.1, 0.7, 0.2], n)
    found = np.array(list(areas(p, y, w, np.repeat(np.arange(n), 3)).values()))
    assert found == pytest.approx(np.full(n, 1 / 3), rel=2e-14, abs=0.0)


def test_one_class_has_no_pairs() -> None:
    assert auc(np.array([0.1, 0.9]), np.ones(2), None) == Undefined(Reason.ONE_CLASS)
    assert auc(np.array([0.1, 0.9]), np.zeros(2), None) == Undefined(Reason.ONE_CLASS)
