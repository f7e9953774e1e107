"""Bayesian personalized ranking: by hand, by every pair, and by law."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array, Indices
from kullback.scoring import bpr as pairing
from kullback.scoring.bpr import bpr, bpr_of_candidates, pair_count
from kullback.scoring.options import Options
from kullback.scoring.ranking import auc
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import (
    central_differences,
    has_negative_zero,
    number,
    per_row,
    reason,
    refused,
    slope,
)

NATS = Options()
logit = st.one_of(draw.mild_logit, st.sampled_from((0.0, 1.0, 40.0, -700.0)))
grouped = st.integers(2, 9).flatmap(
    lambda n: st.tuples(
        draw.columns_of(n, logit),
        draw.columns_of(n, draw.outcome),
        draw.indices(n, 3),
        draw.columns_of(n, st.floats(0.1, 10.0)),
    )
)
drawn_pairs = st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: st.tuples(
        draw.columns_of(shape[0], draw.mild_logit),
        draw.tables_of(*shape, draw.mild_logit),
        draw.tables_of(*shape, draw.outcome),
        draw.columns_of(shape[0], st.floats(0.1, 10.0)),
    )
)
Pair = tuple[int, int, float, float]


def pairs_of(z: Array, y: Array, group: Indices, w: Array) -> list[Pair]:
    """Each pair, one by one: its rows, its weight, and its loss in sixty digits."""
    return [
        (i, j, w[i] * w[j], oracles.sigmoid_cross_entropy(1.0, float(z[i] - z[j])))
        for i in range(z.size)
        for j in range(z.size)
        if y[i] == 1 and y[j] == 0 and group[i] == group[j]
    ]


def test_by_hand() -> None:
    z = np.array([math.log(3), 0.0, 0.0, 5.0])
    found = bpr(
        z, np.array([1, 0, 0, 1]), ["a", "a", "a", "b"], Options(gradient=True, per_row=True)
    )
    assert found.value == pytest.approx(math.log(4 / 3), rel=1e-15)
    assert per_row(found) == pytest.approx([math.log(4 / 3)] * 3 + [0.0], rel=1e-15)
    assert slope(found) == pytest.approx([-1 / 4, 1 / 8, 1 / 8, 0.0], rel=1e-15)
    counts = [found.details[name] for name in ("pairs", "groups", "groups_without_pairs")]
    assert counts == [2, 1, 1]
    assert (found.n, found.weight, number(found, "auc")) == (3, 3.0, 1.0)


@given(grouped)
def test_it_is_the_mean_over_every_pair(drawn: tuple[Array, Array, Indices, Array]) -> None:
    z, y, group, w = drawn
    found = bpr(z, y, group, Options(sample_weight=w, per_row=True))
    listed = pairs_of(*drawn)
    assert found.details["pairs"] == len(listed) == pair_count(y, group)
    if not listed:
        assert (found.reason, reason(found, "auc")) == ("one_class", "one_class")
        return
    total = math.fsum(weight for *_, weight, _ in listed)
    mean = math.fsum(weight * cost for *_, weight, cost in listed) / total
    assert relative_error(found.value, mean) < 1e-13
    right = [weight * (z[i] > z[j]) + weight * (z[i] == z[j]) / 2 for i, j, weight, _ in listed]
    assert number(found, "auc") == pytest.approx(math.fsum(right) / total, rel=1e-12)
    for row, cost in enumerate(per_row(found)):
        own = [pair for pair in listed if row in pair[:2]]
        weight = math.fsum(weight for *_, weight, _ in own)
        expected = math.fsum(pair[2] * pair[3] for pair in own) / weight if own else 0.0
        assert cost == pytest.approx(expected, rel=1e-12)


@given(grouped)
def test_pairs_in_small_batches_are_the_same_pairs(
    drawn: tuple[Array, Array, Indices, Array],
) -> None:
    z, y, group, w = drawn
    options = Options(sample_weight=w, gradient=True, per_row=True)
    whole = bpr(z, y, group, options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairing, "_PAIRS", 2)
        parts = bpr(z, y, group, options)
    assert parts.details == whole.details
    assert per_row(parts) == pytest.approx(per_row(whole), rel=1e-14)
    if whole.status == "finite":
        assert slope(parts) == pytest.approx(slope(whole), rel=1e-13)


@given(grouped)
def test_gradients_are_slopes(drawn: tuple[Array, Array, Indices, Array]) -> None:
    z, y, group, w = drawn
    z = np.clip(z, -5.0, 5.0)
    options = Options(base="2", gradient=True, sample_weight=w)
    found = bpr(z, y, group, options)
    if found.status == "finite":
        expected = central_differences(lambda x: bpr(x, y, group, options), z)
        assert slope(found) == pytest.approx(expected, rel=1e-6, abs=1e-7)
    assert not has_negative_zero(found)


@given(grouped)
def test_without_groups_all_rows_are_one(drawn: tuple[Array, Array, Indices, Array]) -> None:
    z, y, _, w = drawn
    options = Options(sample_weight=w)
    found = bpr(z, y, None, options)
    assert found.value == pytest.approx(
        bpr(z, y, np.zeros(z.size, np.int64), options).value, nan_ok=True
    )
    area = auc(z, y, w)
    if isinstance(area, float):
        assert number(found, "auc") == pytest.approx(area, rel=1e-12)


@given(grouped, st.floats(-30.0, 30.0))
def test_only_differences_matter(drawn: tuple[Array, Array, Indices, Array], shift: float) -> None:
    z, y, group, _ = drawn
    z = np.clip(z, -5.0, 5.0)
    moved = bpr(z + shift * group, y, group, NATS).value
    assert moved == pytest.approx(bpr(z, y, group, NATS).value, rel=1e-9, abs=1e-12, nan_ok=True)


def test_the_standard_error_is_over_groups() -> None:
    z, y = np.array([1.0, 0.0, 0.0, 0.0]), np.array([1, 0, 1, 0])
    found = bpr(z, y, np.array([0, 0, 1, 1]), NATS)
    losses = [math.log1p(math.exp(-1)), math.log(2)]
    error = float(np.std(losses, ddof=1)) / math.sqrt(2)
    assert found.standard_error == pytest.approx(error, rel=1e-13)


def of_candidates(positive: Array, negative: Array, mask: Array | None, options: Options) -> Score:
    return bpr_of_candidates((positive, negative), mask, options)


@given(drawn_pairs)
def test_negatives_that_were_drawn_are_pairs_too(
    drawn: tuple[Array, Array, Array, Array],
) -> None:
    positive, negative, mask, w = drawn
    found = of_candidates(positive, negative, mask, Options(sample_weight=w, per_row=True))
    costs = np.log1p(np.exp(negative - positive[:, None]))
    weight = (w[:, None] * mask).sum()
    assert found.details["pairs"] == mask.sum()
    if weight > 0:
        expected = (w[:, None] * mask * costs).sum() / weight
        assert found.value == pytest.approx(expected, rel=1e-12)
    else:
        assert (found.status, found.reason) == ("undefined", "empty")
    for row, cost in enumerate(per_row(found)):
        kept = costs[row][mask[row] > 0]
        assert cost == pytest.approx(kept.mean() if kept.size else 0.0, rel=1e-12)


@given(drawn_pairs)
def test_gradients_of_candidates_are_slopes(drawn: tuple[Array, Array, Array, Array]) -> None:
    positive, negative, mask, w = drawn
    options = Options(gradient=True, sample_weight=w)
    found = of_candidates(positive, negative, mask, options)
    if found.status == "finite":
        assert found.gradients is not None
        up = central_differences(lambda x: of_candidates(x, negative, mask, options), positive)
        down = central_differences(lambda x: of_candidates(positive, x, mask, options), negative)
        assert found.gradients["positive_logits"] == pytest.approx(np.array(up), rel=1e-6, abs=1e-8)
        assert found.gradients["negative_logits"].shape == negative.shape
        assert found.gradients["negative_logits"].reshape(-1) == pytest.approx(
            np.array(down), rel=1e-6, abs=1e-8
        )


def test_one_negative_each_may_be_a_list() -> None:
    positive, negative = np.array([1.0, 2.0]), np.array([0.0, 2.0])
    options = Options(gradient=True)
    found = of_candidates(positive, negative, None, options)
    table = of_candidates(positive, negative.reshape(2, 1), None, options)
    assert (found.value, found.details) == (table.value, table.details)
    assert found.gradients is not None
    assert found.gradients["negative_logits"].shape == (2,)
    assert number(found, "auc") == 0.75


def test_impossible_input_is_refused_where_it_stands() -> None:
    z, y = np.zeros(2), np.array([1, 0])
    with refused("/logits"):
        bpr(np.zeros((2, 2)), y, None, NATS)
    with refused("/logits/0"):
        bpr(np.array([-np.inf, 0.0]), y, None, NATS)
    with refused("/y_true"):
        bpr(z, np.array([1, 0, 0]), None, NATS)
    with refused("/y_true/1"):
        bpr(z, np.array([1.0, 0.5]), None, NATS)
    with refused("/y_true"):
        bpr(z, ["a", "b"], None, NATS)
    with refused("/group"):
        bpr(z, y, ["a"], NATS)
    with refused("/sample_weight"):
        bpr(z, y, None, Options(sample_weight=np.ones(3)))
    with refused("/positive_logits"):
        of_candidates(np.zeros((2, 2)), np.zeros((2, 2)), None, NATS)
    with refused("/negative_logits"):
        of_candidates(z, np.zeros((3, 2)), None, NATS)
    with refused("/negative_logits/1/0"):
        of_candidates(z, np.array([[0.0, 0.0], [np.inf, 0.0]]), None, NATS)
    with refused("/mask"):
        of_candidates(z, np.zeros((2, 2)), np.ones((2, 1)), NATS)
    with refused("/mask/0/1"):
        of_candidates(z, np.zeros((2, 2)), np.array([[1.0, 2.0], [1.0, 1.0]]), NATS)


def test_a_masked_score_may_be_anything() -> None:
    negative, mask = np.array([[0.0, np.nan]]), np.array([[1.0, 0.0]])
    assert of_candidates(np.zeros(1), negative, mask, NATS).value == pytest.approx(math.log(2))
