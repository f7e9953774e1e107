"""False claims of all arms and segments of an experiment, by its own report: nothing differs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.compared import AdjustedComparison
from kullback.experiments.comparison import compare
from kullback.experiments.measured import MetricName
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array, Indices
from tests.statistics.bounds import at_most
from tests.statistics.coverage import ALPHA, Told
from tests.statistics.worlds import World, probability, shown

_ZIPF = 1.1
_CLAIMED = 0.065  # α, and what t leaves to chance in segments of some 100 units
_MINIMUM: Mapping[MetricName, float] = {
    "log_loss": 0.02,
    "normalized_entropy": 0.03,
    "base_rate": 0.02,
}
_OFF = 0.5  # standard deviation of what a predictor gets wrong of a user, and of a row


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of experiment: users in segments of Zipf's sizes, in arms that do not differ.

    Attributes:
        users, segments: how many.
        metric: what decides.
        shares: of the arms, of rows of their own; None for `paired` arms of the same rows.
        paired: how many such arms.
    """

    users: int
    segments: int
    metric: MetricName = "log_loss"
    shares: tuple[float, ...] | None = (0.5, 0.5)
    paired: int = 2

    def rows(self, rng: np.random.Generator) -> tuple[Plan, ArmRows]:
        """A plan, and rows of it."""
        rows = shown(rng, World(self.users))
        weight = np.arange(1, self.segments + 1) ** -_ZIPF
        segment = rng.choice(self.segments, self.users, p=weight / weight.sum())
        slices = {"segment": [f"s{at}" for at in segment[rows.user].tolist()]}
        unit, minimum = rows.unit[rows.user], _MINIMUM[self.metric]
        if self.shares is None:
            names = [f"arm {at}" for at in range(self.paired)]
            scores = {name: self._scored(rng, rows.truth, rows.user) for name in names}
            shares = [1 / len(names)] * len(names)
            arms = tuple(map(Arm, names, shares))
            plan = Plan(arms, names[0], "paired", metric=self.metric, minimum_effect=minimum)
            return self._sliced(plan), ArmRows(rows.y, scores, unit, slices=slices)
        arms = tuple(Arm(f"arm {at}", share) for at, share in enumerate(self.shares))
        arm = rng.choice(len(arms), self.users, p=self.shares)[rows.user]
        plan = Plan(arms, "arm 0", metric=self.metric, minimum_effect=minimum)
        score = self._scored(rng, rows.truth, rows.user)
        of_rows = [arms[at].name for at in arm.tolist()]
        return self._sliced(plan), ArmRows(rows.y, score, unit, of_rows, slices=slices)

    def _scored(self, rng: np.random.Generator, truth: Array, user: Indices) -> Array:
        off = _OFF * rng.standard_normal(self.users)[user]
        return probability(truth + off + _OFF * rng.standard_normal(truth.size))

    def _sliced(self, plan: Plan) -> Plan:
        return Plan(
            plan.arms,
            plan.control,
            plan.design,
            metric=plan.metric,
            minimum_effect=plan.minimum_effect,
            slices=("segment",),
        )


@dataclass(frozen=True, slots=True)
class FamilyClaims:
    """The part of all runs in which anything is claimed, and how much may be claimed in one."""

    holm: float
    hochberg: float
    e_bh: float
    verdict: float
    members: float


FAMILIES: Mapping[str, Family] = {
    "split, 4,000 users, 30 segments, log loss": Family(4000, 30),
    "split, 4,000 users, 100 segments, log loss": Family(4000, 100),
    "split, 4,000 users, 100 segments, NE": Family(4000, 100, "normalized_entropy"),
    "split, 4,000 users, 100 segments, base rate": Family(4000, 100, "base_rate"),
    "95 : 5, 20,000 users, 100 segments, log loss": Family(20_000, 100, shares=(0.95, 0.05)),
    "paired, 4,000 users, 100 segments, log loss": Family(4000, 100, shares=None),
    "paired, 4,000 users, 100 segments, NE": Family(4000, 100, "normalized_entropy", None),
    "paired, 4,000 users, 10 arms, 8 segments": Family(4000, 8, shares=None, paired=10),
}


def family_claims(family: Family, runs: int, told: Told = lambda: None) -> FamilyClaims:
    """Of so many experiments of a kind."""
    counts = np.zeros(5)
    for run in range(runs):
        plan, rows = family.rows(np.random.default_rng([12, run]))
        findings = compare(plan, tally_arms(plan, rows))
        every = [each for several in findings.comparisons.values() for each in several]
        adjusted = [each.adjusted for each in every if each.adjusted is not None]
        words = {each.verdict.word for each in every}
        counts += (
            *_claims(adjusted),
            float(not words.isdisjoint({"better", "worse"})),
            len(adjusted),
        )
        told()
    return FamilyClaims(*(counts / runs).tolist())


def _claims(adjusted: list[AdjustedComparison]) -> tuple[float, ...]:
    return (
        float(any(each.holm <= ALPHA for each in adjusted)),
        float(any(each.benjamini_hochberg <= ALPHA for each in adjusted)),
        float(any(each.e_bh for each in adjusted)),
    )


def segment_complaints(name: str, found: FamilyClaims, runs: int) -> list[str]:
    """Why so many claims are too many, if they are."""
    bound = at_most(_CLAIMED, runs)
    claims = {"Holm": found.holm, "BH": found.hochberg, "e-BH": found.e_bh}
    return [
        complaint
        for how, share in claims.items()
        for complaint in bound.complaints(f"{name}, {how}", share)
    ]
