"""Ramps: shares of arms that grow while the base rate drifts, and what strata make of it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.experiments.plan import MINIMUM_UNITS
from kullback.experiments.verdict import LEAST_POSITIVES
from kullback.numerics.types import Array, Flags, Indices
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import Contrast
from kullback.tally.units import BUCKETS, bucket_of
from tests.statistics.bounds import Bound
from tests.statistics.coverage import ALPHA, Told
from tests.statistics.estimates import Estimate
from tests.statistics.worlds import loss

PLANNED = 2.8
STRATIFIED = Bound(0.90, 0.99)
WELL_STRATIFIED = Bound(0.94, 0.96)  # by 3,000 runs
POOLED = Bound(0.0, 0.5)  # what a ramp does to means of all rows
MISSED = Bound(0.0, 0.05)
COST = Bound(0.0, 1.02)


@dataclass(frozen=True, slots=True)
class Ramp:
    """Requests over some days, each sent to the treatment with the share of the moment.

    Attributes:
        steps: (day, share) from when on the treatment has a share.
        rates: the base rate at the first and at the last moment; it drifts evenly between.
        effect: what the treatment adds to a row's log loss.
        days, requests, users: how many.
        told: whether each step begins a stratum of its own, as a `PUT` of the shares makes it.
    """

    steps: tuple[tuple[float, float], ...] = ((0.0, 0.01), (3.4, 0.1), (6.6, 0.5))
    rates: tuple[float, float] = (0.05, 0.4)
    effect: float = 0.0
    days: int = 10
    requests: int = 20_000
    users: int = 4000
    told: bool = True


RAMPS: Mapping[str, Ramp] = {
    "1 → 10 → 50 %, rate 5 → 40 %": Ramp(),
    "the same, steps not told": Ramp(told=False),
    "the same, 50 → 10 → 1 %": Ramp(steps=((0.0, 0.5), (3.4, 0.1), (6.6, 0.01))),
    "no ramp, rate 5 → 40 %": Ramp(steps=((0.0, 0.5),)),
    "no ramp, no drift": Ramp(steps=((0.0, 0.5),), rates=(0.2, 0.2)),
}


@dataclass(frozen=True, slots=True)
class Requests:
    """Rows in the order of time, (n,) each."""

    user: Indices
    buckets: Indices
    day: Array
    stratum: Indices
    treated: Flags
    y: Array
    losses: Array

    def until(self, n: int) -> "Requests":
        """The first of them."""
        return self.taken(slice(n))

    def taken(self, rows: slice | Flags) -> "Requests":
        """Some of them."""
        return Requests(*(getattr(self, name)[rows] for name in self.__slots__))


def drawn(rng: np.random.Generator, ramp: Ramp) -> Requests:
    """What came, and what a predictor that knows the rate and half of a user had said."""
    n = ramp.requests
    day = np.sort(rng.uniform(0, ramp.days, n))
    user = rng.integers(0, ramp.users, n)
    first, last = (math.log(rate / (1 - rate)) for rate in ramp.rates)
    level = first + (last - first) * day / ramp.days
    taste = 0.6 * rng.standard_normal(ramp.users)[user]
    y = (rng.random(n) < 1 / (1 + np.exp(-level - taste))).astype(np.float64)
    since = np.array([start for start, _ in ramp.steps])
    period = np.searchsorted(since, day, side="right") - 1
    treated = rng.random(n) < np.array([share for _, share in ramp.steps])[period]
    losses = loss(y, level + taste / 2) + ramp.effect * treated
    stratum = np.floor(day).astype(np.int64)
    if ramp.told:
        stratum = stratum * len(ramp.steps) + period
    unit = rng.integers(0, 2**63, ramp.users)
    return Requests(user, bucket_of(unit)[user], day, stratum, treated, y, losses)


def pooled(rows: Requests, values: Array) -> Contrast:
    """The difference of the means of all rows."""
    u = np.zeros(values.size)
    means = []
    for arm in (rows.treated, ~rows.treated):
        means.append(float(values[arm].mean()))
        u[arm] = (values[arm] - means[-1]) / np.count_nonzero(arm)
    sign = np.where(rows.treated, 1.0, -1.0)
    return Estimate(means[0] - means[1], sign * u, rows.treated).by(rows.buckets)


def stratified(rows: Requests, values: Array) -> Contrast:
    """Σₕ ωₕ (mean of the treated − mean of the others)/Σₕ ωₕ, ωₕ = nₕ₁nₕ₂/(nₕ₁ + nₕ₂).

    By rows and not by sums: what the product computes in another way.
    """
    size = int(rows.stratum.max()) + 1
    arms = rows.treated, ~rows.treated
    useful = np.ones(size, np.bool_)
    clusters = []
    for arm in arms:
        met = np.zeros((size, BUCKETS), np.bool_)
        met[rows.stratum[arm], rows.buckets[arm]] = True
        clusters.append(met.sum(axis=1))
        useful &= clusters[-1] >= 2
    kept = useful[rows.stratum]
    n = [np.bincount(rows.stratum[arm & kept], minlength=size) for arm in arms]
    overlap = np.divide(n[0] * n[1], n[0] + n[1], out=np.zeros(size), where=useful)
    whole = overlap.sum()
    u, effect = np.zeros(values.size), 0.0
    for arm, count, met, sign in zip(arms, n, clusters, (1.0, -1.0), strict=True):
        mine, of = arm & kept, rows.stratum[arm & kept]
        sums = np.bincount(of, values[mine], size)
        mean = np.divide(sums, count, out=np.zeros(size), where=useful)
        factor = np.divide(overlap / whole, count, out=np.zeros(size), where=useful)
        scale = np.sqrt(np.divide(met, met - 1.0, out=np.ones(size), where=useful))
        u[mine] = sign * (factor * scale)[of] * (values[mine] - mean[of])
        occupied = np.unique(rows.buckets[mine]).size
        u[mine] *= math.sqrt((occupied - 1) / occupied)
        effect += sign * float((overlap / whole * mean).sum())
    where = rows.taken(kept)
    return Estimate(effect, u[kept], where.treated).by(where.buckets)


@dataclass(frozen=True, slots=True)
class RampRuns:
    """The part of all runs whose interval held the truth, or whose sequence missed it at a look.

    Attributes:
        stratified, pooled: coverage of the interval of one look, at the end.
        missed: by the sequence of strata, at any of the looks.
        found: whether that sequence ever left 0 out.
        error: the standard error of strata in terms of that of all rows.
    """

    stratified: float
    pooled: float
    missed: float
    found: float
    error: float


def ramp_runs(ramp: Ramp, runs: int, looks: int = 20, told: Told = lambda: None) -> RampRuns:
    """Of a ramp, over so many runs."""
    minimum = PLANNED * planned_error(ramp)
    held, missed, found, errors = np.zeros(2), 0, 0, np.zeros(2)
    for run in range(runs):
        rows = drawn(np.random.default_rng([21, run]), ramp)
        ends = [of(rows, rows.losses) for of in (stratified, pooled)]
        held += [_holds(end.interval(ALPHA), ramp.effect) for end in ends]
        errors += [end.standard_error for end in ends]
        sequences = list(_sequences(rows, minimum, looks))
        missed += any(not _holds(bounds, ramp.effect) for bounds in sequences)
        found += any(not _holds(bounds, 0.0) for bounds in sequences)
        told()
    ratio = float(errors[0] / errors[1])
    by_strata, by_rows = (held / runs).tolist()
    return RampRuns(by_strata, by_rows, missed / runs, found / runs, ratio)


def planned_error(ramp: Ramp) -> float:
    """The standard error at the end of a ramp, by a pilot."""
    pilot = drawn(np.random.default_rng([20, 0]), ramp)
    return stratified(pilot, pilot.losses).standard_error


def complaints(name: str, found: RampRuns, *, by_many: bool = False) -> list[str]:
    """Why this is not what strata promise, if it is not."""
    ramp = RAMPS[name]
    bound = WELL_STRATIFIED if by_many else STRATIFIED
    wrong = bound.complaints(name, found.stratified) if ramp.told else []
    wrong += MISSED.complaints(f"{name}, sequence", found.missed)
    if len(ramp.steps) > 1:
        return wrong + POOLED.complaints(f"{name}, by all rows", found.pooled)
    return wrong + COST.complaints(f"{name}, error by strata", found.error)


def _sequences(rows: Requests, minimum: float, looks: int) -> Iterator[tuple[float, float]]:
    """The bounds at each look from when arms have the units and the labels that a plan asks."""
    for look in range(1, looks + 1):
        some = rows.until(look * rows.y.size // looks)
        arms = some.treated, ~some.treated
        positives = min(float(some.y[arm].sum()) for arm in arms)
        if positives < LEAST_POSITIVES or min(_units(some, arm) for arm in arms) < MINIMUM_UNITS:
            continue
        sure = confidence_sequence(stratified(some, some.losses), minimum, ALPHA)
        yield sure.low, sure.high


def _units(rows: Requests, arm: Flags) -> int:
    return int(np.unique(rows.user[arm]).size)


def _holds(bounds: tuple[float, float], truth: float) -> bool:
    return bounds[0] <= truth <= bounds[1]


def split_rows(
    rng: np.random.Generator, shares: Sequence[float], requests: int, together: int
) -> Array:
    """The rows of each arm in each bucket, (k, BUCKETS), of requests of so many rows each."""
    arm = rng.choice(len(shares), requests, p=shares)
    bucket = rng.integers(0, BUCKETS, requests)
    cells = np.bincount(arm * BUCKETS + bucket, minlength=len(shares) * BUCKETS)
    rows: Array = together * cells.reshape(len(shares), BUCKETS).astype(np.float64)
    return rows
