"""Tails of Student's t and of the normal distribution keep their digits, near and far."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from kullback.numerics.student_t import (
    normal_log_tail,
    normal_log_tail_inverse,
    t_log_tail,
    t_log_tail_inverse,
)
from tests.scoring import oracles as oracle

mp = oracle.mp
LARGEST = sys.float_info.max

degrees = st.one_of(
    st.floats(0.5, 60.0), st.sampled_from((0.5, 1.0, 2.0, 3.0, 39.9, 40.0, 40.1, 1023.0, 1e4))
)
all_degrees = st.one_of(degrees, st.sampled_from((1e6, 1e9, 1e12, 1e100, 1e300, math.inf)))
statistics = st.one_of(
    st.floats(0.0, 8.0),
    st.floats(0.0, 1000.0),
    st.sampled_from((0.0, 5e-324, 1e-300, 1e-9, 2.0, math.nextafter(2.0, 3.0), 1e5, 1e100)),
)
log_tails = st.one_of(
    st.floats(-6.0, -1e-3),
    st.floats(-5000.0, -1e-6),
    st.sampled_from((-1e-300, -1e-20, -math.log(2), -0.693, -0.694, -700.0, -1e6)),
)


def by_incomplete_beta(t: float, df: float) -> oracle.Number:
    """Ln P(T > t), t ≥ 0."""
    nu = mp.mpf(df)
    share = nu / (nu + mp.mpf(t) ** 2)
    value: oracle.Number = mp.log(mp.betainc(nu / 2, 0.5, 0, share, regularized=True) / 2)
    return value


def by_integral(t: float, df: float) -> oracle.Number:
    """The same: the density of asinh(t/√ν) is Γ(ν/2 + ½)/(Γ(ν/2) √π) (cosh u)^−ν."""
    nu = mp.mpf(df)
    start = mp.asinh(mp.mpf(t) / mp.sqrt(nu))
    size = mp.log(mp.cosh(start))
    scale = 1 / (nu * mp.tanh(start) + mp.sqrt(nu))

    def density(v: oracle.Number) -> oracle.Number:
        value: oracle.Number = mp.exp(-nu * (mp.log(mp.cosh(start + v * scale)) - size))
        return value

    area = mp.quad(density, [0] + [2**k for k in range(10)]) * scale
    constant = mp.loggamma((nu + 1) / 2) - mp.loggamma(nu / 2) - mp.log(mp.pi) / 2
    value: oracle.Number = constant - nu * size + mp.log(area)
    return value


def complement(log_p: oracle.Number) -> oracle.Number:
    value: oracle.Number = mp.log1p(-mp.exp(log_p))
    return value


@given(st.one_of(st.floats(-37.0, 60.0), st.sampled_from((-28.3, 28.2, 28.3, 40.0, 1e3, 1e6))))
def test_the_normal_tail_is_what_60_digits_say(z: float) -> None:
    upper = mp.log(mp.erfc(abs(mp.mpf(z)) / mp.sqrt(2)) / 2)
    expected = upper if z >= 0 else complement(upper)

    assert normal_log_tail(z) == pytest.approx(float(expected), rel=1e-12, abs=0.0)


def test_a_normal_tail_far_beyond_doubles_keeps_its_logarithm() -> None:
    assert normal_log_tail(1e100) == pytest.approx(-5e199, rel=1e-15)


@pytest.mark.parametrize("z", [-1e3, -1e200, -math.inf])
def test_what_is_sure_has_a_logarithm_of_plain_zero(z: float) -> None:
    found = [normal_log_tail(z), t_log_tail(z, math.inf), t_log_tail(z, 1e6)]

    assert [math.copysign(1.0, value) * (value == 0.0) for value in found] == [1.0] * 3


@pytest.mark.parametrize(
    ("probability", "z"),
    [(0.5, 0.0), (0.025, 1.959963984540054), (0.95, -1.6448536269514722)],
)
def test_normal_quantiles_are_those_of_the_tables(probability: float, z: float) -> None:
    log_p = math.log(probability)

    assert normal_log_tail_inverse(log_p) == pytest.approx(z, rel=1e-14, abs=1e-15)
    assert normal_log_tail(z) == pytest.approx(log_p, rel=1e-14)


@given(st.one_of(st.floats(-90.0, -1e-6), st.sampled_from((-0.693, -0.6932, -1e-30))))
def test_normal_quantiles_are_what_60_digits_say(log_p: float) -> None:
    expected = float(-mp.sqrt(2) * mp.erfinv(2 * mp.exp(mp.mpf(log_p)) - 1))

    assert normal_log_tail_inverse(log_p) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@given(st.one_of(log_tails, st.sampled_from((-1e9, -2e12, -1e15, -1e20))))
def test_scipy_agrees_on_normal_quantiles(log_p: float) -> None:
    expected = -float(special.ndtri_exp(log_p))

    assert normal_log_tail_inverse(log_p) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_the_farthest_normal_quantile_is_a_double() -> None:
    found = normal_log_tail_inverse(-LARGEST)

    assert found == pytest.approx(math.sqrt(LARGEST) * math.sqrt(2.0), rel=1e-15)


@given(degrees, statistics)
def test_the_tail_of_t_is_what_60_digits_say(df: float, t: float) -> None:
    expected = by_incomplete_beta(t, df)

    assert t_log_tail(t, df) == pytest.approx(float(expected), rel=1e-13, abs=0.0)
    other = float(complement(expected))
    assert t_log_tail(-t, df) == pytest.approx(other, rel=1e-12, abs=1e-305)


@pytest.mark.parametrize(
    ("t", "df"),
    [
        (0.1, 1e12),
        (2.0, 1e12),
        (2.0001, 1e12),
        (38.0, 1e12),
        (99.5, 3e9),  # ln p = −5000
        (5e3, 3e4),
        (1e6, 1e12),
        (1e7, 1e12),
        (3.0, 1e15),
        (1e6, 2e6),
        (1e150, 0.5),
        (1e160, 1.0),
        (1e-8, 0.5),
        (0.4949, 0.5),
        (0.4950, 0.5),
    ],
)
def test_the_tail_of_t_is_the_integral_of_its_density(t: float, df: float) -> None:
    expected = float(by_integral(t, df))

    assert t_log_tail(t, df) == pytest.approx(expected, rel=1e-13, abs=0.0)


@pytest.mark.parametrize(
    ("t", "df", "probability"),
    [
        (1.0, 1.0, 0.25),
        (math.sqrt(2), 2.0, (1 - math.sqrt(0.5)) / 2),
        (math.sqrt(3), 3.0, 0.25 - 1 / (2 * math.pi)),
        (2.2281388519862747, 10.0, 0.025),
        (-2.042272456301238, 30.0, 0.975),
        (0.0, 7.5, 0.5),
    ],
)
def test_tails_of_t_are_those_of_the_tables(t: float, df: float, probability: float) -> None:
    log_p = math.log(probability)

    assert t_log_tail(t, df) == pytest.approx(log_p, rel=1e-13)
    assert t_log_tail_inverse(log_p, df) == pytest.approx(t, rel=1e-12, abs=1e-15)


@given(degrees, st.floats(-30.0, 30.0))
def test_scipy_agrees_on_tails_of_t(df: float, t: float) -> None:
    assert t_log_tail(t, df) == pytest.approx(math.log(stats.t.sf(t, df)), rel=1e-11, abs=1e-15)


@given(degrees, st.floats(1e-6, 1 - 1e-6))
def test_scipy_agrees_on_quantiles_of_t(df: float, p: float) -> None:
    expected = float(stats.t.isf(p, df))

    assert t_log_tail_inverse(math.log(p), df) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.one_of(log_tails.filter(lambda log_p: log_p > -700), st.floats(-2e-3, -1e-9)))
def test_quantiles_of_few_degrees_are_what_60_digits_say(log_p: float) -> None:
    p = mp.exp(mp.mpf(log_p))
    rest = -mp.expm1(mp.mpf(log_p))
    one, two = float(mp.cot(mp.pi * min(p, rest))), float((rest - p) / mp.sqrt(2 * p * rest))

    found = t_log_tail_inverse(log_p, 1.0)
    assert found == pytest.approx(math.copysign(one, two), rel=1e-12, abs=1e-15)
    assert t_log_tail_inverse(log_p, 2.0) == pytest.approx(two, rel=1e-12, abs=1e-15)


@given(all_degrees, statistics)
def test_both_tails_are_the_whole(df: float, t: float) -> None:
    upper, lower = t_log_tail(t, df), t_log_tail(-t, df)

    assert lower == pytest.approx(math.log1p(-math.exp(upper)), rel=1e-13, abs=0.0)
    assert math.exp(upper) + math.exp(lower) == pytest.approx(1.0, rel=1e-15)


@given(all_degrees, statistics, statistics)
def test_the_tail_of_t_falls(df: float, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert t_log_tail(high, df) <= t_log_tail(low, df) * (1 - 1e-13)


@given(all_degrees)
def test_where_the_formula_changes_the_tail_does_not_leap(df: float) -> None:
    t = min(2.0, 0.7 * math.sqrt(df))
    below, above = math.nextafter(t, 0.0), math.nextafter(t, 9.0)

    assert t_log_tail(above, df) == pytest.approx(t_log_tail(below, df), rel=1e-13)


@given(all_degrees, all_degrees, st.floats(0.01, 30.0))
def test_more_degrees_have_a_lighter_tail(one: float, other: float, t: float) -> None:
    few, many = sorted((one, other))

    assert t_log_tail(t, many) <= t_log_tail(t, few) * (1 - 1e-13)


@given(st.floats(-37.0, 60.0), log_tails)
def test_with_endless_degrees_t_is_normal(t: float, log_p: float) -> None:
    assert t_log_tail(t, math.inf) == normal_log_tail(t)
    assert t_log_tail(t, 1e300) == pytest.approx(normal_log_tail(t), rel=1e-12)
    z = normal_log_tail_inverse(log_p)
    assert t_log_tail_inverse(log_p, math.inf) == z
    assert t_log_tail_inverse(log_p, 1e300) == pytest.approx(z, rel=1e-12, abs=1e-15)


@given(all_degrees, log_tails)
def test_the_tail_beyond_a_quantile_is_what_was_asked(df: float, log_p: float) -> None:
    t = t_log_tail_inverse(log_p, df)

    if math.isfinite(t):
        assert t_log_tail(t, df) == pytest.approx(log_p, rel=1e-12, abs=0.0)
    else:
        assert t == math.copysign(LARGEST, t) * 2
        assert t_log_tail(LARGEST, df) >= (log_p if t > 0 else complement(mp.mpf(log_p)))


@given(all_degrees, log_tails, log_tails)
def test_the_rarer_the_farther(df: float, one: float, other: float) -> None:
    rare, common = sorted((one, other))

    far, near = t_log_tail_inverse(rare, df), t_log_tail_inverse(common, df)
    assert far == near or far >= near - 1e-12 * abs(near) - 1e-15


@pytest.mark.parametrize("df", [0.5, 3.0, 1e12, 1e308, math.inf])
def test_what_never_and_what_always_happens_is_infinitely_far(df: float) -> None:
    assert t_log_tail_inverse(-math.inf, df) == math.inf == -t_log_tail_inverse(0.0, df)
    assert t_log_tail(math.inf, df) == -math.inf
    assert t_log_tail(-math.inf, df) == 0.0


def test_a_quantile_beyond_doubles_is_infinite() -> None:
    assert t_log_tail_inverse(-1e6, 0.5) == math.inf
    assert t_log_tail_inverse(-1e-300, 0.5) == -math.inf


def test_a_quantile_just_within_doubles_is_found() -> None:
    share = mp.gamma(0.75) / (2 * mp.sqrt(mp.pi) * mp.gamma(1.25))
    expected = mp.sqrt(0.5) * (share * mp.exp(356)) ** 2

    assert t_log_tail_inverse(-356.0, 0.5) == pytest.approx(float(expected), rel=1e-12)


@given(st.sampled_from((5e-324, 1e-100, 1e-12, 1e-3, 0.1)), log_tails)
def test_quantiles_of_a_fraction_of_a_degree_are_found(df: float, log_p: float) -> None:
    t = t_log_tail_inverse(log_p, df)

    if math.isfinite(t):
        assert t_log_tail(t, df) == pytest.approx(log_p, rel=1e-9)


@pytest.mark.parametrize("share", [0.5, 0.99, 0.999])
def test_a_quantile_is_found_though_it_is_hundreds_of_magnitudes_away(share: float) -> None:
    nearly_all = t_log_tail(LARGEST, 1e-9)
    log_p = (1 - share) * -math.log(2) + share * nearly_all

    t = t_log_tail_inverse(log_p, 1e-9)
    assert 1e150 < t < LARGEST
    assert t_log_tail(t, 1e-9) == pytest.approx(log_p, rel=1e-15)
