"""Information that two labelings of the same sizes share by chance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring.expected_information import expected_information, expected_terms
from tests.scoring.oracles import expected_mutual_information

labelings = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


def _sizes(labels: list[int]) -> Array:
    return np.unique(labels, return_counts=True)[1].astype(np.float64)


def test_two_halves_by_hand() -> None:
    """2 and 2 of 4 meet in 0, 1 or 2: of 6 arrangements 2 share ln 2 and 4 share nothing."""
    assert expected_information(np.array([2.0, 2.0]), np.array([2.0, 2.0])) == pytest.approx(
        math.log(2) / 3, rel=1e-15
    )


@given(labelings)
def test_chance_shares_what_50_digits_say(pairs: list[tuple[int, int]]) -> None:
    a, b = (_sizes([pair[side] for pair in pairs]) for side in (0, 1))

    assert expected_information(a, b) == pytest.approx(
        float(expected_mutual_information(a.tolist(), b.tolist())), rel=1e-13, abs=1e-16
    )


@pytest.mark.parametrize(
    ("a", "b"), [((3000, 1), (2000, 1001)), ((2500, 500, 1), (1, 1, 2999)), ((1500, 1501), (3001,))]
)
def test_tails_that_are_left_out_are_less_than_rounding(
    a: tuple[int, ...], b: tuple[int, ...]
) -> None:
    sizes = np.array(a, np.float64), np.array(b, np.float64)

    assert expected_information(*sizes) == pytest.approx(
        float(expected_mutual_information(a, b)), rel=1e-12, abs=1e-19
    )


@given(labelings)
def test_what_is_by_chance_is_symmetric_and_within_both_entropies(
    pairs: list[tuple[int, int]],
) -> None:
    a, b = (_sizes([pair[side] for pair in pairs]) for side in (0, 1))
    shares = (a / a.sum(), b / b.sum())
    least = min(float(-(p * np.log(p)).sum()) for p in shares)

    assert expected_information(a, b) == pytest.approx(expected_information(b, a), rel=1e-12)
    assert 0 <= expected_information(a, b) <= least * (1 + 1e-12) + 1e-15


def test_a_sum_of_large_sizes_has_few_terms() -> None:
    """By far not all k up to half a million: those within 13 standard deviations."""
    halves = np.array([5e5, 5e5])

    assert expected_terms(halves, halves) < 14_000
    assert expected_information(halves, halves) == pytest.approx(0.5e-6, rel=1e-5)  # 1/2N for χ²₁
