"""Measures of an experiment, as a caller sends them: what is planned, and columns of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, WithJsonSchema, model_validator

from kullback.errors import InvalidInput, Step
from kullback.experiments.margins import EFFECTS, check_minimum_effect
from kullback.experiments.measure_columns import FIELDS, LARGEST
from kullback.experiments.measured import (
    HIGHER_IS_BETTER,
    MAX_GUARDRAILS,
    OUTCOME,
    Guardrail,
    MetricName,
    Objective,
    Winsorize,
)
from kullback.experiments.plan import MAX_ARMS, Plan
from kullback.experiments.rows import Column as MeasureColumn
from kullback.numerics.types import Array
from kullback.payload.columns import Column, EntryType
from kullback.payload.identifiers import are_names
from kullback.requests.arms import PlanFields

LONGEST_OUTCOME = 64
_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
_METRICS = frozenset(
    (
        *("log_loss", "normalized_entropy", "relative_information_gain", "calibration_ratio"),
        *("log_calibration_ratio", "brier", "ece", "auc", "base_rate", "mean_prediction"),
        *("accuracy", "ratio"),
    )
)


OutcomeName = Annotated[str, Field(min_length=1, max_length=LONGEST_OUTCOME)]
Numbers = Annotated[
    Array | dict[str, Array],
    Column(EntryType.NUMBER, 1, keys=MAX_ARMS, plain=True, empty=True),
]
Covariates = Annotated[Array, Column(EntryType.NUMBER, 1, empty=True)]
Bound = Annotated[FiniteFloat, Field(ge=-LARGEST, le=LARGEST)]


class WinsorizeFields(BaseModel):
    """Bounds that numbers are moved to where they are beyond."""

    model_config = _STRICT

    lower: Bound | None = Field(default=None, description="Least value; null for none.")
    upper: Bound | None = Field(default=None, description="Largest value; null for none.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower is None and self.upper is None:
            raise InvalidInput.at("a lower or an upper bound is expected", "winsorize")
        if self.lower is not None and self.upper is not None and not self.lower < self.upper:
            raise InvalidInput.at("not above lower", "winsorize", "upper")
        return self


class GuardrailFields(BaseModel):
    """Another metric, which must not suffer."""

    model_config = _STRICT

    metric: MetricName = Field(description="Which metric.")
    minimum_effect: Annotated[object, WithJsonSchema(EFFECTS)] = Field(
        description="Margin, in the metric's unit or in percent of the control's value."
    )
    objective: Objective = Field(default="non_inferiority", description="What is asked of it.")
    outcome: OutcomeName | None = Field(
        default=None, description='Name of the outcome, of the metric outcome; default "outcome".'
    )
    higher_is_better: bool | None = Field(
        default=None,
        description="Of a base rate, an outcome or a ratio: whether more is better; default true.",
    )

    def guardrail(self, *place: Step) -> Guardrail:
        """The guardrail that is asked for.

        Raises:
            InvalidInput: its fields do not fit.
        """
        _check_metric(self.metric, self.outcome, self.higher_is_better, place)
        outcome = self.outcome or OUTCOME if self.metric == "outcome" else None
        higher = _unless_usual(self.metric, self.higher_is_better)
        try:
            effect = check_minimum_effect(self.minimum_effect)
        except InvalidInput as error:
            detail = error.offences[0].detail
            raise InvalidInput.at(detail, *place, "minimum_effect") from error
        return Guardrail(self.metric, effect, self.objective, outcome, higher)


class MeasuredPlanFields(PlanFields):
    """Fields of a plan about numbers that come with rows."""

    metric: MetricName = Field(
        default="log_loss",
        description=(
            "Metric that decides. outcome: the mean of a number of each row; ratio: the sum of "
            "numerators by that of denominators."
        ),
    )
    outcome: OutcomeName | None = Field(
        default=None, description='Name of the outcome, of the metric outcome; default "outcome".'
    )
    higher_is_better: bool | None = Field(
        default=None,
        description="Of a base rate, an outcome or a ratio: whether more is better; default true.",
    )
    winsorize: WinsorizeFields | None = Field(
        default=None,
        description="Bounds of the outcome, or of the numerator, of each row: it is moved to them.",
    )
    covariate: bool = Field(
        default=False,
        description="Whether rows bring a number from before the experiment, to adjust effects by.",
    )
    guardrails: list[GuardrailFields] = Field(
        default=[], max_length=MAX_GUARDRAILS, description="Metrics that must not suffer."
    )

    def measured(self, plan: Plan) -> Plan:
        """The plan with its settings about measures.

        Raises:
            InvalidInput: they do not fit each other, or the design.
        """
        _check_metric(self.metric, self.outcome, self.higher_is_better, ())
        if self.winsorize is not None and self.metric not in {"outcome", "ratio"}:
            raise InvalidInput.at("only of an outcome or a ratio", "winsorize")
        rails = [each.guardrail("guardrails", at) for at, each in enumerate(self.guardrails)]
        own = self.outcome or OUTCOME if self.metric == "outcome" else self.metric
        for at, rail in enumerate(rails):
            if rail.name in [own, *(other.name for other in rails[:at])]:
                raise InvalidInput.at(f"{rail.name} is there already", "guardrails", at)
        if plan.design == "paired":
            self._check_paired(rails)
        bounds = self.winsorize
        return replace(
            plan,
            outcome=self.outcome or OUTCOME,
            higher_is_better=_unless_usual(self.metric, self.higher_is_better),
            winsorize=None if bounds is None else Winsorize(bounds.lower, bounds.upper),
            covariate=self.covariate,
            guardrails=tuple(rails),
        )

    def _check_paired(self, rails: Sequence[Guardrail]) -> None:
        if self.covariate:
            detail = "paired arms have the same units: what was before cancels already"
            raise InvalidInput.at(detail, "covariate")
        for at, rail in enumerate(rails):
            if rail.metric == "base_rate":
                detail = "the labels of paired arms are the same"
                raise InvalidInput.at(detail, "guardrails", at, "metric")
            before = [self.metric, *(other.metric for other in rails[:at])]
            if rail.metric == "outcome" and "outcome" in before:
                detail = "paired rows bring one outcome of each arm, and it is there already"
                raise InvalidInput.at(detail, "guardrails", at, "outcome")


class MeasuredRowFields(BaseModel):
    """Columns of numbers that come with rows."""

    outcome: Numbers | None = Field(
        default=None,
        description=(
            "Outcome of each row [n], any number; or several by name; of paired arms one of each "
            "arm, by its name."
        ),
    )
    numerator: Numbers | None = Field(
        default=None, description="Numerator of a ratio [n]; of paired arms by arm."
    )
    denominator: Numbers | None = Field(
        default=None, description="Denominator of a ratio [n], at least 0; or by arm."
    )
    covariate: Covariates | None = Field(
        default=None, description="Number of each row [n] from before the experiment."
    )

    def measures(self) -> Mapping[str, MeasureColumn]:
        """The columns that were sent."""
        sent = {name: getattr(self, name) for name in FIELDS}
        return {name: column for name, column in sent.items() if column is not None}


def _unless_usual(metric: MetricName, higher: bool | None) -> bool | None:  # noqa: FBT001
    """None where it is as usual: a plan that says so is the same as one that does not."""
    return None if higher is None or higher == (metric in HIGHER_IS_BETTER) else higher


def _check_metric(
    metric: MetricName,
    outcome: str | None,
    higher: bool | None,  # noqa: FBT001
    place: tuple[Step, ...],
) -> None:
    if outcome is not None and metric != "outcome":
        raise InvalidInput.at("only the metric outcome has one", *place, "outcome")
    if outcome is not None and (outcome in _METRICS or not are_names([outcome])):
        detail = "the name of another metric" if outcome in _METRICS else "no control characters"
        raise InvalidInput.at(detail, *place, "outcome")
    if higher is not None and metric not in HIGHER_IS_BETTER:
        detail = "only of a base rate, an outcome or a ratio: of losses less is better"
        raise InvalidInput.at(detail, *place, "higher_is_better")
