"""Settings of an experiment and batches of its rows, as a caller sends them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kullback.experiments.plan import Design, Plan
from kullback.experiments.rows import ArmRows
from kullback.payload.identifiers import check_note, refuse_twice
from kullback.requests.arms import ArmFields, PlannedArms
from kullback.requests.batch_columns import RowTimes, RowWeights, SliceNames, Units
from kullback.requests.batches import ScreenedBatch
from kullback.requests.measures import MeasuredPlanFields, MeasuredRowFields

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class ExperimentSettings(MeasuredPlanFields):
    """Settings of an experiment, made before its first row."""

    model_config = _STRICT

    arms: PlannedArms = Field(
        description=(
            "Names of the arms, for equal shares of the units; or names with their shares."
        )
    )
    design: Design = Field(
        default="parallel",
        description="Parallel: each row belongs to one arm. Paired: every arm scores every row.",
    )
    slices: SliceNames = Field(default=[])

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        refuse_twice("slices", self.slices)
        self.plan()
        return self

    def plan(self) -> Plan:
        """The plan that is asked for, with nothing left open."""
        return self.measured(self.plan_of(self.arms, self.design, self.slices))


class StopNote(BaseModel):
    """Why an experiment is stopped."""

    model_config = _STRICT

    note: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="Why it is stopped, such as: shipped in 4.2."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        check_note(self.note, "note")
        return self


class ExperimentBatch(MeasuredRowFields, ArmFields, ScreenedBatch):
    """Rows of the arms: predictions, labels, numbers, units and times."""

    model_config = _STRICT

    unit: Units = Field(
        description="Unit of each row, such as a user id; rows of one unit are not independent."
    )
    sample_weight: RowWeights = None
    timestamp: RowTimes = None

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
            screening=self.screening,
            measures=self.measures(),
        )
