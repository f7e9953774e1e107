"""Digits of numbers that people read: as many as are known, and never more than are read."""

import math

UNKNOWN = "—"
_SIGNIFICANT = 4
_MOST_DECIMALS = 8
_LARGE = 1e12
_LEAST_P = 0.001
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimals(standard_error: float | None) -> int | None:
    """How many places behind the point show two digits of the standard error."""
    if not standard_error or not math.isfinite(standard_error):
        return None
    return max(0, 1 - math.floor(math.log10(abs(standard_error))))


def number(value: float | None, places: int | None = None, *, signed: bool = False) -> str:
    """A number with so many places behind the point, or else with four digits."""
    if value is None:
        return UNKNOWN
    sign = "+" if signed and value else ""
    if abs(value) >= _LARGE:
        return f"{value:{sign}.{_SIGNIFICANT - 1}e}"
    if places is None:
        places = _places(value)
    if places > _MOST_DECIMALS:
        if not value:
            return "0"
        digits = max(0, places + math.floor(math.log10(abs(value))))
        # An error that leaves more digits than these is one of rounding.
        if digits > _MOST_DECIMALS:
            return number(value, signed=signed)
        return f"{value:{sign}.{digits}e}"
    return f"{value if round(value, places) else 0.0:{sign},.{places}f}"


def power_of_ten(exponent: int) -> str:
    """What stands behind a number that is to be multiplied by it: " × 10⁻⁵"."""
    return f" × 10{str(exponent).translate(_SUPERSCRIPT)}"


def magnitude(value: float | None, log_value: float | None) -> str:
    """A number of at least 0, however large, in two or three digits: by its logarithm, nats.

    Where that is null the number is 0 or infinite, but is told as the nearest double.
    """
    if value is None:
        return UNKNOWN
    if log_value is None:
        return "0" if value < 1 else "> 10³⁰⁸"
    if 1e-3 <= value < 1e4:
        return f"{value:,.0f}" if value >= 1e3 else f"{value:.3g}"
    power, rest = divmod(log_value / math.log(10), 1)
    factor = round(10**rest, 1)
    if factor >= 10:
        factor, power = 1.0, power + 1
    return f"{factor:.1f}{power_of_ten(int(power))}"


def chance(p: float | None) -> str:
    """A probability, however small, in two or three digits."""
    return "< 10⁻³⁰⁸" if p == 0 else magnitude(p, p and math.log(p))


def p_value(p: float | None) -> str:
    """What stands behind "p": "< 0.001" of whatever is smaller, else "= 0.034", to two digits."""
    if p is None:
        return UNKNOWN
    return f"< {_LEAST_P}" if p < _LEAST_P else f"= {p:.2g}"


def _places(value: float) -> int:
    if not value or not math.isfinite(value):
        return 0
    return max(0, _SIGNIFICANT - 1 - math.floor(math.log10(abs(value))))


def counted(count: int, noun: str) -> str:
    """How many of something: "1 row", "1,024 rows"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
