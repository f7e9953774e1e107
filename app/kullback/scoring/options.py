"""What every metric can be asked: the unit, the reduction, and what comes with the value."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kullback.numerics.types import Array, DType

Base = Literal["e", "2", "10"]
Reduction = Literal["mean", "sum"]
OnUnnormalized = Literal["error", "renormalize"]

NATS_PER_UNIT: Mapping[Base, float] = {"e": 1.0, "2": math.log(2.0), "10": math.log(10.0)}
UNIT: Mapping[Base, str] = {"e": "nats", "2": "bits", "10": "hartleys"}
TOLERANCE = 1e-6
_OF_NARROW = {
    np.dtype(kind).itemsize: math.sqrt(float(np.finfo(kind).eps))
    for kind in (np.float32, np.float16)
}


@dataclass(frozen=True, slots=True)
class Options:
    """What every metric can be asked: the unit, the reduction, and what comes with the value."""

    base: Base = "e"
    reduction: Reduction = "mean"
    per_row: bool = False
    gradient: bool = False
    sample_weight: Array | None = None
    sum_tolerance: float | None = None
    on_unnormalized: OnUnnormalized = "error"
    details: bool = True

    @property
    def nats(self) -> float:
        """Nats in one unit of the answer."""
        return NATS_PER_UNIT[self.base]

    @property
    def unit(self) -> str:
        """The name of the answer's unit."""
        return UNIT[self.base]

    def tolerance(self, dtype: DType) -> float:
        """How far sums and probabilities of this type may be off: `sum_tolerance`, if it is said.

        Else 1e-6, and √ε of the type for float32 (3.5e-4) and float16 (3.1e-2).
        """
        if self.sum_tolerance is not None:
            return self.sum_tolerance
        return _OF_NARROW.get(dtype.itemsize, TOLERANCE) if dtype.kind == "f" else TOLERANCE
