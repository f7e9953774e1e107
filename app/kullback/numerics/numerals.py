"""Numbers as a refusal shows them: with as many digits as it takes to see what is wrong."""


def numeral(value: float, *limits: float) -> str:
    """The shortest decimal that lies where the number lies, six digits at least.

    It is a whole number only if the number is one, and it is below, at or above each of the
    limits as the number is: 1.00000005 is never shown as 1.
    """
    value = float(value)
    for digits in range(6, 17):
        text = f"{value:.{digits}g}"
        seen = float(text)
        is_true = seen == value or not seen.is_integer()
        if is_true and all(_order(seen, each) == _order(value, each) for each in limits):
            return text
    return f"{value:.17g}"


def _order(value: float, limit: float) -> tuple[bool, bool]:
    return value < limit, value > limit
