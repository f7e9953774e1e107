"""Assignment of units or requests to arms: whether it went as planned."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.plan import Plan
from kullback.experiments.share_periods import SharePeriod
from kullback.tally.design_effect import design_effect
from kullback.tally.sample_ratio import SampleRatio, pooled_ratio, sample_ratio
from kullback.tally.tally import Tally
from kullback.tally.unit_set import UnitSet
from kullback.tally.units import BUCKETS


@dataclass(frozen=True, slots=True)
class AssignmentCheck:
    """How units or requests went to the arms.

    Attributes:
        ratio: against the shares of the plan, of all periods; None where that is no question.
        crossed: the part of all units that met more than one arm, in one period of shares.
        periods: each period of constant shares that has rows, with its own ratio.
    """

    ratio: SampleRatio | None
    crossed: float
    periods: tuple[tuple[SharePeriod, SampleRatio], ...] = ()

    @classmethod
    def of(
        cls, plan: Plan, whole: ArmTallies, periods: Sequence[SharePeriod] = ()
    ) -> "AssignmentCheck":
        """How the rows of a plan were assigned, in periods of constant shares if there are some."""
        if plan.design == "paired" or (plan.splits_units and not whole.units):
            return cls(None, 0.0)
        several = periods or [SharePeriod(None, plan.shares)]
        parts = _by_period(whole) if periods else {1: [whole]}
        ratios = tuple(
            (several[number - 1], _ratio(plan, part, several[number - 1].shares))
            for number, part in sorted(parts.items())
        )
        ratio = pooled_ratio([each for _, each in ratios])
        crossed = _crossed(parts.values()) if plan.splits_units else 0.0
        return cls(ratio, crossed, ratios if periods else ())


def _by_period(whole: ArmTallies) -> Mapping[int, list[ArmTallies]]:
    parts: dict[int, list[ArmTallies]] = defaultdict(list)
    for (period, _), part in whole.strata.items():
        parts[period].append(part)
    return parts


def _ratio(plan: Plan, parts: Sequence[ArmTallies], shares: Mapping[str, float]) -> SampleRatio:
    planned = [shares[name] for name in plan.names]
    if plan.splits_units:
        met = [UnitSet.union([_units(part, name) for part in parts]) for name in plan.names]
        return sample_ratio([each.count for each in met], planned)
    nothing = Tally(plan.layout)
    arms = [[part.tallies.get(name, nothing) for part in parts] for name in plan.names]
    rows = [sum(tally.scalar("rows") for tally in tallies) for tallies in arms]
    weights = np.array(
        [
            np.sum([tally.vector("unit_w").reals(BUCKETS) for tally in tallies], axis=0)
            for tallies in arms
        ]
    )
    return sample_ratio(rows, planned, design_effect=design_effect(weights, sum(rows)))


def _crossed(periods: Iterable[Sequence[ArmTallies]]) -> float:
    several, everyone = list[UnitSet](), list[UnitSet]()
    for parts in periods:
        names = {name for part in parts for name in part.units}
        sets = [UnitSet.union([_units(part, name) for part in parts]) for name in sorted(names)]
        several.append(UnitSet.shared(sets))
        everyone += sets
    count = UnitSet.union(everyone).count
    return UnitSet.union(several).count / count if count else 0.0


def _units(part: ArmTallies, name: str) -> UnitSet:
    return part.units.get(name, UnitSet())
