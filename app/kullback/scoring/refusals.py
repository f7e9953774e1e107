"""Refusals: which cells are wrong, what is wrong with them, and what leads to the right number."""

from collections.abc import Callable

import numpy as np

from kullback.errors import FieldError, InvalidRows, pointer
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Flags

ERRORS_NAMED = 20

RENORMALIZE = (
    'if columns are outcomes of which one occurs, on_unnormalized: "renormalize" divides by the sum'
)
NEAR = 0.01  # what is further off than this is no rounding
ONE_COLUMN = "one column is no distribution over outcomes: send a column per outcome"
ONE_LOGIT = (
    "the softmax of one logit is always 1: send a logit per class "
    "(sigmoid-cross-entropy takes one logit per row)"
)


def off_sum(total: float, tolerance: float, option: str = "sum_tolerance ") -> str:
    """What is wrong with a row of this sum; `option` names the tolerance, if one may set it."""
    shown_sum = numeral(total, 1.0, 1.0 - tolerance, 1.0 + tolerance)
    return f"the row sums to {shown_sum}, not 1 within {option}{tolerance:.3g}"


def outside(value: float, tolerance: float, option: str = "sum_tolerance ") -> str:
    """That it is no probability; and the tolerance, where it may be one but for rounding."""
    near = tolerance > 0 and -NEAR <= value <= 1.0 + NEAR
    shown_value = numeral(value, 0.0, 1.0, 0.0 - tolerance, 1.0 + tolerance)
    margin = f" within {option}{tolerance:.3g}" if near else ""
    return f"{shown_value} is not in [0, 1]{margin}"


def refuse(
    name: str | tuple[str, ...],
    bad: Flags,
    describe: Callable[[tuple[int, ...]], str],
    *,
    single: bool = False,
) -> None:
    """Refuse the argument if any cell is bad, naming the first cells and counting all.

    A name of several steps is that of a part of an argument.

    The one row of a `single` distribution is not part of the place: it was sent as [k].

    Raises:
        InvalidRows: where `bad` holds anywhere.
    """
    if not bad.any():
        return
    start, steps = 1 if single else 0, (name,) if isinstance(name, str) else name

    def offence(index: int) -> FieldError:
        place = _unravel(index, bad.shape)
        return FieldError(pointer(*steps, *place[start:]), describe(place))

    total = int(np.count_nonzero(bad))
    cells = np.flatnonzero(bad)
    offences = [offence(int(at)) for at in cells[:ERRORS_NAMED]]
    width = bad.size // max(len(bad), 1) if bad.ndim else 1
    rows, at = np.unique(cells // max(width, 1), return_index=True)
    first = offences if width < 2 else [offence(int(cell)) for cell in cells[at[:ERRORS_NAMED]]]
    message = f"{steps[0]}: {offences[0].detail}"
    refusal = InvalidRows(message, offences, total, rows.tolist(), first)
    refusal.depth = len(steps)
    raise refusal


def _unravel(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(step) for step in np.unravel_index(index, shape))
