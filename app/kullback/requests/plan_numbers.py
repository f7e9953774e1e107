"""Numbers of a plan, as a caller sends them."""

from typing import Annotated

from pydantic import AfterValidator, Field, FiniteFloat, PlainValidator, WithJsonSchema

from kullback.errors import InvalidInput
from kullback.experiments import margins
from kullback.experiments.margins import SMALLEST

_LEAST_SURE = 0.5
POWER = "Power of a planned horizon to find the minimum effect; without it, none."


def _alpha(value: float) -> float:
    if SMALLEST <= value <= _LEAST_SURE:
        return value
    bounds = "must be above 0" if value <= 0 else f"is not in [{SMALLEST:g}, {_LEAST_SURE:g}]"
    raise InvalidInput.at(bounds, "alpha")


Alpha = Annotated[
    FiniteFloat,
    AfterValidator(_alpha),
    WithJsonSchema({"type": "number", "minimum": SMALLEST, "maximum": _LEAST_SURE}),
]
Effect = Annotated[
    margins.MinimumEffect,
    PlainValidator(margins.check_minimum_effect),
    WithJsonSchema(margins.EFFECTS),
]
Power = Annotated[FiniteFloat, Field(ge=0.5, le=0.999)]
UnitCount = Annotated[int, Field(ge=2, lt=2**63)]
