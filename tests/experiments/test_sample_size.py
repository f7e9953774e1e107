"""An experiment is as large as it must be: what is planned is what is found."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from kullback.errors import InvalidInput
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.measured import Objective
from kullback.experiments.pilots import pilot_of_rows
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows
from kullback.experiments.sample_size import Pilot, experiment_size
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import Contrast
from kullback.tally.planned_power import Question, one_look, sequence_power
from kullback.tally.units import bucket_of
from tests.experiments.arms import PAIRED, paired
from tests.statistics.estimates import apart
from tests.statistics.worlds import World, loss, shown

PLAN = Plan((Arm("old", 0.8), Arm("new", 0.2)), "old", minimum_effect=0.02)
PILOT = Pilot("units", 1000, 5000, 0.5, 0.3, 500.0)
OPEN = replace(PLAN, minimum_effect=None)
RUNS = 3000
LOOKS = 50


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_one_look_takes_what_the_textbook_says(power: float) -> None:
    z = stats.norm.ppf([0.975, power, (1 + power) / 2])
    assert one_look(power, 0.05, "difference") == pytest.approx((z[0] + z[1]) ** 2, rel=1e-9)
    assert one_look(power, 0.05, "equivalence") == pytest.approx((z[0] + z[2]) ** 2, rel=1e-9)


@pytest.mark.parametrize("question", ["difference", "equivalence"])
@pytest.mark.parametrize("power", [0.8, 0.95])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_a_sequence_of_the_planned_size_has_the_planned_power(
    question: Question, power: float, alpha: float
) -> None:
    """Brownian motion at 50 looks, by another boundary: that of the sequence itself."""
    last = sequence_power(alpha, question).needed(power)
    v = last * np.arange(1, LOOKS + 1) / LOOKS
    steps = np.random.default_rng(4).standard_normal((RUNS, LOOKS)) * math.sqrt(last / LOOKS)
    drift = 1.0 if question == "difference" else 0.0
    effects = np.cumsum(steps, axis=1) / v + drift
    sizes = [
        confidence_sequence(Contrast(0.0, 1 / math.sqrt(now), 1e9, 1000, 0.0), 1.0, alpha).high
        for now in v.tolist()
    ]
    reach = np.array(sizes)
    decided = effects > reach if question == "difference" else np.abs(effects) < 1 - reach
    assert float(decided.any(axis=1).mean()) == pytest.approx(power, abs=0.03)


def test_planned_units_of_a_split_have_the_planned_power() -> None:
    """From a pilot of one model's log to the experiment: users, rows, buckets and all."""
    world = World(3000)
    rows = shown(np.random.default_rng(1), world)
    pilot = pilot_of_rows(
        Plan((Arm("pilot", 1.0),), "pilot"),
        tally_arms(
            Plan((Arm("pilot", 1.0),), "pilot"),
            ArmRows(
                rows.y,
                1 / (1 + np.exp(-rows.first)),
                unit=rows.unit[rows.user],
                arm=["pilot"] * rows.y.size,
            ),
        )[""],
    )
    plan = Plan((Arm("a", 0.7), Arm("b", 0.3)), "a", minimum_effect=0.05)
    size = next(each for each in experiment_size(plan, pilot).sizes if each.method == "fixed")
    found = 0
    for run in range(1000):
        rng = np.random.default_rng([2, run])
        some = shown(rng, World(size.units))
        treated = (rng.random(size.units) < 0.3)[some.user]
        losses = loss(some.y, some.first) + 0.05 * treated
        estimate = apart(losses, treated).by(bucket_of(some.unit)[some.user])
        found += estimate.interval(0.05)[0] > 0
    assert found / 1000 == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("objective", ["superiority", "non_inferiority", "equivalence"])
def test_days_that_are_needed_find_the_effect(objective: Objective) -> None:
    plan = replace(PLAN, objective=objective)
    size = experiment_size(plan, PILOT)
    for planned in size.sizes:
        assert planned.days == pytest.approx(planned.units / 500)
        assert planned.rows == pytest.approx(5 * planned.units, abs=1)
        assert sum(planned.arms.values()) == pytest.approx(planned.units, abs=1)
        assert planned.arms["new"] == pytest.approx(0.2 * planned.units, abs=1)
        assert planned.days is not None
        back = experiment_size(plan, PILOT, [planned.days]).detectable
        effects = {(each.method, each.power): each.effect for each in back}
        assert effects[planned.method, planned.power] == pytest.approx(0.02, rel=1e-3)


def test_a_margin_in_percent_is_of_the_pilot() -> None:
    percent = experiment_size(replace(PLAN, minimum_effect="4%"), PILOT)
    assert percent.minimum_effect == pytest.approx(0.02)
    assert [each.units for each in percent.sizes] == [
        each.units for each in experiment_size(PLAN, PILOT).sizes
    ]


def test_without_a_margin_there_are_effects_by_days() -> None:
    size = experiment_size(OPEN, PILOT)
    assert size.sizes == ()
    assert [each.days for each in size.detectable] == [7.0] * 4 + [14.0] * 4 + [28.0] * 4
    assert size.detectable[0].relative_effect == pytest.approx(size.detectable[0].effect / 0.5)


def test_no_plan_is_below_its_minimum_of_units() -> None:
    size = experiment_size(replace(PLAN, minimum_effect=10.0, minimum_units=300), PILOT)
    assert {each.units for each in size.sizes} == {1500}


@pytest.mark.parametrize(
    ("plan", "pilot", "days", "place"),
    [
        (PLAN, replace(PILOT, units_per_day=None), (7.0,), "/units_per_day"),
        (
            replace(PLAN, minimum_effect=None),
            replace(PILOT, units_per_day=None),
            (),
            "/minimum_effect",
        ),
        (replace(PLAN, minimum_effect="1%"), replace(PILOT, value=0.0), (), "/minimum_effect"),
        (replace(PLAN, minimum_effect=1e-90), PILOT, (), "/minimum_effect"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    plan: Plan, pilot: Pilot, days: tuple[float, ...], place: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        experiment_size(plan, pilot, days)
    assert [offence.pointer for offence in refusal.value.offences] == [place]


def test_paired_rows_tell_the_error_of_their_difference() -> None:
    rows = paired(noise=1.0, n=4000)
    pilot = pilot_of_rows(PAIRED, tally_arms(PAIRED, rows)[""])
    size = experiment_size(PAIRED, pilot)
    assert pilot.units == pytest.approx(2000, rel=0.3)
    assert pilot.rows == 4000
    assert {each.arms["a"] for each in size.sizes} == {each.units for each in size.sizes}


def test_a_pilot_that_says_too_little_is_refused() -> None:
    few = paired(n=8)
    with pytest.raises(InvalidInput, match="too little"):
        pilot_of_rows(PAIRED, tally_arms(PAIRED, few)[""])
