"""What refusals of probabilities say: what is wrong, and what leads to the right number."""

from kullback.numerics.numerals import numeral

RENORMALIZE = (
    'if columns are outcomes of which one occurs, on_unnormalized: "renormalize" divides by the sum'
)
NEAR = 0.01  # what is further off than this is no rounding
ONE_COLUMN = "one column is no distribution over outcomes: send a column per outcome"
ONE_LOGIT = (
    "the softmax of one logit is always 1: send a logit per class "
    "(sigmoid-cross-entropy takes one logit per row)"
)


def off_sum(total: float, tolerance: float, remedy: str) -> str:
    """What is wrong with a row of this sum, and what to do."""
    shown_sum = numeral(total, 1.0, 1.0 - tolerance, 1.0 + tolerance)
    return f"the row sums to {shown_sum}, not 1 within sum_tolerance {tolerance:.3g}; {remedy}"


def outside(value: float, tolerance: float) -> str:
    """That it is no probability; and the tolerance, where it may be one but for rounding."""
    near = tolerance > 0 and -NEAR <= value <= 1.0 + NEAR
    shown_value = numeral(value, 0.0, 1.0, 0.0 - tolerance, 1.0 + tolerance)
    margin = f" within sum_tolerance {tolerance:.3g}" if near else ""
    return f"{shown_value} is not in [0, 1]{margin}"
