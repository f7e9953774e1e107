"""A split of requests whose rows go together counts requests, not rows."""

import math

import numpy as np
import pytest

from kullback.numerics.types import Array
from kullback.tally.design_effect import design_effect
from kullback.tally.sample_ratio import ALARM, pooled_ratio, sample_ratio
from tests.statistics.ramps import split_rows

SHARES = (0.9, 0.1)


def effect(weights: Array) -> float:
    return design_effect(weights, round(weights.sum()))


@pytest.mark.parametrize("together", [1, 4, 10])
@pytest.mark.parametrize("shares", [(0.5, 0.5), SHARES, (0.2, 0.3, 0.5)])
def test_it_is_the_number_of_rows_that_go_together(
    together: int, shares: tuple[float, ...]
) -> None:
    rng = np.random.default_rng(1)
    found = [effect(split_rows(rng, shares, 30_000, together)) for _ in range(10)]
    assert np.mean(found) == pytest.approx(together, rel=0.04)


def test_weights_of_another_scale_change_nothing() -> None:
    weights = split_rows(np.random.default_rng(2), SHARES, 5000, 3)
    rows = round(weights.sum())
    assert design_effect(1e3 * weights, rows) == pytest.approx(effect(weights), rel=1e-12)


def test_where_nothing_can_be_told_rows_are_their_own() -> None:
    for weights in (np.zeros((2, 4)), np.eye(2)[:, :1] * 5, np.array([[3.0, 4.0], [0.0, 0.0]])):
        assert effect(weights) == 1.0


def test_rows_that_go_together_raise_no_alarm_and_a_wrong_share_does() -> None:
    rng, alarms, naive = np.random.default_rng(3), 0, 0
    for _ in range(300):
        weights = split_rows(rng, (0.5, 0.5), 20_000, 10)
        counts = weights.sum(axis=1).tolist()
        alarms += sample_ratio(counts, (0.5, 0.5), design_effect=effect(weights)).e_value >= 20
        naive += sample_ratio(counts, (0.5, 0.5)).e_value >= 20
    assert alarms <= 0.05 * 300 < naive
    weights = split_rows(rng, (0.55, 0.45), 20_000, 10)
    found = sample_ratio(weights.sum(axis=1).tolist(), (0.5, 0.5), design_effect=effect(weights))
    assert found.alarm
    assert found.trials == "requests"


def test_periods_are_judged_by_the_mean_of_their_e_values() -> None:
    straight, skewed = sample_ratio([500, 500], (0.5, 0.5)), sample_ratio([600, 400], (0.9, 0.1))
    both = pooled_ratio([straight, skewed])
    mean = (straight.e_value + skewed.e_value) / 2
    assert both.e_value == pytest.approx(mean, rel=1e-12)
    assert both.log_e_value == pytest.approx(math.log(mean), rel=1e-12)
    assert (both.units, both.expected) == ((1100, 900), (1400, 600))
    assert both.alarm == (mean >= ALARM)
    assert pooled_ratio([straight]) == straight
    assert pooled_ratio([straight, sample_ratio([0, 5], (1.0, 0.0))]).log_e_value == math.inf
