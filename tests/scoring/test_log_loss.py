"""Log loss: binary, multiclass and multilabel; by hand, by law, and beside scikit-learn."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.utils.class_weight import compute_class_weight

from kullback.numerics.types import Array, Indices
from kullback.scoring.labels import Labels
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import (
    answer,
    central_differences,
    number,
    numbers,
    per_row,
    reason,
    refused,
    slope,
)

EXACT = LogLossOptions()
ROWS = Options(per_row=True)
GRADIENT = Options(gradient=True, sum_tolerance=1.0)

clicks = draw.sizes.flatmap(
    lambda n: st.tuples(
        draw.columns_of(n, draw.share), draw.columns_of(n, draw.probability), draw.weights(n)
    )
)
classes = draw.shapes(2).flatmap(lambda shape: st.tuples(draw.indices(*shape), draw.rows(*shape)))
tables = draw.shapes().flatmap(
    lambda shape: st.tuples(
        draw.tables_of(*shape, draw.share), draw.tables_of(*shape, draw.probability)
    )
)


def score(y: Labels, p: Array, asked: LogLossOptions = EXACT, options: Options = ROWS) -> Score:
    return log_loss(y, p, asked, options)


def column(*values: float) -> Array:
    return np.array(values, np.float64)


def test_binary_by_hand() -> None:
    found = score(column(1, 0, 1), column(0.8, 0.5, 0.25))
    assert found.value == pytest.approx(math.log(1.25 * 2 * 4) / 3, rel=1e-15)
    assert per_row(found) == pytest.approx([math.log(1.25), math.log(2), math.log(4)], rel=1e-15)
    assert number(found, "accuracy") == pytest.approx(2 / 3)  # ½ is not above ½
    assert number(found, "brier") == pytest.approx((0.04 + 0.25 + 0.5625) / 3, rel=1e-15)
    assert number(found, "base_rate") == pytest.approx(2 / 3, rel=1e-15)
    macro = (math.log(2) + math.log(1.25 * 4) / 2) / 2
    assert number(found, "macro") == pytest.approx(macro, rel=1e-15)


def test_multiclass_by_hand() -> None:
    found = score(np.array([0, 2]), np.array([[0.5, 0.25, 0.25], [0.4, 0.4, 0.2]]))
    assert found.value == pytest.approx((math.log(2) + math.log(5)) / 2, rel=1e-15)
    assert number(found, "accuracy") == 0.5
    assert number(found, "brier") == pytest.approx((0.375 + 0.96) / 2, rel=1e-15)


def test_multilabel_by_hand() -> None:
    y, p = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.5, 0.5], [0.75, 0.5]])
    found = score(y, p, LogLossOptions(task="multilabel"))
    assert found.value == pytest.approx((3 * math.log(2) + math.log(4)) / 4, rel=1e-15)
    assert numbers(found, "per_label") == pytest.approx([1.5 * math.log(2), math.log(2)], rel=1e-15)
    assert number(found, "accuracy") == 0.0  # a row is right where all its labels are
    assert number(found, "macro") == pytest.approx(1.25 * math.log(2), rel=1e-15)
    assert number(found, "brier") == pytest.approx((3 * 0.25 + 0.5625) / 4, rel=1e-15)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_rows_without_or_with_all_labels_cost_what_they_should(label: float) -> None:
    # scikit-learn scores 0.0 and 2.0794 here
    found = score(np.full((2, 3), label), np.full((2, 3), 0.5), LogLossOptions(task="multilabel"))
    assert found.value == pytest.approx(math.log(2), rel=1e-15)


def test_labels_keep_the_order_in_which_they_are_named() -> None:
    # scikit-learn sorts them and scores 36.04
    y, p = ["dog", "cat"], np.array([[0.9, 0.1], [0.2, 0.8]])
    found = score(y, p, LogLossOptions(labels=["dog", "cat"]))
    assert found.value == pytest.approx(-math.log(0.9 * 0.8) / 2, rel=1e-15)


def test_a_rare_event_that_did_not_happen_costs_its_probability() -> None:
    assert score(column(0), column(1e-20)).value == 1e-20


@pytest.mark.parametrize("right", [True, False])
def test_certainty_costs_nothing_or_infinity(right: bool) -> None:  # noqa: FBT001
    found = score(column(1, 0), column(1, 0) if right else column(0, 1))
    assert per_row(found) == ([0.0, 0.0] if right else [math.inf, math.inf])
    assert found.status == ("finite" if right else "infinite")


def test_a_true_label_without_a_chance_is_infinite_and_not_left_out() -> None:
    found = score(np.array([1]), np.array([[1.0, 0.0]]))
    assert found.status == "infinite"


def test_a_weighted_mean_divides_by_the_weights() -> None:
    weight = Options(sample_weight=column(0.3, 0.7))
    found = score(column(1, 1), column(0.95, 0.1), options=weight)
    expected = -0.3 * math.log(0.95) - 0.7 * math.log(0.1)
    assert found.value == pytest.approx(expected, rel=1e-15)


def test_a_row_that_sums_to_more_than_one_costs_nothing_less() -> None:
    found = score(np.array([0]), np.array([[1.0 + 5e-7, 0.0]]))
    assert found.value == 0.0


def test_a_hundred_thousand_rows_lose_no_digits() -> None:
    y = np.resize(column(1, 0, 0), 100_000)
    p = np.resize(column(0.1, 0.2, 1e-7, 0.7, 1 - 1e-9), 100_000)
    sizes, costs = np.unique(np.stack((y, p)), axis=1, return_counts=True)
    labels, stated = sizes.tolist()
    truth = oracles.log_loss(labels, stated, costs.astype(np.float64).tolist())
    assert relative_error(score(y, p).value, truth) < 1e-14


@given(clicks)
def test_binary_agrees_with_sixty_digits(rows: tuple[Array, Array, Array]) -> None:
    y, p, w = rows
    found = score(y, p, options=Options(per_row=True, sample_weight=w))
    for value, label, stated in zip(per_row(found), y.tolist(), p.tolist(), strict=True):
        assert relative_error(value, oracles.bernoulli(label, stated)) < 1e-15
    truth = oracles.log_loss(y.tolist(), p.tolist(), w.tolist())
    assert truth < 1e-270 or relative_error(found.value, truth) < 1e-14


@given(classes)
def test_multiclass_agrees_with_sixty_digits(rows: tuple[Indices, Array]) -> None:
    index, p = rows
    truths = p[np.arange(index.size), index].tolist()
    for value, stated in zip(per_row(score(index, p)), truths, strict=True):
        assert relative_error(value, oracles.bernoulli(1.0, min(stated, 1.0))) < 1e-15


@given(classes)
def test_soft_one_hot_rows_are_hard_labels(rows: tuple[Indices, Array]) -> None:
    index, p = rows
    assert answer(score(np.eye(p.shape[1])[index], p)) == answer(score(index, p))


@given(classes, st.randoms())
def test_columns_may_come_in_any_order_with_their_labels(
    rows: tuple[Indices, Array], random: Random
) -> None:
    index, p = rows
    k = p.shape[1]
    order = list(range(k))
    random.shuffle(order)
    permuted = score(index, p[:, order], LogLossOptions(labels=order))
    straight = score(index, p)
    assert per_row(permuted) == per_row(straight)
    assert permuted.value == straight.value
    if straight.status == "finite":
        assert number(permuted, "macro") == pytest.approx(number(straight, "macro"), rel=1e-14)


@given(tables)
def test_multilabel_is_the_mean_of_its_labels(rows: tuple[Array, Array]) -> None:
    y, p = rows
    found = score(y, p, LogLossOptions(task="multilabel"))
    apart = [score(y[:, j], p[:, j]) for j in range(p.shape[1])]
    mean = sum(one.value for one in apart) / len(apart)
    assert found.value == pytest.approx(mean, rel=1e-14)
    if math.isfinite(found.value):
        assert numbers(found, "per_label") == pytest.approx([one.value for one in apart], rel=1e-15)


@given(clicks)
def test_two_columns_of_soft_rows_are_soft_binary_labels(
    rows: tuple[Array, Array, Array],
) -> None:
    y, p, _ = rows
    p = np.clip(p, 1e-6, 1 - 1e-6)
    wide = score(np.stack((1 - y, y), axis=1), np.stack((1 - p, p), axis=1))
    assert per_row(wide) == pytest.approx(per_row(score(y, p)), rel=1e-9)


@given(classes)
def test_scikit_learn_agrees(rows: tuple[Indices, Array]) -> None:
    index, p = rows
    expected = sklearn_log_loss(index, p, labels=range(p.shape[1]))
    found = score(index, p, LogLossOptions(convention="sklearn"))
    assert found.value == pytest.approx(expected, rel=1e-12, abs=1e-14)


@given(clicks)
def test_brier_is_that_of_scikit_learn(rows: tuple[Array, Array, Array]) -> None:
    y, p, w = rows
    y = np.round(y)
    found = score(y, p, options=Options(sample_weight=w))
    expected = brier_score_loss(y, p, sample_weight=w, labels=[0, 1])
    assert number(found, "brier") == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    index = np.array([0, 0, 0, 1, 2, 2])
    found = score(index, np.full((6, 3), 1 / 3), LogLossOptions(class_weight="balanced"))
    expected = compute_class_weight("balanced", classes=np.arange(3), y=index)
    assert numbers(found, "class_weights") == pytest.approx(expected, rel=1e-15)


def test_class_weights_by_hand() -> None:
    asked = LogLossOptions(class_weight=column(1, 3))
    found = score(column(1, 0), column(0.5, 0.75), asked)
    assert per_row(found) == pytest.approx([3 * math.log(2), math.log(4)], rel=1e-15)
    assert found.value == pytest.approx(5 * math.log(2) / 4, rel=1e-15)
    assert number(found, "macro") == pytest.approx(1.5 * math.log(2), rel=1e-15)


def test_soft_labels_weigh_their_halves_and_divide_by_rows() -> None:
    asked = LogLossOptions(class_weight=column(1, 3))
    found = score(column(0.25), column(0.5), asked)
    assert found.value == pytest.approx((0.25 * 3 + 0.75) * math.log(2), rel=1e-15)
    rows = score(np.array([[0.75, 0.25]]), np.array([[0.5, 0.5]]), asked)
    assert rows.value == pytest.approx(found.value, rel=1e-15)


def test_class_weights_follow_labels_even_where_the_first_is_positive() -> None:
    asked = LogLossOptions(labels=["yes", "no"], pos_label="yes", class_weight=column(3, 1))
    found = score(["yes", "no"], column(0.5, 0.25), asked)
    assert per_row(found) == pytest.approx([3 * math.log(2), -math.log(0.75)], rel=1e-15)


def test_weights_per_label_of_a_multilabel_task() -> None:
    asked = LogLossOptions(task="multilabel", class_weight=column(3, 1))
    y, p = np.array([[1.0, 0.0]]), np.array([[0.5, 0.75]])
    found = score(y, p, asked, GRADIENT)
    assert found.value == pytest.approx((3 * math.log(2) + math.log(4)) / 4, rel=1e-15)
    assert numbers(found, "per_label") == pytest.approx([math.log(2), math.log(4)], rel=1e-15)
    assert slope(found) == pytest.approx([3 * -2 / 4, 4 / 4], rel=1e-15)


def test_without_weight_no_label_has_a_mean() -> None:
    asked = LogLossOptions(task="multilabel")
    found = score(np.ones((1, 2)), np.full((1, 2), 0.5), asked, Options(sample_weight=column(0)))
    assert reason(found, "macro") == "zero_weight"
    assert found.details["per_label"] == [None, None]


@given(clicks)
def test_binary_gradients_are_slopes(rows: tuple[Array, Array, Array]) -> None:
    y, p, w = rows
    p = np.clip(p, 0.05, 0.95)
    options = Options(gradient=True, sample_weight=w)
    for asked in (EXACT, LogLossOptions(class_weight=column(2.0, 0.5))):
        expected = central_differences(lambda x, a=asked: score(y, x, a, options), p)  # type: ignore[misc]
        assert slope(score(y, p, asked, options)) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@given(draw.shapes(2).flatmap(lambda s: st.tuples(draw.indices(*s), draw.inner_rows(*s))))
def test_multiclass_gradients_are_slopes(rows: tuple[Indices, Array]) -> None:
    index, p = rows
    k = p.shape[1]
    weight = LogLossOptions(class_weight=np.arange(1.0, k + 1))
    for y in (index, 0.9 * np.eye(k)[index] + 0.1 / k):
        expected = central_differences(lambda x, y=y: score(y, x, weight, GRADIENT), p)  # type: ignore[misc]
        found = slope(score(y, p, weight, GRADIENT))
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-8)


@given(tables)
def test_multilabel_gradients_are_slopes(rows: tuple[Array, Array]) -> None:
    y, p = rows
    p = np.clip(p, 0.05, 0.95)
    asked = LogLossOptions(task="multilabel")
    expected = central_differences(lambda x: score(y, x, asked, GRADIENT), p)
    found = slope(score(y, p, asked, GRADIENT))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_the_gradient_of_clipped_soft_labels_is_zero() -> None:
    asked = LogLossOptions(convention="sklearn", class_weight=column(2.0, 3.0))
    found = score(column(0.5, 0.5), column(0.0, 0.5), asked, Options(gradient=True))
    assert slope(found) == [0.0, -0.5]


def test_shapes_that_do_not_meet_are_refused() -> None:
    with refused("/y_proba"):
        score(column(1), np.array([[0.5, 0.5]]), LogLossOptions(task="binary"))
    with refused("/y_proba"):
        score(column(1), column(0.5), LogLossOptions(task="multiclass"))
    with refused("/y_proba", "always right"):
        score(column(0), np.array([[1.0]]), LogLossOptions(task="multiclass"))
    with refused("/y_proba"):
        score(column(), column())
    with refused("/y_true"):
        score(column(1, 0), column(0.5))
    with refused("/y_true"):
        score(np.array([[0.2, 0.3, 0.5]]), np.array([[0.5, 0.5]]))
    with refused("/y_true", "[1][3]", "[1] is expected"):
        score(np.array([[1.0, 0.0, 0.0]]), column(0.5))


def test_impossible_values_are_refused_where_they_stand() -> None:
    with refused("/y_proba/1"):
        score(column(1, 0), column(0.5, 1.5))
    with refused("/y_true/0"):
        score(column(2, 0), column(0.5, 0.5))
    with refused("/y_true/1"):
        score(np.array([0, 3]), np.full((2, 3), 1 / 3))
    with refused("/y_proba/0"):
        score(np.array([0]), np.array([[0.5, 0.6]]))
    with refused("/sample_weight"):
        score(column(1), column(0.5), options=Options(sample_weight=column(1, 1)))


def test_impossible_options_are_refused() -> None:
    multilabel = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    with refused("/labels"):
        score(*multilabel, LogLossOptions(task="multilabel", labels=["a"]))
    with refused("/class_weight"):
        score(*multilabel, LogLossOptions(task="multilabel", class_weight="balanced"))
    with refused("/y_true"):
        score(["a"], multilabel[1], LogLossOptions(task="multilabel"))
    with refused("/y_true"):
        score(column(1), multilabel[1], LogLossOptions(task="multilabel"))
    with refused("/beta"):
        score(column(1), column(0.5), LogLossOptions(class_weight="effective_number"))
    with refused("/class_weight"):
        score(column(1), column(0.5), LogLossOptions(class_weight=column(1, 2, 3)))
