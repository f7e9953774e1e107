"""Softmax cross-entropy: by hand, by law, and against 60 digits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.logspace import log_softmax
from kullback.numerics.types import Array, Indices
from kullback.scoring.labels import Labels
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from kullback.scoring.softmax_cross_entropy import SoftmaxOptions, softmax_cross_entropy
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

PLAIN = SoftmaxOptions()
ROWS = Options(per_row=True)
GRADIENT = Options(gradient=True)
UNIFORM = np.zeros((2, 2))

hard = draw.shapes(2).flatmap(lambda s: st.tuples(draw.indices(*s), draw.logit_rows(*s)))
soft = draw.shapes(2).flatmap(lambda s: st.tuples(draw.rows(*s), draw.logit_rows(*s)))
mild = draw.shapes(2).flatmap(
    lambda s: st.tuples(
        draw.indices(*s), draw.rows(*s), draw.tables_of(*s, draw.mild_logit), draw.weights(s[0])
    )
)


def score(z: Array, y: Labels, asked: SoftmaxOptions = PLAIN, options: Options = ROWS) -> Score:
    return softmax_cross_entropy(z, y, asked, options)


def test_by_hand() -> None:
    found = score(np.array([[40.0, 0.0], [0.0, 0.0]]), np.array([0, 1]))
    assert per_row(found) == pytest.approx([4.248354255291589e-18, math.log(2)], rel=1e-15)
    assert number(found, "accuracy") == 0.5  # ties go to the lowest index
    assert number(found, "perplexity") == pytest.approx(math.sqrt(2), rel=1e-15)
    assert number(found, "normalizer") == 2.0
    assert number(found, "macro") == pytest.approx(math.log(2) / 2, rel=1e-15)


def test_class_weights_divide_by_the_weights_of_the_classes() -> None:
    asked = SoftmaxOptions(class_weight=np.array([1.0, 3.0]))
    found = score(np.array([[math.log(3), 0.0], [0.0, 0.0]]), np.array([0, 1]), asked)
    assert per_row(found) == pytest.approx([math.log(4 / 3), 3 * math.log(2)], rel=1e-15)
    assert found.value == pytest.approx((math.log(4 / 3) + 3 * math.log(2)) / 4, rel=1e-15)
    assert number(found, "normalizer") == 4.0
    assert number(found, "macro") == pytest.approx(math.log(8 / 3) / 2, rel=1e-15)
    assert numbers(found, "class_weights") == [1.0, 3.0]


def test_soft_rows_divide_by_rows_and_tell_the_least_possible_value() -> None:
    asked = SoftmaxOptions(class_weight=np.array([1.0, 3.0]))
    found = score(UNIFORM, np.array([[0.5, 0.5], [0.0, 1.0]]), asked)
    assert per_row(found) == pytest.approx([2 * math.log(2), 3 * math.log(2)], rel=1e-15)
    assert found.value == pytest.approx(2.5 * math.log(2), rel=1e-15)
    assert number(found, "target_entropy") == pytest.approx(math.log(2) / 2, rel=1e-15)
    assert reason(found, "macro") == "soft_labels"


def test_ignored_rows_do_not_count() -> None:
    z = np.array([[1.0, 2.0], [-5.0, 5.0], [0.5, 0.0]])
    found = score(z, np.array([0, -100, 1]), SoftmaxOptions(ignore_index=-100))
    kept = score(z[[0, 2]], np.array([0, 1]))
    assert found.value == kept.value
    assert found.n == 2
    assert per_row(found)[1] == 0.0
    assert found.standard_error == kept.standard_error
    assert number(found, "accuracy") == number(kept, "accuracy")
    assert number(found, "macro") == number(kept, "macro")


def test_an_ignored_row_may_even_be_infinite() -> None:
    z = np.array([[0.0, -np.inf], [0.0, 0.0]])
    found = score(z, np.array([1, 0]), SoftmaxOptions(ignore_index=1), Options(gradient=True))
    assert found.value == pytest.approx(math.log(2), rel=1e-15)
    assert slope(found) == pytest.approx([0.0, 0.0, -0.5, 0.5], rel=1e-15)


def test_nothing_but_ignored_rows_has_no_mean() -> None:
    found = score(UNIFORM, np.array([7, 7]), SoftmaxOptions(ignore_index=7))
    assert found.status == "undefined"
    assert found.reason == "empty"
    assert reason(found, "macro") == "empty"


def test_smoothing_gives_mass_to_all_classes() -> None:
    found = score(np.array([[1.0, 0.0, 0.0]]), np.array([0]), SoftmaxOptions(label_smoothing=0.3))
    truth = oracles.softmax_cross_entropy([1.0, 0.0, 0.0], [0.8, 0.1, 0.1])
    assert found.value == pytest.approx(truth, rel=1e-15)
    plain = oracles.softmax_cross_entropy([1.0, 0.0, 0.0], [1.0, 0.0, 0.0])
    assert number(found, "perplexity") == pytest.approx(math.exp(plain), rel=1e-15)


def test_smoothing_a_masked_class_is_infinite() -> None:
    z = np.array([[0.0, -np.inf]])
    assert score(z, np.array([0])).value == 0.0
    assert score(z, np.array([0]), SoftmaxOptions(label_smoothing=0.1)).status == "infinite"
    assert score(z, np.array([1])).status == "infinite"
    assert score(z, np.array([[1.0, 0.0]])).value == 0.0


def test_one_row_may_come_without_a_batch() -> None:
    z = np.array([1.0, 2.0, 3.0])
    expected = oracles.softmax_cross_entropy([1.0, 2.0, 3.0], [0.0, 1.0, 0.0])
    assert score(z, np.array([1])).value == pytest.approx(expected, rel=1e-15)
    found = score(z, np.array([0.0, 1.0, 0.0]), options=GRADIENT)
    assert found.value == pytest.approx(expected, rel=1e-15)
    assert found.gradient is not None
    assert found.gradient.shape == (3,)


@pytest.mark.parametrize("logits", [[[3.0], [-2.0]], [5.0]])
def test_one_logit_per_row_is_refused_and_never_a_perfect_score(logits: list[object]) -> None:
    with refused("/logits", "the softmax of one logit is always 1", "sigmoid-cross-entropy"):
        score(np.array(logits), np.zeros(len(logits), np.int64))


@pytest.mark.parametrize("gap", [1e3, 1e4, 1e15])
def test_a_large_gap_overflows_nothing_and_loses_no_digits(gap: float) -> None:
    z = np.array([[gap, 0.0], [gap, 0.0]])
    assert per_row(score(z, np.array([0, 1]))) == [0.0, gap]


def test_a_large_vocabulary_loses_no_digits() -> None:
    z = np.resize(np.linspace(-3.0, 3.0, 50), (1, 100_000))
    truth = math.log(2000) + oracles.softmax_cross_entropy(z[0, :50].tolist(), [1.0] + [0.0] * 49)
    assert relative_error(score(z, np.array([0])).value, truth) < 1e-14


def test_perplexity_beyond_a_double_is_infinite() -> None:
    found = score(np.array([[0.0, 800.0]]), np.array([0]))
    assert found.value == 800.0
    assert reason(found, "perplexity") == "positive_infinity"
    near = score(np.array([[0.0, 150.0]]), np.array([0]))
    assert number(near, "perplexity") == pytest.approx(math.exp(150), rel=1e-13)


@given(hard)
def test_hard_rows_agree_with_sixty_digits(rows: tuple[Indices, Array]) -> None:
    index, z = rows
    unit = np.eye(z.shape[1])
    for found, row, y in zip(per_row(score(z, index)), z.tolist(), index, strict=True):
        truth = oracles.softmax_cross_entropy(row, unit[y].tolist())
        assert truth < 1e-290 or relative_error(found, truth) < 1e-12


@given(soft)
def test_soft_rows_agree_with_sixty_digits(rows: tuple[Array, Array]) -> None:
    target, z = rows
    for found, row, y in zip(per_row(score(z, target)), z.tolist(), target.tolist(), strict=True):
        truth = oracles.softmax_cross_entropy(row, y)
        assert truth < 1e-290 or relative_error(found, truth) < 1e-12


@given(hard)
def test_one_hot_rows_are_hard_labels(rows: tuple[Indices, Array]) -> None:
    index, z = rows
    target = np.eye(z.shape[1])[index]
    assert answer(score(z, target)) == answer(score(z, index))


@given(mild)
def test_it_is_the_log_loss_of_the_softmax(rows: tuple[Indices, Array, Array, Array]) -> None:
    index, _, z, w = rows
    options = Options(per_row=True, sample_weight=w)
    expected = log_loss(index, np.exp(log_softmax(z)), LogLossOptions(), options)
    found = score(z, index, options=options)
    assert per_row(found) == pytest.approx(per_row(expected), rel=1e-10)
    assert found.value == pytest.approx(expected.value, rel=1e-10)


@given(mild)
def test_gradients_are_slopes_and_rows_of_them_sum_to_zero(
    rows: tuple[Indices, Array, Array, Array],
) -> None:
    index, target, z, w = rows
    k = z.shape[1]
    options = Options(gradient=True, sample_weight=w)
    weighted = SoftmaxOptions(np.arange(1.0, k + 1), None, 0, 0.2)
    plain = SoftmaxOptions(class_weight=np.arange(1.0, k + 1))
    cases: list[tuple[Labels, SoftmaxOptions]] = [
        (index, PLAIN),
        (index, weighted),
        (target, PLAIN),
        (target, plain),
    ]
    for y, asked in cases:
        found = score(z, y, asked, options)
        if found.gradient is None:
            assert found.status == "undefined"
            continue
        expected = central_differences(lambda x, y=y, a=asked: score(x, y, a, options), z)  # type: ignore[misc]
        assert slope(found) == pytest.approx(expected, rel=1e-6, abs=2e-8)
        assert found.gradient.sum(axis=1) == pytest.approx(np.zeros(z.shape[0]), abs=1e-14)


def test_the_gradient_of_a_near_certain_row_does_not_cancel() -> None:
    found = slope(score(np.array([[40.0, 0.0]]), np.array([0]), options=GRADIENT))
    assert found == pytest.approx([-math.exp(-40), math.exp(-40)], rel=1e-12)
    assert found[0] == -found[1]


def test_impossible_rows_are_refused_where_they_stand() -> None:
    with refused("/logits/1"):
        score(np.array([[0.0, 1.0], [-np.inf, -np.inf]]), np.array([0, 0]))
    with refused("/logits/0/1"):
        score(np.array([[0.0, np.inf]]), np.array([0]))
    with refused("/y_true/1"):
        score(UNIFORM, np.array([0, 2]))
    with refused("/y_true"):
        score(UNIFORM, np.array([0]))
    with refused("/y_true"):
        score(UNIFORM, ["a", "b"])
    with refused("/y_true/1"):
        score(UNIFORM, np.array([[0.5, 0.5], [0.5, 0.6]]))
    with refused("/y_true"):
        score(UNIFORM, np.full((2, 4), 0.25))
    with refused("/ignore_index"):
        score(UNIFORM, np.full((2, 2), 0.5), SoftmaxOptions(ignore_index=0))
    with refused("/class_weight"):
        score(UNIFORM, np.array([0, 1]), SoftmaxOptions(class_weight=np.ones(3)))
    with refused("/sample_weight/0"):
        score(UNIFORM, np.array([0, 1]), options=Options(sample_weight=np.array([-1.0, 1.0])))
