"""Numbers as a refusal shows them: with as many digits as it takes to see what is wrong."""

import math


def numeral(value: float, *limits: float) -> str:
    """The shortest decimal that lies where the number lies, six digits at least.

    It is a whole number only if the number is one, and off by at most a hundredth of the number's
    distance from each of the limits: 1.00000005 is never shown as 1.
    """
    value = float(value)
    margin = min((abs(value - limit) for limit in limits), default=math.inf)
    for digits in range(6, 17):
        text = f"{value:.{digits}g}"
        seen = float(text)
        if seen == value:
            return text
        near = math.isfinite(seen) and abs(seen - value) <= margin / 100
        if near and not seen.is_integer() and seen not in limits:
            return text
    return f"{value:.17g}"
