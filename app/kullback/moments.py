"""Moments: epoch seconds as people and programs write them."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]  # now, in epoch seconds


def moment(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00") + "Z"
