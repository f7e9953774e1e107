"""What is known to be wrong breaks the checks that what is answered passes."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kullback.experiments.arm_tallies import ArmTallies, tally_arms
from kullback.numerics.types import Array, Indices, Undefined
from kullback.tally.contrast import contrast
from kullback.tally.units import BUCKETS, bucket_of
from tests.statistics import coverage, peeking
from tests.statistics.assignments import (
    SCHEMES,
    by_bucket_hash,
    dependence_complaints,
    ramp_coverage,
)
from tests.statistics.bounds import COVERED, Bound, noise
from tests.statistics.estimates import NORMAL_95
from tests.statistics.experiments import paired
from tests.statistics.worlds import Shown, World, loss, shown

RUNS = 200
MANY_RUNS = 12_000
Added = Callable[[list[Indices]], bytes]


def answered(theta: float, u: Array) -> tuple[float, float]:
    found = contrast(theta, u, u.size)
    assert not isinstance(found, Undefined)
    return found.interval(coverage.ALPHA)


def of_20_buckets(theta: float, u: Array) -> tuple[float, float]:
    folded = np.array([part.sum() for part in np.array_split(u, 20)])
    half = NORMAL_95 * float(np.sqrt(20 / 19 * np.square(folded).sum()))
    return theta - half, theta + half


def gaussian_complaints(interval: coverage.Interval) -> list[str]:
    share = coverage.gaussian_coverage(interval, BUCKETS, MANY_RUNS)
    spread = 3 * noise(0.95, MANY_RUNS)
    return Bound(0.95 - spread, 0.95 + spread).complaints("normal buckets", share)


def order_complaints(added: Added) -> list[str]:
    """Why the order of batches can be told from their sum, if it can."""
    rng = np.random.default_rng(19)
    parts = np.array_split(rng.permutation(2000), 16)
    sums = {added([parts[at] for at in rng.permutation(16)]) for _ in range(5)}
    return [] if len(sums) == 1 else [f"{len(sums)} sums of the same rows"]


@pytest.fixture(scope="module")
def rows() -> Shown:
    return shown(np.random.default_rng(20), World(600))


def exactly(rows: Shown) -> Added:
    def added(parts: list[Indices]) -> bytes:
        batches = [paired(rows).of(part) for part in parts]
        found = ArmTallies.total([tally_arms(one.plan, one.rows)[""] for one in batches])
        return found.tallies["new"].encoded()

    return added


def in_floats(rows: Shown, kind: type[np.float32 | np.float64]) -> Added:
    def added(parts: list[Indices]) -> bytes:
        sums = np.zeros(BUCKETS, kind)
        losses = loss(rows.y, rows.second)
        for part in parts:
            sums += np.bincount(rows.buckets[part], losses[part], BUCKETS).astype(kind)
        return sums.tobytes()

    return added


def test_rows_taken_as_independent_break_the_coverage() -> None:
    found = coverage.coverage(coverage.HARDEST, 500)
    wrong = replace(found, student=found.naive)
    assert coverage.complaints(coverage.HARDEST, found) == []
    assert coverage.complaints(coverage.HARDEST, wrong) != []


def test_an_interval_of_one_look_at_every_look_breaks_the_promise() -> None:
    found = peeking.crossing("arrivals", RUNS)
    assert peeking.complaints("arrivals", found) == []
    assert peeking.complaints("arrivals", replace(found, sure=found.fixed)) != []


def test_a_clock_of_users_who_stay_breaks_the_promise() -> None:
    assert peeking.long_complaints(peeking.long_crossing(peeking.by_users, 2000)) != []


def test_normal_quantiles_of_20_buckets_break_the_coverage() -> None:
    assert gaussian_complaints(answered) == []
    assert gaussian_complaints(of_20_buckets) != []


@pytest.fixture(scope="module")
def ids() -> Indices:
    return np.arange(100_000)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_buckets_know_nothing_of_how_others_assign(ids: Indices, scheme: str) -> None:
    treated = SCHEMES[scheme](ids)
    names = [str(number) for number in ids.tolist()]
    assert dependence_complaints(bucket_of(ids), treated) == []
    assert dependence_complaints(bucket_of(names), treated) == []


def test_assigning_by_the_hash_of_buckets_is_noticed(ids: Indices) -> None:
    assert dependence_complaints(bucket_of(ids), by_bucket_hash(ids)) != []


@pytest.mark.parametrize("salt", [0, 1])
def test_a_small_arm_that_is_in_few_buckets_alone_has_an_error_of_its_own(salt: int) -> None:
    assert COVERED.complaints("a ramp", ramp_coverage(salt, RUNS)) == []


def test_sums_know_nothing_of_the_order(rows: Shown) -> None:
    assert order_complaints(exactly(rows)) == []


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sums_of_doubles_know_the_order(rows: Shown, kind: type[np.float32 | np.float64]) -> None:
    assert order_complaints(in_floats(rows, kind)) != []
