"""Checks say nothing of healthy streams for a year, and soon what is wrong with broken ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from kullback.judgement.settings import CHECKS, ChosenThresholds
from kullback.moments import HOUR
from tests.statistics.monitoring.alarms import YEAR
from tests.statistics.monitoring.runs import Watch, broken_run, healthy_run
from tests.statistics.monitoring.served import served
from tests.statistics.monitoring.tallied import TalliedWorld
from tests.statistics.monitoring.worlds import WORLDS

pytestmark = [pytest.mark.untraced, pytest.mark.anyio]

LOOK_EVERY = 6  # hours
QUICK = Watch(LOOK_EVERY, is_coarse=True)
HISTORY = 58.0  # hours before something breaks
SILENT = {  # weeks: more of those that are cheap
    "by hour of day": 2,
    "clicks after 2 min, others after 30": 2,
    "labels 3 h late": 2,
    "weekly cycle": 3,
    "20 rows an hour": 5,
    "5 rows an hour": 5,
    "three classes": 2,
    "three labels": 2,
    "deploy of a better model": 4,
    "rate 0.5 %, AUC 0.9": 2,
    "rate 30 %, AUC 0.6": 4,
    "5 % too high, always": 2,
    "rate of an hour off by 6 %": 2,
    "rows of users, 8 an hour each": 2,
    "weights": 2,
    "uploads once a day": 4,
    "nights without rows": 5,
    "nights and weekends without rows": 6,
    "features with a day of their own": 2,
}
FEW_ROWS = ["20 rows an hour, joined to the wrong rows", "5 rows an hour, joined to the wrong rows"]
TOO_HIGH = ["a campaign doubles the clicks of a country", "joined to the wrong rows", FEW_ROWS[0]]
ALIKE = {  # hours
    "by hour of day": 12,
    "clicks after 2 min, others after 30": 12,
    "three labels": 12,
    "a sent feature is its default": 28,
}
IN_TIME = [
    "joined to the wrong rows",
    "a new country, 3.97 times too high",
    "labels stop",
    "scaling bug, labels 3 h late",
    "half the clicks lost",
    "a campaign doubles the clicks of a country",
    *FEW_ROWS,
]


@pytest.mark.parametrize("name", SILENT)
def test_nothing_is_said_of_a_healthy_world(name: str) -> None:
    run = healthy_run(name, SILENT[name] * 168, watch=QUICK)
    assert [f"hour {alarm.at:.0f}: {alarm}" for alarm in run.raised] == []


def test_nothing_is_said_of_slices_of_a_healthy_world() -> None:
    run = healthy_run("countries have rates of their own", 168, watch=Watch(2 * LOOK_EVERY))
    assert [f"hour {alarm.at:.0f}: {alarm}" for alarm in run.raised] == []


def test_the_healthy_worlds_are_watched_for_a_year() -> None:
    assert sum(weeks * 168 - LOOK_EVERY for weeks in SILENT.values()) >= YEAR


@pytest.mark.parametrize("name", IN_TIME)
def test_what_breaks_is_found_in_time_and_named(name: str) -> None:
    found = broken_run(name, HISTORY, watch=Watch(LOOK_EVERY)).detection
    assert found.before == 0
    assert found.is_right, f"by {found.limit - found.onset:.2f} h; {found.right or found.first}"


@pytest.mark.parametrize("part", [2, 3])
def test_labels_that_are_late_are_judged_before_an_hour_has_all_of_its_own(part: int) -> None:
    found = broken_run("half the clicks lost", HISTORY, part, Watch(LOOK_EVERY)).detection
    assert found.right is not None
    assert found.right.at < found.onset + 1.5  # negatives have theirs after half an hour


def all_of(thresholds: ChosenThresholds) -> dict[str, ChosenThresholds]:
    return dict.fromkeys(CHECKS, thresholds)


@pytest.mark.parametrize("name", ["by hour of day", "20 rows an hour", "5 rows an hour"])
def test_thresholds_that_are_too_low_alarm_for_nothing(name: str) -> None:
    low = all_of(ChosenThresholds(tolerance=0.01, alarms_per_year=1000.0))
    assert len(healthy_run(name, 168, watch=replace(QUICK, checks=low)).raised) > 0


@pytest.mark.parametrize("name", TOO_HIGH)
def test_thresholds_that_are_too_high_miss_what_breaks(name: str) -> None:
    high = all_of(ChosenThresholds(tolerance=3.0, alarms_per_year=1e-30))
    assert not broken_run(name, HISTORY, watch=Watch(LOOK_EVERY, high)).detection.is_right


@pytest.mark.parametrize("name", ALIKE)
async def test_a_service_says_what_its_sums_say(name: str, tmp_path: Path) -> None:
    world = WORLDS[name].breaking_at(26.0)
    settings = {**world.settings, "window_seconds": HOUR}
    world = replace(world, traffic=replace(world.traffic, rows=300.0), settings=settings)
    tallied = TalliedWorld(world, (1,))
    async with served(world, (1,), f"sqlite:///{tmp_path}/world.db") as running:
        for hour in range(1, ALIKE[name]):
            running.advance(hour)
            assert await running.checks() == tallied.look(hour)
    assert {check.state for check in tallied.look(ALIKE[name])} >= {"ok"}
