"""What arrays hold, and a number that does not exist."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kullback.numerics.reasons import Reason

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
DType = np.dtype[np.generic]


@dataclass(frozen=True, slots=True)
class Undefined:
    """A number that does not exist, and why."""

    reason: Reason
