"""E-values and confidence sequences: beside their integrals, and under peeking."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from kullback.numerics.student_t import t_log_tail_inverse
from kullback.tally.confidence_sequence import boundary, confidence_sequence, still_needed
from kullback.tally.contrast import Contrast

MINIMUM = 0.02
FOUND = Contrast(0.03, 0.01, 400.0, 900, 0.01)
NORMAL = replace(FOUND, degrees_of_freedom=math.inf)

alphas = st.floats(1e-9, 0.5)
contrasts = st.builds(
    Contrast,
    st.floats(-1.0, 1.0),
    st.floats(1e-3, 1.0),
    st.one_of(st.just(math.inf), st.floats(2.0, 1000.0)),
    st.just(500),
    st.just(0.01),
)


def test_an_e_value_by_hand() -> None:
    found = confidence_sequence(NORMAL, MINIMUM, 0.05)
    # v = 4, z = 3: ln e = −½ ln 5 + ½ · 9 · 4/5
    assert found.information == pytest.approx(4.0, rel=1e-14)
    assert found.log_e_value == pytest.approx(3.6 - 0.5 * math.log(5), rel=1e-12)
    assert found.e_value == pytest.approx(math.exp(3.6) / math.sqrt(5), rel=1e-12)
    assert found.p_value == pytest.approx(math.sqrt(5) * math.exp(-3.6), rel=1e-12)
    half = 0.01 * math.sqrt(1.25 * (math.log(5) + 2 * math.log(20)))
    assert (found.low, found.high) == pytest.approx((0.03 - half, 0.03 + half), rel=1e-12)


@pytest.mark.parametrize("effect", [0.0, 0.005, -0.03])
@pytest.mark.parametrize("error", [0.005, 0.02])
def test_an_e_value_is_the_mean_likelihood_over_that_of_no_difference(
    effect: float, error: float
) -> None:
    def weighed(theta: float) -> float:
        likely: float = stats.norm.pdf(effect, theta, error) / stats.norm.pdf(effect, 0, error)
        return likely * float(stats.norm.pdf(theta, 0, MINIMUM))

    expected, _ = integrate.quad(weighed, -0.3, 0.3, points=[effect, 0.0], epsabs=1e-12)
    found = confidence_sequence(Contrast(effect, error, math.inf, 500, 0.01), MINIMUM, 0.05)
    assert found.e_value == pytest.approx(expected, rel=1e-8)


@given(contrasts, alphas)
def test_the_interval_leaves_out_none_exactly_where_the_e_value_says_so(
    found: Contrast, alpha: float
) -> None:
    sure = confidence_sequence(found, MINIMUM, alpha)
    edge = math.log(1 / alpha)
    if abs(sure.log_e_value - edge) > 1e-9:
        assert (sure.low > 0 or sure.high < 0) == (sure.log_e_value > edge)
    assert sure.low <= found.effect <= sure.high
    assert sure.p_value == pytest.approx(min(1.0, 1 / sure.e_value), rel=1e-9)


@given(contrasts, alphas)
def test_the_other_way_round_only_the_sign_is_other(found: Contrast, alpha: float) -> None:
    sure = confidence_sequence(found, MINIMUM, alpha)
    other = confidence_sequence(replace(found, effect=-found.effect), MINIMUM, alpha)
    assert other == replace(sure, low=-sure.high, high=-sure.low)


@given(contrasts)
def test_few_degrees_of_freedom_make_it_less_sure(found: Contrast) -> None:
    few = confidence_sequence(replace(found, degrees_of_freedom=3.0), MINIMUM, 0.05)
    many = confidence_sequence(replace(found, degrees_of_freedom=math.inf), MINIMUM, 0.05)
    assert few.log_e_value <= many.log_e_value + 1e-12
    assert few.high - few.low >= (many.high - many.low) * (1 - 1e-12)


@pytest.mark.parametrize(("alpha", "best"), [(0.05, 8.21), (0.01, 11.76)])
def test_the_sequence_is_narrowest_where_it_is_planned_to_end(alpha: float, best: float) -> None:
    narrowest = optimize.minimize_scalar(
        lambda v: boundary(v, alpha), bounds=(1.0, 100.0), method="bounded"
    )
    assert narrowest.x == pytest.approx(best, abs=0.01)


def test_looking_all_the_time_claims_no_more_than_alpha() -> None:
    rng = np.random.default_rng(31)
    steps = rng.normal(size=(4000, 200)).cumsum(axis=1)
    looks = np.arange(1, 201)
    z = np.abs(steps) / np.sqrt(looks)
    for ends_at in (1.0, 8.0, 100.0):
        bounds = np.array([boundary(ends_at * look / 200, 0.05) for look in looks])
        assert (z > bounds).any(axis=1).mean() <= 0.05
    assert (z > 1.96).any(axis=1).mean() > 0.3


def test_without_spread_the_effect_is_known() -> None:
    some = confidence_sequence(Contrast(0.1, 0.0, 9.0, 10, 0.0), MINIMUM, 0.05)
    assert (some.log_e_value, some.low, some.high) == (math.inf, 0.1, 0.1)
    assert (some.e_value, some.p_value, some.information) == (1.7976931348623157e308, 0.0, math.inf)
    none = confidence_sequence(Contrast(0.0, 0.0, 9.0, 10, 0.0), MINIMUM, 0.05)
    assert (none.log_e_value, none.low, none.high) == (-math.inf, 0.0, 0.0)
    assert (none.e_value, none.p_value) == (0.0, 1.0)


@pytest.mark.parametrize("error", [1e-300, 1e-150, 1e-100, 1e100, 1e300])
@pytest.mark.parametrize("minimum", [1e-100, 1e-3, 1e100])
@pytest.mark.parametrize("effect", [0.0, 1e-300, -1.0, 1e100])
@pytest.mark.parametrize("freedom", [2.0, 100.0])
def test_whatever_the_scale_it_is_a_number_or_infinite(
    effect: float, error: float, minimum: float, freedom: float
) -> None:
    found = Contrast(effect, error, freedom, 500, 0.01)
    sure = confidence_sequence(found, minimum, 0.05)
    assert sure.low <= effect <= sure.high
    assert not math.isnan(sure.log_e_value)
    assert 0 <= sure.p_value <= 1
    assert 0 <= sure.e_value < math.inf
    needed = still_needed(found, minimum, 0.05)
    assert needed is None or 1 <= needed <= 10_001


def test_far_more_information_than_planned_does_not_make_evidence_endless() -> None:
    found = confidence_sequence(Contrast(3e-54, 1e-54, 500.0, 600, 0.01), 1e100, 0.05)
    assert found.log_e_value < 0


def test_next_to_no_information_says_nothing() -> None:
    found = confidence_sequence(Contrast(1.0, 1e200, 100.0, 500, 0.01), 1e-100, 0.05)
    assert (found.low, found.high, found.information) == (-math.inf, math.inf, 0.0)
    assert (found.log_e_value, found.p_value) == (0.0, 1.0)
    assert boundary(0.0, 0.05) == math.inf
    assert still_needed(Contrast(0.0, 1e200, 100.0, 500, 0.01), 1e-100, 0.05) is None


@pytest.mark.parametrize("effect", [0.0, 0.003, 0.012, 0.03])
def test_so_many_times_the_information_decides(effect: float) -> None:
    found = Contrast(effect, 0.02, math.inf, 500, 0.01)
    needed = still_needed(found, MINIMUM, 0.05)
    assert needed is not None
    for times, is_decided in ((needed * 1.002, True), (needed / 1.002, False)):
        later = confidence_sequence(
            replace(found, standard_error=0.02 / math.sqrt(times)), MINIMUM, 0.05
        )
        is_some = later.low > 0
        is_small = later.low > -MINIMUM and later.high < MINIMUM
        assert (is_some or is_small) == is_decided


def test_what_is_decided_needs_no_more() -> None:
    assert still_needed(replace(FOUND, effect=0.05), MINIMUM, 0.05) == pytest.approx(1.0, abs=2e-3)
    assert still_needed(Contrast(0.0, 0.0, 9.0, 10, 0.0), MINIMUM, 0.05) == 1.0


def test_the_half_width_is_a_quantile_of_student() -> None:
    found = confidence_sequence(FOUND, MINIMUM, 0.05)
    c = boundary(4.0, 0.05)
    t = t_log_tail_inverse(float(stats.norm.logsf(c)), 400.0)
    assert found.high - FOUND.effect == pytest.approx(0.01 * t, rel=1e-9)
    assert t == pytest.approx(stats.t.isf(stats.norm.sf(c), 400), rel=1e-9)
