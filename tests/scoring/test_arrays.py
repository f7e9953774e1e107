"""What is refused before any formula sees it, and where the refusal points."""

import numpy as np
import pytest

from kullback.errors import InvalidInput
from kullback.scoring.arrays import (
    ERRORS_NAMED,
    distributions,
    logit_rows,
    logits,
    matrix,
    probabilities,
    refuse,
    row_blocks,
    row_sums,
    same_shape,
    shown,
    weights,
)
from kullback.scoring.options import Options
from tests.scoring.answers import refused

PLAIN = Options()
RENORMALIZE = Options(on_unnormalized="renormalize")


def test_all_offences_are_counted_and_the_first_are_named() -> None:
    bad = np.ones((10, 5), np.bool_)
    bad[0] = False
    with pytest.raises(InvalidInput) as caught:
        refuse("p", bad, lambda at: f"bad at {at}")
    assert caught.value.total == 45
    assert len(caught.value.offences) == ERRORS_NAMED
    assert caught.value.offences[0].pointer == "/p/1/0"
    assert "bad at (1, 0)" in caught.value.message


def test_one_row_is_a_batch_of_one() -> None:
    rows, single = matrix("p", np.array([0.5, 0.5]))
    assert rows.shape == (1, 2)
    assert single
    assert not matrix("p", np.ones((1, 2)))[1]
    assert matrix("p", np.ones((2, 4))[:, ::2])[0].flags.c_contiguous


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (1, 1, 1), ()])
def test_what_is_no_batch_is_refused(shape: tuple[int, ...]) -> None:
    with refused("/p"):
        matrix("p", np.ones(shape))


@pytest.mark.parametrize("bad", [-1e-300, np.nan, -np.inf])
def test_what_is_no_probability_is_refused_where_it_stands(bad: float) -> None:
    with refused("/p/1/0"):
        distributions("p", np.array([[1.0, 0.0], [bad, 1.0]]), PLAIN)
    with refused("/p/0"):
        distributions("p", np.array([bad, 1.0]), PLAIN)
    with refused("/p/1"):
        probabilities("p", np.array([0.5, bad]))


def test_a_row_sums_to_one_within_the_tolerance() -> None:
    near, far = np.array([[0.5, 0.5 + 1e-7]]), np.array([[0.5, 0.5], [0.5, 0.5 + 2e-6]])
    assert distributions("p", near, PLAIN).max_sum_error == pytest.approx(1e-7, rel=1e-6)
    with refused("/p/1"):
        distributions("p", far, PLAIN)
    assert distributions("p", far, Options(sum_tolerance=1e-5)).renormalized == 0
    with refused("/p"):
        distributions("p", np.array([0.5, 0.6]), PLAIN)
    with refused("/p/0"):
        distributions("p", np.array([[np.inf, 1.0]]), PLAIN)


def test_negative_zero_is_a_probability() -> None:
    assert distributions("p", np.array([[-0.0, 1.0]]), PLAIN).max_sum_error == 0.0


def test_rows_are_divided_by_their_sum_where_that_is_asked_for() -> None:
    sent = np.array([[1.0, 3.0], [0.5, 0.5]])
    found = distributions("p", sent, RENORMALIZE)
    assert found.values.tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert found.renormalized == 1
    assert found.max_sum_error == 3.0
    assert sent[0, 0] == 1.0
    same = distributions("p", sent[1:], RENORMALIZE)
    assert same.renormalized == 0


@pytest.mark.parametrize("row", [[0.0, 0.0], [np.inf, 1.0], [1.5e308, 1.5e308]])
def test_a_row_without_a_finite_sum_cannot_be_renormalized(row: list[float]) -> None:
    with refused("/p/0"):
        distributions("p", np.array([row]), RENORMALIZE)


def test_probabilities_lie_between_zero_and_one() -> None:
    assert probabilities("p", np.array([0.0, 1.0])).tolist() == [0.0, 1.0]
    with refused("/p/0"):
        probabilities("p", np.array([1.0 + 2.0**-52]))
    with refused("/p"):
        probabilities("p", np.empty(0))


def test_a_logit_may_be_minus_infinity_and_nothing_else_that_is_infinite() -> None:
    assert logits("z", np.array([-np.inf, 0.0])).size == 2
    with refused("/z/1"):
        logits("z", np.array([0.0, np.inf]))
    with refused("/z/0"):
        logits("z", np.array([np.nan, 0.0]))
    with refused("/z"):
        logits("z", np.empty(0))


def test_a_softmax_needs_an_outcome() -> None:
    with refused("/z/1"):
        logit_rows("z", np.array([[0.0, -np.inf], [-np.inf, -np.inf]]))
    with refused("/z"):
        logit_rows("z", np.array([-np.inf, -np.inf]))
    rows, single = logit_rows("z", np.array([0.0, -np.inf]))
    assert single
    assert rows.shape == (1, 2)


def test_weights_are_finite_and_one_per_row() -> None:
    assert weights("w", None, 3) is None
    assert weights("w", np.array([0.0, 1e-300, 2.0]), 3) is not None
    assert weights("w", np.zeros(2), 2) is not None
    with refused("/w"):
        weights("w", np.ones(2), 3)
    for bad in (-1.0, np.nan, np.inf):
        with refused("/w/1"):
            weights("w", np.array([1.0, bad]), 2)


@pytest.mark.parametrize("size", [1e101, 1e308, 1e-101, 5e-324])
def test_weights_whose_sums_leave_doubles_are_refused(size: float) -> None:
    with refused("/w"):
        weights("w", np.full(2, size), 2)


def test_shapes_are_shown_as_they_are_written() -> None:
    assert [shown(np.ones(shape)) for shape in ((), (2,), (2, 3))] == [
        "a single number",
        "[2]",
        "[2][3]",
    ]
    with refused("/q"):
        same_shape("q", np.ones(2), "p", np.ones(3))


@pytest.mark.parametrize(("n", "k"), [(1, 1), (7, 100_000), (100_000, 3), (32_768, 1)])
def test_blocks_of_rows_cover_every_row_once(n: int, k: int) -> None:
    found = [i for block in row_blocks(n, k) for i in range(n)[block]]
    assert found == list(range(n))


@pytest.mark.parametrize("k", [1, 16, 17, 1000])
def test_sums_of_rows(k: int) -> None:
    values = np.random.default_rng(k).random((5, k))
    assert row_sums(values) == pytest.approx(values.sum(axis=1), rel=1e-13)
