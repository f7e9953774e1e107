"""Logarithms that lose no digits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from kullback.numerics.logspace import (
    log_complement,
    log_softmax,
    log_softmax_ratio,
    log_sum_exp,
    neg_log_complement,
    phi,
    psi,
    sigmoid,
    softplus,
)
from kullback.numerics.types import Array
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error

logit_rows = draw.shapes().flatmap(lambda shape: draw.logit_rows(*shape))


def test_a_near_certain_outcome_keeps_its_digits() -> None:
    found = log_softmax(np.array([[40.0, 0.0]]))[0].tolist()
    assert found == [pytest.approx(-4.248354255291589e-18, rel=1e-15), -40.0]


def test_a_gap_of_ten_thousand_loses_no_digits() -> None:
    assert log_softmax(np.array([[1e4, 0.0]])).tolist() == [[0.0, -1e4]]
    near = log_softmax(np.array([[1e4, 1e4 - 1.0]]))[0].tolist()
    assert near == [pytest.approx(-math.log1p(math.exp(-1)), rel=1e-15), near[0] - 1.0]


def test_a_gap_beyond_a_double_is_infinite() -> None:
    assert log_softmax(np.array([[1e308, -1e308]])).tolist() == [[0.0, -math.inf]]


@given(logit_rows)
def test_log_softmax_agrees_with_sixty_digits(z: Array) -> None:
    for found, row in zip(log_softmax(z).tolist(), z.tolist(), strict=True):
        for value, truth in zip(found, oracles.log_softmax(row), strict=True):
            assert abs(truth) < 1e-290 or relative_error(value, truth) < 1e-12


@given(logit_rows)
def test_log_softmax_is_never_above_zero_and_sums_to_one(z: Array) -> None:
    log_p = log_softmax(z)
    assert (log_p <= 0.0).all()
    assert np.exp(log_p).sum(axis=1) == pytest.approx(np.ones(z.shape[0]), rel=1e-12)


@given(draw.tables_of(3, 4, draw.mild_logit), st.sampled_from([-64.0, 1.0, 1024.0]))
def test_a_shift_of_all_logits_changes_nothing(z: Array, shift: float) -> None:
    moved = log_softmax(z + shift)
    assert moved == pytest.approx(log_softmax(z), rel=1e-11, abs=1e-12)


def test_the_ratio_of_close_logits_keeps_its_digits() -> None:
    z = np.array([[1.0, 2.0, 300.0]])
    x = z + np.array([[1e-9, -1e-9, 2e-9]])
    found = log_softmax_ratio(z, x)[0].tolist()
    shift = (x - z)[0]
    assert found[0] == pytest.approx(shift[0] - shift[2], rel=1e-12)
    assert found[1] == pytest.approx(shift[1] - shift[2], rel=1e-12)


@pytest.mark.parametrize(
    ("z", "x"),
    [
        ([0.0, 1.0, -np.inf], [0.5, 0.0, -1.0]),
        ([0.0, 1.0, -1.0], [0.5, 0.0, -np.inf]),
        ([0.0, 1.0, -1.0], [-np.inf, 0.0, 9.0]),
        ([0.0, 900.0, -1.0], [900.0, 0.0, 9.0]),
    ],
)
def test_the_ratio_of_unlike_logits_is_the_difference(z: list[float], x: list[float]) -> None:
    found = log_softmax_ratio(np.array([z]), np.array([x]))[0]
    one, other = (np.array(oracles.log_softmax(side)) for side in (z, x))
    assert found == pytest.approx(other - one, rel=1e-14)


def test_the_ratio_is_no_number_where_both_rule_out() -> None:
    z = np.array([[0.0, -np.inf]])
    assert np.isnan(log_softmax_ratio(z, z)[0, 1])


def test_the_sum_of_nothing_is_minus_infinity() -> None:
    assert log_sum_exp(np.array([[-np.inf, -np.inf]])).tolist() == [-math.inf]
    assert log_sum_exp(np.array([[0.0, 0.0]])).tolist() == [math.log(2)]


def test_the_complement_of_a_near_certain_outcome_keeps_its_digits() -> None:
    log_p = log_softmax(np.array([[300.0, 0.0, -5.0]]))
    found = float(log_complement(log_p, np.array([0]))[0])
    assert found == pytest.approx(-300.0 + math.log1p(math.exp(-5)), rel=1e-15)
    assert log_complement(np.zeros((1, 1)), np.array([0])).tolist() == [-math.inf]


@pytest.mark.parametrize("x", [-math.inf, -800.0, -40.0, -1e-9, 0.0, 1e-9, 1.0, 40.0, 800.0])
def test_softplus_and_sigmoid_agree_with_sixty_digits(x: float) -> None:
    with mp.workdps(60):
        plus = float(mp.log1p(mp.exp(mp.mpf(x))))
        rise = float(1 / (1 + mp.exp(-mp.mpf(x))))
    assert relative_error(float(softplus(np.array([x]))[0]), plus) < 1e-15
    assert relative_error(float(sigmoid(np.array([x]))[0]), rise) < 1e-15


@given(st.floats(-0.9999, 1e6))
def test_phi_keeps_its_digits(u: float) -> None:
    with mp.workdps(700):
        truth = float(mp.mpf(u) - mp.log1p(mp.mpf(u)))
    found = float(phi(np.array([u]))[0])
    assert found >= 0.0
    assert truth < 1e-290 or relative_error(found, truth) < 1e-14


@given(st.one_of(st.floats(-0.5, 0.5), st.floats(-0.11, 0.11)))
def test_psi_keeps_its_digits(d: float) -> None:
    with mp.workdps(700):
        truth = float(mp.expm1(mp.mpf(d)) - mp.mpf(d))
    found = float(psi(np.array([d]))[0])
    assert found >= 0.0
    assert truth < 1e-290 or relative_error(found, truth) < 1e-14


def test_a_rare_event_that_did_not_happen_costs_its_probability() -> None:
    assert neg_log_complement(np.array([0.0, 1e-20, 1.0])).tolist() == [0.0, 1e-20, math.inf]
