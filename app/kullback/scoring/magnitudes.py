"""Checks that numbers are small enough to be squared and summed."""

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array
from kullback.scoring.refusals import refuse

LARGEST = 1e60  # a product of four of them, summed, is still a double


def moderate(name: str, values: Array) -> Array:
    """Numbers of any shape, finite and at most 1e60 in magnitude.

    Raises:
        InvalidInput: one is not a number, or is larger.
    """
    if not (values.min() >= -LARGEST and values.max() <= LARGEST):
        bad = ~(np.abs(values) <= LARGEST)
        refuse(
            name,
            bad,
            lambda at: f"{numeral(values[at], -LARGEST, LARGEST)} is not a number of at most 1e60",
        )
    return values


def positive(name: str, value: float) -> float:
    """A number from 1e-60 to 1e60.

    Raises:
        InvalidInput: it is not.
    """
    if not 1 / LARGEST <= value <= LARGEST:
        raise InvalidInput.at(
            f"{name} is {numeral(value, 1 / LARGEST, LARGEST)}; 1e-60 to 1e60 is expected", name
        )
    return value
