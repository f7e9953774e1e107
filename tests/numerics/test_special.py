"""Special functions agree with 60 digits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.special import chi_square_tail, log_erfc, stirling_remainder
from tests.scoring import oracles as oracle


@given(st.one_of(st.integers(1, 60), st.sampled_from((10**3, 10**6, 10**9, 2**53))))
def test_stirlings_remainder_is_what_60_digits_say(n: int) -> None:
    found = float(stirling_remainder(np.array([float(n)]))[0])

    assert found == pytest.approx(float(oracle.stirling_remainder(n)), rel=1e-15, abs=2e-14)


def test_the_series_of_stirlings_remainder_starts_where_lgamma_stops() -> None:
    below, above = stirling_remainder(np.array([20.0, 20.0 + 1e-9])).tolist()

    assert above == pytest.approx(below, rel=1e-10)


@given(st.integers(1, 30), st.one_of(st.floats(0.01, 4.0), st.sampled_from((1e-12, 1e-6, 1.0))))
def test_the_tail_of_chi_square_is_what_60_digits_say(degrees: int, share: float) -> None:
    found = chi_square_tail(share * degrees, degrees)

    expected = float(oracle.chi_square_tail(share * degrees, degrees))
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("degrees", [99, 1000, 20_001])
@pytest.mark.parametrize("share", [0.5, 0.9, 1.0, 1.1])
def test_the_tail_of_many_degrees_keeps_its_digits(degrees: int, share: float) -> None:
    found = chi_square_tail(share * degrees, degrees)

    expected = float(oracle.chi_square_tail(share * degrees, degrees))
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("statistic", [1e-12, 3e-12, 7e-12, 2e-11, 6e-11, 1.3e-10, 3.1e-9, 1e-8])
def test_a_small_statistic_of_odd_degrees_keeps_its_digits(statistic: float) -> None:
    expected = float(oracle.chi_square_tail(statistic, 3))

    assert chi_square_tail(statistic, 3) == pytest.approx(expected, rel=1e-15)


def test_a_statistic_of_almost_nothing_is_exceeded() -> None:
    assert chi_square_tail(5e-324, 3) == 1.0


@given(st.integers(1, 9), st.floats(0.0, 60.0), st.floats(0.0, 60.0))
def test_the_tail_of_chi_square_falls(degrees: int, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert chi_square_tail(high, degrees) <= chi_square_tail(low, degrees) * (1 + 1e-14)


def test_the_tail_of_chi_square_with_two_degrees_is_exponential() -> None:
    assert chi_square_tail(6.0, 2) == math.exp(-3.0)


@pytest.mark.parametrize(("statistic", "degrees"), [(0.0, 3), (-1.0, 3), (5.0, 0)])
def test_nothing_is_below_a_statistic_of_zero_or_without_degrees(
    statistic: float, degrees: int
) -> None:
    assert chi_square_tail(statistic, degrees) == 1.0


def test_nothing_is_beyond_an_infinite_statistic() -> None:
    assert chi_square_tail(math.inf, 4) == 0.0


@given(st.one_of(st.floats(-5.0, 25.0), st.floats(19.9, 20.1), st.sampled_from((35.0, 1e3, 1e8))))
def test_the_logarithm_of_erfc_is_what_60_digits_say(x: float) -> None:
    assert log_erfc(x) == pytest.approx(float(oracle.log_erfc(x)), rel=1e-13, abs=1e-16)
