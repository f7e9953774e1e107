"""Cells of the tables of figures: numbers to the digits that their intervals let be known."""

import math
from collections.abc import Iterable

from kullback.figures.in_view import Row
from kullback.figures.intervals import STANDARD_ERRORS
from kullback.figures.typesetting import in_powers, shown, typeset
from kullback.numerics.digits import UNKNOWN, decimals, number

_EXACT = 1e12  # from here on whole numbers are rounded
_SHORT = 4  # digits, of which zeros at the end say nothing


def cell(value: float | None, places: int | None = None) -> str:
    """A number with so many places behind the point, or else with four digits."""
    if value is None:
        return UNKNOWN
    if not math.isfinite(value):
        return shown(value)
    if places is None and abs(value) < _EXACT and float(value).is_integer():
        return typeset(f"{int(value):,}")
    rounded = number(value, places)
    if places is None and float(rounded.replace(",", "")) == value:
        return in_powers(f"{value:.{_SHORT}g}")
    return in_powers(rounded)


def columns_of(rows: Iterable[Row]) -> tuple[list[str], list[str], list[str]]:
    """The cells of values, and of the low and the high ends of their intervals."""
    cells = [[cell(value, _places(row)) for value in row] for row in rows]
    y, low, high = ([each[at] for each in cells] for at in range(3))
    return y, low, high


def reading(label: str, row: Row) -> str:
    """What a row says, such as "Log loss 0.41 (0.39 to 0.43)"; "" where it says nothing."""
    value, low, high = (cell(number, _places(row)) for number in row)
    is_point = value == low == high
    within = "" if row[1] is None or row[2] is None or is_point else f"{low} to {high}"
    if row[0] is None:
        return f"{label} {within}" if within else ""
    return f"{label} {value} ({within})" if within else f"{label} {value}"


def _places(row: Row) -> int | None:
    """Places behind the point that show two digits of the standard error of an interval."""
    _, low, high = row
    return None if low is None or high is None else decimals((high - low) / 2 / STANDARD_ERRORS)
