"""Who looks again and again is not told of what is not there, and soon of what is."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import Contrast
from tests.statistics import experiments
from tests.statistics.auc import auc_claims
from tests.statistics.bounds import NOTICED
from tests.statistics.coverage import ALPHA
from tests.statistics.crowds import CROWDS, drawn, seen
from tests.statistics.estimates import mean
from tests.statistics.families import false_claims, family_complaints
from tests.statistics.peeking import (
    LEAST,
    by_information,
    complaints,
    crossing,
    is_claimed,
    long_complaints,
    long_crossing,
    power,
    power_complaints,
)
from tests.statistics.power import power_table, table_complaints
from tests.statistics.sample_ratios import HALVES, LOST, PLANS, Looks, alarm_complaints, alarms
from tests.statistics.segment_families import FAMILIES, family_claims
from tests.statistics.worlds import loss

pytestmark = pytest.mark.untraced

RUNS = 500
QUICK_RUNS = 2000


@pytest.mark.parametrize("name", CROWDS)
def test_looking_a_hundred_times_finds_nothing_where_nothing_is(name: str) -> None:
    assert complaints(name, crossing(name, RUNS)) == []


def test_a_monitor_that_never_ends_keeps_its_promise() -> None:
    assert long_complaints(long_crossing(by_information, QUICK_RUNS)) == []


def test_the_planned_effect_is_found_by_twice_the_rows_of_one_look() -> None:
    assert power_complaints(power(RUNS)) == []


@pytest.mark.parametrize("name", PLANS)
def test_planned_shares_are_seldom_doubted(name: str) -> None:
    found = alarms(PLANS[name], QUICK_RUNS, Looks())
    assert alarm_complaints(name, found, QUICK_RUNS) == []


def test_51_to_49_is_noticed_within_100_000_units() -> None:
    found = alarms(HALVES, QUICK_RUNS, Looks(), (0.51, 0.49))
    assert NOTICED.complaints("alarms", found[0.01]) == []


@pytest.mark.parametrize("name", LOST)
def test_lost_units_alarm_soon(name: str) -> None:
    assert LOST[name].complaints(name, LOST[name].median(RUNS)) == []


def test_a_family_in_which_nothing_differs_is_seldom_claimed_of() -> None:
    assert family_complaints(false_claims(RUNS), RUNS) == []


@pytest.mark.parametrize("name", ["returning users", "arrivals, split"])
@pytest.mark.parametrize("look", [9, 99])
def test_a_look_is_what_the_service_answers_of_the_rows_so_far(name: str, look: int) -> None:
    rows, seen_at, treated = drawn(np.random.default_rng(14), CROWDS[name])
    looks = seen(np.random.default_rng(14), CROWDS[name])
    whole = experiments.split(rows, treated) if CROWDS[name].is_split else experiments.paired(rows)
    found = whole.of(np.flatnonzero(seen_at <= look)).effect()
    assert found.effect == pytest.approx(looks.effect[look], rel=1e-12)
    assert found.standard_error == pytest.approx(looks.standard_error[look], rel=1e-12)
    assert found.clusters == looks.clusters[look]


def test_what_is_claimed_of_sums_is_claimed_by_the_service() -> None:
    crowd = CROWDS["arrivals"]
    rows, _, _ = drawn(np.random.default_rng(15), crowd)
    rows = replace(rows, second=rows.first + 0.5)
    d = mean(loss(rows.y, rows.second) - loss(rows.y, rows.first)).by(rows.buckets)
    experiment = experiments.paired(rows)
    assert isinstance(experiment.plan.minimum_effect, float)
    ours = confidence_sequence(d, experiment.plan.minimum_effect, ALPHA)
    found = experiment.comparison()
    assert found.confidence_sequence is not None
    assert is_claimed(ours)
    assert found.verdict.word == "worse"
    assert found.confidence_sequence.low == pytest.approx(ours.low, rel=1e-12)
    assert found.confidence_sequence.log_e_value == pytest.approx(ours.log_e_value, rel=1e-12)


@given(
    st.floats(-1e3, 1e3),
    st.floats(1e-6, 1e6),
    st.floats(0.5, 1e6),
    st.floats(1e-6, 1e6),
)
def test_nothing_is_ever_claimed_of_less_than_the_least_statistic(
    statistic: float, error: float, freedom: float, minimum: float
) -> None:
    theta = math.copysign(min(abs(statistic), LEAST * (1 - 1e-12)), statistic) * error
    assert not is_claimed(
        confidence_sequence(Contrast(theta, error, freedom, 1024, 0.0), minimum, ALPHA)
    )


def test_a_horizon_finds_at_twice_the_rows_what_a_sequence_finds_at_three_times() -> None:
    table = power_table(3000)
    assert table_complaints(table) == []
    sequence, horizon = table["sequence: what is answered"], table["horizon of 95 % power"]
    assert horizon.found[2] > sequence.found[2] + 0.08
    assert table["fixed interval at every look"].claimed > 0.3


def test_looking_often_at_auc_claims_little_that_is_not() -> None:
    found = auc_claims(100)
    assert found.sequence <= 0.06
    assert found.fixed > 0.12
    assert found.covered >= 0.88


def test_no_family_of_segments_claims_much_where_nothing_differs() -> None:
    found = family_claims(FAMILIES["split, 4,000 users, 30 segments, log loss"], 25)
    assert max(found.holm, found.hochberg, found.e_bh) <= 0.2, "without the burn-in 92 %"
    assert 1 < found.members < 31
