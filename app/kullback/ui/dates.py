"""Moments as pages show them: in words beside now, or as they are, in UTC."""

from datetime import UTC, datetime

from markupsafe import Markup

from kullback.moments import DAY, HOUR, moment

MINUTE = 60
_UNITS = (("year", 365 * DAY), ("month", 30 * DAY), ("day", DAY), ("hour", HOUR))
_LEAST = 1.5  # of a unit: what is shorter is said in the unit below
_ELEMENT = Markup('<time datetime="{}" title="{}">{}</time>')
_ABSOLUTE = Markup('<time datetime="{}">{}</time>')


def absolute(seconds: float) -> str:
    """Epoch seconds as people read them, in UTC: "2026-11-30 13:50 UTC"."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def relative(seconds: float, now: float) -> str:
    """How long ago a moment was, or how far ahead it is: "12 minutes ago"; as times.js says it."""
    span = abs(now - seconds)
    unit, size = next((each for each in _UNITS if span >= _LEAST * each[1]), ("minute", MINUTE))
    count = int(span / size + 0.5)
    if not count:
        return "just now"
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if seconds <= now else f"in {words}"


def date(seconds: float) -> Markup:
    """A moment as an element with its date."""
    return _ABSOLUTE.format(moment(int(seconds)), absolute(seconds))


def ago(seconds: float, now: float) -> Markup:
    """A moment as an element in words beside now, with its date on hover."""
    return _ELEMENT.format(moment(int(seconds)), absolute(seconds), relative(seconds, now))
