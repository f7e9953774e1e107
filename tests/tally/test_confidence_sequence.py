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
from kullback.tally.contrast import Contrast, contrast

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
    st.sampled_from([0.01, 0.3]),
    st.floats(-0.9, 0.9),
)


def test_an_e_value_by_hand() -> None:
    found = confidence_sequence(NORMAL, MINIMUM, 0.05)
    # v = 4, 40, 400 of weights ½, ¼, ¼, z = 3: e = Σ w (1 + v)^−½ exp(½ · 9 v/(1 + v))
    e = sum(
        w / math.sqrt(1 + v) * math.exp(4.5 * v / (1 + v))
        for v, w in ((4.0, 0.5), (40.0, 0.25), (400.0, 0.25))
    )
    assert found.information == pytest.approx(4.0, rel=1e-14)
    assert found.e_value == pytest.approx(e, rel=1e-12)
    assert found.log_e_value == pytest.approx(math.log(e), rel=1e-12)
    assert found.p_value == pytest.approx(1 / e, rel=1e-12)
    assert found.high - 0.03 == pytest.approx(0.03 - found.low, rel=1e-12)
    at_the_edge = confidence_sequence(replace(NORMAL, effect=0.03 - found.low), MINIMUM, 0.05)
    assert at_the_edge.e_value == pytest.approx(20.0, rel=1e-9)


@pytest.mark.parametrize("effect", [0.0, 0.005, -0.03])
@pytest.mark.parametrize("error", [0.005, 0.02])
def test_an_e_value_is_the_mean_likelihood_over_that_of_no_difference(
    effect: float, error: float
) -> None:
    def weighed(theta: float) -> float:
        likely: float = stats.norm.pdf(effect, theta, error) / stats.norm.pdf(effect, 0, error)
        scales = MINIMUM * np.sqrt([1.0, 10.0, 100.0])
        return likely * float(stats.norm.pdf(theta, 0, scales) @ [0.5, 0.25, 0.25])

    expected, _ = integrate.quad(weighed, -0.5, 0.5, points=[effect, 0.0], epsabs=1e-12)
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
    mirrored = replace(found, effect=-found.effect, skewness=-found.skewness)
    other = confidence_sequence(mirrored, MINIMUM, alpha)
    assert other == replace(sure, low=-sure.high, high=-sure.low)


@given(contrasts)
def test_few_degrees_of_freedom_make_it_less_sure(found: Contrast) -> None:
    few = confidence_sequence(replace(found, degrees_of_freedom=3.0), MINIMUM, 0.05)
    many = confidence_sequence(replace(found, degrees_of_freedom=math.inf), MINIMUM, 0.05)
    assert few.log_e_value <= many.log_e_value + 1e-12
    assert few.high - few.low >= (many.high - many.low) * (1 - 1e-12)


@pytest.mark.parametrize(("alpha", "best"), [(0.05, 6.02), (0.01, 8.66)])
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


@given(contrasts)
def test_skewness_takes_evidence_from_one_side_and_room_from_the_other(found: Contrast) -> None:
    plain = confidence_sequence(replace(found, skewness=0.0), MINIMUM, 0.05)
    skewed = confidence_sequence(found, MINIMUM, 0.05)
    assert skewed.log_e_value <= plain.log_e_value + 1e-12
    if found.effect * found.skewness >= 0:
        assert skewed.log_e_value == plain.log_e_value
    near, far = (skewed.low, skewed.high) if found.skewness > 0 else (-skewed.high, -skewed.low)
    plain_near, plain_far = (
        (plain.low, plain.high) if found.skewness > 0 else (-plain.high, -plain.low)
    )
    assert near == plain_near
    assert far >= plain_far


def test_what_one_bucket_makes_counts_a_five_hundredth() -> None:
    alone = confidence_sequence(replace(FOUND, largest_share=0.11), MINIMUM, 0.05)
    several = confidence_sequence(FOUND, MINIMUM, 0.05)
    assert alone.log_e_value == pytest.approx(several.log_e_value - math.log(500), rel=1e-12)
    later = confidence_sequence(FOUND, MINIMUM, 0.05 / 500)
    assert (alone.low, alone.high) == pytest.approx((later.low, later.high), rel=1e-12)


@pytest.mark.parametrize("shape", [1.0, 1.5])
def test_means_of_skewed_effects_are_no_evidence_in_the_tail(shape: float) -> None:
    """The chance that e of lognormal effects of units ever comes to 20, 100, 1,000."""
    runs, looks = 400, range(100, 1001, 50)
    most = np.full(runs, -math.inf)
    for run in range(runs):
        x = np.exp(shape * np.random.default_rng([8, run]).standard_normal(1000))
        x -= math.exp(shape**2 / 2)
        for n in looks:
            sure = contrast(float(x[:n].mean()), (x[:n] - x[:n].mean()) / n, n)
            assert isinstance(sure, Contrast)
            planned = 2.8 * math.sqrt(math.exp(shape**2) * math.expm1(shape**2) / 1000)
            most[run] = max(most[run], confidence_sequence(sure, planned, 0.05).log_e_value)
    assert (most >= math.log(20)).mean() <= 0.05
    assert (most >= math.log(100)).mean() <= 0.01
    assert (most >= math.log(1000)).mean() <= 0.0025, "1 of 400"
