"""Plan of an experiment: its settings, fixed before the first row."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from kullback.errors import InvalidInput
from kullback.experiments.margins import MinimumEffect
from kullback.experiments.measured import (
    OUTCOME,
    Guardrail,
    Measure,
    MetricName,
    Objective,
    Winsorize,
    measures_of,
    prefers_more,
)
from kullback.scoring.conventions import ConventionName
from kullback.tally.tally import Layout

Design = Literal["parallel", "paired"]
Assignment = Literal["unit", "request"]
OtherArms = Literal["error", "ignore"]
MAX_ARMS = 20
MINIMUM_UNITS = 100
MAX_SEGMENT_ARMS = 2000  # arms of all segments together; a slice may have some values in any case
LEAST_VALUES = 20


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the recommenders compared; `share` is the part of all units planned for it."""

    name: str
    share: float
    description: Annotated[str, Field(exclude_if=lambda text: not text)] = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared, by what, and how sure one must be.

    Attributes:
        arms: two or more; their shares sum to 1.
        control: the arm that the others are compared with.
        design: `paired`: every arm has scored every row; `parallel`: each row is of one arm.
        assignment: what went to one of parallel arms: a unit with all its rows, or each request
            apart, and then units meet several arms and their number says nothing.
        metric: what decides.
        alpha: how often, at most, a difference is claimed where there is none.
        minimum_effect: the smallest effect worth knowing of, in the metric's unit, or as "2%" of
            the control's value; its square is the scale of the mixture behind the sequence.
            Without one nothing is decided.
        minimum_units: no verdict before each arm has so many units.
        convention: whose log loss.
        slices: names of the segments that rows may be told apart by.
        other_arms: what becomes of rows of arms that are not planned: `error`, they are refused;
            `ignore`, they are left out and counted.
        objective: what is asked: whether there is a difference, whether it is not worse by the
            minimum effect, or whether it is smaller either way.
        power: of a planned horizon, at whose end an effect as large as the minimum effect is
            found so often; None for none. It is answered beside the sequence.
        outcome: the name of the outcome, of the metric `outcome`.
        higher_is_better: of base rates, outcomes and ratios; None as is usual of the metric.
        winsorize: bounds of the outcome, or of the numerator, of each row.
        covariate: whether rows bring a number from before the experiment, to adjust effects by.
        guardrails: metrics that must not suffer.
    """

    arms: tuple[Arm, ...]
    control: str
    design: Design = "parallel"
    assignment: Assignment = "unit"
    metric: MetricName = "log_loss"
    alpha: float = 0.05
    minimum_effect: MinimumEffect | None = None
    minimum_units: int = MINIMUM_UNITS
    convention: ConventionName = "sklearn"
    slices: tuple[str, ...] = ()
    other_arms: OtherArms = "error"
    objective: Objective = "superiority"
    power: float | None = None
    outcome: str = OUTCOME
    higher_is_better: bool | None = None
    winsorize: Winsorize | None = None
    covariate: bool = False
    guardrails: tuple[Guardrail, ...] = ()

    @property
    def metric_name(self) -> str:
        """What reports call the metric."""
        return self.outcome if self.metric == "outcome" else self.metric

    @property
    def prefers_more(self) -> bool:
        """Whether more of the metric is better."""
        return prefers_more(self.metric, self.higher_is_better)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What numbers come with rows, in the order of their sums."""
        needed = {*measures_of(self.metric, self.outcome)}
        needed |= {each for rail in self.guardrails for each in measures_of(*rail.measured)}
        needed |= {Measure("covariate")} if self.covariate else set()
        needed |= {Measure("winsorized")} if self.winsorize else set()
        return tuple(sorted(needed))

    @property
    def layout(self) -> Layout:
        """What tallies of the arms are of."""
        return Layout("binary", 2, self.convention, clustered=True)

    @property
    def max_values(self) -> int:
        """How many values of each slice are segments of their own; the others are one."""
        return max(LEAST_VALUES, MAX_SEGMENT_ARMS // (len(self.arms) * max(1, len(self.slices))))

    @property
    def splits_units(self) -> bool:
        """Whether each unit should meet one arm, in the planned shares."""
        return self.design == "parallel" and self.assignment == "unit"

    @property
    def names(self) -> list[str]:
        """The arms' names, as planned."""
        return [arm.name for arm in self.arms]

    @property
    def shares(self) -> Mapping[str, float]:
        """The part of all units planned for each arm."""
        return {arm.name: arm.share for arm in self.arms}

    @property
    def treatments(self) -> list[str]:
        """The arms that are compared with the control."""
        return [name for name in self.names if name != self.control]

    def differing(self, other: "Plan") -> tuple[str, ...]:
        """The settings in which another plan differs."""
        names = (field.name for field in fields(self))
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))

    def incompatible(self, other: "Plan") -> tuple[str, ...]:
        """Those of them that rows of this plan rule out: they cannot count under the other.

        Rows count on where a slice is added, where an arm is described, where the order of arms
        or slices changes, and with another `minimum_units`, `objective` or `other_arms`.
        """
        kept = {"minimum_units", "objective", "other_arms"}
        if self.shares == other.shares:
            kept.add("arms")
        if set(self.slices) <= set(other.slices):
            kept.add("slices")
        return tuple(name for name in self.differing(other) if name not in kept)

    def ramps_to(self, other: "Plan") -> bool:
        """Whether rows count on under the other in a stratum of their own: shares alone differ."""
        is_ramp = self.design == "parallel" and self.shares.keys() == other.shares.keys()
        return is_ramp and self.incompatible(other) == ("arms",)

    def check_slice(self, name: str, *place: str) -> None:
        """Refuse a slice that was not planned, sent at this place.

        Raises:
            InvalidInput: it is not one of `slices`.
        """
        if name not in self.slices:
            names = ", ".join(self.slices) or "none"
            raise InvalidInput.at(f"not a slice of this experiment, which has {names}", *place)

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from."""
        return _JSON.dump_json(self)

    @classmethod
    def decoded(cls, document: bytes) -> "Plan":
        """See encoded."""
        return _JSON.validate_json(document)


_JSON = TypeAdapter(Plan)
