"""Sigmoid cross-entropy: by hand, by law, and against 60 digits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.logspace import sigmoid
from kullback.numerics.types import Array
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from kullback.scoring.sigmoid_cross_entropy import sigmoid_cross_entropy
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import central_differences, numbers, per_row, refused, slope

ROWS = Options(per_row=True)

columns = draw.sizes.flatmap(
    lambda n: st.tuples(draw.columns_of(n, draw.logit), draw.columns_of(n, draw.share))
)
tables = draw.shapes().flatmap(
    lambda s: st.tuples(
        draw.tables_of(*s, draw.logit),
        draw.tables_of(*s, draw.share),
        draw.tables_of(*s, draw.outcome),
        draw.columns_of(s[1], st.sampled_from((0.0, 0.5, 1.0, 7.0))),
    )
)


def score(
    x: Array,
    y: Array,
    pos_weight: Array | None = None,
    mask: Array | None = None,
    options: Options = ROWS,
) -> Score:
    return sigmoid_cross_entropy(x, y, pos_weight, mask, options)


def test_by_hand() -> None:
    x = np.array([[0.0, math.log(3)], [0.0, 9.0]])
    y = np.array([[1.0, 0.0], [0.5, 1.0]])
    found = score(x, y, mask=np.array([[1.0, 1.0], [1.0, 0.0]]))
    assert found.value == pytest.approx(4 * math.log(2) / 3, rel=1e-15)
    assert per_row(found) == pytest.approx([1.5 * math.log(2), math.log(2)], rel=1e-15)
    assert numbers(found, "per_label") == pytest.approx([math.log(2), math.log(4)], rel=1e-15)
    assert found.details["valid"] == 3


def test_a_positive_weight_by_hand() -> None:
    y = np.array([[1.0, 0.0]])
    assert score(np.zeros((1, 2)), y, np.array(3.0)).value == pytest.approx(2 * math.log(2))
    zero = score(np.zeros((1, 2)), y, np.array([0.0, 5.0]))
    assert zero.value == pytest.approx(math.log(2) / 2, rel=1e-15)


def test_masked_entries_do_not_count_even_where_infinite() -> None:
    x, y = np.array([[-np.inf, 1.0], [0.0, -np.inf]]), np.array([[1.0, 1.0], [1.0, 1.0]])
    found = score(x, y, mask=np.array([[0.0, 1.0], [1.0, 0.0]]), options=Options(gradient=True))
    expected = (oracles.sigmoid_cross_entropy(1.0, 1.0) + math.log(2)) / 2
    assert found.value == pytest.approx(expected, rel=1e-15)
    assert slope(found) == pytest.approx([0.0, -0.5 / (1 + math.e), -0.25, 0.0], rel=1e-15)


def test_a_row_that_is_masked_whole_is_no_row() -> None:
    found = score(np.array([[1.0], [2.0]]), np.ones((2, 1)), mask=np.array([[0.0], [1.0]]))
    assert found.n == 1
    assert per_row(found)[0] == 0.0
    assert found.value == pytest.approx(oracles.sigmoid_cross_entropy(1.0, 2.0), rel=1e-15)


def test_nothing_but_masked_entries_has_no_mean() -> None:
    found = score(np.ones(2), np.ones(2), mask=np.zeros(2))
    assert found.status == "undefined"
    assert found.reason == "empty"
    assert found.details["per_label"] == [None]


def test_a_row_may_rule_out_every_label() -> None:
    found = score(np.full((1, 3), -np.inf), np.zeros((1, 3)))
    assert found.value == 0.0
    assert score(np.full((1, 3), -np.inf), np.ones((1, 3))).status == "infinite"


@given(columns)
def test_rows_agree_with_sixty_digits(rows: tuple[Array, Array]) -> None:
    x, y = rows
    for found, logit, label in zip(per_row(score(x, y)), x.tolist(), y.tolist(), strict=True):
        truth = oracles.sigmoid_cross_entropy(label, logit)
        assert truth < 1e-290 or relative_error(found, truth) < 1e-14


@given(tables)
def test_the_mean_is_over_unmasked_entries(rows: tuple[Array, Array, Array, Array]) -> None:
    x, y, mask, c = rows
    kept = [tuple(map(int, place)) for place in np.argwhere(mask == 1)]
    costs = [oracles.sigmoid_cross_entropy(y[at], x[at], c[at[1]]) for at in kept]
    found = score(x, y, c, mask)
    assert found.details["valid"] == len(kept)
    if kept:
        assert found.value == pytest.approx(sum(costs) / len(kept), rel=1e-13, abs=1e-290)


@given(draw.shapes().flatmap(lambda s: st.tuples(*[draw.tables_of(*s, draw.mild_logit)] * 2)))
def test_it_is_the_log_loss_of_the_sigmoid(pair: tuple[Array, Array]) -> None:
    x, y = pair[0], sigmoid(pair[1])
    expected = log_loss(y, sigmoid(x), LogLossOptions(task="multilabel"), ROWS)
    assert per_row(score(x, y)) == pytest.approx(per_row(expected), rel=1e-11)
    one = log_loss(y[:, 0], sigmoid(x[:, 0]), LogLossOptions(), ROWS)
    assert per_row(score(x[:, 0], y[:, 0])) == pytest.approx(per_row(one), rel=1e-11)


@given(tables)
def test_gradients_are_slopes(rows: tuple[Array, Array, Array, Array]) -> None:
    x, y, mask, c = rows
    x = np.clip(x, -20.0, 20.0)
    options = Options(gradient=True, sample_weight=np.arange(1.0, x.shape[0] + 1))
    found = score(x, y, c, mask, options)
    if found.gradient is None:
        assert not mask.any()
        return
    expected = central_differences(lambda z: score(z, y, c, mask, options), x)
    assert slope(found) == pytest.approx(expected, rel=1e-6, abs=5e-8)


def test_impossible_input_is_refused_where_it_stands() -> None:
    one = np.ones((1, 2))
    with refused("/logits"):
        score(np.ones((1, 1, 1)), np.ones((1, 1, 1)))
    with refused("/logits"):
        score(np.ones(0), np.ones(0))
    with refused("/logits/0/1"):
        score(np.array([[0.0, np.nan]]), one)
    with refused("/y_true/0/0"):
        score(one, np.array([[2.0, 0.0]]))
    with refused("/y_true"):
        score(one, np.ones((1, 3)))
    with refused("/mask"):
        score(one, one, mask=np.ones((1, 3)))
    with refused("/mask/0/1"):
        score(one, one, mask=np.array([[1.0, 0.5]]))
    with refused("/pos_weight"):
        score(one, one, np.ones(3))
    with refused("/pos_weight/1"):
        score(one, one, np.array([1.0, -1.0]))
