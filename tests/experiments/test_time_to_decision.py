"""The time to a decision: by the power of the sequence, at the rows of the last days."""

import math
from dataclasses import replace

import pytest

from kullback.experiments.replies import SeriesStep
from kullback.experiments.report import ArmEffect
from kullback.experiments.reporting import arm_effect
from kullback.experiments.sample_size import Pilot, experiment_size
from kullback.experiments.time_to_decision import (
    POWER,
    rows_of_base_rates,
    rows_per_day,
    sufficient_error,
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


def test_the_minimum_effect_takes_what_the_planner_says_of_these_rows_as_a_pilot() -> None:
    one = effect()
    assert one.standard_error is not None
    time = time_to_decision(PAIRED, 0.02, one, STEPS, 9 * DAY)
    assert time is not None
    assert time.minimum is not None
    variance = ROWS * one.standard_error**2
    pilot = Pilot(of="rows", units=ROWS, rows=ROWS, value=0.5, unit_variance=variance)
    planned = experiment_size(replace(PAIRED, minimum_units=1), pilot).sizes
    (size,) = (each for each in planned if (each.method, each.power) == ("sequence", POWER))
    assert time.minimum == pytest.approx(size.rows, abs=2)


def test_more_than_ten_thousand_times_the_rows_are_not_counted() -> None:
    time = time_to_decision(PAIRED, 1e-6, effect(), STEPS, 9 * DAY)
    assert time is not None
    assert time.minimum is None


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
    assert sufficient_error(without) is rows_of_base_rates(without, 0.1, "b") is None
    for lacking in (replace(one, effect=None), replace(one, standard_error=0.0)):
        assert time_to_decision(PAIRED, 0.02, lacking, STEPS, DAY) is None
    assert time_to_decision(PAIRED, 0.02, one, [], DAY) is None


def test_rows_of_base_rates_are_those_of_the_planner() -> None:
    plan = replace(PARALLEL, metric="base_rate")
    rows, error = rows_of_base_rates(plan, 0.1, "b"), sufficient_error(plan)
    assert rows is not None
    assert math.sqrt(0.1 * 0.9 * (1 / (rows / 2) + 1 / (rows / 2))) == pytest.approx(error)
    pilot = Pilot(of="rows", units=1, rows=1, value=0.1, unit_variance=0.1 * 0.9)
    planned = experiment_size(plan, pilot).sizes
    (size,) = (each for each in planned if (each.method, each.power) == ("sequence", POWER))
    assert size.units == math.ceil(rows)
