"""Numbers and words as pages show them."""

import math
import re

_MINUS = re.compile(r"(?<![\w-])-(?=[\d.])")


def typeset(words: str) -> str:
    """Words whose numbers have true minus signs, and are not broken in two; nor are e-values."""
    with_minus = _MINUS.sub("−", words)
    return with_minus.replace(" × 10", "\u00a0×\u00a010").replace("e-value", "e\u2011value")


def shown(value: object) -> str:
    """A number to six digits, as tables show it."""
    if value is None:
        return "—"
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
