"""Requests and units that came in shares that changed: by period, by day, and as a whole."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import Conflict
from kullback.experiments.arm_tallies import checked_arm_rows, tally_arms
from kullback.experiments.comparison import Findings, compare
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows
from kullback.experiments.share_periods import (
    MOST_PERIODS,
    SharePeriod,
    changed_shares,
    period_of,
)
from kullback.experiments.windows import cells, tallies_by_segment
from kullback.moments import DAY, HOUR
from kullback.numerics.types import Array, Undefined
from kullback.storage.base import Part
from tests.experiments.arms import batches, written
from tests.experiments.reports import entry
from tests.experiments.reports import written as reported
from tests.experiments.test_windows import compacted
from tests.statistics.ramps import RAMPS, Ramp, drawn, stratified

START = 20_000 * DAY
STEPS = RAMPS["1 → 10 → 50 %, rate 5 → 40 %"].steps
RAMP = replace(RAMPS["1 → 10 → 50 %, rate 5 → 40 %"], requests=12_000, users=2000)
HALVES = {"a": 0.5, "b": 0.5}
REQUESTS = Plan((Arm("a", 0.5), Arm("b", 0.5)), "a", assignment="request", minimum_effect=0.02)
UNITS = replace(REQUESTS, assignment="unit")
PERIODS = tuple(
    SharePeriod(START + day * DAY if day else None, {"a": 1 - share, "b": share})
    for day, share in STEPS
)


def ramped(ramp: Ramp = RAMP, seed: int = 8) -> tuple[ArmRows, Array]:
    """Rows of a ramp as they are sent, and when they were."""
    rows = drawn(np.random.default_rng(seed), ramp)
    p = np.where(rows.y == 1, np.exp(-rows.losses), -np.expm1(-rows.losses))
    arm = ["b" if one else "a" for one in rows.treated.tolist()]
    return ArmRows(rows.y, p, unit=rows.user, arm=arm), START + DAY * rows.day


def stored(
    plan: Plan, rows: ArmRows, time: Array, periods: Sequence[SharePeriod] = ()
) -> list[Part]:
    return list(cells(plan, 1, checked_arm_rows(plan, rows), time, periods).items())


def found(
    plan: Plan, rows: ArmRows, time: Array, periods: Sequence[SharePeriod] = (), width: int = HOUR
) -> Findings:
    parts = compacted(stored(plan, rows, time, periods), width)
    return compare(plan, tallies_by_segment(plan, 1, parts), periods)


def of_units(share: float = 0.5, seed: int = 4) -> tuple[ArmRows, Array]:
    """Units that a hash sends to b with a share that becomes `share` after a day."""
    rng = np.random.default_rng(seed)
    unit, day = rng.integers(0, 4000, 20_000), np.sort(rng.uniform(0, 2, 20_000))
    place = rng.random(4000)
    treated = place[unit] < np.where(day < 1, 0.1, share)
    y = (rng.random(20_000) < np.where(day < 1, 0.1, 0.4)).astype(np.float64)
    arm = ["b" if one else "a" for one in treated.tolist()]
    return ArmRows(y, np.full(20_000, 0.3), unit=unit, arm=arm), START + DAY * day


HASHED = (SharePeriod(None, {"a": 0.9, "b": 0.1}), SharePeriod(START + DAY, HALVES))


def test_requests_of_a_ramp_are_compared_within_days_and_periods() -> None:
    rows, time = ramped()
    whole = found(REQUESTS, rows, time, PERIODS)
    (comparison,) = whole.comparisons[""]
    drawn_rows = drawn(np.random.default_rng(8), RAMP)
    truth = stratified(
        replace(drawn_rows, buckets=checked_arm_rows(REQUESTS, rows).buckets), drawn_rows.losses
    )
    assert not isinstance(comparison.effect, Undefined)
    assert comparison.effect.effect == pytest.approx(truth.effect, rel=1e-9)
    assert comparison.effect.standard_error == pytest.approx(truth.standard_error, rel=1e-9)
    low, high = comparison.effect.interval(0.05)
    assert low < 0 < high
    (naive,) = compare(REQUESTS, tally_arms(REQUESTS, rows)).comparisons[""]
    assert not isinstance(naive.effect, Undefined)
    assert naive.effect.interval(0.05)[0] > 0
    assert comparison.explanation is None
    assert whole.sample_ratio is not None
    assert not whole.sample_ratio.alarm
    assert comparison.verdict.word != "invalid"


def test_a_ramp_of_requests_that_nobody_told_of_is_a_mismatch() -> None:
    rows, time = ramped()
    whole = found(REQUESTS, rows, time)
    assert whole.comparisons[""][0].verdict.code == "sample_ratio_mismatch"
    assert whole.comparisons[""][0].verdict.reason.startswith("Requests are not split as planned")


def test_hours_that_became_days_say_the_same() -> None:
    """A claim must not depend on when somebody looks."""
    rows, time = ramped()
    for plan, periods in ((REQUESTS, PERIODS), (REQUESTS, ()), (UNITS, PERIODS)):
        by_hour, by_day = (found(plan, rows, time, periods, width) for width in (HOUR, DAY))
        assert reported(by_hour) == reported(by_day)


@settings(max_examples=25)
@given(batches(), st.lists(st.sampled_from((0.0, 10.0, 20.0, 9e4)), max_size=8))
def test_periods_and_days_add_up_to_what_the_rows_say(
    drawn_rows: tuple[Plan, ArmRows], moments: list[float]
) -> None:
    plan, rows = drawn_rows
    time = np.resize([*moments, 15.0], len(rows))
    periods = (SharePeriod(None, plan.shares), SharePeriod(12.0, plan.shares))
    for assigned in (plan, replace(plan, assignment="request")):
        parts = compacted(stored(assigned, rows, time, periods), DAY)
        assert written(tallies_by_segment(assigned, 1, parts)) == written(tally_arms(plan, rows))


def test_units_whose_shares_changed_are_compared_and_counted_by_period() -> None:
    rows, time = of_units()
    pooled = found(UNITS, rows, time, HASHED)
    ((first, before), (second, after)) = pooled.assignment.periods
    assert (first.since, second.since) == (None, START + DAY)
    assert before.expected[1] == pytest.approx(0.1 * sum(before.units))
    assert after.expected[1] == pytest.approx(0.5 * sum(after.units))
    assert pooled.comparisons[""][0].verdict.word != "invalid"
    assert pooled.crossover == 0.0
    rate = pooled.comparisons[""][0].other_metrics["base_rate"]
    assert not isinstance(rate, Undefined)
    assert abs(rate.effect) < 3 * rate.standard_error
    naive = found(UNITS, rows, time).comparisons[""][0]
    assert naive.verdict.word == "invalid"


def test_units_that_keep_the_arm_they_first_had_are_a_mismatch() -> None:
    """Then those of before are not in the arms in the shares of now."""
    rng = np.random.default_rng(6)
    unit, day = rng.integers(0, 4000, 20_000), np.sort(rng.uniform(0, 2, 20_000))
    sticky = rng.random(4000) < 0.1
    rows = ArmRows(
        np.resize([1.0, 0.0], 20_000),
        np.full(20_000, 0.5),
        unit=unit,
        arm=["b" if one else "a" for one in sticky[unit].tolist()],
    )
    whole = found(UNITS, rows, START + DAY * day, HASHED)
    assert whole.comparisons[""][0].verdict.code == "sample_ratio_mismatch"


def test_units_that_met_two_arms_in_one_period_are_counted_as_before() -> None:
    rows, time = of_units()
    assert rows.arm is not None
    swapped = replace(
        rows, arm=[*rows.arm[:18_000], *("a" if arm == "b" else "b" for arm in rows.arm[18_000:])]
    )
    crossed = found(UNITS, swapped, time, HASHED)
    assert crossed.crossover > 0.3
    assert crossed.comparisons[""][0].verdict.word == "invalid"


def test_strata_without_rows_of_an_arm_are_told() -> None:
    rows, time = ramped(replace(RAMP, steps=((0.0, 1e-9), (3.4, 0.5))))
    strata = entry(reported(found(REQUESTS, rows, time, PERIODS[:2])), "strata")
    before = int((time < START + 3.4 * DAY).sum())
    assert strata == {"count": 11, "left_out": {"b": 4}, "rows_left_out": {"b": before}}


def test_strata_are_of_segments_too() -> None:
    rows, time = ramped()
    plan = replace(REQUESTS, slices=("country",))
    sliced = replace(rows, slices={"country": np.resize(["DE", "FR"], len(rows)).tolist()})
    segments = found(plan, sliced, time, PERIODS).comparisons
    for name in ("country=DE", "country=FR"):
        effect = segments[name][0].effect
        assert not isinstance(effect, Undefined)
        assert abs(effect.effect) < 3 * effect.standard_error


def test_rows_are_of_the_period_in_which_they_were() -> None:
    time = np.array([0.0, START + 3.4 * DAY - 1, START + 3.4 * DAY, START + 9 * DAY])
    assert period_of(PERIODS, time).tolist() == [1, 1, 2, 3]
    assert period_of((), time).tolist() == [1, 1, 1, 1]


def test_shares_that_change_twice_at_one_moment_have_changed_once() -> None:
    once = changed_shares((), {"a": 0.9, "b": 0.1}, {"a": 0.8, "b": 0.2}, 10.0)
    assert changed_shares(once, HALVES, HALVES, 10.0) == (once[0], SharePeriod(10.0, HALVES))
    assert changed_shares(once, HALVES, HALVES, 11.0) == (*once, SharePeriod(11.0, HALVES))


def test_shares_change_a_hundred_times_at_most() -> None:
    periods: tuple[SharePeriod, ...] = ()
    for moment in range(1, MOST_PERIODS):
        periods = changed_shares(periods, HALVES, HALVES, float(moment))
    with pytest.raises(Conflict, match="epoch=new"):
        changed_shares(periods, HALVES, HALVES, 1e6)
