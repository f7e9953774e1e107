"""What must not change the answer to an experiment does not, and what must turn it does."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.experiments.arm_tallies import ArmTallies, tally_arms
from kullback.numerics.types import Array, Undefined
from kullback.tally.binary import binary_terms
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.functionals import FUNCTIONALS, log_loss, normalized_entropy
from kullback.tally.inference import influence, standard_error
from kullback.tally.tally import Layout
from tests.statistics.experiments import Experiment, paired, split
from tests.statistics.worlds import Activity, Shown, World, coins, probability, shown

pytestmark = pytest.mark.untraced


def both_designs(rows: Shown) -> tuple[Experiment, Experiment]:
    treated = coins(np.random.default_rng(16), rows.unit.size)[rows.user]
    return paired(rows), split(rows, treated)


def drawn_rows(seed: int, users: int, activity: Activity) -> Shown:
    rows = shown(np.random.default_rng(seed), World(users, -0.5, activity))
    rows.y[:2] = 0.0, 1.0  # there is always a base rate
    return rows


worlds = st.builds(
    drawn_rows,
    st.integers(0, 2**32),
    st.integers(12, 60),
    st.sampled_from(("geometric", "whales")),
)
factors = st.one_of(st.floats(0.01, 100.0), st.sampled_from((2.0**-40, 2.0, 1e9)))


def numbers(experiment: Experiment) -> Array:
    """All that is said of the difference: effect, error, freedom, interval, sequence, ln e."""
    effect, plan = experiment.effect(), experiment.plan
    assert isinstance(plan.minimum_effect, float)
    sure = confidence_sequence(effect, plan.minimum_effect, plan.alpha)
    return np.array(
        [
            *(effect.effect, effect.standard_error, effect.degrees_of_freedom),
            *effect.interval(experiment.plan.alpha),
            *(sure.low, sure.high, sure.log_e_value, effect.p_value()),
        ]
    )


@given(worlds, st.sampled_from(sorted(FUNCTIONALS)))
def test_influences_sum_to_nothing(rows: Shown, metric: str) -> None:
    for experiment in both_designs(rows):
        for tally in experiment.tallies().values():
            found = FUNCTIONALS[metric](tally)
            if not isinstance(found.value, Undefined):
                total = math.fsum(influence(tally, found.slopes).tolist())
                assert abs(total) <= 1e-12 * max(1.0, abs(found.value))


@given(worlds, factors)
def test_rescaling_all_weights_changes_nothing(rows: Shown, factor: float) -> None:
    weight = np.random.default_rng(18).gamma(2.0, 1.0, rows.y.size)
    for experiment in both_designs(rows):
        before = numbers(experiment.weighted(weight))
        after = numbers(experiment.weighted(factor * weight))
        assert after == pytest.approx(before, rel=1e-12, abs=1e-13)


@given(worlds)
def test_swapping_the_arms_turns_only_the_sign(rows: Shown) -> None:
    for experiment in both_designs(rows):
        theta, se, df, low, high, left, right, log_e, p = numbers(experiment).tolist()
        turned = [-theta, se, df, -high, -low, -right, -left, log_e, p]
        assert numbers(experiment.mirrored()).tolist() == turned


@given(worlds)
def test_rows_sent_twice_for_each_user_tell_nothing_new(rows: Shown) -> None:
    twice = np.tile(np.arange(rows.y.size), 2)
    for experiment in both_designs(rows):
        found = numbers(experiment.of(twice))
        assert found == pytest.approx(numbers(experiment), rel=1e-12, abs=1e-13)


@given(worlds)
def test_as_if_rows_were_independent_they_would(rows: Shown) -> None:
    def error(times: int) -> float:
        y, p = (np.tile(column, times) for column in (rows.y, probability(rows.first)))
        tally = binary_terms(Layout("binary", 2, "sklearn"), y, p, None, None).tally()
        found = standard_error(tally, log_loss(tally).slopes)
        assert not isinstance(found, Undefined)
        return found

    n = rows.y.size
    assert error(2) / error(1) == pytest.approx(math.sqrt((n - 1) / (2 * n - 1)), rel=1e-12)


@given(worlds)
def test_predicting_the_base_rate_costs_its_entropy(rows: Shown) -> None:
    q = float(rows.y.mean())
    logit = np.full(rows.y.size, math.log(q) - math.log1p(-q))
    (tally, *_) = paired(replace(rows, first=logit)).tallies().values()
    assert normalized_entropy(tally).value == pytest.approx(1.0, rel=1e-12)


@given(worlds, st.integers(0, 2**32))
def test_merging_in_any_order_gives_the_same_bits(rows: Shown, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, rows.y.size, 4))
    parts = [part for part in np.split(rng.permutation(rows.y.size), cuts) if part.size]
    for experiment in both_designs(rows):
        found = [
            tally_arms(one.plan, one.rows)[""] for one in (experiment.of(part) for part in parts)
        ]
        left = ArmTallies()
        for part in found:
            left = left + part
        right = ArmTallies.total(found[::-1])
        whole = tally_arms(experiment.plan, experiment.rows)[""]
        assert encoded(left) == encoded(right) == encoded(whole)


def encoded(found: ArmTallies) -> dict[str, bytes]:
    return {arm: tally.encoded() for arm, tally in found.tallies.items()}
