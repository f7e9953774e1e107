"""Listwise softmax: by hand, by law, and in sixty digits."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array, Indices
from kullback.scoring.labels import Labels
from kullback.scoring.listwise_softmax import ListTarget, listwise_softmax
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from kullback.scoring.softmax_cross_entropy import SoftmaxOptions, softmax_cross_entropy
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
TARGETS: tuple[ListTarget, ...] = ("normalized", "softmax")
relevance = st.one_of(st.sampled_from((0.0, 1.0, 2.0, 4.0)), st.floats(0.0, 4.0))
items = st.integers(2, 9).flatmap(
    lambda n: st.tuples(
        draw.columns_of(n, draw.finite_logit), draw.columns_of(n, relevance), draw.indices(n, 3)
    )
)
mild_items = st.integers(4, 9).flatmap(
    lambda n: st.tuples(
        draw.columns_of(n, draw.mild_logit), draw.columns_of(n, relevance), draw.indices(n, 3)
    )
)
LIST_WEIGHTS = np.array([0.5, 2.0, 3.0])


def loss(
    z: Array,
    y: Labels,
    group: Labels,
    target: ListTarget = "normalized",
    options: Options = NATS,
) -> Score:
    return listwise_softmax(z, y, group, target, options)


def targets(y: Sequence[float], target: ListTarget) -> list[float]:
    if target == "softmax":
        powers = [math.exp(value - max(y)) for value in y]
        return [power / sum(powers) for power in powers]
    return [value / sum(y) for value in y]


def by_list(
    z: Array, y: Array, group: Indices, target: ListTarget
) -> dict[int, tuple[float, list[float]]]:
    """The loss of each list that counts in sixty digits, and its targets."""
    losses = {}
    for number_ in np.unique(group).tolist():
        scores, grades = z[group == number_].tolist(), y[group == number_].tolist()
        if len(scores) > 1 and (target == "softmax" or sum(grades) > 0):
            shares = targets(grades, target)
            losses[number_] = (oracles.softmax_cross_entropy(scores, shares), shares)
    return losses


def test_by_hand() -> None:
    z, y = np.array([math.log(3), 0.0, 0.0, 0.0]), np.array([1.0, 0.0, 2.0, 2.0])
    found = loss(z, y, ["a", "a", "b", "b"], options=Options(per_row=True, gradient=True))
    # list a: the item of odds 3 : 1 was chosen; list b: an even choice, evenly chosen
    assert found.value == pytest.approx((math.log(4 / 3) + math.log(2)) / 2, rel=1e-15)
    expected = [math.log(4 / 3), 0.0, math.log(2) / 2, math.log(2) / 2]
    assert per_row(found) == pytest.approx(expected, rel=1e-15)
    assert slope(found) == pytest.approx([-1 / 8, 1 / 8, 0.0, 0.0], abs=1e-16)
    assert number(found, "target_entropy") == pytest.approx(math.log(2) / 2, rel=1e-15)
    assert (found.details["lists"], found.n, found.weight) == (2, 4, 4.0)
    error = (math.log(2) - math.log(4 / 3)) / 2
    assert found.standard_error == pytest.approx(error, rel=1e-14)


@given(items, st.sampled_from(TARGETS))
def test_sixty_digits_agree(drawn: tuple[Array, Array, Indices], target: ListTarget) -> None:
    found = loss(*drawn, target)
    losses = [value for value, _ in by_list(*drawn, target).values()]
    if losses:
        assert relative_error(found.value, sum(losses) / len(losses)) < 1e-13
        assert found.details["lists"] == len(losses)
    else:
        assert found.reason in {"no_positives", "one_class"}


@given(mild_items, st.sampled_from(TARGETS))
def test_a_list_weighs_as_its_rows_do(
    drawn: tuple[Array, Array, Indices], target: ListTarget
) -> None:
    z, y, group = drawn
    found = loss(z, y, group, target, Options(sample_weight=LIST_WEIGHTS[group]))
    losses = by_list(*drawn, target)
    if losses:
        weight = sum(LIST_WEIGHTS[of] for of in losses)
        mean = sum(LIST_WEIGHTS[of] * value for of, (value, _) in losses.items()) / weight
        assert found.value == pytest.approx(mean, rel=1e-12, abs=1e-14)
        rows = np.isin(group, list(losses))
        assert found.n == rows.sum()
        assert found.weight == pytest.approx(LIST_WEIGHTS[group][rows].sum())


@given(mild_items, st.sampled_from(TARGETS), st.sampled_from(("mean", "sum")))
def test_gradients_are_slopes(
    drawn: tuple[Array, Array, Indices], target: ListTarget, reduction: str
) -> None:
    z, y, group = drawn
    options = Options(
        base="2",
        reduction="sum" if reduction == "sum" else "mean",
        gradient=True,
        sample_weight=LIST_WEIGHTS[group],
    )
    found = loss(z, y, group, target, options)
    if found.status == "finite":
        expected = central_differences(lambda x: loss(x, y, group, target, options), z)
        assert slope(found) == pytest.approx(expected, rel=1e-6, abs=1e-7)
    assert not has_negative_zero(found)


@given(mild_items)
def test_the_rows_of_a_list_add_up_to_its_loss(drawn: tuple[Array, Array, Indices]) -> None:
    _, _, group = drawn
    found = loss(*drawn, options=Options(per_row=True))
    sums = np.bincount(group, per_row(found), 3)
    for of, (value, _) in by_list(*drawn, "normalized").items():
        assert sums[of] == pytest.approx(value, rel=1e-12, abs=1e-14)


@given(mild_items, st.floats(-100.0, 100.0))
def test_only_differences_within_a_list_matter(
    drawn: tuple[Array, Array, Indices], shift: float
) -> None:
    z, y, group = drawn
    found, moved = loss(z, y, group), loss(z + shift * group, y * 2.0**group, group)
    if found.status == "finite":
        assert moved.value == pytest.approx(found.value, rel=1e-9, abs=1e-11)
        assert found.value >= number(found, "target_entropy") - 1e-12


@given(draw.shapes(2).flatmap(lambda shape: draw.row_pairs(*shape)))
def test_lists_of_one_length_are_rows_of_a_softmax(drawn: tuple[Array, Array]) -> None:
    t, q = drawn
    z = np.log(np.maximum(q, 1e-300))
    n, k = t.shape
    found = loss(z.reshape(-1), t.reshape(-1), np.repeat(np.arange(n), k))
    if k > 1:
        expected = softmax_cross_entropy(z, t, SoftmaxOptions(), NATS).value
        assert found.value == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_lists_of_one_item_or_without_relevance_are_counted_and_left_out() -> None:
    z, y = np.array([0.0, 1.0, 5.0, 2.0, 2.0]), np.array([1.0, 0.0, 3.0, 0.0, 0.0])
    options = Options(per_row=True, gradient=True)
    found = loss(z, y, np.array([0, 0, 1, 2, 2]), options=options)
    assert found.value == pytest.approx(math.log1p(math.e), rel=1e-15)
    counts = [found.details[name] for name in ("lists", "of_one_item", "without_positives")]
    assert counts == [1, 1, 1]
    assert per_row(found)[1:] == [*slope(found)[2:], 0.0]


def test_what_chooses_nothing_is_undefined_and_not_perfect() -> None:
    alone = loss(np.array([1.0, 2.0]), np.ones(2), np.array([0, 1]))
    assert (alone.status, alone.reason) == ("undefined", "one_class")
    assert reason(alone, "target_entropy") == "one_class"
    irrelevant = loss(np.array([1.0, 2.0]), np.zeros(2), np.array([0, 0]))
    assert (irrelevant.status, irrelevant.reason) == ("undefined", "no_positives")
    weightless = loss(
        np.zeros(2), np.ones(2), ["a", "a"], options=Options(sample_weight=np.zeros(2))
    )
    assert (weightless.status, weightless.reason) == ("undefined", "zero_weight")


def test_minus_infinity_cannot_be_chosen() -> None:
    z, group = np.array([-np.inf, 0.0, 0.0]), np.zeros(3, np.int64)
    assert loss(z, np.array([0.0, 1.0, 0.0]), group).value == pytest.approx(math.log(2), rel=1e-15)
    found = loss(z, np.array([1.0, 1.0, 0.0]), group)
    assert (found.status, found.reason) == ("infinite", "positive_infinity")


def test_impossible_input_is_refused_where_it_stands() -> None:
    z, y, group = np.zeros(3), np.ones(3), np.array([0, 0, 1])
    with refused("/logits"):
        loss(np.zeros((3, 2)), y, group)
    with refused("/logits/1"):
        loss(np.array([0.0, np.inf, 0.0]), y, group)
    with refused("/logits/2"):
        loss(np.array([0.0, 0.0, -np.inf]), y, group)
    with refused("/y_true"):
        loss(z, np.ones(2), group)
    with refused("/y_true"):
        loss(z, np.ones((3, 2)), group)
    with refused("/y_true"):
        loss(z, ["1", "0", "0"], group)
    with refused("/y_true/1"):
        loss(z, np.array([0.0, -1.0, 0.0]), group)
    with refused("/y_true/0"):
        loss(z, np.array([np.nan, 1.0, 0.0]), group)
    with refused("/group"):
        loss(z, y, ["a"])
    with refused("/sample_weight/1"):
        loss(z, y, group, options=Options(sample_weight=np.array([1.0, 2.0, 3.0])))
