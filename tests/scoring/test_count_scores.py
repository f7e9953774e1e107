"""Scores of counts: the entropy estimate with what stands beside it, and goodness of fit."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from kullback.numerics.types import Array
from kullback.scoring.checked_distribution import SentDistribution
from kullback.scoring.count_scores import (
    entropy_of_counts,
    kl_of_counts,
    refuse_both,
)
from kullback.scoring.entropy_estimators import Estimator
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests.scoring import oracles as oracle
from tests.scoring import strategies as draw
from tests.scoring.test_entropy_estimators import NAMES

PLAIN = Options()


def fit(counts: Array, q: Array, options: Options) -> Score:
    return kl_of_counts(counts, SentDistribution(q), options)


def fit_of_logits(counts: Array, logits: Array, options: Options) -> Score:
    return kl_of_counts(counts, SentDistribution(logits=logits), options)


@st.composite
def fits(pick: st.DrawFn) -> tuple[Array, Array]:
    """Counts of one row and a distribution over their cells."""
    table = pick(draw.counts)
    return table, pick(draw.priors(table.shape[1]))[None]


def test_an_answer_says_how_far_from_uniform_the_counts_are() -> None:
    score = entropy_of_counts(np.array([2.0, 5.0, 3.0]), "combinatorial", PLAIN)

    assert score.value == pytest.approx(math.log(2520) / 10, rel=1e-15)
    assert draw.number(score, "plugin") == pytest.approx(1.0296530140645737, rel=1e-15)
    assert draw.number(score, "normalized") == score.value / math.log(3)
    assert draw.number(score, "effective_outcomes") == math.exp(score.value)
    assert draw.number(score, "ln_multiplicity") == pytest.approx(math.log(2520), rel=1e-14)
    assert score.standard_error is None


def test_base_2_divides_what_is_in_nats_once() -> None:
    rows = np.array([2.0, 5.0, 3.0])
    nats = entropy_of_counts(rows, "plugin", PLAIN)
    bits = entropy_of_counts(rows, "plugin", Options(base="2"))

    assert bits.value == nats.value / math.log(2)
    assert draw.number(bits, "maximum") == pytest.approx(math.log2(3), rel=1e-15)
    assert draw.number(bits, "effective_outcomes") == draw.number(nats, "effective_outcomes")


def test_one_outcome_has_no_normalized_entropy() -> None:
    score = entropy_of_counts(np.array([4.0]), "plugin", PLAIN)

    assert score.value == 0.0
    assert draw.reason(score, "normalized") == "one_outcome"


@pytest.mark.parametrize("name", NAMES)
@given(rows=st.lists(draw.counts, min_size=2, max_size=4))
def test_a_batch_is_the_mean_of_its_rows(name: Estimator, rows: list[Array]) -> None:
    width = max(row.shape[1] for row in rows)
    table = np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows])

    batch = entropy_of_counts(table, name, Options(per_row=True))
    each = [entropy_of_counts(row, name, PLAIN).value for row in table]

    assert batch.per_row is not None
    assert batch.per_row.tolist() == each
    assert batch.value == pytest.approx(math.fsum(each) / len(each), rel=1e-14)
    assert not draw.has_negative_zero(batch)


def test_weights_weigh_rows() -> None:
    rows = np.array([[1.0, 1.0], [4.0, 0.0]])
    score = entropy_of_counts(rows, "plugin", Options(sample_weight=np.array([1.0, 3.0])))

    assert score.value == pytest.approx(math.log(2) / 4, rel=1e-15)


def test_rows_without_weight_leave_no_entropy() -> None:
    score = entropy_of_counts(
        np.array([[1.0, 1.0]]), "combinatorial", Options(sample_weight=np.array([0.0]))
    )

    assert (score.status, score.reason) == ("undefined", "zero_weight")
    assert draw.reason(score, "normalized") == "zero_weight"


def test_one_row_has_the_error_of_its_estimator() -> None:
    score = entropy_of_counts(np.array([2.0, 5.0, 3.0]), "jackknife", PLAIN)

    assert score.standard_error == pytest.approx(
        float(oracle.jackknife_error([2, 5, 3])), rel=1e-12
    )


def test_a_batch_has_the_error_of_a_mean_over_rows() -> None:
    score = entropy_of_counts(np.array([[2.0, 5.0], [1.0, 1.0]]), "plugin", Options(per_row=True))

    assert score.per_row is not None
    spread = float(np.std(score.per_row, ddof=1)) / math.sqrt(2)
    assert score.standard_error == pytest.approx(spread, rel=1e-14)


def test_a_fraction_is_refused_by_the_estimators_of_observations() -> None:
    with draw.refused("/counts/0", "whole"):
        entropy_of_counts(np.array([0.5, 1.0]), "jackknife", PLAIN)


def test_a_die_that_was_thrown_twelve_times() -> None:
    rows = np.array([2.0, 4.0, 6.0])
    score = fit(rows, np.full((1, 3), 1 / 3), PLAIN)

    g = 2 * (2 * math.log(2 / 4) + 4 * math.log(4 / 4) + 6 * math.log(6 / 4))
    assert draw.number(score, "g_statistic") == pytest.approx(g, rel=1e-14)
    assert score.value == pytest.approx(g / 24, rel=1e-14)
    assert draw.detail(score, "degrees_of_freedom") == 2
    assert draw.number(score, "p_value") == pytest.approx(math.exp(-g / 2), rel=1e-14)
    chance = 13860 / 3**12  # 12!/(2! 4! 6!) of 3¹² throws
    assert draw.number(score, "combinatorial_divergence") == pytest.approx(
        -math.log(chance) / 12, rel=1e-14
    )


@given(fits())
def test_the_divergence_is_what_60_digits_say(case: tuple[Array, Array]) -> None:
    counts, q = case
    score = fit(counts, q, PLAIN)

    expected = float(oracle.kl(counts[0].tolist(), q[0].tolist()))
    assert score.value == pytest.approx(expected, rel=1e-12, abs=1e-16)
    assert draw.number(score, "combinatorial_divergence") >= score.value


@given(fits())
def test_the_combinatorial_divergence_is_the_chance_of_these_counts(
    case: tuple[Array, Array],
) -> None:
    counts, q = np.minimum(case[0], 1000), case[1]
    found = draw.number(fit(counts, q, PLAIN), "combinatorial_divergence")

    total = counts.sum()
    chance = -stats.multinomial.logpmf(counts[0], int(total), q[0]) / total
    assert found == pytest.approx(float(chance), rel=1e-11, abs=1e-13)


@given(fits())
def test_the_g_test_is_that_of_scipy(case: tuple[Array, Array]) -> None:
    counts, q = np.minimum(case[0], 1000), case[1]
    score = fit(counts, q, PLAIN)
    if counts.shape[1] == 1:
        assert draw.reason(score, "p_value") == "one_cell"
        return

    expected = stats.power_divergence(counts[0], counts.sum() * q[0], lambda_="log-likelihood")
    scale = counts.sum()  # scipy adds terms of both signs
    assert draw.number(score, "g_statistic") == pytest.approx(
        float(expected.statistic), rel=1e-12, abs=1e-13 * scale
    )
    tail = float(stats.chi2.sf(draw.number(score, "g_statistic"), counts.shape[1] - 1))
    assert draw.number(score, "p_value") == pytest.approx(tail, rel=1e-11)


@given(fits(), fits())
def test_the_statistics_of_rows_add_up(
    one: tuple[Array, Array], other: tuple[Array, Array]
) -> None:
    k = min(one[0].shape[1], other[0].shape[1])
    counts = np.vstack([np.maximum(one[0][:, :k], 1), np.maximum(other[0][:, :k], 1)])
    q = np.vstack([one[1][:, :k], other[1][:, :k]])
    q /= q.sum(axis=1, keepdims=True)

    both = fit(counts, q, PLAIN)
    each = [fit(counts[i : i + 1], q[i : i + 1], PLAIN) for i in range(2)]

    total = math.fsum(draw.number(score, "g_statistic") for score in each)
    assert draw.number(both, "g_statistic") == pytest.approx(total, rel=1e-12)
    assert draw.detail(both, "degrees_of_freedom") == 2 * (k - 1)


def test_counts_where_there_should_be_none_fit_infinitely_badly() -> None:
    score = fit(np.array([1.0, 2.0]), np.array([[1.0, 0.0]]), PLAIN)

    assert (score.status, score.reason) == ("infinite", "positive_infinity")
    assert draw.reason(score, "g_statistic") == "positive_infinity"
    assert draw.reason(score, "combinatorial_divergence") == "positive_infinity"


def test_a_cell_that_cannot_occur_gives_no_freedom() -> None:
    score = fit(np.array([1.0, 2.0, 0.0]), np.array([[0.5, 0.5, 0.0]]), PLAIN)

    assert draw.detail(score, "degrees_of_freedom") == 1


@given(fits())
def test_the_gradient_is_the_slope_of_the_divergence(case: tuple[Array, Array]) -> None:
    counts, q = case
    score = fit(counts[0], q[0], Options(gradient=True))

    p = counts[0] / counts.sum()
    assert isinstance(score.gradient, np.ndarray)
    assert score.gradient == pytest.approx(-p / q[0], rel=1e-15)
    assert not draw.has_negative_zero(score)


def test_counts_of_other_cells_are_refused() -> None:
    with draw.refused("/q", "p_counts has"):
        fit(np.array([1.0, 2.0]), np.array([[0.2, 0.3, 0.5]]), PLAIN)


def test_a_fraction_of_a_count_is_no_goodness_of_fit() -> None:
    with draw.refused("/p_counts/0", "whole"):
        fit(np.array([0.5, 2.0]), np.array([[0.5, 0.5]]), PLAIN)


def test_counts_beside_probabilities_are_refused() -> None:
    with draw.refused("/counts", "exclude each other"):
        refuse_both("counts", np.array([1.0]), None, np.array([1.0]))


def test_counts_alone_are_not_refused() -> None:
    refuse_both("counts", np.array([1.0]), None, None)
    refuse_both("counts", None, np.array([1.0]))


@given(fits())
def test_logits_of_the_distribution_are_one_path_with_it(case: tuple[Array, Array]) -> None:
    counts, q = case
    assume(counts.shape[1] > 1)
    one = fit(counts, q, PLAIN)
    other = fit_of_logits(counts, np.log(q), PLAIN)

    assert other.value == pytest.approx(one.value, rel=1e-9, abs=1e-14)
    for name in ("g_statistic", "cross_entropy", "combinatorial_divergence", "p_value"):
        if counts.shape[1] > 1 and counts.sum() < 1e4:
            assert draw.number(other, name) == pytest.approx(
                draw.number(one, name), rel=1e-8, abs=1e-9
            )


def test_logits_far_apart_fit_badly_but_not_infinitely() -> None:
    score = fit_of_logits(np.array([1.0, 3.0]), np.array([[1000.0, 0.0]]), PLAIN)

    entropy = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    assert draw.number(score, "cross_entropy") == pytest.approx(750.0, rel=1e-15)
    assert score.value == pytest.approx(750 - entropy, rel=1e-14)
    assert draw.detail(score, "degrees_of_freedom") == 1


def test_a_logit_that_rules_a_cell_out_gives_no_freedom() -> None:
    logits = np.array([[0.0, 0.0, -np.inf]])

    score = fit_of_logits(np.array([1.0, 2.0, 0.0]), logits, PLAIN)
    none = fit_of_logits(np.array([1.0, 2.0, 1.0]), logits, PLAIN)

    assert draw.detail(score, "degrees_of_freedom") == 1
    assert none.value == math.inf


@settings(max_examples=20)
@given(draw.some_tables(draw.mild, low=2))
def test_the_gradient_of_logits_is_the_slope_of_the_divergence(logits: Array) -> None:
    counts = np.arange(1.0, logits.size + 1).reshape(logits.shape)
    score = fit_of_logits(counts, logits, Options(gradient=True))

    slope = draw.slope(lambda z: fit_of_logits(counts, z, PLAIN).value, logits)
    assert draw.agrees(score.gradient, slope)


def test_a_distribution_says_how_far_it_was_off() -> None:
    options = Options(on_unnormalized="renormalize")
    score = fit(np.array([1.0, 2.0]), np.array([1.0, 3.0]), options)

    assert (score.diagnostics.renormalized, score.diagnostics.max_sum_error) == (1, 3.0)


def test_a_fit_is_to_one_distribution() -> None:
    counts, q = np.array([1.0, 2.0]), np.array([0.5, 0.5])
    with draw.refused("/q", "q is missing"):
        kl_of_counts(counts, SentDistribution(), PLAIN)
    with draw.refused("/q", "q and q_logits exclude each other"):
        kl_of_counts(counts, SentDistribution(q, q), PLAIN)


@given(fits())
def test_log_probabilities_fit_as_the_probabilities_do(case: tuple[Array, Array]) -> None:
    counts, q = case
    one = fit(counts, q, Options(gradient=True))
    other = kl_of_counts(counts, SentDistribution(logs=np.log(q)), Options(gradient=True))

    assert other.value == pytest.approx(one.value, rel=1e-9, abs=1e-14)
    assert isinstance(one.gradient, np.ndarray)
    assert other.gradient == pytest.approx(one.gradient * q, rel=1e-12)


def test_one_distribution_fits_many_rows_of_counts_and_many_fit_one() -> None:
    rows = np.array([[1.0, 3.0], [2.0, 2.0], [5.0, 1.0]])
    q, many = np.array([0.25, 0.75]), np.array([[0.25, 0.75], [0.5, 0.5]])
    one = fit(rows, q, Options(per_row=True, gradient=True))
    other = fit(rows[0], many, Options(per_row=True))

    assert isinstance(one.per_row, np.ndarray)
    assert one.per_row.tolist() == [fit(row, q, PLAIN).value for row in rows]
    assert draw.detail(one, "degrees_of_freedom") == 3
    shares = rows / rows.sum(axis=1, keepdims=True)
    assert isinstance(one.gradient, np.ndarray)
    assert one.gradient == pytest.approx(-(shares / q).mean(axis=0), rel=1e-15)
    assert isinstance(other.per_row, np.ndarray)
    assert other.per_row.tolist() == [fit(rows[0], row, PLAIN).value for row in many]
