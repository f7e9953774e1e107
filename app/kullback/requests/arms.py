"""Arms of an experiment, as a caller sends them: plan, predictions, propensities."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue

from kullback.errors import InvalidInput, Step
from kullback.experiments.margins import LARGEST, SMALLEST
from kullback.experiments.measured import MetricName, Objective
from kullback.experiments.plan import (
    MAX_ARMS,
    MINIMUM_UNITS,
    Arm,
    Assignment,
    Design,
    OtherArms,
    Plan,
)
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array
from kullback.payload.columns import Column, EntryType
from kullback.payload.identifiers import are_names, identifiers_as_text, is_text, refuse_twice
from kullback.requests.batch_columns import RowSlices, Truth, probabilities
from kullback.requests.batches import check_lengths
from kullback.requests.plan_numbers import POWER, Alpha, Effect, Power, UnitCount
from kullback.scoring.conventions import ConventionName
from kullback.scoring.refusals import refuse

LABELS = "Labels 0 and 1 [n], or shares in [0, 1]."
PREDICTIONS = "P(1) [n] of each arm, by its name (paired); or one list, with arm (parallel)."
LONGEST_ARM = 64
LONGEST_DESCRIPTION = 2000
_SUM_TOLERANCE = 1e-6
_ROUNDING = 1e-12


def _planned(value: object) -> tuple[Arm, ...]:
    """The arms, in any of the forms that they may be sent in."""
    if not isinstance(value, (list, dict)):
        raise InvalidInput.at("expected the arms' names, or their shares by name", "arms")
    if not 2 <= len(value) <= MAX_ARMS:
        raise InvalidInput.at(f"{len(value)} arms, where 2 to {MAX_ARMS} are expected", "arms")
    if isinstance(value, dict):
        return _normalized([_arm(name, share, name[:LONGEST_ARM]) for name, share in value.items()])
    if any(isinstance(item, dict) for item in value):
        arms = _normalized([_of_object(item, at) for at, item in enumerate(value)])
    else:
        arms = tuple(_arm(name, 1 / len(value), at) for at, name in enumerate(value))
    refuse_twice("arms", [arm.name for arm in arms])
    return arms


def _forecasts(values: Array | dict[str, Array]) -> Array | dict[str, Array]:
    if not isinstance(values, dict):
        return probabilities("y_proba", values)
    checked: dict[str, Array] = {}
    for arm, column in values.items():
        _check_name(arm, "y_proba", arm)
        if column.ndim != 1:
            raise InvalidInput.at("lists, where single entries are expected", "y_proba", arm)
        checked[arm] = probabilities(("y_proba", arm), column)
    return checked


def _propensities(values: Array) -> Array:
    impossible = ~((values > 0) & (values <= 1))
    refuse("propensity", impossible, lambda at: f"{numeral(values[at], 0.0, 1.0)} is not in (0, 1]")
    return values


ArmForecasts = Annotated[
    Array | dict[str, Array],
    Column(EntryType.NUMBER, 1, keys=MAX_ARMS, plain=True, typed=True, empty=True),
    AfterValidator(_forecasts),
]
Arms = Annotated[
    list[str],
    Column(EntryType.ID, 1, empty=True),
    AfterValidator(lambda values: identifiers_as_text(values, "arm")),
]
Propensities = Annotated[
    Array, Column(EntryType.NUMBER, 1, empty=True), AfterValidator(_propensities)
]
TargetPropensities = Annotated[
    Array,
    Column(EntryType.NUMBER, 1, typed=True, empty=True),
    AfterValidator(partial(probabilities, "target_propensity")),
]
_NAME: JsonSchemaValue = {"type": "string", "minLength": 1, "maxLength": LONGEST_ARM}
_SHARE: JsonSchemaValue = {"type": "number", "minimum": SMALLEST, "maximum": 1}
_NOTE: JsonSchemaValue = {"type": "string", "maxLength": LONGEST_DESCRIPTION}
_NAMED: JsonSchemaValue = {"name": _NAME, "share": _SHARE, "description": _NOTE}
_NAMED_SHARE = {"type": "object", "required": ["name", "share"], "additionalProperties": False}
_ARM = _NAMED.keys()
_LIST: JsonSchemaValue = {"type": "array", "minItems": 2, "maxItems": MAX_ARMS}
_SHARES: JsonSchemaValue = {"type": "object", "minProperties": 2, "maxProperties": MAX_ARMS}
_FORMS: list[JsonSchemaValue] = [
    _LIST | {"items": _NAME},
    _LIST | {"items": _NAMED_SHARE | {"properties": _NAMED}},
    _SHARES | {"additionalProperties": _SHARE},
]
PlannedArms = Annotated[
    tuple[Arm, ...], PlainValidator(_planned), WithJsonSchema({"anyOf": _FORMS})
]


class PlanFields(BaseModel):
    """Fields of a plan: when one arm counts as better than another."""

    control: str | None = Field(
        default=None, description="Arm that the others are compared with; default the first."
    )
    assignment: Assignment = Field(
        default="unit",
        description="What goes to one of parallel arms: a unit with all its rows, or each request.",
    )
    metric: MetricName = Field(default="log_loss", description="Metric that decides.")
    alpha: Alpha = Field(
        default=0.05,
        description="Largest probability of claiming a difference that does not exist.",
    )
    minimum_effect: Effect | None = Field(
        default=None,
        description=(
            "Smallest effect that matters, in the metric's unit, or as \"2%\" of the control's "
            "value; without it the verdict is undecided."
        ),
    )
    minimum_units: UnitCount = Field(
        default=MINIMUM_UNITS, description="Units that each arm needs before a verdict."
    )
    objective: Objective = Field(
        default="superiority",
        description="Question of the verdict: better, not worse by the minimum effect, or as good?",
    )
    power: Power | None = Field(default=None, description=POWER)
    convention: ConventionName = Field(
        default="sklearn",
        description="Library whose log loss to use: it decides what p = 0 on the truth costs.",
    )

    other_arms: OtherArms = Field(
        default="error",
        description=(
            "What becomes of rows of arms that are not planned. error: they are refused. ignore: "
            "they are left out and counted."
        ),
    )

    def plan_of(self, arms: tuple[Arm, ...], design: Design, slices: Sequence[str]) -> Plan:
        """The plan of these arms, with nothing left open.

        Raises:
            InvalidInput: the control is none of them, or the metric says nothing of the design.
        """
        names = [arm.name for arm in arms]
        if self.control is not None and self.control not in names:
            raise InvalidInput.at("not one of the arms", "control")
        if self.metric == "base_rate" and design == "paired":
            raise InvalidInput.at("the labels of paired arms are the same", "metric")
        if self.power is not None and self.minimum_effect is None:
            raise InvalidInput.at("this is the power to find a minimum_effect: name one", "power")
        return Plan(
            arms=arms,
            control=names[0] if self.control is None else self.control,
            design=design,
            assignment=self.assignment,
            metric=self.metric,
            alpha=self.alpha,
            minimum_effect=self.minimum_effect,
            minimum_units=self.minimum_units,
            convention=self.convention,
            slices=tuple(slices),
            objective=self.objective,
            other_arms=self.other_arms,
            power=self.power,
        )


class ArmFields(BaseModel):
    """Predictions of the arms with their outcomes."""

    y_true: Truth | None = Field(default=None, description=LABELS)
    y_proba: ArmForecasts | None = Field(default=None, description=PREDICTIONS)
    arm: Arms | None = Field(
        default=None, description="Arm of each row, where y_proba is one list."
    )
    slice: RowSlices = None
    propensity: Propensities | None = Field(
        default=None,
        description="Logging propensity: P in (0, 1] that the logging policy showed this item.",
    )
    target_propensity: TargetPropensities | None = Field(
        default=None,
        description=(
            "Target propensity: probability in [0, 1] with which the policy to be evaluated "
            "shows this item."
        ),
    )

    @model_validator(mode="after")
    def _of_one_form(self) -> Self:
        check_lengths(self)
        named = isinstance(self.y_proba, Mapping)
        if named and self.arm is not None:
            raise InvalidInput.at("every row is of every arm where y_proba is by name", "arm")
        if self.y_proba is not None and not named and self.arm is None:
            raise InvalidInput.at("this field is missing, and y_proba is not by name", "arm")
        self.importance()
        return self

    def importance(self) -> Array | None:
        """What each row counts for under the policy to be judged.

            ρ = target propensity / propensity

        Returns:
            ρ (n,), in [0, 1e100]; or None where neither was sent.

        Raises:
            InvalidInput: one is there without the other, or ρ is larger.
        """
        logged, target = self.propensity, self.target_propensity
        if (logged is None) != (target is None):
            missing = "propensity" if logged is None else "target_propensity"
            raise InvalidInput.at(
                "this field is missing, and the other propensity is there", missing
            )
        if logged is None or target is None:
            return None
        with np.errstate(over="ignore"):
            ratio: Array = target / logged
        detail = f"too small: target_propensity is over {LARGEST:g} times as large"
        refuse("propensity", ratio > LARGEST, lambda _: detail)
        return ratio


def _arm(name: object, share: object, *place: Step) -> Arm:
    return Arm(_check_name(name, "arms", *place), _check_share(share, "arms", *place))


def _of_object(item: object, at: int) -> Arm:
    if not isinstance(item, dict) or not {"name", "share"} <= item.keys() <= _ARM:
        detail = "an object of a name and a share is expected, and a description if you like"
        raise InvalidInput.at(detail, "arms", at)
    name = _check_name(item["name"], "arms", at, "name")
    share = _check_share(item["share"], "arms", at, "share")
    return Arm(name, share, _check_description(item.get("description", ""), at))


def _check_name(name: object, *place: Step) -> str:
    if not isinstance(name, str) or len(name) > LONGEST_ARM or not are_names([name]):
        detail = f"an arm is named by 1 to {LONGEST_ARM} characters, none a control character"
        raise InvalidInput.at(detail, *place)
    return name


def _check_description(text: object, at: int) -> str:
    if not isinstance(text, str) or len(text) > LONGEST_DESCRIPTION or not is_text(text):
        detail = f"text of at most {LONGEST_DESCRIPTION} characters, none a control character"
        raise InvalidInput.at(detail, "arms", at, "description")
    return text


def _check_share(share: object, *place: Step) -> float:
    if isinstance(share, (int, float)) and not isinstance(share, bool) and SMALLEST <= share <= 1:
        return float(share)
    raise InvalidInput.at("a share is a number above 0, and at most 1", *place)


def _normalized(arms: list[Arm]) -> tuple[Arm, ...]:
    """The arms with shares that sum to 1."""
    total = math.fsum(arm.share for arm in arms)
    if abs(total - 1) > _SUM_TOLERANCE + _ROUNDING:  # three times 0.333333 is 1e-6 off
        raise InvalidInput.at(f"the shares sum to {total:.12g}, not 1", "arms")
    if abs(total - 1) <= _ROUNDING:  # what was normalized must stay the same, sent once more
        return tuple(arms)
    return tuple(replace(arm, share=arm.share / total) for arm in arms)
