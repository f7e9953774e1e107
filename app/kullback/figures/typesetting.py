"""Numbers and words as pages show them."""

import math
import re
from datetime import datetime

from kullback.numerics.digits import UNKNOWN, decimals, number, power_of_ten
from kullback.tally.report_types import MetricValue

_MINUS = re.compile(r"(?<![\w-])-(?=[\d.])")
_POWER = re.compile(r"(?<=\d)e([+-]\d+)")
_NOTHING = 1e-9  # of a number: an error below it is one of rounding
_INFINITIES = {"positive_infinity": "∞", "negative_infinity": "−∞"}
MOMENT = re.compile(r"(?<!= )\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def typeset(words: str) -> str:
    """Words whose numbers have true minus signs, and are not broken in two; nor are e-values."""
    with_minus = _MINUS.sub("−", words)
    return with_minus.replace(" × 10", "\u00a0×\u00a010").replace("e-value", "e\u2011value")


def in_powers(words: str) -> str:
    """Words typeset, with "4.2e+67" as 4.2 × 10⁶⁷."""
    return typeset(_POWER.sub(lambda match: power_of_ten(int(match[1])), words))


def dated(words: str, year: int) -> str:
    """Words whose moments are as people write them: "30 Nov 08:00 UTC", the year if another.

    What is the value of something, behind "= ", stays as it is.
    """

    def written(match: re.Match[str]) -> str:
        try:
            moment = datetime.fromisoformat(match[0])
        except ValueError:  # no day of a calendar: a name that somebody chose
            return match[0]
        past = "" if moment.year == year else f" {moment.year}"
        return f"{moment.day} {moment:%b}{past} {moment:%H:%M} UTC"

    return MOMENT.sub(written, words)


def measured(metric: MetricValue) -> str:
    """A metric and its standard error, to two digits of that: "0.4087 ± 0.0014".

    Without an error, or where that is 0 or as good as 0, to four digits.
    """
    if metric.value is None:
        return _INFINITIES.get(metric.reason or "", UNKNOWN)
    error = metric.standard_error or 0.0
    places = decimals(error) if error > _NOTHING * abs(metric.value) else None
    value = in_powers(number(metric.value, places))
    return value if places is None else f"{value} ± {in_powers(number(error, places))}"


def shown(value: object) -> str:
    """A number to six digits, as tables show it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.6g}".replace("-", "−")


def lasting(seconds: float) -> str:
    """Seconds as people say them: in days, hours or minutes, where it is more than two of them."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{shown(round(seconds, 1))} s"
