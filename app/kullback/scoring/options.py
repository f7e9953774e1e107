"""What every metric can be asked: the unit, the reduction, and what comes with the value."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kullback.numerics.types import Array

Base = Literal["e", "2", "10"]
Reduction = Literal["mean", "sum"]
OnUnnormalized = Literal["error", "renormalize"]

NATS_PER_UNIT: Mapping[Base, float] = {"e": 1.0, "2": math.log(2.0), "10": math.log(10.0)}
UNIT: Mapping[Base, str] = {"e": "nats", "2": "bits", "10": "hartleys"}


@dataclass(frozen=True, slots=True)
class Options:
    """What every metric can be asked: the unit, the reduction, and what comes with the value."""

    base: Base = "e"
    reduction: Reduction = "mean"
    per_row: bool = False
    gradient: bool = False
    sample_weight: Array | None = None
    sum_tolerance: float = 1e-6
    on_unnormalized: OnUnnormalized = "error"

    @property
    def nats(self) -> float:
        """Nats in one unit of the answer."""
        return NATS_PER_UNIT[self.base]

    @property
    def unit(self) -> str:
        """The name of the answer's unit."""
        return UNIT[self.base]
