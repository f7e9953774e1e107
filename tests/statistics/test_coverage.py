"""An interval of 95 % holds the truth in 95 % of experiments, whoever the users are."""

import numpy as np
import pytest

from kullback.numerics.types import Indices, Undefined
from kullback.tally.contrast import Contrast
from kullback.tally.functionals import log_calibration_ratio
from kullback.tally.inference import standard_error
from tests.statistics import experiments
from tests.statistics.coverage import SCENARIOS, complaints, coverage
from tests.statistics.estimates import Estimate, apart, entropies_apart, log_calibration, mean
from tests.statistics.worlds import Shown, World, coins, loss, probability, shown

pytestmark = pytest.mark.untraced

RUNS = 500
WHALES = World(400, -1.0, "whales")


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_interval_holds_the_truth_as_often_as_it_says(name: str) -> None:
    assert complaints(name, coverage(name, RUNS)) == []


@pytest.fixture
def rows() -> Shown:
    return shown(np.random.default_rng(11), WHALES)


def numbers(found: Contrast) -> list[float]:
    return [
        found.effect,
        found.standard_error,
        found.degrees_of_freedom,
        found.clusters,
        found.largest_share,
    ]


def assert_same(answered: Contrast, estimate: Estimate, buckets: Indices) -> None:
    assert numbers(answered) == pytest.approx(numbers(estimate.by(buckets)), rel=1e-12, abs=1e-15)


def test_a_paired_experiment_is_answered_with_these_sums(rows: Shown) -> None:
    estimate = mean(loss(rows.y, rows.second) - loss(rows.y, rows.first))
    assert_same(experiments.paired(rows).effect(), estimate, rows.buckets)


def test_a_split_experiment_is_answered_with_these_sums(rows: Shown) -> None:
    treated = coins(np.random.default_rng(12), WHALES.users)[rows.user]
    losses = loss(rows.y, rows.first)
    log_loss = experiments.split(rows, treated).effect()
    entropy = experiments.split(rows, treated, "normalized_entropy").effect()
    assert_same(log_loss, apart(losses, treated), rows.buckets)
    assert_same(entropy, entropies_apart(rows.y, losses, treated), rows.buckets)


def test_requests_of_one_user_in_both_arms_are_answered_with_these_sums(rows: Shown) -> None:
    treated = coins(np.random.default_rng(13), rows.y.size)
    answered = experiments.split(rows, treated).effect()
    assert_same(answered, apart(loss(rows.y, rows.first), treated), rows.buckets)


def test_calibration_is_answered_with_these_sums(rows: Shown) -> None:
    ours, theirs = (
        log_calibration(rows.y, probability(logit)) for logit in (rows.second, rows.first)
    )
    experiment = experiments.paired(rows)
    estimate = Estimate(ours.effect - theirs.effect, ours.u - theirs.u)
    assert_same(experiment.effect("log_calibration_ratio"), estimate, rows.buckets)
    tally = experiment.tallies()["new"]
    alone = log_calibration_ratio(tally)
    assert not isinstance(alone.value, Undefined)
    assert alone.value == pytest.approx(ours.effect, rel=1e-12)
    error = standard_error(tally, alone.slopes)
    assert error == pytest.approx(ours.by(rows.buckets).standard_error, rel=1e-12)
