"""Intervals that hold what is estimated in 95 % of all cases."""

import math

from kullback.figures.in_view import Numbers

STANDARD_ERRORS = 1.96  # that 95 % of a normal distribution lie within


def wilson(share: float, rows: float) -> tuple[float, float]:
    """Where a probability may lie of which this share of independent rows was observed.

    Source: Wilson, Journal of the American Statistical Association 22 (1927).
    """
    share, square = min(max(share, 0.0), 1.0), STANDARD_ERRORS**2
    middle = share * rows + square / 2
    half = STANDARD_ERRORS * math.sqrt(rows * share * (1 - share) + square / 4)
    return max(0.0, (middle - half) / (rows + square)), min(1.0, (middle + half) / (rows + square))


def band(values: Numbers, errors: Numbers) -> tuple[Numbers, Numbers]:
    """Values less and plus 1.96 standard errors, from 0 up; None where one is not known."""
    pairs = [
        (value, STANDARD_ERRORS * error) if value is not None and error is not None else None
        for value, error in zip(values, errors, strict=True)
    ]
    low = [None if pair is None else max(0.0, pair[0] - pair[1]) for pair in pairs]
    return low, [None if pair is None else pair[0] + pair[1] for pair in pairs]
