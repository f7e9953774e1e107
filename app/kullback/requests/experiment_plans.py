"""Request to plan an experiment: what is to be found, and a pilot that says how rows vary."""

from collections.abc import Mapping
from typing import Annotated, Self

import numpy as np
from pydantic import ConfigDict, Field, FiniteFloat, model_validator

from kullback.errors import InvalidInput
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.measured import ForecastMetric
from kullback.experiments.pilots import pilot_of_rows
from kullback.experiments.plan import Arm, Design, Plan
from kullback.experiments.rows import ArmRows
from kullback.experiments.sample_size import Pilot
from kullback.requests.arms import ArmForecasts, Arms, PlanFields, PlannedArms
from kullback.requests.batch_columns import RowWeights, Truth, Units
from kullback.requests.batches import check_lengths

_ALL = "rows"  # the one arm of a log of one model
_LONGEST = 3650
Days = Annotated[FiniteFloat, Field(gt=0, le=_LONGEST)]


class ExperimentPlanRequest(PlanFields):
    """An experiment to be planned: its pilot are rows, an experiment or a monitor."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    metric: ForecastMetric = Field(default="log_loss", description="Metric that decides.")
    arms: PlannedArms = Field(
        default=(Arm("control", 0.5), Arm("treatment", 0.5)),
        validate_default=False,
        description="Arms with their planned shares; default a control and a treatment, half each.",
    )
    design: Design = Field(
        default="parallel",
        description="Parallel: each row belongs to one arm. Paired: every arm scores every row.",
    )
    days: Annotated[list[Days], Field(max_length=20)] = Field(
        default=[], description="Durations, in days, whose detectable effects are told."
    )
    units_per_day: Annotated[FiniteFloat, Field(gt=0, le=1e12)] | None = Field(
        default=None, description="Units that come a day; default what the pilot says."
    )
    experiment: str | None = Field(default=None, description="Experiment that is the pilot.")
    monitor: str | None = Field(default=None, description="Monitor whose last 28 days are.")
    y_true: Truth | None = Field(
        default=None, description="Pilot rows: labels 0 and 1 [n], or shares in [0, 1]."
    )
    y_proba: ArmForecasts | None = Field(
        default=None,
        description=(
            "Pilot rows: P(1) [n] of one model, or of each arm, by its name (paired); not needed "
            "for base_rate."
        ),
    )
    arm: Arms | None = Field(
        default=None, description="Pilot rows: arm of each, if there are some."
    )
    unit: Units | None = Field(
        default=None,
        description="Pilot rows: unit of each, such as a user id; without it, rows are units.",
    )
    sample_weight: RowWeights = None

    @model_validator(mode="after")
    def _has_one_pilot(self) -> Self:
        pilots = [self.experiment, self.monitor, self.y_true]
        if sum(pilot is not None for pilot in pilots) != 1:
            detail = "one of experiment, monitor, or rows (y_true and y_proba) is the pilot"
            raise InvalidInput.at(detail, "y_true")
        check_lengths(self)
        if self.y_true is not None:
            self._check_rows()
        self.plan()
        return self

    def _check_rows(self) -> None:
        if self.y_proba is None and self.metric != "base_rate":
            raise InvalidInput.at("this field is missing, but of base_rate", "y_proba")
        if isinstance(self.y_proba, Mapping) != (self.design == "paired"):
            detail = "an object of [n] by arm is expected" if self.design == "paired" else "[n]"
            raise InvalidInput.at(f"the design is {self.design}: {detail}", "y_proba")

    def plan(self) -> Plan:
        """The plan that is to be made."""
        return self.plan_of(self.arms, self.design, ())

    def pilot(self) -> Pilot:
        """The pilot of the rows.

        Raises:
            InvalidInput: they say too little.
        """
        assert self.y_true is not None
        n = len(self.y_true)
        plan, arm = self.plan(), self.arm
        if self.design == "parallel":
            arm = [_ALL] * n if arm is None else arm
            names = dict.fromkeys(arm)
            shares = tuple(Arm(name, 1 / len(names)) for name in names)
            control = self.control if self.control in names else next(iter(names), _ALL)
            plan = self.model_copy(update={"control": control}).plan_of(shares, "parallel", ())
        rows = ArmRows(
            y_true=self.y_true,
            y_proba=np.full(n, 0.5) if self.y_proba is None else self.y_proba,
            unit=self.unit,
            arm=arm,
            weight=self.sample_weight,
        )
        return pilot_of_rows(plan, tally_arms(plan, rows)[""])
