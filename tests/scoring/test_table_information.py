"""Mutual information of a joint table, of counts, and of two columns of labels."""

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import (
    adjusted_mutual_info_score,
    mutual_info_score,
    normalized_mutual_info_score,
)

from kullback.numerics.types import Array
from kullback.scoring.entropy_estimators import ESTIMATORS, Estimator
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from kullback.scoring.table_information import (
    AVERAGES,
    Average,
    TableOptions,
    information_of_counts,
    information_of_joint,
    information_of_labels,
)
from tests.scoring import answers
from tests.scoring import oracles as oracle
from tests.scoring import strategies as draw

PLAIN = Options()
DEFAULTS = TableOptions()
NORMALIZED, ADJUSTED = "normalized_mutual_information", "adjusted_mutual_information"
EXPECTED = "expected_mutual_information"

paired_labels = st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 2)), min_size=1, max_size=40)


def _joint(joint: Array, options: Options) -> Score:
    return information_of_joint(joint, "arithmetic", options)


def _columns(pairs: list[tuple[int, int]]) -> tuple[Array, Array]:
    x, y = np.array(pairs, np.int64).T
    return x, y


def _table(x: Array, y: Array) -> Array:
    table = np.zeros((np.unique(x).size, np.unique(y).size))
    np.add.at(
        table, (np.unique(x, return_inverse=True)[1], np.unique(y, return_inverse=True)[1]), 1
    )
    return table


def test_a_coin_and_its_copy_share_one_bit() -> None:
    score = _joint(np.array([[0.5, 0.0], [0.0, 0.5]]), Options(base="2"))

    assert score.value == 1.0
    assert answers.number(score, "entropy_x") == 1.0
    assert answers.number(score, "conditional_entropy") == 0.0
    assert answers.number(score, "upper_bound") == 1.0


def test_a_table_by_hand() -> None:
    score = _joint(np.array([[0.1, 0.2], [0.3, 0.4]]), PLAIN)

    expected = (
        0.1 * math.log(0.1 / 0.12)
        + 0.2 * math.log(0.2 / 0.18)
        + 0.3 * math.log(0.3 / 0.28)
        + 0.4 * math.log(0.4 / 0.42)
    )
    assert score.value == pytest.approx(expected, rel=1e-13)


@given(draw.joints())
def test_a_table_is_what_60_digits_say(joint: Array) -> None:
    score = _joint(joint, PLAIN)

    assert score.value == pytest.approx(
        float(oracle.information(joint.tolist())), rel=1e-12, abs=1e-16
    )


@given(draw.some_tables(st.integers(1, 50).map(float)))
def test_a_table_of_counts_is_that_of_scikit_learn(counts: Array) -> None:
    score = _joint(counts, Options(on_unnormalized="renormalize"))

    expected = mutual_info_score(None, None, contingency=counts.astype(np.int64))
    assert score.value == pytest.approx(float(expected), rel=1e-9, abs=1e-14)


@given(st.integers(1, 5).flatmap(draw.priors), st.integers(1, 5).flatmap(draw.priors))
def test_what_is_independent_shares_nothing(x: Array, y: Array) -> None:
    score = _joint(np.outer(x, y), PLAIN)

    assert 0 <= score.value <= 1e-16


@given(st.integers(1, 6).flatmap(draw.priors))
def test_what_is_equal_shares_its_entropy(p: Array) -> None:
    score = _joint(np.diag(p), PLAIN)

    assert score.value == pytest.approx(answers.number(score, "entropy_y"), rel=1e-12, abs=1e-16)
    assert answers.number(score, "conditional_entropy") == pytest.approx(0.0, abs=1e-16)


@given(draw.joints())
def test_information_is_what_knowing_x_takes_off_y(joint: Array) -> None:
    score = _joint(joint, PLAIN)

    left = answers.number(score, "entropy_y") - answers.number(score, "conditional_entropy")
    assert score.value == pytest.approx(left, abs=1e-14)
    assert score.value <= answers.number(score, "upper_bound") * (1 + 1e-12) + 1e-15
    assert not answers.has_negative_zero(score)


@given(draw.joints())
def test_information_is_symmetric(joint: Array) -> None:
    assert _joint(joint.T, PLAIN).value == pytest.approx(
        _joint(joint, PLAIN).value, rel=1e-12, abs=1e-16
    )


@given(draw.joints())
def test_telling_less_of_x_tells_less_of_y(joint: Array) -> None:
    coarse = np.vstack((joint[:2].sum(axis=0), joint[2:]))

    assert _joint(coarse, PLAIN).value <= _joint(joint, PLAIN).value + 1e-15


def test_a_flat_table_is_refused() -> None:
    with draw.refused("/joint", "[a][b] is expected"):
        _joint(np.array([0.5, 0.5]), PLAIN)


def test_a_table_that_does_not_sum_to_one_is_refused() -> None:
    with draw.refused("/joint", "sums to"):
        _joint(np.array([[0.5, 0.1], [0.1, 0.1]]), PLAIN)


def test_a_table_of_one_row_that_does_not_sum_is_refused_alike() -> None:
    with draw.refused("/joint", "sums to"):
        _joint(np.array([[0.5, 0.1]]), PLAIN)


def test_a_negative_cell_is_refused_where_it_stands() -> None:
    with draw.refused("/joint/1/0", "not a probability"):
        _joint(np.array([[0.5, 0.4], [-0.1, 0.2]]), PLAIN)


def test_a_table_has_no_weights() -> None:
    with draw.refused("/sample_weight"):
        _joint(np.eye(2) / 2, Options(sample_weight=np.ones(2)))


def test_counts_sent_as_a_joint_distribution_are_told_of_counts() -> None:
    with draw.refused("/joint", "send counts as `counts`"):
        _joint(np.array([[10.0, 5.0], [5.0, 15.0]]), PLAIN)


def test_two_columns_by_hand() -> None:
    """Cells 2, 1, 1 of 4: x and y are 0, 0, 0, 1 and 0, 0, 1, 1."""
    score = information_of_labels(
        np.array([0, 0, 0, 1]), ["a", "a", "b", "b"], DEFAULTS, Options(base="2", per_row=True)
    )

    bits = 0.5 * math.log2(4 / 3) + 0.25 * math.log2(2 / 3) + 0.25 * math.log2(2)
    entropy_x, entropy_y = 2 - 0.75 * math.log2(3), 1.0
    assert score.value == pytest.approx(bits, rel=1e-15)
    assert score.n == 4
    assert answers.per_row(score) == pytest.approx(
        [math.log2(4 / 3), math.log2(4 / 3), math.log2(2 / 3), 1.0], rel=1e-15
    )
    assert answers.number(score, "entropy_x") == pytest.approx(entropy_x, rel=1e-15)
    assert answers.number(score, "conditional_entropy") == pytest.approx(1 - bits, rel=1e-14)
    mean = (entropy_x + entropy_y) / 2
    assert answers.number(score, NORMALIZED) == pytest.approx(bits / mean, rel=1e-15)
    # of the 4 places of the single x, all leave the same table: chance shares just as much
    assert answers.number(score, EXPECTED) == pytest.approx(bits, rel=1e-14)
    assert answers.number(score, ADJUSTED) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("average", get_args(Average))
@given(pairs=paired_labels)
def test_two_columns_are_what_scikit_learn_says(
    average: Average, pairs: list[tuple[int, int]]
) -> None:
    x, y = _columns(pairs)
    score = information_of_labels(x, y, TableOptions(average=average), PLAIN)

    assert score.value == pytest.approx(float(mutual_info_score(x, y)), rel=1e-9, abs=1e-14)
    assume(score.details[NORMALIZED] is not None and score.details[ADJUSTED] is not None)
    assert answers.number(score, NORMALIZED) == pytest.approx(
        float(normalized_mutual_info_score(x, y, average_method=average)), rel=1e-9, abs=1e-14
    )
    assert answers.number(score, ADJUSTED) == pytest.approx(
        float(adjusted_mutual_info_score(x, y, average_method=average)), rel=1e-7, abs=1e-10
    )


@given(paired_labels)
def test_a_table_of_counts_is_the_same_as_its_labels(pairs: list[tuple[int, int]]) -> None:
    x, y = _columns(pairs)
    labels = information_of_labels(x, y, DEFAULTS, PLAIN)
    counts = information_of_counts(_table(x, y), DEFAULTS, PLAIN)

    assert labels.value == counts.value
    assert labels.details == counts.details
    if counts.standard_error is not None:
        assert labels.standard_error == pytest.approx(counts.standard_error, rel=1e-9, abs=1e-9)


@given(paired_labels)
def test_names_of_labels_do_not_matter(pairs: list[tuple[int, int]]) -> None:
    x, y = _columns(pairs)
    named = information_of_labels(x, [f"{value + 5}" for value in y], DEFAULTS, PLAIN)

    assert named == information_of_labels(x, y, DEFAULTS, PLAIN)


@given(paired_labels, st.data())
def test_whole_weights_count_rows_so_often(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    x, y = _columns(pairs)
    times = data.draw(st.lists(st.integers(0, 3), min_size=x.size, max_size=x.size))
    assume(any(times))
    weighted = information_of_labels(
        x, y, DEFAULTS, Options(sample_weight=np.array(times, np.float64))
    )
    repeated = information_of_labels(np.repeat(x, times), np.repeat(y, times), DEFAULTS, PLAIN)

    assert (weighted.value, weighted.details) == (repeated.value, repeated.details)


@given(paired_labels)
def test_information_of_labels_is_symmetric(pairs: list[tuple[int, int]]) -> None:
    x, y = _columns(pairs)
    direct, swapped = (
        information_of_labels(*columns, DEFAULTS, PLAIN) for columns in ((x, y), (y, x))
    )

    assert direct.value == pytest.approx(swapped.value, rel=1e-12, abs=1e-15)
    for name in (NORMALIZED, ADJUSTED):
        left, right = direct.details[name], swapped.details[name]
        assert (left is None) == (right is None)
        if left is not None:
            assert left == pytest.approx(right, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("estimator", [name for name in ESTIMATORS if name != "james_stein"])
@given(pairs=paired_labels)
def test_an_estimate_adds_the_estimated_entropies(
    estimator: Estimator, pairs: list[tuple[int, int]]
) -> None:
    table = _table(*_columns(pairs))
    score = information_of_counts(table, TableOptions(estimator), PLAIN)

    x, y, both = (
        float(ESTIMATORS[estimator](counts.reshape(1, -1))[0])
        for counts in (table.sum(axis=1), table.sum(axis=0), table)
    )
    assert score.value == pytest.approx(x + y - both, rel=1e-9, abs=1e-14)
    assert answers.number(score, "entropy_x") == pytest.approx(x, rel=1e-12, abs=1e-16)


def test_shrinkage_is_of_the_whole_table() -> None:
    """Hausser & Strimmer: λ of the four cells 3, 1, 1, 0; then the plug-in of the shrunk table."""
    table = np.array([[3.0, 1.0], [1.0, 0.0]])
    p = table.reshape(-1) / 5
    share = (1 - float(p @ p)) / (4 * float(((0.25 - p) ** 2).sum()))
    shrunk = (share / 4 + (1 - share) * p).reshape(2, 2)

    score = information_of_counts(table, TableOptions("james_stein"), PLAIN)

    assert 0 < share < 1
    assert score.value == pytest.approx(float(oracle.information(shrunk.tolist())), rel=1e-12)
    assert score.standard_error is None


def test_one_label_alone_normalizes_nothing() -> None:
    score = information_of_labels(np.zeros(3, np.int64), ["a"] * 3, DEFAULTS, PLAIN)

    assert score.value == 0.0
    assert answers.reason(score, NORMALIZED) == "one_class"
    assert answers.reason(score, ADJUSTED) == "one_class"


def test_labels_that_all_differ_leave_nothing_to_adjust() -> None:
    score = information_of_labels(np.arange(5), np.arange(5), DEFAULTS, PLAIN)

    assert score.value == pytest.approx(math.log(5), rel=1e-15)
    assert answers.number(score, NORMALIZED) == pytest.approx(1.0, rel=1e-15)
    assert answers.reason(score, ADJUSTED) == "undefined"


def test_weights_that_are_fractions_have_no_chance_to_adjust_for() -> None:
    weights = Options(sample_weight=np.array([0.5, 1.0, 1.0]))
    score = information_of_labels(np.array([0, 1, 1]), np.array([0, 1, 0]), DEFAULTS, weights)

    assert answers.reason(score, ADJUSTED) == "fractional_counts"
    with draw.refused("/sample_weight", "whole"):
        information_of_labels(
            np.array([0, 1, 1]), np.array([0, 1, 0]), TableOptions("jackknife"), weights
        )


def test_rows_of_no_weight_leave_no_score() -> None:
    score = information_of_labels(
        np.array([0, 1]), np.array([0, 1]), DEFAULTS, Options(sample_weight=np.zeros(2))
    )

    assert (score.status, score.reason) == ("undefined", "zero_weight")


def test_what_is_not_asked_for_is_not_adjusted() -> None:
    score = information_of_counts(np.eye(3), TableOptions(adjusted=False), PLAIN)

    assert ADJUSTED not in score.details


def test_columns_and_tables_of_another_form_are_refused() -> None:
    with draw.refused("/y", "2 rows but x has 3"):
        information_of_labels(np.arange(3), np.arange(2), DEFAULTS, PLAIN)
    with draw.refused("/x/0", "0.5"):
        information_of_labels(np.array([0.5]), np.arange(1), DEFAULTS, PLAIN)
    with draw.refused("/counts", "[a][b]"):
        information_of_counts(np.array([1.0, 2.0]), DEFAULTS, PLAIN)
    with draw.refused("/counts", "nothing"):
        information_of_counts(np.zeros((2, 2)), DEFAULTS, PLAIN)
    with draw.refused("/counts/0/1", "whole"):
        information_of_counts(np.array([[1.0, 0.5]]), TableOptions("jackknife"), PLAIN)
    with draw.refused("/counts/1/0", "not a count"):
        information_of_counts(np.array([[1.0], [-2.0]]), DEFAULTS, PLAIN)
    with draw.refused("/sample_weight"):
        information_of_counts(np.eye(2), DEFAULTS, Options(sample_weight=np.ones(2)))


def test_every_average_of_a_joint_table() -> None:
    joint = np.array([[0.5, 0.25], [0.0, 0.25]])
    for name, average in AVERAGES.items():
        score = information_of_joint(joint, name, PLAIN)
        sides = (answers.number(score, "entropy_x"), answers.number(score, "entropy_y"))
        assert answers.number(score, NORMALIZED) == score.value / average(*sides)
