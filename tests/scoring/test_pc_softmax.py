"""The probability-corrected softmax: its loss, its slope, and both of its decisions."""

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from kullback.numerics.types import Array, Indices
from kullback.scoring.options import Options
from kullback.scoring.pc_softmax import pc_softmax
from tests.scoring import oracles as oracle
from tests.scoring import strategies as draw

if TYPE_CHECKING:
    from kullback.scoring.score import Score

Case = tuple[Array, Indices, Array]
ROWS = Options(per_row=True)
LOGITS = np.array([[1.0, 0.5, -2.0], [0.0, 3.0, 1.0]])
LABELS = np.array([0, 2])
PRIOR = np.array([0.2, 0.3, 0.5])


def test_two_classes_by_hand() -> None:
    # s = (3, 1)/(¾·3 + ¼·1): the likely class says ln(3/2.5), the rare one ln(1/2.5)
    score = pc_softmax(
        np.array([[math.log(3), 0.0]] * 2), np.array([0, 1]), np.array([0.75, 0.25]), ROWS
    )

    assert score.per_row is not None
    assert score.per_row.tolist() == pytest.approx([-math.log(1.2), math.log(2.5)], rel=1e-14)
    assert score.value == pytest.approx(math.log(2.5 / 1.2) / 2, rel=1e-14)
    assert draw.number(score, "mutual_information") == -score.value


def test_the_loss_of_a_rare_class_told_surely_is_negative() -> None:
    score = pc_softmax(np.array([[0.0, 50.0]]), np.array([1]), np.array([0.9, 0.1]), Options())

    assert score.value == pytest.approx(math.log(0.1), rel=1e-14)


def test_the_numbers_of_torch_2_13_0_are_met() -> None:
    score = pc_softmax(LOGITS, LABELS, PRIOR, Options(gradient=True))

    assert score.value == pytest.approx(0.06342125526423154, rel=1e-13)
    expected = [
        [-0.25421081853278304, 0.2236180115783089, 0.03059280695447412],
        [0.013184259802195022, 0.3972194055928306, -0.4104036653950256],
    ]
    assert score.gradient == pytest.approx(np.array(expected), rel=1e-13)


def test_the_gradient_weighs_each_class_by_its_own_prior() -> None:
    score = pc_softmax(
        np.array([0.3, -0.2, 0.1]), np.array([0]), np.array([0.7, 0.1, 0.2]), Options(gradient=True)
    )

    mass = np.array([0.7, 0.1, 0.2]) * np.exp([0.3, -0.2, 0.1])
    share = mass / mass.sum()  # with π of the label in place of π_j it would not add up to 0
    assert isinstance(score.gradient, np.ndarray)
    assert score.gradient == pytest.approx(share - [1.0, 0.0, 0.0], rel=1e-13)
    assert score.gradient.sum() == pytest.approx(0.0, abs=1e-16)


@given(draw.classified())
def test_the_loss_is_what_60_digits_say(case: Case) -> None:
    logits, labels, prior = case
    score = pc_softmax(logits, labels, prior, ROWS)

    assert score.per_row is not None
    for z, y, loss in zip(logits.tolist(), labels.tolist(), score.per_row.tolist(), strict=True):
        expected = -float(oracle.pointwise_information(z, y, prior.tolist()))
        assert loss == pytest.approx(expected, rel=1e-12, abs=2e-15)


def test_a_small_information_keeps_its_digits() -> None:
    z, prior = [1e-9, 0.0], [0.25, 0.75]
    score = pc_softmax(np.array([z]), np.array([0]), np.array(prior), Options())

    expected = -float(oracle.pointwise_information(z, 0, prior))
    assert score.value == pytest.approx(expected, rel=1e-12)


def test_logits_of_1e4_keep_their_digits() -> None:
    near, far = np.array([[0.125, 0.0]]), np.array([[1e4 + 0.125, 1e4]])

    one = pc_softmax(near, np.array([1]), np.array([0.4, 0.6]), Options()).value
    other = pc_softmax(far, np.array([1]), np.array([0.4, 0.6]), Options()).value

    assert one == other


@given(draw.classified(draw.mild), st.floats(-100, 100))
def test_a_constant_added_to_a_row_changes_nothing(case: Case, shift: float) -> None:
    logits, labels, prior = case

    assert pc_softmax(logits + shift, labels, prior, Options()).value == pytest.approx(
        pc_softmax(logits, labels, prior, Options()).value, rel=1e-12, abs=1e-13
    )


@given(draw.classified(draw.mild))
def test_what_the_prior_weighs_adds_up_to_one(case: Case) -> None:
    logits, _, prior = case
    row = logits[:1]
    shares = [
        math.exp(-pc_softmax(row, np.array([y]), prior, Options()).value) for y in range(prior.size)
    ]

    assert float(prior @ shares) == pytest.approx(1.0, rel=1e-13)
    assert (np.array(shares) <= (1 + 1e-12) / prior).all()


@given(draw.classified(draw.mild))
def test_a_uniform_prior_makes_it_cross_entropy_less_ln_k(case: Case) -> None:
    logits, labels, _ = case
    rows = np.arange(labels.size)
    cross_entropy = -float(np.log(softmax(logits, axis=1)[rows, labels]).mean())

    score = pc_softmax(logits, labels, None, Options())

    expected = cross_entropy - math.log(logits.shape[1])
    assert score.value == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@given(case=draw.classified(draw.mild))
def test_the_gradient_is_the_slope_of_the_value(reduction: str, case: Case) -> None:
    logits, labels, prior = case
    weight = np.linspace(0.5, 2.0, labels.size)
    options = Options(
        reduction="sum" if reduction == "sum" else "mean",
        base="2",
        gradient=True,
        sample_weight=weight,
    )

    score = pc_softmax(logits, labels, prior, options)

    slope = draw.slope(lambda z: pc_softmax(z, labels, prior, options).value, logits)
    assert draw.agrees(score.gradient, slope)


def test_the_two_decisions_differ_where_the_prior_does() -> None:
    score = pc_softmax(np.array([[1.0, 0.0]]), np.array([0]), np.array([0.1, 0.9]), Options())

    assert draw.array(score, "predictions").tolist() == [0]
    assert draw.array(score, "predictions_prior").tolist() == [1]


def test_a_class_without_mass_leaves_the_sum() -> None:
    prior = np.array([0.5, 0.5, 0.0])
    options = Options(gradient=True)
    score = pc_softmax(np.array([[1.0, 2.0, 1e4]]), np.array([0]), prior, options)

    two = pc_softmax(np.array([[1.0, 2.0]]), np.array([0]), prior[:2], options)
    assert score.value == two.value
    assert isinstance(score.gradient, np.ndarray)
    assert isinstance(two.gradient, np.ndarray)
    assert score.gradient.tolist() == [[*two.gradient[0].tolist(), 0.0]]


def test_a_label_that_its_logit_rules_out_is_infinitely_costly() -> None:
    score = pc_softmax(np.array([[-np.inf, 0.0], [0.0, 0.0]]), np.array([0, 1]), None, Options())

    assert (score.status, score.reason) == ("infinite", "positive_infinity")
    assert draw.detail(score, "pointwise_information") == [None, 0.0]
    assert draw.reason(score, "mutual_information") == "negative_infinity"
    assert score.diagnostics.infinite_rows == (0,)


def test_a_gap_beyond_a_double_is_infinite() -> None:
    logits = np.array([[-1.7e308, 1.7e308]])
    score = pc_softmax(logits, np.array([0]), None, Options(gradient=True))

    assert score.value == math.inf


def test_rows_without_weight_have_no_information() -> None:
    score = pc_softmax(LOGITS, LABELS, PRIOR, Options(sample_weight=np.zeros(2)))

    assert score.reason == "zero_weight"
    assert draw.reason(score, "mutual_information") == "zero_weight"


@given(draw.classified())
def test_no_answer_holds_a_negative_zero(case: Case) -> None:
    score: Score = pc_softmax(*case, Options(gradient=True, per_row=True))

    assert not draw.has_negative_zero(score)


def test_one_row_has_a_gradient_of_its_own_shape() -> None:
    score = pc_softmax(np.array([1.0, 2.0]), np.array([0]), None, Options(gradient=True))

    assert isinstance(score.gradient, np.ndarray)
    assert score.gradient.shape == (2,)


def test_too_few_labels_are_refused() -> None:
    with draw.refused("/y_true", "[2]; [1] or [1][3] is expected (logits is [1][3])"):
        pc_softmax(LOGITS[:1], LABELS, PRIOR, Options())


def test_a_label_of_no_column_is_refused() -> None:
    with draw.refused("/y_true/1", "not among 0..2"):
        pc_softmax(LOGITS, np.array([0, 3]), PRIOR, Options())


def test_a_prior_of_other_classes_is_refused() -> None:
    with draw.refused("/prior", "[3] is expected"):
        pc_softmax(LOGITS, LABELS, PRIOR[:2], Options())


def test_a_prior_that_does_not_sum_to_one_is_refused() -> None:
    with draw.refused("/prior", "sums to"):
        pc_softmax(LOGITS, LABELS, np.array([0.2, 0.3, 0.4]), Options())


def test_a_negative_prior_is_refused() -> None:
    with draw.refused("/prior/0", "not a probability"):
        pc_softmax(LOGITS, LABELS, np.array([-0.2, 0.7, 0.5]), Options())


def test_a_label_of_a_class_without_mass_is_refused() -> None:
    with draw.refused("/y_true/1", "no mass"):
        pc_softmax(LOGITS, LABELS, np.array([0.5, 0.5, 0.0]), Options())


def test_logits_that_leave_only_classes_without_mass_are_refused() -> None:
    logits = np.array([[0.0, 0.0], [0.0, -np.inf]])
    with draw.refused("/logits/1", "that the prior allows"):
        pc_softmax(logits, np.array([1, 1]), np.array([0.0, 1.0]), Options())


def test_weights_of_other_rows_are_refused() -> None:
    with draw.refused("/sample_weight", "[2] is expected"):
        pc_softmax(LOGITS, LABELS, PRIOR, Options(sample_weight=np.ones(3)))
