"""This file is about moments: epoch seconds as people and programs write them."""

from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00") + "Z"
