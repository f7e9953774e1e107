"""Sampled softmax: by hand, by law, in sixty digits, and as an estimate of the whole softmax."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring.options import Options
from kullback.scoring.sampled_softmax import sampled_softmax
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
    refused,
)

NATS = Options()
log_q = st.floats(-12.0, 2.0)


def candidates(
    logit: st.SearchStrategy[float],
) -> st.SearchStrategy[tuple[Array, Array, Array, Array, Array, Array]]:
    """Positive and negative logits, the corrections of both, a mask, and weights."""
    return st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
        lambda shape: st.tuples(
            draw.columns_of(shape[0], logit),
            draw.tables_of(*shape, logit),
            draw.columns_of(shape[0], log_q),
            draw.tables_of(*shape, log_q),
            draw.tables_of(*shape, draw.outcome),
            draw.columns_of(shape[0], st.floats(0.1, 10.0)),
        )
    )


def loss(
    positive: Array,
    negative: Array,
    corrections: tuple[Array | None, Array | None] = (None, None),
    mask: Array | None = None,
    options: Options = NATS,
) -> Score:
    return sampled_softmax((positive, negative), corrections, mask, options)


def test_by_hand() -> None:
    positive, negative = np.array([math.log(2)]), np.array([[0.0, 0.0]])
    corrections = (None, np.log([[0.5, 0.5]]))
    options = Options(gradient=True, base="2")
    found = loss(positive, negative, corrections, options=options)
    # odds 2 : 2 : 2 once a negative of chance ½ counts twice
    assert found.value == pytest.approx(math.log2(3), rel=1e-15)
    assert number(found, "accuracy") == pytest.approx(1 / 3)
    assert found.gradients is not None
    nats = math.log(2)
    assert found.gradients["positive_logits"] == pytest.approx(np.array([-2 / 3 / nats]))
    assert found.gradients["negative_logits"] == pytest.approx(np.full((1, 2), 1 / 3 / nats))


@given(candidates(draw.finite_logit))
def test_sixty_digits_agree(
    drawn: tuple[Array, Array, Array, Array, Array, Array],
) -> None:
    positive, negative, up, down, mask, w = drawn
    options = Options(sample_weight=w, per_row=True)
    found = loss(positive, negative, (up, down), mask, options)
    kept = 0
    for row, cost in enumerate(per_row(found)):
        valid = mask[row] > 0
        if not valid.any():
            assert cost == 0.0
            continue
        kept += 1
        z = [positive[row] - up[row], *(negative[row] - down[row])[valid]]
        truth = oracles.softmax_cross_entropy(z, [1.0, *[0.0] * int(valid.sum())])
        assert relative_error(cost, truth) < 1e-13
    assert found.n == kept
    assert found.details["negatives"] == mask.sum()
    if not kept:
        assert (found.status, found.reason) == ("undefined", "empty")


@given(candidates(draw.mild_logit))
def test_gradients_are_slopes(
    drawn: tuple[Array, Array, Array, Array, Array, Array],
) -> None:
    positive, negative, up, down, mask, w = drawn
    options = Options(sample_weight=w, gradient=True)
    found = loss(positive, negative, (up, down), mask, options)
    if found.status == "finite":
        assert found.gradients is not None
        rise = central_differences(lambda x: loss(x, negative, (up, down), mask, options), positive)
        fall = central_differences(lambda x: loss(positive, x, (up, down), mask, options), negative)
        assert found.gradients["positive_logits"] == pytest.approx(
            np.array(rise), rel=1e-6, abs=1e-7
        )
        assert found.gradients["negative_logits"].reshape(-1) == pytest.approx(
            np.array(fall), rel=1e-6, abs=1e-7
        )
        assert not has_negative_zero(found)


@given(candidates(draw.finite_logit))
def test_without_correction_it_is_a_softmax(
    drawn: tuple[Array, Array, Array, Array, Array, Array],
) -> None:
    positive, negative, *_ = drawn
    whole = np.concatenate((positive[:, None], negative), axis=1)
    truth = np.zeros(positive.size, np.int64)
    expected = softmax_cross_entropy(whole, truth, SoftmaxOptions(), NATS).value
    assert loss(positive, negative).value == expected


@given(candidates(draw.mild_logit), st.floats(-20.0, 20.0))
def test_a_correction_of_all_by_one_number_changes_nothing(
    drawn: tuple[Array, Array, Array, Array, Array, Array], shift: float
) -> None:
    positive, negative, up, down, *_ = drawn
    found = loss(positive, negative, (up, down)).value
    moved = loss(positive, negative, (up + shift, down + shift)).value
    assert moved == pytest.approx(found, rel=1e-9, abs=1e-12)


def test_with_correction_it_estimates_the_softmax_over_all_items() -> None:
    random = np.random.default_rng(5)
    items, m = 2_000, 20_000
    logits = random.normal(size=items)
    q = random.dirichlet(np.ones(items) * 2)
    drawn = random.choice(items, m, p=q)
    drawn = drawn[drawn != 0]
    negative = logits[drawn][None, :]
    expected_count = np.log(m * q[drawn])[None, :]
    whole = float(np.log(np.exp(logits).sum()) - logits[0])
    positive = logits[:1]
    corrected = loss(positive, negative, (None, expected_count)).value
    assert corrected == pytest.approx(whole, abs=0.03)
    assert abs(loss(positive, negative).value - whole) > 1


def test_a_constant_prediction_is_right_as_often_as_chance() -> None:
    found = loss(np.zeros(2), np.zeros((2, 3)))
    assert number(found, "accuracy") == 0.25


def test_accidental_hits_and_rows_without_negatives_do_not_count() -> None:
    negative, mask = np.array([[np.nan, 0.0], [9.0, 9.0]]), np.array([[0.0, 1.0], [0.0, 0.0]])
    down = np.array([[np.inf, 0.0], [np.nan, 0.0]])
    found = loss(np.array([0.0, -np.inf]), negative, (None, down), mask)
    assert found.value == pytest.approx(math.log(2), rel=1e-15)
    assert found.n == 1
    assert number(found, "accuracy") == 0.5


def test_minus_infinity_is_never_chosen() -> None:
    found = loss(np.array([0.0]), np.array([[-np.inf, 0.0]]))
    assert found.value == pytest.approx(math.log(2), rel=1e-15)
    assert loss(np.array([-np.inf]), np.array([[0.0]])).status == "infinite"


def test_impossible_input_is_refused_where_it_stands() -> None:
    z, negative = np.zeros(2), np.zeros((2, 3))
    with refused("/positive_logits/1"):
        loss(np.array([0.0, np.inf]), negative)
    with refused("/negative_logits"):
        loss(z, np.zeros((3, 2)))
    with refused("/positive_logits/0"):
        loss(np.array([-np.inf, 0.0]), np.array([[-np.inf], [0.0]]))
    with refused("/positive_log_q"):
        loss(z, negative, (np.zeros(3), None))
    with refused("/positive_log_q/0"):
        loss(z, negative, (np.array([-np.inf, 0.0]), None))
    with refused("/negative_log_q"):
        loss(z, negative, (None, np.zeros((3, 2))))
    with refused("/negative_log_q/1/2"):
        loss(z, negative, (None, np.array([[0.0, 0.0, 0.0], [0.0, 0.0, np.inf]])))
    with refused("/mask"):
        loss(z, negative, mask=np.ones(2))
    with refused("/sample_weight"):
        loss(z, negative, options=Options(sample_weight=np.ones(3)))
