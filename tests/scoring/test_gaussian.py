"""How well Gaussians around equidistant corners can be told apart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.scoring.gaussian import ideal_accuracy
from tests.scoring import oracles as oracle


def accuracy(k: int, ratio: float) -> float:
    found = ideal_accuracy(k, ratio)["ideal_accuracy"]
    assert isinstance(found, float)
    return found


def log_error(k: int, ratio: float) -> float:
    found = ideal_accuracy(k, ratio)["log10_ideal_error"]
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize(
    ("k", "ratio"), [(2, 0.25), (3, 1.0), (10, 5.0), (200, 3.0), (5, 23.0), (50, 51.0)]
)
def test_the_error_is_what_60_digits_say(k: int, ratio: float) -> None:
    error = oracle.ideal_error(k, ratio)

    assert accuracy(k, ratio) == pytest.approx(float(1 - error), rel=1e-12)
    assert log_error(k, ratio) == pytest.approx(float(oracle.mp.log10(error)), rel=1e-12, abs=1e-14)


@given(st.floats(0.01, 50.0))
def test_two_classes_err_as_the_tail_of_one_gaussian(ratio: float) -> None:
    expected = math.log10(0.5 * math.erfc(ratio / 2))

    assert log_error(2, ratio) == pytest.approx(expected, rel=1e-13, abs=1e-15)


@given(st.integers(2, 50), st.floats(0.0, 80.0), st.floats(0.0, 80.0))
def test_wider_corners_are_told_better(k: int, one: float, other: float) -> None:
    near, far = sorted((one, other))

    assert log_error(k, far) <= log_error(k, near) + 1e-13


@given(st.integers(2, 500), st.floats(0.0, 80.0))
def test_more_classes_err_more_but_less_than_the_union_of_pairs(k: int, ratio: float) -> None:
    assert log_error(k, ratio) <= log_error(k + 1, ratio) + 1e-13
    assert log_error(k, ratio) <= log_error(2, ratio) + math.log10(k - 1) + 1e-12


@given(st.integers(2, 1000))
def test_corners_that_coincide_are_guessed(k: int) -> None:
    assert accuracy(k, 0.0) == pytest.approx(1 / k, rel=1e-11)


def test_an_error_below_every_double_has_a_logarithm() -> None:
    # (k − 1) erfc(35)/2, of which a single pair has 10^−534.1
    assert accuracy(5, 70.0) == 1.0
    assert round(log_error(2, 70.0), 1) == -534.1
    expected = oracle.mp.log10(2 * oracle.mp.erfc(35))
    assert log_error(5, 70.0) == pytest.approx(float(expected), rel=1e-14)


def test_the_two_ways_meet() -> None:
    step = log_error(7, 51.6) - log_error(7, 51.5)
    across = log_error(7, 51.8) - log_error(7, 51.6)

    assert across / 2 == pytest.approx(step, rel=0.01)


@pytest.mark.parametrize("ratio", [1e9, 1e200, math.inf])
def test_corners_beyond_all_distance_take_no_time(ratio: float) -> None:
    assert accuracy(3, ratio) == 1.0
    assert log_error(3, ratio) < -1e16


def test_one_class_is_never_mistaken() -> None:
    assert (accuracy(1, 2.0), log_error(1, 2.0)) == (1.0, -math.inf)
