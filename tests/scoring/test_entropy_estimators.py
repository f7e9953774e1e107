"""Entropy from counts: each estimator, its laws, its bias and its error."""

import math

import numpy as np
import pytest
from hypothesis import given

from kullback.numerics.types import Array
from kullback.scoring import entropy_estimators as formulas
from kullback.scoring.entropy_estimators import (
    ESTIMATORS,
    Estimator,
    checked_counts,
    estimate_error,
    needs_whole,
)
from tests.scoring import oracles as oracle
from tests.scoring import strategies as draw

NAMES: tuple[Estimator, ...] = (
    "plugin",
    "miller_madow",
    "jackknife",
    "chao_shen",
    "james_stein",
    "combinatorial",
)
ORACLES = {
    "plugin": oracle.plugin,
    "miller_madow": oracle.miller_madow,
    "jackknife": oracle.jackknife,
    "chao_shen": oracle.chao_shen,
    "james_stein": oracle.james_stein,
    "combinatorial": oracle.combinatorial,
}


def estimate(name: Estimator, *row: float) -> float:
    return float(ESTIMATORS[name](np.array([row]))[0])


@pytest.mark.parametrize("name", NAMES)
@given(table=draw.counts)
def test_an_estimate_is_what_60_digits_say(name: Estimator, table: Array) -> None:
    expected = float(ORACLES[name](table[0].tolist()))

    assert float(ESTIMATORS[name](table)[0]) == pytest.approx(expected, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "row", [(1e9, 3), (2.0**53 - 1, 4), (1e13, 1e13 + 1), (1, 1, 1), (7, 0), (1, 0), (10**6, 1)]
)
def test_lopsided_counts_keep_their_digits(name: Estimator, row: tuple[float, ...]) -> None:
    expected = float(ORACLES[name](row))

    assert estimate(name, *row) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_fractions_of_a_count_keep_their_digits() -> None:
    assert estimate("plugin", 1.0, 1e-20) == pytest.approx(1e-20 * (1 + 20 * math.log(10)))


def test_the_entropy_of_ten_entities_is_that_of_their_2520_arrangements() -> None:
    assert estimate("combinatorial", 2, 5, 3) == pytest.approx(math.log(2520) / 10, rel=1e-15)
    assert round(estimate("combinatorial", 2, 5, 3), 5) == 0.78320
    assert round(estimate("plugin", 2, 5, 3), 5) == 1.02965


def test_miller_and_madow_add_half_a_cell_per_entity_for_each_further_cell() -> None:
    assert estimate("miller_madow", 2, 5, 3, 0) == estimate("plugin", 2, 5, 3) + 2 / 20


def test_the_jackknife_leaves_each_entity_out() -> None:
    # one of {1, 1} left out leaves certainty: 2·ln 2 − ½·(0 + 0)
    assert estimate("jackknife", 1, 1) == pytest.approx(2 * math.log(2), rel=1e-15)


def test_chao_and_shen_take_one_singleton_for_a_cell_seen_when_all_are_singletons() -> None:
    # C = 1 − 1/2, p̃ = ¼ each, seen with 1 − (3/4)²
    assert estimate("chao_shen", 1, 1) == pytest.approx(
        0.5 * math.log(4) / (1 - 0.75**2), rel=1e-15
    )


def test_james_and_stein_shrink_few_counts_to_the_uniform() -> None:
    assert estimate("james_stein", 1, 0) == pytest.approx(math.log(2), rel=1e-15)


def test_the_logarithm_of_the_multiplicity_is_exact_where_lgamma_cancels() -> None:
    row = (1e13, 1.0)
    found = float(formulas.log_multiplicity(np.array([row]))[0])

    assert found == pytest.approx(math.log(1e13 + 1), rel=1e-14)


@given(draw.counts)
def test_the_multiplicity_is_what_60_digits_say(table: Array) -> None:
    expected = float(oracle.log_multiplicity(table[0].tolist()))

    assert float(formulas.log_multiplicity(table)[0]) == pytest.approx(
        expected, rel=1e-12, abs=1e-15
    )


@given(draw.counts)
def test_the_entropy_of_arrangements_is_within_its_bounds(table: Array) -> None:
    total, k = table.sum(), table.shape[1]
    plugin = float(formulas.plugin(table)[0])
    combinatorial = float(formulas.combinatorial(table)[0])

    assert 0 <= combinatorial <= plugin <= math.log(k) * (1 + 1e-15)
    assert combinatorial >= plugin - k * math.log(total + 1) / total - 1e-15


@pytest.mark.parametrize("name", NAMES)
@given(table=draw.counts)
def test_the_order_of_cells_does_not_matter(name: Estimator, table: Array) -> None:
    forth, back = ESTIMATORS[name](table)[0], ESTIMATORS[name](table[:, ::-1])[0]

    assert forth == pytest.approx(back, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "james_stein"])
@given(table=draw.counts)
def test_an_empty_cell_changes_nothing(name: Estimator, table: Array) -> None:
    wider = np.hstack((table, np.zeros((1, 1))))

    assert ESTIMATORS[name](wider)[0] == pytest.approx(
        float(ESTIMATORS[name](table)[0]), rel=1e-12, abs=1e-16
    )


@given(draw.counts)
def test_shrinking_lies_between_the_counts_and_the_uniform(table: Array) -> None:
    shrunk = float(formulas.james_stein(table)[0])

    assert float(formulas.plugin(table)[0]) - 1e-14 <= shrunk
    assert shrunk <= math.log(table.shape[1]) + 1e-14


@given(draw.counts)
def test_doubling_every_count_keeps_the_shares(table: Array) -> None:
    assert formulas.plugin(2 * table)[0] == formulas.plugin(table)[0]


def test_the_plugin_is_biased_low_and_its_corrections_are_not() -> None:
    p = np.array([0.1, 0.1, 0.15, 0.15, 0.2, 0.3])
    table = np.random.default_rng(12).multinomial(50, p, size=20_000).astype(np.float64)
    truth = float(-(p * np.log(p)).sum())

    bias = {name: float(ESTIMATORS[name](table).mean()) - truth for name in NAMES}

    assert bias["plugin"] == pytest.approx(-5 / 100, abs=0.005)
    assert abs(bias["miller_madow"]) < 0.005
    assert abs(bias["jackknife"]) < 0.005
    assert abs(bias["chao_shen"]) < 0.05
    assert bias["combinatorial"] < bias["plugin"]


def test_the_errors_are_the_spread_of_the_estimates() -> None:
    p = np.array([0.1, 0.2, 0.7])
    table = np.random.default_rng(3).multinomial(400, p, size=4000).astype(np.float64)
    spread = float(formulas.plugin(table).std(ddof=1))

    assert float(formulas.plugin_error(table).mean()) == pytest.approx(spread, rel=0.03)
    assert float(formulas.jackknife_error(table).mean()) == pytest.approx(spread, rel=0.03)


@given(draw.counts)
def test_the_errors_are_what_60_digits_say(table: Array) -> None:
    row = table[0].tolist()

    plugin, left_out = formulas.plugin_error(table)[0], formulas.jackknife_error(table)[0]

    assert plugin == pytest.approx(float(oracle.plugin_error(row)), rel=1e-11, abs=1e-16)
    assert left_out == pytest.approx(float(oracle.jackknife_error(row)), rel=1e-11, abs=1e-16)


def test_uniform_counts_leave_the_delta_method_blind() -> None:
    assert formulas.plugin_error(np.array([[4.0, 4.0, 4.0]]))[0] == 0.0


def test_the_error_of_a_mean_over_rows_is_that_of_independent_rows() -> None:
    rows = np.array([[1.0, 3.0], [2.0, 5.0]])
    one, other = formulas.plugin_error(rows).tolist()

    assert estimate_error("plugin", rows) == pytest.approx(math.hypot(one, other) / 2, rel=1e-15)


@pytest.mark.parametrize("name", ["chao_shen", "james_stein", "combinatorial"])
def test_an_error_that_nobody_knows_is_none(name: Estimator) -> None:
    assert estimate_error(name, np.array([[1.0, 3.0]])) is None


def test_only_what_looks_at_single_observations_needs_whole_counts() -> None:
    assert {name for name in NAMES if needs_whole(name)} == {
        "jackknife",
        "chao_shen",
        "combinatorial",
    }


def test_one_row_of_counts_is_a_table_of_one() -> None:
    table, single = checked_counts("counts", np.array([1.0, 2.5]), whole=False)

    assert (table.tolist(), single) == ([[1.0, 2.5]], True)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, 2.0**53])
def test_what_is_no_count_is_refused(bad: float) -> None:
    with draw.refused("/counts/1", "not a count"):
        checked_counts("counts", np.array([1.0, bad]), whole=False)


def test_a_fraction_is_refused_where_observations_are_looked_at() -> None:
    with draw.refused("/counts/0/1", "not a whole count"):
        checked_counts("counts", np.array([[1.0, 0.5]]), whole=True)


def test_a_row_that_counts_nothing_is_refused() -> None:
    with draw.refused("/counts/1", "counts nothing"):
        checked_counts("counts", np.array([[1.0, 2.0], [0.0, 0.0]]), whole=True)
