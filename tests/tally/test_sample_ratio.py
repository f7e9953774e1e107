"""The sample-ratio check sees units that went astray, however often it looks, and only those."""

import math
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import MPContext
from scipy import stats

from kullback.numerics.types import Array
from kullback.tally.sample_ratio import ALARM, CONCENTRATIONS, log_e_values, sample_ratio

mp = MPContext()
mp.dps = 60

HALVES = (0.5, 0.5)
PLANS = [HALVES, (0.9, 0.1), (1 / 3, 1 / 3, 1 / 3), (0.5, 0.3, 0.15, 0.05)]

shares = st.one_of(st.sampled_from((0.05, 0.5, 1 / 3, 1e-3, 1e-9, 1e-17)), st.floats(1e-6, 1.0))
counts = st.one_of(
    st.integers(0, 10), st.integers(0, 10**9), st.floats(0.0, 1e5), st.sampled_from((0, 10**9))
)
arms = st.lists(st.tuples(counts, shares), min_size=1, max_size=5)


def log_e(units: Sequence[float], planned: Sequence[float]) -> float:
    """The formula as it is written, at 60 digits."""
    mean, whole = mp.mpf(0), mp.fsum(planned)
    for concentration, weight in CONCENTRATIONS.items():
        c = mp.mpf(concentration)
        total = mp.loggamma(c) - mp.loggamma(c + mp.fsum(units))
        for n, part in zip(units, planned, strict=True):
            theta = mp.mpf(part) / whole
            total += mp.loggamma(c * theta + n) - mp.loggamma(c * theta) - n * mp.log(theta)
        mean += mp.mpf(weight) * mp.exp(total)
    return float(mp.log(mean / mp.fsum(CONCENTRATIONS.values())))


def looks(random: np.random.Generator, shape: tuple[int, int], truth: Sequence[float]) -> Array:
    """Units per arm at each look of each run, a thousand more every time."""
    arrivals = random.multinomial(1000, truth, size=shape)
    return arrivals.cumsum(axis=1).astype(np.float64)


def chi_square(units: Array, planned: Sequence[float]) -> Array:
    """What Pearson's test says of every look."""
    expected = units.sum(axis=-1, keepdims=True) * np.array(planned)
    statistic = (np.square(units - expected) / expected).sum(axis=-1)
    chances: Array = stats.chi2.sf(statistic, len(planned) - 1)
    return chances


def test_two_units_of_one_arm_by_hand() -> None:
    found = sample_ratio([2, 0], HALVES)
    # of each concentration c the second unit is of the first's arm by (c/2 + 1)/(c + 1)
    by_hand = 0.1 * 51 / 101 + 0.1 * 501 / 1001 + 0.7 * 5001 / 10001 + 0.1 * 50001 / 100001
    assert found.e_value == pytest.approx(by_hand / 0.5, rel=1e-12)
    assert found.p_value == pytest.approx(0.5 / by_hand, rel=1e-12)
    assert found.expected == (1.0, 1.0)
    assert found.units == (2.0, 0.0)


@pytest.mark.parametrize(
    ("units", "planned"),
    [
        ((44700, 45489), HALVES),
        ((5 * 10**8, 5 * 10**8 + 30_000), HALVES),
        ((5 * 10**8, 5 * 10**8 + 200_000), HALVES),
        ((10**9, 0), HALVES),
        ((9 * 10**8, 10**8 - 7), (0.9, 0.1)),
        ((3, 0, 10**9), (1 / 3, 1 / 3, 1 / 3)),
        ((12345.678, 12340.1), HALVES),
        ((10**9, 1), (1e-12, 1.0)),
        ((1, 9), (1e-300, 1.0)),
    ],
)
def test_it_agrees_with_the_formula_at_60_digits(
    units: Sequence[float], planned: Sequence[float]
) -> None:
    truth = log_e(units, planned)
    assert sample_ratio(units, planned).log_e_value == pytest.approx(truth, rel=1e-11, abs=1e-11)


@given(arms)
def test_it_agrees_with_the_formula_for_whatever_units(drawn: list[tuple[float, float]]) -> None:
    units, planned = zip(*drawn, strict=True)
    truth = log_e(units, planned)
    assert sample_ratio(units, planned).log_e_value == pytest.approx(truth, rel=1e-9, abs=1e-6)


@given(arms)
def test_under_the_plan_the_next_unit_is_expected_to_change_nothing(
    drawn: list[tuple[float, float]],
) -> None:
    units, planned = map(np.array, zip(*drawn, strict=True))
    theta = planned / planned.sum()
    now = log_e_values(units, theta)
    after = log_e_values(units + np.eye(theta.size), theta) - now
    assert float(theta @ np.exp(after)) == pytest.approx(1.0, abs=1e-5 + 1e-14 * abs(float(now)))


@given(arms)
def test_the_order_of_the_arms_does_not_matter(drawn: list[tuple[float, float]]) -> None:
    found = sample_ratio(*zip(*drawn, strict=True))
    turned = sample_ratio(*zip(*drawn[::-1], strict=True))
    assert turned.log_e_value == pytest.approx(found.log_e_value, rel=1e-12, abs=1e-6)
    assert turned.chi_square_p_value == pytest.approx(found.chi_square_p_value, abs=1e-9)
    assert turned.units == found.units[::-1]


@given(counts, counts)
def test_two_arms_swapped_are_the_same_to_the_bit(one: float, other: float) -> None:
    found, swapped = sample_ratio([one, other], HALVES), sample_ratio([other, one], HALVES)
    assert found.log_e_value == swapped.log_e_value
    assert found.chi_square_p_value == swapped.chi_square_p_value


@given(arms)
def test_an_arm_without_share_or_units_is_not_there(drawn: list[tuple[float, float]]) -> None:
    units, planned = zip(*drawn, strict=True)
    found = sample_ratio(units, planned)
    wider = sample_ratio((0, *units), (0.0, *planned))
    assert wider.expected == (0.0, *found.expected)
    assert wider.log_e_value == found.log_e_value
    assert wider.chi_square_p_value == found.chi_square_p_value


@given(arms)
def test_one_look_is_judged_as_by_pearson(drawn: list[tuple[float, float]]) -> None:
    units, planned = (np.array(column, np.float64) for column in zip(*drawn, strict=True))
    found = sample_ratio(units.tolist(), planned.tolist()).chi_square_p_value
    if not units.sum() or units.size < 2:
        assert found == 1
        return
    expected = stats.chisquare(units, units.sum() * planned / planned.sum()).pvalue
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("planned", PLANS)
def test_shares_are_in_proportion(planned: Sequence[float]) -> None:
    units = [1000.0 * (place + 2) for place in range(len(planned))]
    percent = sample_ratio(units, [100 * part for part in planned])
    assert percent.log_e_value == pytest.approx(sample_ratio(units, planned).log_e_value, rel=1e-12)
    assert sum(percent.expected) == pytest.approx(sum(units), rel=1e-12)


def test_nobody_is_no_evidence() -> None:
    found = sample_ratio([0, 0, 0], (0.5, 0.5, 0.0))
    assert (found.log_e_value, found.e_value, found.p_value) == (0.0, 1.0, 1.0)
    assert (found.alarm, found.chi_square_p_value) == (False, 1.0)
    assert found.expected == (0.0, 0.0, 0.0)


def test_one_arm_alone_has_all_units() -> None:
    found = sample_ratio([1000], [1.0])
    assert (found.log_e_value, found.alarm, found.chi_square_p_value) == (0.0, False, 1.0)


@pytest.mark.parametrize("units", [(10, 10, 1), (0, 0, 1)])
def test_a_unit_where_none_should_be_is_an_alarm(units: Sequence[float]) -> None:
    found = sample_ratio(units, (0.5, 0.5, 0.0))
    assert found.alarm
    assert found.log_e_value == math.inf
    assert found.e_value == sys.float_info.max
    assert (found.p_value, found.chi_square_p_value) == (0.0, 0.0)


def test_evidence_beyond_a_double_is_the_largest_one() -> None:
    found = sample_ratio([10**6, 0], HALVES)
    assert found.alarm
    assert 709 < found.log_e_value < math.inf
    assert found.e_value == sys.float_info.max
    assert found.p_value == 0


def test_units_as_planned_speak_for_the_plan_with_a_p_value_of_one() -> None:
    found = sample_ratio([10**6, 10**6], HALVES)
    assert found.e_value < 0.1
    assert found.p_value == 1


def test_a_share_next_to_nothing_is_a_share() -> None:
    found = sample_ratio([1, 9], (5e-324, 1.0))
    assert not found.alarm
    assert found.chi_square_p_value == 0


def test_the_retention_game_with_an_odd_ratio_is_no_alarm() -> None:
    # 90,189 players of Cookie Cats, of which a gate at level 30 and one at 40 should share
    found = sample_ratio([44_700, 45_489], HALVES)
    assert found.chi_square_p_value == pytest.approx(0.0086, abs=5e-5)
    assert found.e_value == pytest.approx(5.74, abs=5e-3)
    assert found.p_value == pytest.approx(1 / found.e_value, rel=1e-12)
    assert not found.alarm
    assert found.expected == (45_094.5, 45_094.5)


def test_few_units_far_from_the_plan_alarm() -> None:
    # 943 people of MovieLens, of whom 375 came to an arm that should have half of them
    found = sample_ratio([375, 568], HALVES)
    assert found.chi_square_p_value == pytest.approx(3.3e-10, rel=0.01)
    assert found.alarm
    assert found.e_value > 1e6


def test_the_alarm_is_at_a_thousand() -> None:
    found = [sample_ratio([25_000 + by, 25_000 - by], HALVES) for by in range(470, 500)]
    assert [one.alarm for one in found] == [one.e_value >= ALARM for one in found]
    assert (found[0].alarm, found[-1].alarm) == (False, True)


def test_each_row_is_a_look() -> None:
    units = looks(np.random.default_rng(30), (4, 3), (0.6, 0.4))
    found = log_e_values(units, np.array(HALVES))
    alone = [[sample_ratio(look, HALVES).log_e_value for look in run] for run in units.tolist()]
    assert found.tolist() == alone


@pytest.mark.parametrize("planned", PLANS)
def test_two_hundred_looks_alarm_no_more_often_than_they_may(planned: Sequence[float]) -> None:
    runs, alpha = 500, 0.05
    units = looks(np.random.default_rng(31), (runs, 200), planned)
    highest = np.exp(log_e_values(units, np.array(planned)).max(axis=1))
    within = alpha + 2 * math.sqrt(alpha * (1 - alpha) / runs)
    assert np.mean(highest >= 1 / alpha) <= within
    assert np.count_nonzero(highest >= ALARM) <= 2
    # the same looks by a test for one look
    assert np.mean(chi_square(units, planned).min(axis=1) < alpha) > 0.3


@pytest.mark.parametrize(("users", "level"), [(100_000, 0.01), (125_000, 1 / ALARM)])
def test_a_coin_of_51_to_49_is_found_out(users: int, level: float) -> None:
    units = looks(np.random.default_rng(32), (2000, users // 1000), (0.51, 0.49))
    highest = log_e_values(units, np.array(HALVES)).max(axis=1)
    assert np.mean(highest >= -math.log(level)) >= 0.99


def test_a_coin_of_51_to_49_seldom_escapes_the_alarm_for_100_000_users() -> None:
    units = looks(np.random.default_rng(33), (2000, 100), (0.51, 0.49))
    highest = log_e_values(units, np.array(HALVES)).max(axis=1)
    assert np.mean(highest >= math.log(ALARM)) >= 0.97
