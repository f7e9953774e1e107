"""What every metric may be asked: unit, reduction, weights, gradient."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.payload.columns import Vector
from kullback.scoring.cost import Cost, entries, rows
from kullback.scoring.options import Base, OnUnnormalized, Options, Reduction
from kullback.scoring.score import Score

UnitInterval = Annotated[FiniteFloat, Field(ge=0, le=1)]


class ScoreRequest(BaseModel):
    """Fields that every metric takes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    base: Base = Field(default="e", description="Unit: nats (e), bits (2) or hartleys (10).")
    reduction: Reduction = Field(
        default="mean", description="How the losses of rows become one value."
    )
    per_row: bool = Field(default=False, description="Return the loss of each row too.")
    sample_weight: Vector | None = Field(
        default=None, description="Weight of each row, at least 0."
    )
    sum_tolerance: UnitInterval | None = Field(
        default=None,
        description=(
            "Largest allowed distance of a row's sum from 1, and of a probability from [0, 1]; "
            "default 1e-6, or √ε of the type for columns of float32 (3.5e-4) and float16 (3.1e-2)."
        ),
    )
    on_unnormalized: OnUnnormalized = Field(
        default="error",
        description="Refuse rows that do not sum to 1, or divide them by their sum.",
    )

    def options(self) -> Options:
        """The part of the request that all metrics share."""
        return Options(
            base=self.base,
            reduction=self.reduction,
            per_row=self.per_row,
            gradient=getattr(self, "gradient", False),
            sample_weight=self.sample_weight,
            sum_tolerance=self.sum_tolerance,
            on_unnormalized=self.on_unnormalized,
        )

    def sizes(self) -> list[int]:
        """How many entries each field holds."""
        return [entries(value) for value in self.__dict__.values()]

    def costs(self) -> list[Cost]:
        """What is asked for beyond a pass over what was sent."""
        if not self.per_row:
            return []
        return [Cost("per_row", "leave it out", numbers=max(map(rows, self.__dict__.values())))]

    def score(self) -> Score:
        """The score that is asked for."""
        raise NotImplementedError


class GradientRequest(ScoreRequest):
    """A request of a metric that has a gradient."""

    gradient: bool = Field(
        default=False, description="Return the gradient with respect to the prediction too."
    )

    def costs(self) -> list[Cost]:
        """The same; a gradient has the shape of the largest array."""
        costs = super().costs()
        if self.gradient:
            costs.append(Cost("gradient", "leave it out", numbers=max(self.sizes())))
        return costs


def refuse_beside(why: str, request: GradientRequest, *names: str) -> None:
    """Refuse fields that mean nothing beside the form that was sent.

    Raises:
        InvalidInput: one of them was sent.
    """
    for name in names:
        if getattr(request, name) is not None:
            raise InvalidInput.at(f"{name} {why}", name)


def one_of(request: ScoreRequest, *names: str) -> Array:
    """The one form of the predictions that was sent.

    Raises:
        InvalidInput: there is none, or more than one.
    """
    sent = [name for name in names if getattr(request, name) is not None]
    if not sent:
        raise InvalidInput.at(f"this field is missing, or {' or '.join(names[1:])}", names[0])
    if len(sent) > 1:
        raise InvalidInput.at(f"{sent[0]} and {sent[1]} exclude each other", sent[1])
    values: Array = getattr(request, sent[0])
    return values
