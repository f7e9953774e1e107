"""Changes of a stream: that they are told as long as they last, and of whom they are."""

from dataclasses import replace

import numpy as np
import pytest

from kullback.judgement.blocks import Block
from kullback.judgement.detector import rise
from kullback.judgement.drifts import label_drift, score_drift
from kullback.judgement.features import feature_drift
from kullback.judgement.findings import State
from kullback.judgement.history import FeatureHour, History
from kullback.judgement.judge import judge
from kullback.judgement.outcomes import calibration, log_loss, no_skill
from kullback.judgement.skill import Skill
from kullback.judgement.slices import slices
from kullback.moments import moment
from kullback.numerics.types import Array
from kullback.tally.feature_counts import FeatureCounts
from kullback.tally.feature_table import FeatureTable
from tests.judgement.worlds import block_of, drawn, looks

DAYS, ROWS = 3, 500
BREAK, END = 24 * DAYS, 24 * DAYS + 24
Rows = tuple[Array, Array]


def hours(change: dict[range, str], seed: int = 3, stop: int = END) -> list[dict[str, Block]]:
    """Hours of sound predictions, but for those of a change."""
    rng = np.random.default_rng(seed)
    result = []
    for hour in range(stop):
        y, p = drawn(rng, ROWS)
        for of, what in change.items():
            y, p = _changed(what, y, p, rng) if hour in of else (y, p)
        result.append({"": block_of(y, p, hour)})
    return result


def _changed(what: str, y: Array, p: Array, rng: np.random.Generator) -> Rows:
    result: dict[str, Rows] = {
        "flipped": (1 - y, p),
        "joined": (y, rng.permutation(p)),
        "scaled": (y, 0.65 * p),
        "halved": (y, 0.5 * p),
        "frozen": (y, np.full(p.size, p.mean())),
        "doubled": ((rng.random(y.size) < 2.2 * p).astype(np.float64), p),
    }
    return result[what]


def looks_since(world: list[dict[str, Block]], after: int) -> list[History]:
    """The histories from so many hours after the break on."""
    return list(looks(world))[BREAK + after :]


def test_a_change_that_has_ended_is_none_of_this_one() -> None:
    log_e = np.full(100, -1.0)
    log_e[10:30], log_e[80:] = 5.0, 5.0
    assert rise(log_e, 9.0) == 80


def test_scores_that_stay_elsewhere_are_told_as_long_as_they_do() -> None:
    states = [
        score_drift(each).state for each in looks_since(hours({range(BREAK, END): "scaled"}), 3)
    ]
    assert State.OK not in states
    assert len(states) == END - BREAK - 3


def test_so_are_labels() -> None:
    states = [
        label_drift(each).state for each in looks_since(hours({range(BREAK, END): "doubled"}), 12)
    ]
    assert State.OK not in states


def test_labels_that_were_flipped_for_a_day_are_forgotten() -> None:
    world = hours({range(BREAK, END): "flipped"}, stop=END + 12)
    found = [log_loss(each) for each in looks(world)]
    assert found[END - 1].state is State.CRITICAL
    assert found[-1].state is State.OK


def test_a_second_change_begins_when_it_does() -> None:
    world = hours({range(BREAK, END): "joined", range(END + 10, END + 16): "joined"}, stop=END + 16)
    *_, last = looks(world)
    found = no_skill(last)
    assert found.state is State.CRITICAL
    assert found.since is not None
    assert END + 8 <= found.since / 3600 <= END + 12


@pytest.mark.parametrize("check", ["calibration", "score_drift"])
def test_when_a_change_began_is_told_as_the_hour_that_it_is_known_to(check: str) -> None:
    *_, last = looks(hours({range(BREAK, END): "halved"}, stop=BREAK + 12))
    found = judge(last).findings[check]
    assert found.since is not None
    assert found.since_latest is not None
    assert 0 < found.since_latest - found.since <= 2 * 3600
    words = f"It began between {moment(found.since)} and {moment(found.since_latest)}."
    assert words in found.statement


def test_no_change_began_before_the_first_row_or_after_now() -> None:
    *_, last = looks(hours({range(24): "halved"}, stop=12))
    first, now = 25 * 60, last.now - 20 * 60
    found = judge(replace(last, first_row=first, now=now)).findings["calibration"]
    assert found.since == first
    assert f"It began between {moment(first)} and " in found.statement
    assert found.since_latest is not None
    assert found.since_latest <= now


def test_skill_that_is_of_the_hour_is_none_that_is_lost() -> None:
    rng = np.random.default_rng(5)
    world = []
    for hour in range(24 * 8):
        rate = 0.1 * np.exp(1.2 * np.sin(hour / 24 * 2 * np.pi))
        world.append({"": block_of(*drawn(rng, ROWS, rate=rate), hour)})
    found = [log_loss(each) for each in looks(world)]
    assert max(each.log_e or 0.0 for each in found) < max(each.log_threshold or 0 for each in found)


def test_values_that_are_off_like_all_others_are_not_named() -> None:
    rng = np.random.default_rng(11)
    world = []
    for hour in range(60):
        y, p = drawn(rng, 200)
        p /= 2
        parts = {"country=DE": slice(0, 140), "country=FR": slice(140, 200)}
        blocks = {name: block_of(y[some], p[some], hour) for name, some in parts.items()}
        world.append({"": block_of(y, p, hour), **blocks})
    for look in looks(world):
        assert not slices(look).is_alarm
    assert calibration(look).state is State.CRITICAL


@pytest.mark.parametrize(
    ("what", "of", "check", "cause"),
    [
        ("frozen", range(BREAK, END), "no_skill", "scores have moved: one constant"),
        ("halved", range(24), "calibration", "Scores scaled, labels lost"),
        ("halved", range(BREAK, END), "calibration", "Scores have moved: scaled"),
        ("doubled", range(BREAK, END), "calibration", "Scores are as before: labels"),
    ],
)
def test_a_cause_is_named_as_far_as_it_is_known(
    what: str, of: range, check: str, cause: str
) -> None:
    *_, last = looks(hours({of: what}, stop=of.start + 12))
    assert cause in judge(last).findings[check].statement


def test_predictions_that_are_too_moderate_rank_as_well_as_ever() -> None:
    rng, world = np.random.default_rng(2), []
    for hour in range(48):
        y, p = drawn(rng, ROWS, rate=0.3)
        middle = np.log(0.3 / 0.7)
        shrunk = 1 / (1 + np.exp(-middle - (np.log(p / (1 - p)) - middle) / 4))
        world.append({"": block_of(y, shrunk + (p.mean() - shrunk.mean()), hour)})
    *_, last = looks(world)
    found = judge(last).findings["log_loss"]
    assert found.is_alarm
    assert found.value is not None
    assert found.value < 1
    assert "too moderate" in found.statement
    assert found.statement.endswith("They tell more than they say: calibrate them again.")


def test_a_value_that_is_gone_stays_so() -> None:
    rng = np.random.default_rng(13)
    world = []
    for hour in range(72):
        y, p = drawn(rng, 400)
        edge = 320 if hour < 48 else 400
        parts = {"country=DE": slice(0, edge), "country=FR": slice(edge, 400)}
        blocks = {name: block_of(y[some], p[some], hour) for name, some in parts.items()}
        some = {name: block for name, block in blocks.items() if block.rows}
        world.append({"": block_of(y, p, hour), **some})
    found = [slices(look) for look in looks(world)]
    assert {each.state for each in found[48:]} == {State.WARNING}
    assert {(each.slice, each.since) for each in found[48:]} == {("country=FR", 48 * 3600)}


def test_rows_that_come_together_lose_no_skill() -> None:
    rng = np.random.default_rng(2)
    world = []
    for hour in range(24 * 6):
        y, p = (np.repeat(each, 10) for each in drawn(rng, 100))
        world.append({"": block_of(y, p, hour)})
    found = [log_loss(look) for look in looks(world)][48:]
    assert {each.state for each in found} == {State.OK}


@pytest.mark.parametrize(("auc", "is_none"), [(0.525, True), (0.55, False)])
def test_an_auc_near_a_half_is_no_skill_however_many_rows_say_so(auc: float, is_none: bool) -> None:  # noqa: FBT001
    assert Skill(-0.05, 0.001, auc, 0.001).is_none is is_none


def prices(stop: int, off: range) -> list[State]:
    """What is said hour after hour of prices that are higher in the evening, beside a reference.

    The reference is a batch of all hours; in some hours prices are ten times as high.
    """
    rng = np.random.default_rng(4)

    def price(hour: int) -> FeatureCounts:
        evening = 0.8 * np.cos(2 * np.pi * (hour % 24 - 20) / 24)
        higher = np.log(10) if hour in off else 0.0
        return FeatureCounts.of_numbers(np.exp(evening + higher + 0.8 * rng.standard_normal(ROWS)))

    batch = FeatureCounts.merged([price(hour) for hour in range(-24, 0)])
    hours = [
        FeatureHour(3600 * hour, FeatureTable({"price": price(hour)}), hour + 1)
        for hour in range(stop)
    ]
    return [
        feature_drift(
            History(3600.0 * at, [], features=hours[:at], reference_features={"price": batch})
        ).state
        for at in range(1, stop + 1)
    ]


def test_what_is_of_every_day_is_told_on_the_first_alone() -> None:
    states = prices(24 * DAYS, range(0))
    assert {str(state) for state in states[24:]} == {str(State.OK)}


def test_what_is_of_no_day_is_told_as_long_as_it_lasts() -> None:
    states = prices(24 * DAYS, range(30, 24 * DAYS))
    assert set(states[24:30]) == {State.OK}
    assert set(states[31:]) == {State.CRITICAL}
