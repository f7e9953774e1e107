"""Ticks of a time axis: round hours and days, as people count them."""

from datetime import UTC, datetime

from kullback.moments import DAY, HOUR

_MINUTE = 60.0
_STEPS = (
    *(minutes * _MINUTE for minutes in (1, 5, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * float(DAY) for days in (1, 2, 7, 14, 28, 91, 182, 364)),
)


def time_ticks(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """Round times from `low` to `high`, epoch seconds: "06:00", and "1 Dec" where a day begins."""
    step = next((step for step in _STEPS if high - low <= most * step), _STEPS[-1])
    first, last = -int(-low // step), int(high // step)
    return [(at * step, _label(at * step)) for at in range(first, last + 1)]


def day(at: float) -> str:
    """The day of a time, such as "30 Nov 2026"."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.day} {moment:%b %Y}"


def _label(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%H:%M}" if at % DAY else f"{moment.day} {moment:%b}"
