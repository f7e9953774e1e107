"""The row by row arithmetic, at the places where textbook formulas lose it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.logspace import log_softmax_ratio
from kullback.numerics.types import Array
from kullback.scoring.information_rows import (
    cross_entropy_rows,
    dot,
    entropy_rows,
    js_rows,
    kl_rows,
)
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error

exponents = st.floats(-300.0, -0.01)


@given(exponents, exponents)
def test_one_tiny_outcome_keeps_its_digits(a: float, b: float) -> None:
    p, q = np.array([[1.0, 10.0**a]]), np.array([[1.0, 10.0**b]])
    p /= p.sum()
    q /= q.sum()
    one, other = p[0].tolist(), q[0].tolist()
    for found, truth in (
        (kl_rows(p, q, None)[0], oracles.kl(one, other)),
        (js_rows(p, q)[0], oracles.js(one, other)),
        (entropy_rows(p, None)[0], oracles.entropy(one)),
        (cross_entropy_rows(p, q)[0], oracles.cross_entropy(one, other)),
    ):
        assert truth < 1e-290 or relative_error(float(found), truth) < 1e-14


@pytest.mark.parametrize("ratio", [0.4, 0.499, 1.51, 2.0, 3.0])
def test_outcomes_near_the_least_double_are_compared_by_their_quotient(ratio: float) -> None:
    p, q = np.array([[1.0, 1e-280]]), np.array([[1.0, ratio * 1e-280]])
    one, other = p[0].tolist(), q[0].tolist()
    assert relative_error(float(kl_rows(p, q, None)[0]), oracles.kl(one, other)) < 4e-15
    assert relative_error(float(js_rows(p, q)[0]), oracles.js(one, other)) < 4e-15


@pytest.mark.parametrize("gap", [1e-3, 0.3, 0.499, 0.501, 2.0, 50.0, 1e12])
def test_near_and_far_meet_without_a_step(gap: float) -> None:
    p = np.array([[1e-3, 1.0 - 1e-3]])
    q = np.array([[1e-3 * (1 + gap), 1.0]])
    q /= q.sum()
    found = float(kl_rows(p, q, None)[0])
    assert relative_error(found, oracles.kl(p[0].tolist(), q[0].tolist())) < 5e-14


def test_a_zero_meets_an_infinite_logarithm() -> None:
    assert dot(np.array([[0.0, 1.0]]), np.array([[-np.inf, -2.0]])).tolist() == [-2.0]


def test_rows_beyond_one_block_are_all_computed() -> None:
    p = np.tile([[0.25, 0.75], [0.5, 0.5]], (20_000, 1))
    q = np.tile([[0.5, 0.5], [0.5, 0.5]], (20_000, 1))
    expected = [oracles.kl([0.25, 0.75], [0.5, 0.5]), 0.0]
    assert kl_rows(p, q, None) == pytest.approx(np.tile(expected, 20_000), rel=1e-15)
    middle = [oracles.js([0.25, 0.75], [0.5, 0.5]), 0.0]
    assert js_rows(p, q) == pytest.approx(np.tile(middle, 20_000), rel=1e-15)
    ratio = np.log(q) - np.log(p)
    assert kl_rows(p, q, ratio) == pytest.approx(np.tile(expected, 20_000), rel=1e-14)


def test_an_outcome_too_rare_for_a_double_is_still_ruled_out() -> None:
    z, x = np.array([[0.0, -800.0]]), np.array([[0.0, -np.inf]])
    p, q = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])
    assert kl_rows(p, q, log_softmax_ratio(z, x)).tolist() == [math.inf]


@given(draw.sizes.flatmap(lambda n: draw.row_pairs(n, 4)))
def test_a_ratio_of_logarithms_scores_as_the_rows_themselves(
    pair: tuple[Array, Array],
) -> None:
    p, q = pair
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(q) - np.log(p)
    found, expected = kl_rows(p, q, ratio), kl_rows(p, q, None)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-13)
