"""Settings of an experiment and batches of its rows, as a caller sends them."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from kullback.experiments.plan import Design, Plan
from kullback.experiments.rows import ArmRows
from kullback.payload.identifiers import refuse_twice
from kullback.requests.arms import ArmFields, PlanFields, PlannedArms
from kullback.requests.batches import MAX_SLICES, Times, Units, Weights
from kullback.requests.monitors import SliceName

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class ExperimentSettings(PlanFields):
    """What an experiment is set up for, before its first row."""

    model_config = _STRICT

    arms: PlannedArms = Field(description="Names, for equal shares of the units; or their shares.")
    design: Design = Field(
        default="parallel", description="Each row is of one arm; or every arm has scored every row."
    )
    slices: Annotated[list[SliceName], Field(max_length=MAX_SLICES)] = Field(
        default=[], description="By what rows may be sliced."
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        refuse_twice("slices", self.slices)
        self.plan()
        return self

    def plan(self) -> Plan:
        """The plan that is asked for, with nothing left open."""
        return self.plan_of(self.arms, self.design, self.slices)


class ExperimentBatch(ArmFields):
    """What arms predicted, with the outcomes, for whom and when."""

    model_config = _STRICT

    unit: Units = Field(description="Whom each row is about: rows of one unit are not independent.")
    sample_weight: Weights | None = Field(default=None, description="Weight of each row, from 0.")
    timestamp: Times | None = Field(
        default=None, description="When: epoch seconds, or RFC 3339 with Z or an offset; else now."
    )

    def rows(self) -> ArmRows:
        """The batch as an experiment takes it."""
        return ArmRows(
            y_true=self.y_true,
            y_proba=self.y_proba,
            unit=self.unit,
            arm=self.arm,
            weight=self.sample_weight,
            importance=self.importance(),
            timestamp=self.timestamp,
            slices=self.slice or {},
        )
