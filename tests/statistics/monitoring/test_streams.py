"""Simulated streams are what they are said to be."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import poisson
from sklearn.metrics import roc_auc_score

from kullback.moments import DAY, HOUR
from kullback.tally.tally import Layout
from tests.statistics.monitoring.alarms import AlarmLog, CheckSeen, FalseAlarms, detection
from tests.statistics.monitoring.arrivals import Arrivals
from tests.statistics.monitoring.simulated_rows import SimulatedRows, joined
from tests.statistics.monitoring.streams import (
    ORIGIN,
    WEEK,
    Breakage,
    Delays,
    Traffic,
    drawn,
    expected_rows,
)
from tests.statistics.monitoring.worlds import BROKEN, HEALTHY, WORLDS, Expected, MonitoredWorld

pytestmark = pytest.mark.untraced

MANY = Traffic(rows=20_000.0, rate_daily=0.0, noise=0.0)


def rows_of(traffic: Traffic, hours: int = 24, breakage: Breakage | None = None) -> SimulatedRows:
    return joined([drawn(traffic, (7,), hour, breakage) for hour in range(hours)])


@pytest.mark.parametrize("rate", [0.005, 0.08, 0.3])
def test_a_model_is_calibrated_and_of_the_rate_that_is_said(rate: float) -> None:
    rows = rows_of(replace(MANY, rate=rate))
    error = math.sqrt(rate / len(rows))
    assert rows.p.mean() == pytest.approx(rate, abs=5 * error)
    assert rows.y.mean() == pytest.approx(rows.p.mean(), abs=4 * error)


@pytest.mark.parametrize("auc", [0.6, 0.75, 0.9])
def test_a_model_ranks_as_well_as_is_said(auc: float) -> None:
    rows = rows_of(replace(MANY, auc=auc, rate=0.02))
    assert roc_auc_score(rows.y, rows.p) == pytest.approx(auc, abs=0.02)


def test_traffic_has_a_day_and_a_weekend() -> None:
    traffic = Traffic(daily=0.5, weekend=-0.5, asleep=(3,))
    assert [expected_rows(traffic, hour) for hour in (14, 2, 3, 5 * 24 + 14)] == [
        3000,
        1000,
        0,
        1500,
    ]
    rows = sum(len(drawn(traffic, (1,), hour)) for hour in range(WEEK))
    mean = sum(expected_rows(traffic, hour) for hour in range(WEEK))
    assert abs(rows - mean) < 4 * math.sqrt(mean)


def test_the_same_seed_draws_the_same_hour_whatever_came_before() -> None:
    first, second = (drawn(Traffic(), (1, 2), 30) for _ in range(2))
    other = drawn(Traffic(), (1, 3), 30)
    assert np.array_equal(first.p, second.p)
    assert np.array_equal(first.y, second.y)
    assert not np.array_equal(first.p[:100], other.p[:100])


def test_rows_of_a_user_are_alike() -> None:
    rows = rows_of(Traffic(rows=2000.0, visits=10.0, taste=1.5), 200)
    hour = ((rows.time - ORIGIN) // HOUR).astype(np.int64)
    off = rows.y - rows.truth
    assert abs(off.mean()) < 4 * off.std() / math.sqrt(len(rows))
    surprise = np.bincount(hour * 100_000 + rows.user, rows.y - rows.p)
    assert np.square(surprise).sum() > 1.3 * np.square(rows.y - rows.p).sum()


def test_labels_take_as_long_as_is_said_and_some_never_come() -> None:
    rows = rows_of(replace(MANY, delays=Delays(120.0, 1800.0, share=0.7)), 3)
    delay = rows.labelled - rows.time
    assert np.isfinite(delay).mean() == pytest.approx(0.7, abs=0.01)
    for outcome, median in ((1, 120.0), (0, 1800.0)):
        some = delay[(rows.y == outcome) & np.isfinite(delay)]
        assert np.median(some) == pytest.approx(median, rel=0.03)


@pytest.mark.parametrize("name", ["by hour of day", "conversions after 90 min, others after 6 h"])
def test_each_row_and_each_label_arrives_once_and_not_before_its_time(name: str) -> None:
    arrivals = Arrivals(HEALTHY[name], (3,), 0)
    predicted: list[int] = []
    labelled: list[int] = []
    whole = 0
    for step in range(1, 100):
        now = ORIGIN + step * 600.0
        for arrived in arrivals.until(now):
            assert (arrived.predictions.time < now).all()
            assert (arrived.labels.labelled < now).all()
            predicted += arrived.prediction_ids.tolist()
            labelled += arrived.label_ids.tolist()
            whole += len(arrived.whole)
    rows = joined([drawn(HEALTHY[name].traffic, (3,), hour) for hour in range(17)])
    assert whole + len(predicted) == (rows.arrives < now).sum()
    assert len(set(predicted)) == len(predicted)
    assert set(labelled) <= set(predicted)
    assert len(set(labelled)) == len(labelled)
    assert whole + len(labelled) == (rows.labelled < now).sum()


def test_uploads_come_two_hours_after_midnight() -> None:
    rows = rows_of(Traffic(upload=DAY), 48)
    assert set((rows.arrives - ORIGIN).tolist()) == {DAY + 2.0 * HOUR, 2 * DAY + 2.0 * HOUR}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_changes_nothing_before_its_time(name: str) -> None:
    world = BROKEN[name].breaking_at(5.0)
    for hour in (4, 9):
        healthy = drawn(world.traffic, (1,), hour)
        broken = drawn(world.traffic, (1,), hour, world.breakage)
        same = len(healthy) == len(broken) and all(
            np.array_equal(getattr(healthy, column), getattr(broken, column), equal_nan=True)
            for column in ("p", "truth", "y", "labelled", "x")
        )
        same = same and (healthy.slices["version"] == broken.slices["version"]).all()
        same = same and all(
            np.array_equal(values, broken.features[name], equal_nan=values.dtype.kind == "f")
            for name, values in healthy.features.items()
        )
        assert same == (hour < 5)


def test_what_breaks_is_as_large_as_is_said() -> None:
    def ratio(name: str, country: str = "") -> float:
        world = BROKEN[name].breaking_at(0.0)
        rows = rows_of(replace(world.traffic, rows=20_000.0, delays=None), 12, world.breakage)
        chosen = rows.slices["country"] == country if country else np.ones(len(rows), np.bool_)
        return float(rows.p[chosen].mean() / rows.y[chosen].mean())

    assert ratio("a new country, 3.97 times too high", "XX") == pytest.approx(3.97, rel=0.06)
    assert ratio("half the clicks lost") == pytest.approx(2.0, rel=0.04)
    assert ratio("a campaign doubles the clicks of a country", "FR") == pytest.approx(0.5, rel=0.05)
    assert ratio("a campaign doubles the clicks of a country", "DE") == pytest.approx(1, rel=0.05)
    assert ratio("one country 3 times too high", "IT") == pytest.approx(3.0, rel=0.08)


def test_rows_joined_to_others_lose_their_rank_and_keep_their_scores() -> None:
    world = BROKEN["joined to the wrong rows"].breaking_at(0.0)
    rows = rows_of(world.traffic, 24, world.breakage)
    healthy = rows_of(world.traffic, 24)
    assert np.array_equal(np.sort(rows.p), np.sort(healthy.p))
    assert roc_auc_score(rows.y, rows.p) == pytest.approx(0.5, abs=0.02)


def test_three_classes_are_drawn_from_their_distribution() -> None:
    rows = rows_of(Traffic(rows=20_000.0, classes=3, noise=0.0), 12)
    assert rows.p.sum(axis=1) == pytest.approx(np.ones(len(rows)))
    seen = np.bincount(rows.y.astype(np.int64), minlength=3) / len(rows)
    assert seen == pytest.approx(rows.p.mean(axis=0), abs=0.01)
    assert Layout("multiclass", 3, "sklearn").classes == rows.p.shape[1]


def seen(state: str, name: str = "calibration", where: str = "") -> CheckSeen:
    return CheckSeen(name, state, where, f"{name} of {where}")


def test_an_alarm_is_a_check_that_was_calm_and_is_not() -> None:
    log = AlarmLog()
    states = ["unknown", "ok", "warning", "critical", "ok", "critical", "unknown", "ok"]
    for hour, state in enumerate(states):
        log.look(ORIGIN + hour * HOUR, [seen(state), seen("ok", "silence")])
    assert [(alarm.at, alarm.check.state) for alarm in log.raised] == [
        (2.0, "warning"),
        (5.0, "critical"),
    ]
    assert (log.hours, log.alarmed) == (7.0, 3.0)


@pytest.mark.parametrize("alarms", [0, 1, 7, 30])
def test_the_upper_bound_is_the_rate_at_which_so_few_alarms_are_rare(alarms: int) -> None:
    rate = FalseAlarms(alarms, 8766.0).most_per_year
    assert poisson.cdf(alarms, rate) == pytest.approx(0.05)


def test_a_detection_is_right_where_check_place_and_time_are() -> None:
    expected = Expected(("slice",), 1.0, named="FR")
    log = AlarmLog()
    for hour, where in enumerate(["", "DE", "FR"]):
        state = "warning" if where else "ok"
        log.look(ORIGIN + hour * HOUR, [seen("ok", "slice"), seen(state, "slice", where)])
    late = detection(log.raised, 0.5, 0.75, expected)
    in_time = detection(log.raised, 0.5, 1.0, expected)
    elsewhere = detection(log.raised, 0.5, 1.0, replace(expected, named="IT"))
    assert late.first is not None
    assert late.right is not None
    assert (late.first.at, late.right.at) == (1.0, 2.0)
    assert (late.is_right, in_time.is_right, elsewhere.is_right) == (False, True, False)


def test_every_broken_world_says_what_is_to_be_found_and_no_healthy_one_does() -> None:
    assert all(isinstance(world, MonitoredWorld) for world in WORLDS.values())
    assert [name for name, world in BROKEN.items() if not (world.expected and world.breakage)] == []
    assert [name for name, world in HEALTHY.items() if world.expected or world.breakage] == []
    assert len(WORLDS) == len(HEALTHY) + len(BROKEN)
