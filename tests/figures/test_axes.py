"""Axes: order is kept, and what is marked is round and apart."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.figures.axes import (
    Scale,
    around,
    labelled,
    round_numbers,
    within_logits,
)


def labels(values: Sequence[float]) -> list[str]:
    return [label for _, label in labelled(values)]


wide = st.floats(-1e9, 1e9)
chance = st.floats(0.0, 1.0)


@given(st.tuples(wide, wide).filter(lambda ends: ends[1] - ends[0] > 1e-6 * abs(ends[0]) + 1e-9))
def test_ticks_are_a_few_round_numbers_inside_the_axis(ends: tuple[float, float]) -> None:
    low, high = ends
    found = round_numbers(low, high, 6)
    slack = 1e-6 * (high - low)
    assert 2 <= len(found) <= 10
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert found == sorted(found)
    assert len(set(labels(found))) == len(found) or max(map(abs, found)) > 1e5 * (high - low)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 60000.0, [0, 10000, 20000, 30000, 40000, 50000, 60000]),
        (-0.0131, 0.0031, [-0.01, -0.005, 0.0]),
        (0.0, 0.0125, [0.0, 0.002, 0.004, 0.006, 0.008, 0.01, 0.012]),
        (-0.48, 0.48, [-0.4, -0.2, 0.0, 0.2, 0.4]),
    ],
)
def test_ticks_step_by_one_two_or_five(low: float, high: float, expected: list[float]) -> None:
    assert round_numbers(low, high, 7) == pytest.approx(expected)


def test_labels_say_no_more_digits_than_needed() -> None:
    assert labels([0.0, 0.005, 0.01]) == ["0", "0.005", "0.01"]
    assert labels([0.0, 20000.0, 40000.0]) == ["0", "20k", "40k"]
    assert labels([0.0, 2.5e6]) == ["0", "2.5M"]
    assert labels([0.0, 1e-7]) == ["0", "1×10⁻⁷"]
    assert labels([-4.2e67, 0.0, 5e66]) == ["−4.2×10⁶⁷", "0", "5×10⁶⁶"]
    assert labels([]) == []


@pytest.mark.parametrize("logit", [False, True])
@given(found=st.tuples(chance, chance))
def test_a_scale_keeps_the_order_and_stays_between_its_ends(
    *, logit: bool, found: tuple[float, float]
) -> None:
    scale = Scale(0.001, 0.9, 100.0, 20.0, logit)
    low, high = sorted(found)
    assert 20 <= scale(high) <= scale(low) <= 100


@given(st.lists(chance, min_size=1))
def test_all_probabilities_stand_on_an_axis_made_for_them(found: list[float]) -> None:
    low, high = within_logits(found)
    assert 0 <= low < high <= 1
    assert all(low <= p <= high for p in found if 1e-6 < p < 1 - 1e-6)


def test_ticks_of_logits_are_apart_and_round() -> None:
    scale = Scale(0.0003, 0.97, 0.0, 400.0, logit=True)
    ticks = scale.ticks()
    assert {0.001, 0.01, 0.1, 0.5, 0.9} <= set(ticks)
    places = [scale(tick) for tick in ticks]
    assert min(b - a for a, b in pairwise(places)) >= 46


def test_an_axis_around_one_number_has_some_width() -> None:
    assert around([3.0])[0] < 3.0 < around([3.0])[1]
    assert around([0.0]) == pytest.approx((-0.06, 0.06))
    assert around([math.inf])[0] < around([math.inf])[1]
