"""Many decisions at once err no more often than one."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from kullback.tally.multiplicity import benjamini_hochberg, e_bh, holm, selected_alpha

pytestmark = pytest.mark.untraced

ALPHA = 1 / 16  # of two, so that thresholds are exact

p_value = st.one_of(st.floats(0.0, 1.0), st.sampled_from((0.0, 1e-300, 0.01, 0.05, 1.0)))
p_lists = st.lists(p_value, max_size=8)
e_value = st.sampled_from((0, 1, 15, 16, 17, 20, 24, 31, 32, 33, 48, 64, 80, 96, 128, 10**9))
log_e_lists = st.lists(
    st.one_of(st.floats(-5.0, 12.0), st.sampled_from((-math.inf, math.inf, 3.0))), max_size=8
)


def logs(e_values: Sequence[int]) -> list[float]:
    return [math.log(e) if e else -math.inf for e in e_values]


def in_order(values: Sequence[float], order: Sequence[int]) -> list[float]:
    return [values[place] for place in order]


def shuffled(values: Sequence[float]) -> list[int]:
    """An order that is not that of the places."""
    return sorted(range(len(values)), key=lambda place: (place * 5 + 3) % 7)


def largest_consistent(e_values: Sequence[int], alpha: Fraction) -> set[int]:
    """The largest set each of whose members has e ≥ K/(α · its size), among all sets."""
    places = range(len(e_values))
    for size in range(len(e_values), 0, -1):
        for chosen in combinations(places, size):
            if all(e_values[i] * size * alpha >= len(e_values) for i in chosen):
                return set(chosen)
    return set()


@settings(max_examples=15)  # it collects garbage at each call
@given(p_lists.filter(bool))
def test_statsmodels_agrees_on_holm(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1].tolist()

    assert holm(p_values) == pytest.approx(expected, rel=1e-14)


@given(p_lists.filter(bool))
def test_statsmodels_agrees_on_benjamini_and_hochberg(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="fdr_bh")[1].tolist()

    assert benjamini_hochberg(p_values) == pytest.approx(expected, rel=1e-14)


def test_holm_is_what_is_found_by_hand() -> None:
    # in order: 4 · 0.005, 3 · 0.01, 2 · 0.03, and 0.04, which may not be below what came before
    found = holm([0.01, 0.04, 0.03, 0.005])

    assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_and_hochberg_is_what_is_found_by_hand() -> None:
    # in order: 4/1 · 0.005, 4/2 · 0.01, 4/3 · 0.039, which is above 4/4 · 0.04
    found = benjamini_hochberg([0.01, 0.04, 0.039, 0.005])

    assert found == pytest.approx([0.02, 0.04, 0.04, 0.02])


@pytest.mark.parametrize(
    ("e_values", "rejected"),
    [
        ([80, 79, 1, 1], [True, True, False, False]),  # 80 alone, then 2 · 79 ≥ 80
        ([79, 39, 1, 1], [False, False, False, False]),  # none: 79 < 80, 2 · 39 < 80
        ([27, 27, 27, 0], [True, True, True, False]),  # only together: 3 · 27 ≥ 80
        ([20, 20, 20, 20], [True, True, True, True]),
        ([1000, 39, 26, 20], [True, True, True, True]),  # 2 and 3 fail, 4 holds
        ([0, 81, 0, 0], [False, True, False, False]),
    ],
)
def test_e_bh_is_what_is_found_by_hand(e_values: list[int], rejected: list[bool]) -> None:
    assert e_bh(logs(e_values), 0.05) == rejected


@given(st.lists(e_value, max_size=6))
def test_e_bh_rejects_the_largest_set_that_bears_itself_out(e_values: list[int]) -> None:
    found = e_bh(logs(e_values), ALPHA)

    rejected = {place for place, chosen in enumerate(found) if chosen}
    assert rejected == largest_consistent(e_values, Fraction(1, 16))


@given(st.integers(1, 40), st.sampled_from((0.01, 0.05, 0.1, 0.2)))
def test_where_all_have_what_one_needs_all_are_rejected(count: int, alpha: float) -> None:
    assert e_bh([math.log(1 / alpha)] * count, alpha) == [True] * count


@given(st.floats(0.001, 0.5), st.floats(-1.0, 8.0))
def test_one_decision_alone_is_left_as_it_is(alpha: float, log_e: float) -> None:
    assert e_bh([log_e], alpha) == [log_e >= math.log(1 / alpha)]
    assert holm([alpha]) == benjamini_hochberg([alpha]) == [alpha]


def test_infinite_evidence_is_evidence_and_its_absence_is_none() -> None:
    assert e_bh([math.inf, -math.inf, 2.0], 0.05) == [True, False, False]
    assert e_bh([-math.inf, -math.inf], 0.05) == [False, False]


@given(p_lists, log_e_lists)
def test_the_order_does_not_matter(p_values: list[float], log_e_values: list[float]) -> None:
    order = shuffled(p_values)
    for adjust in (holm, benjamini_hochberg):
        assert adjust(in_order(p_values, order)) == in_order(adjust(p_values), order)
    order = shuffled(log_e_values)
    expected = in_order(e_bh(log_e_values, ALPHA), order)
    assert e_bh(in_order(log_e_values, order), ALPHA) == expected


@given(log_e_lists)
def test_equal_evidence_shares_its_fate(log_e_values: list[float]) -> None:
    found = e_bh(log_e_values * 2, ALPHA)

    half = len(log_e_values)
    assert found[:half] == found[half:]


@given(p_lists, log_e_lists)
def test_a_hopeless_hypothesis_helps_nobody(
    p_values: list[float], log_e_values: list[float]
) -> None:
    for adjust in (holm, benjamini_hochberg):
        alone, together = adjust(p_values), adjust([*p_values, 1.0])
        assert all(b >= a for a, b in zip(alone, together, strict=False))
    chosen, beside = e_bh(log_e_values, ALPHA), e_bh([*log_e_values, -math.inf], ALPHA)
    assert all(a >= b for a, b in zip(chosen, beside, strict=False))


@given(log_e_lists, st.floats(0.0, 3.0))
def test_more_evidence_or_a_laxer_level_rejects_no_less(
    log_e_values: list[float], more: float
) -> None:
    found = e_bh(log_e_values, ALPHA)

    stronger = e_bh([log_e + more for log_e in log_e_values], ALPHA)
    laxer = e_bh(log_e_values, 2 * ALPHA)
    assert all(a <= b and a <= c for a, b, c in zip(found, stronger, laxer, strict=True))


@given(p_lists)
def test_adjusted_p_values_keep_their_ranks_and_grow(p_values: list[float]) -> None:
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p_values)
        assert all(p <= q <= 1.0 for p, q in zip(p_values, adjusted, strict=True))
        pairs = sorted(zip(p_values, adjusted, strict=True))
        assert [q for _, q in pairs] == sorted(adjusted)


@given(p_lists)
def test_fewer_false_ones_are_dearer_than_a_small_share_of_them(p_values: list[float]) -> None:
    pairs = zip(holm(p_values), benjamini_hochberg(p_values), strict=True)

    assert all(q <= p * (1 + 1e-15) for p, q in pairs)


@pytest.mark.parametrize(
    ("rejected", "level"),
    [
        ([True, False, False, True], 0.025),
        ([True, True, True], 0.05),
        ([False, False], 0.05),
        ([], 0.05),
        ([True] + [False] * 19, 0.0025),
    ],
)
def test_intervals_of_the_selected_are_wider_the_fewer_they_are(
    rejected: list[bool], level: float
) -> None:
    assert selected_alpha(rejected, 0.05) == pytest.approx(level, rel=1e-15)


def test_of_nothing_nothing_is_decided() -> None:
    assert holm([]) == benjamini_hochberg([]) == e_bh([], 0.05) == []
