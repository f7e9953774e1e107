"""Drift is measured as its formulas say, and is found where there is some and only there."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kullback.numerics.types import Array, Undefined
from kullback.tally.drift import Drift, Shares, drift, tenths

masses = st.lists(st.sampled_from((0.0, 1.0, 2.5, 40.0, 1000.0)), min_size=2, max_size=8)


def counted(*mass: float) -> Shares:
    """Rows of weight 1."""
    return Shares(np.array(mass), sum(mass))


def given_outright(*mass: float) -> Shares:
    return Shares(np.array(mass), None)


def numbers(found: Drift) -> list[float]:
    values = (found.kl, found.js, found.psi, found.g_statistic, found.p_value)
    assert not any(isinstance(value, Undefined) for value in values)
    return [value for value in values if not isinstance(value, Undefined)]


def test_a_drift_worked_out_by_hand() -> None:
    found = drift(counted(50, 50), counted(25, 75))
    assert found.kl == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3), rel=1e-12)
    middle = (0.375, 0.625)
    js = 0.5 * (0.5 * math.log(0.5 / middle[0]) + 0.5 * math.log(0.5 / middle[1]))
    js += 0.5 * (0.25 * math.log(0.25 / middle[0]) + 0.75 * math.log(0.75 / middle[1]))
    assert found.js == pytest.approx(js, rel=1e-12)
    psi = 0.25 * math.log(2) - 0.25 * math.log(2 / 3)
    assert found.psi == pytest.approx(psi, rel=1e-12)
    assert found.degrees_of_freedom == 1


@pytest.mark.parametrize(
    ("current", "reference"),
    [([50, 50], [25, 75]), ([10, 20, 30], [300, 200, 100]), ([5, 0, 7, 1], [9, 9, 9, 9])],
)
def test_the_statistic_of_two_samples_is_that_of_their_table(
    current: list[float], reference: list[float]
) -> None:
    found = drift(counted(*current), counted(*reference))
    table = stats.chi2_contingency([current, reference], lambda_="log-likelihood", correction=False)
    assert found.g_statistic == pytest.approx(table.statistic, rel=1e-10)
    assert found.degrees_of_freedom == table.dof
    assert found.p_value == pytest.approx(table.pvalue, rel=1e-8)


def test_the_statistic_against_a_given_distribution_is_that_of_goodness_of_fit() -> None:
    found = drift(counted(10, 20, 30), given_outright(1, 1, 1))
    expected = stats.power_divergence([10, 20, 30], lambda_="log-likelihood")
    assert found.g_statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


@given(masses, masses)
def test_divergences_keep_their_bounds(first: list[float], second: list[float]) -> None:
    size = max(len(first), len(second))
    p, r = (counted(*mass, *[0.0] * (size - len(mass))) for mass in (first, second))
    found = drift(p, r)
    if not sum(second) or not sum(first):
        assert isinstance(found.psi, Undefined)
        assert found.psi.reason == ("empty" if sum(second) else "no_reference")
        return
    kl, js, psi, statistic, chance = numbers(found)
    assert kl >= 0
    assert 0 <= js <= math.log(2)
    assert 0 <= psi < math.inf
    assert 0 <= statistic < math.inf
    assert 0 <= chance <= 1
    swapped = drift(r, p)
    assert swapped.js == pytest.approx(js, abs=1e-12)
    assert swapped.psi == pytest.approx(psi, abs=1e-9)
    assert swapped.g_statistic == pytest.approx(statistic, abs=1e-7)


@given(masses.filter(any), st.floats(0.01, 100))
def test_the_same_shares_are_no_drift(mass: list[float], scale: float) -> None:
    found = drift(counted(*mass), Shares(np.array(mass) * scale, sum(mass)))
    assert numbers(found) == pytest.approx([0, 0, 0, 0, 1], abs=1e-6)


def test_disjoint_supports_are_as_far_apart_as_can_be_and_still_numbers() -> None:
    found = drift(counted(100, 0), counted(0, 100))
    assert found.kl == math.inf
    assert found.js == pytest.approx(math.log(2))
    assert found.psi == pytest.approx(2 * (100 / 101) * math.log(201), rel=1e-12)
    assert found.p_value == pytest.approx(stats.chi2.sf(400 * math.log(2), 1), rel=1e-9)
    against = drift(counted(100, 0), given_outright(0, 1))
    assert (against.g_statistic, against.p_value) == (math.inf, 0.0)
    assert isinstance(against.psi, float)
    assert math.isfinite(against.psi)


def test_cells_that_nobody_is_in_count_for_nothing() -> None:
    assert drift(counted(5, 0, 7, 0), counted(6, 0, 6, 0)) == drift(counted(5, 7), counted(6, 6))


def test_one_cell_is_no_drift() -> None:
    assert numbers(drift(counted(5), counted(9))) == [0, 0, 0, 0, 1]


def histogram(random: np.random.Generator, n: int, shift: float = 0.0) -> Array:
    """Scores of n rows in a hundred bins."""
    scores = 1 / (1 + np.exp(-(random.normal(size=n) - 1 + shift)))
    return np.histogram(scores, 100, (0, 1))[0].astype(np.float64)


def chance(past: Array, now: Array) -> float:
    cells = tenths(past)
    found = drift(counted(*now).merged(cells), counted(*past).merged(cells)).p_value
    assert not isinstance(found, Undefined)
    return found


def test_samples_of_one_distribution_do_not_drift() -> None:
    random = np.random.default_rng(20)
    chances = [chance(histogram(random, 2000), histogram(random, 1000)) for _ in range(200)]
    assert sum(found < 0.01 for found in chances) <= 10  # 2 are expected
    assert stats.kstest(chances, "uniform").pvalue > 0.001


def test_a_real_shift_is_found() -> None:
    random = np.random.default_rng(21)
    chances = [chance(histogram(random, 2000), histogram(random, 1000, 0.3)) for _ in range(20)]
    assert max(chances) < 0.001


@given(masses.filter(any))
def test_tenths_are_cells_in_order_each_with_reference_mass(mass: list[float]) -> None:
    reference = np.array(mass)
    cells = tenths(reference)
    assert (np.diff(cells) >= 0).all()
    shares = np.bincount(cells, reference) / reference.sum()
    if np.count_nonzero(reference) > 1:
        assert (shares > 0).all()
        assert shares.size <= 10
    else:
        place = int(np.flatnonzero(reference)[0])
        assert [cells[at] == cells[place] for at in range(cells.size)] == [
            at == place for at in range(cells.size)
        ]


def test_a_tenth_of_the_mass_is_in_each_cell_where_bins_allow_it() -> None:
    cells = tenths(np.ones(60))
    assert np.bincount(cells).tolist() == [6] * 10


def test_weights_count_as_so_many_rows_as_they_are_worth() -> None:
    heavy = Shares(np.array([500.0, 500.0]), 10.0)
    assert drift(heavy, counted(25, 75)).p_value == drift(counted(5, 5), counted(25, 75)).p_value


def test_a_share_that_hardly_is_there_costs_what_its_logarithm_says() -> None:
    result = drift(Shares(np.array([1.0, 1.0]), 2.0), Shares(np.array([1.0, 5e-324]), None))
    assert result.kl == pytest.approx(
        0.5 * math.log(0.5) + 0.5 * (math.log(0.5) - math.log(5e-324))
    )
