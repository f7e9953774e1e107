"""What is refused before any formula sees it, and where the refusal points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.scoring.arrays import (
    distributions,
    logit_rows,
    logits,
    matrix,
    probabilities,
    row_blocks,
    row_sums,
    same_shape,
    shown,
    unit_interval,
    weights,
)
from kullback.scoring.options import Options
from kullback.scoring.refusals import ERRORS_NAMED, refuse
from tests import strategies as draw
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


@pytest.mark.parametrize("bad", [-1e-5, np.nan, -np.inf])
def test_what_is_no_probability_is_refused_where_it_stands(bad: float) -> None:
    with refused("/p/1/0"):
        distributions("p", np.array([[1.0, 0.0], [bad, 1.0]]), PLAIN)
    with refused("/p/0"):
        distributions("p", np.array([bad, 1.0]), PLAIN)
    with refused("/p/1"):
        unit_interval("p", np.array([0.5, bad]))


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


@pytest.mark.parametrize(("kind", "off"), [(np.float32, 3e-4), (np.float16, 0.03), (float, 9e-7)])
def test_the_tolerance_follows_the_type_unless_it_is_said(kind: type, off: float) -> None:
    near, far = ([[0.5, 0.5 + error]] for error in (off, 1.5 * off))
    found = distributions("p", np.array(near, kind), PLAIN)
    assert found.dtype == kind
    assert found.values.dtype == np.float64
    assert found.max_sum_error == pytest.approx(off, rel=0.1)
    with refused("/p/0", "sum_tolerance"):
        distributions("p", np.array(far, kind), PLAIN)
    with refused("/p/0", "sum_tolerance 1e-07"):
        distributions("p", np.array(near, kind), Options(sum_tolerance=1e-7))


@pytest.mark.parametrize("k", [10, 50_257, 256_000])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_softmax_rows_of_a_language_model_sum_to_one(k: int, kind: type) -> None:
    z = np.random.default_rng(k).normal(0.0, 3.0, (4, k)).astype(np.float32)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True, dtype=np.float32)
    assert distributions("p", p.astype(kind), PLAIN).values.shape == (4, k)


def test_entries_outside_by_rounding_are_set_to_the_bound_and_counted() -> None:
    found = distributions("p", np.array([[-1e-9, 1.000000001], [0.5, 0.5]]), PLAIN)
    assert found.values.tolist() == [[0.0, 1.0], [0.5, 0.5]]
    assert found.clipped == 2
    single = probabilities("p", np.array([1.0000001, -1e-9, 0.5]), PLAIN)
    assert single.values.tolist() == [1.0, 0.0, 0.5]
    assert single.clipped == 2
    with refused("/p/1", "1.0000011 is not in [0, 1] within sum_tolerance 1e-06"):
        probabilities("p", np.array([1.0, 1.0000011]), PLAIN)
    with refused("/p/0/0", "-1.1e-06 is not a probability"):
        distributions("p", np.array([[-1.1e-6, 1.0]]), PLAIN)


@given(st.integers(1, 6).flatmap(lambda k: draw.rows(3, k)), st.floats(0, 1))
def test_a_row_that_is_taken_is_a_distribution_within_the_tolerance(p: Array, noise: float) -> None:
    sent = p + noise * 2e-6 * np.sin(np.arange(p.size).reshape(p.shape))
    try:
        found = distributions("p", sent, PLAIN)
    except InvalidInput:
        assert sent.min() < -1e-6 or np.abs(np.maximum(sent, 0).sum(axis=1) - 1).max() > 1e-6
    else:
        assert found.values.min() >= 0
        assert found.values.max() <= 1
        assert np.abs(found.values.sum(axis=1) - 1).max() <= 1.001e-6
        assert found.clipped == np.count_nonzero((sent < 0) | (sent > 1))


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
    assert unit_interval("p", np.array([0.0, 1.0])).tolist() == [0.0, 1.0]
    with refused("/p/0"):
        unit_interval("p", np.array([1.0 + 2.0**-52]))
    with refused("/p"):
        unit_interval("p", np.empty(0))


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
