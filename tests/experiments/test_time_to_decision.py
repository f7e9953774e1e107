"""The time to a decision follows from the sequence itself, and from the rows of the last days."""

import math
from dataclasses import replace

import pytest

from kullback.experiments.replies import SeriesStep
from kullback.experiments.report import ArmEffect
from kullback.experiments.reporting import arm_effect
from kullback.experiments.time_to_decision import (
    decisive_error,
    rows_of_base_rates,
    rows_per_day,
    time_to_decision,
)
from kullback.moments import DAY, HOUR
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import Contrast
from tests.experiments.arms import PAIRED, PARALLEL, found, paired

ROWS = 600
STEPS = [
    SeriesStep(start=at * DAY, to=(at + 1) * DAY, n=n)
    for at, n in enumerate((100, 200, 210, 220, 230, 240, 250, 260, ROWS))
]


def effect(noise: float = 0.3) -> ArmEffect:
    (comparison,) = found(PAIRED, paired(noise=noise, n=ROWS)).comparisons[""]
    return arm_effect(comparison, PAIRED.alpha)


def at(rows: float, one: ArmEffect, difference: float) -> tuple[float, float]:
    """The sequence of this difference, once there are so many rows."""
    assert one.standard_error is not None
    assert one.degrees_of_freedom is not None
    error = one.standard_error / math.sqrt(rows / ROWS)
    contrast = Contrast(difference, error, one.degrees_of_freedom, 100, 0.0)
    sequence = confidence_sequence(contrast, 0.02, PAIRED.alpha)
    return sequence.low, sequence.high


def test_a_difference_is_decided_when_its_sequence_leaves_zero() -> None:
    one = effect()
    time = time_to_decision(PAIRED, 0.02, one, STEPS, 9 * DAY)
    assert time is not None
    assert time.minimum is not None
    assert time.minimum > ROWS
    assert at(1.01 * time.minimum, one, 0.02)[0] > 0 > at(0.99 * time.minimum, one, 0.02)[0]


def test_the_effect_as_it_stands_takes_what_the_report_says() -> None:
    one = effect()
    time = time_to_decision(PAIRED, 0.02, one, STEPS, 9 * DAY)
    assert time is not None
    assert one.information_needed is None or time.effect is not None
    small = replace(one, effect=0.001)
    time = time_to_decision(PAIRED, 0.02, small, STEPS, 9 * DAY)
    assert time is not None
    assert time.effect is not None
    low, high = at(1.01 * time.effect, one, 0.001)
    assert -0.02 < low < 0 < high < 0.02


def test_days_are_those_of_the_rows_of_the_last_week() -> None:
    assert rows_per_day(STEPS, 9 * DAY) == pytest.approx((ROWS - 200) / 7)
    assert rows_per_day(STEPS[:3], 3 * DAY) == pytest.approx(110 / 2)
    assert rows_per_day(STEPS, 8 * DAY + HOUR) == pytest.approx((ROWS - 100) / (7 + 1 / 24))
    time = time_to_decision(PAIRED, 0.02, effect(), STEPS, 9 * DAY)
    assert time is not None
    assert time.days(ROWS + 2 * (ROWS - 200) / 7) == pytest.approx(2)
    assert time.days(ROWS / 2) == 0


def test_of_one_step_nobody_knows_what_comes_in_a_day() -> None:
    assert rows_per_day(STEPS[:1], DAY) is None
    assert rows_per_day([STEPS[0], replace(STEPS[1], n=100)], 2 * DAY) is None
    time = time_to_decision(PAIRED, 0.02, effect(), STEPS[:1], DAY)
    assert time is not None
    assert time.days(1000) is None


def test_without_a_minimum_effect_or_an_error_there_is_no_time() -> None:
    one = effect()
    without = replace(PAIRED, minimum_effect=None)
    assert time_to_decision(without, None, one, STEPS, DAY) is None
    assert decisive_error(without) is rows_of_base_rates(without, 0.1, "b") is None
    for lacking in (replace(one, effect=None), replace(one, standard_error=0.0)):
        assert time_to_decision(PAIRED, 0.02, lacking, STEPS, DAY) is None
    assert time_to_decision(PAIRED, 0.02, one, [], DAY) is None


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_at_the_decisive_error_the_minimum_effect_is_just_decided(alpha: float) -> None:
    plan = replace(PAIRED, alpha=alpha)
    error = decisive_error(plan)
    assert error is not None
    contrast = Contrast(0.02, error, 1023.0, 1024, 0.0)
    assert confidence_sequence(contrast, 0.02, alpha).low == pytest.approx(0, abs=2e-5)


def test_rows_of_base_rates_have_that_error() -> None:
    rows, error = rows_of_base_rates(PARALLEL, 0.1, "b"), decisive_error(PARALLEL)
    assert rows is not None
    assert math.sqrt(0.1 * 0.9 * (1 / (rows / 2) + 1 / (rows / 2))) == pytest.approx(error)
