"""A treatment and the control as they are compared: by all rows, or within strata of them."""

from collections.abc import Callable
from dataclasses import dataclass

from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.plan import Plan
from kullback.numerics.types import Undefined
from kullback.tally.contrast import ArmInfluences, Contrast, arm_influences
from kullback.tally.functionals import Functional
from kullback.tally.stratified import StandardizedArms, Stratum, stratified_influences
from kullback.tally.tally import Tally


@dataclass(frozen=True, slots=True)
class ComparedArms:
    """Two arms of a plan.

    Attributes:
        treatment, control: of all rows.
        is_paired: whether each row is of both.
        strata: the same rows by stratum; none where arms are compared by all rows at once.
        standardized: the arms with the same weight in every stratum, if there are strata.
    """

    treatment: Tally
    control: Tally
    is_paired: bool
    strata: tuple[Stratum, ...] = ()
    standardized: StandardizedArms | None = None

    @classmethod
    def of(cls, plan: Plan, part: ArmTallies, arm: str) -> "ComparedArms":
        """An arm and the control, of all rows or of a segment that has both."""
        both, nothing = (arm, plan.control), Tally(plan.layout)
        treatment, control = (part.tallies[name] for name in both)
        is_paired = plan.design == "paired"
        if len(part.strata) < 2:
            return cls(treatment, control, is_paired)
        strata = tuple(
            Stratum(*(part.strata[key].tallies.get(name, nothing) for name in both))
            for key in sorted(part.strata)
        )
        strata = tuple(each for each in strata if any(tally.scalar("w") for tally in each.arms))
        if not strata:
            return cls(treatment, control, is_paired)
        return cls(treatment, control, is_paired, strata, StandardizedArms.of(strata))

    def influences(self, functional: Callable[[Tally], Functional]) -> ArmInfluences | Undefined:
        """The functional of both arms, and what buckets add to it."""
        if self.standardized is not None:
            return stratified_influences(functional, self.standardized)
        return arm_influences(functional, self.treatment, self.control)

    def difference(self, functional: Callable[[Tally], Functional]) -> Contrast | Undefined:
        """The functional of the treatment minus that of the control."""
        arms = self.influences(functional)
        return arms if isinstance(arms, Undefined) else arms.contrast(is_paired=self.is_paired)

    @property
    def left_out(self) -> tuple[Stratum, ...]:
        """The strata that say nothing of a difference, as an arm has no rows there, or too few."""
        return tuple(each for each in self.strata if not each.is_informative)
