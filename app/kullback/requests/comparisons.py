"""Request to compare arms in one call."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field

from kullback.errors import InvalidInput
from kullback.experiments.compare_metric import compare_once
from kullback.experiments.measured import ForecastMetric
from kullback.experiments.plan import MAX_ARMS, Arm, Plan
from kullback.experiments.rows import ArmRows
from kullback.requests.arms import (
    LABELS,
    PREDICTIONS,
    ArmFields,
    ArmForecasts,
    PlanFields,
    PlannedArms,
)
from kullback.requests.base import ScoreRequest
from kullback.requests.batch_columns import Truth, Units
from kullback.scoring.cost import Cost, Parts, distinct
from kullback.scoring.score import Score

_STEPS = 1 << 16  # of each arm in each segment
_WHOLE = 8  # segments: all rows are compared by every metric, and explained


class CompareRequest(ScoreRequest, PlanFields, ArmFields):
    """Predictions of the arms, their outcomes, and the plan of the comparison."""

    metric_name = "compare"
    refused = MappingProxyType(
        {
            "missing": "a pair has an outcome in each arm, and rows in which nothing is missing",
            "sum_tolerance": "a probability may be off by the rounding of its type",
            "reduction": "the effect is a difference of means, of which there is no sum",
        }
    )

    metric: ForecastMetric = Field(default="log_loss", description="Metric that decides.")
    y_true: Truth = Field(description=LABELS)
    y_proba: ArmForecasts = Field(description=PREDICTIONS)
    unit: Units | None = Field(
        default=None,
        description="Unit of each row, such as a user id; without it, rows count as independent.",
    )
    arms: PlannedArms | None = Field(
        default=None,
        description=(
            "Arms with their planned shares; default the arms that were sent, in equal shares."
        ),
    )

    def costs(self) -> list[Cost]:
        """The same, with a tally and a comparison of each arm in each segment."""
        sent = len(self.y_proba) if isinstance(self.y_proba, Mapping) else distinct(self.arm or [])
        segments = sum(distinct(values) for values in (self.slice or {}).values())
        arms = max(sent, len(self.arms or ()))
        parts = (_WHOLE + segments) * arms
        remedy = "send fewer arms, or fewer values to slice by"
        if not segments:
            return [*super().costs(), Cost("y_proba", remedy, parts * _STEPS, parts * 75)]
        product = f"{segments} values × {arms} arms are {segments * arms} segments"
        sliced = Parts(product, segments * arms, _STEPS)
        return [*super().costs(), Cost("slice", remedy, parts * _STEPS, parts * 75, sliced)]

    def plan(self) -> Plan:
        """The plan that is asked for, or that the rows speak of."""
        paired = isinstance(self.y_proba, Mapping)
        arms = self.arms or self._arms_sent()
        return self.plan_of(arms, "paired" if paired else "parallel", tuple(self.slice or ()))

    def score(self) -> Score:
        """See compare_once; rows are of units, and which of them count is part of the report."""
        options = self.options()
        rows = ArmRows(
            y_true=self.y_true,
            y_proba=self.y_proba,
            unit=self.unit,
            arm=self.arm,
            weight=self.sample_weight,
            importance=self.importance(),
            slices=self.slice or {},
        )
        return self._answer(compare_once(self.plan(), rows, options))

    def _arms_sent(self) -> tuple[Arm, ...]:
        """The arms as they first stand in what was sent, with equal shares."""
        sent = self.y_proba if isinstance(self.y_proba, Mapping) else dict.fromkeys(self.arm or ())
        names = list(sent)
        if not 2 <= len(names) <= MAX_ARMS:
            field = "arm" if self.arm else "y_proba"
            raise InvalidInput.at(f"{len(names)} arms, where 2 to {MAX_ARMS} are expected", field)
        return tuple(Arm(name, 1 / len(names)) for name in names)
