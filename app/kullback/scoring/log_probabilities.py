"""Log-probabilities that were sent as such: checked, never silently normalized."""

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_sum_exp
from kullback.numerics.types import Array
from kullback.scoring.arrays import (
    CheckedDistributions,
    matrix,
    refuse,
    refuse_ruled_out,
    row_sums,
)
from kullback.scoring.options import Options

_FARTHEST = np.log(np.finfo(np.float64).max)


def log_distributions(
    name: str, values: Array, options: Options, remedy: str
) -> tuple[CheckedDistributions, Array]:
    """Rows of ln p whose probabilities sum to 1 within the tolerance, −∞ where p is 0.

    With `on_unnormalized="renormalize"` the logarithm of its sum is subtracted from each row
    instead.

    Args:
        name: what the caller calls the argument.
        values: ln p, shape (k,) or (n, k), natural logarithms.
        options: `sum_tolerance` and `on_unnormalized` are read.
        remedy: where scores go that are no log-probabilities.

    Returns:
        The rows e^{ln p}, and their logarithms, both (n, k).

    Raises:
        InvalidInput: an entry is no logarithm of a probability, or a row does not sum to 1.
    """
    tolerance = options.tolerance(values.dtype)
    logs, single = matrix(name, values)
    divides = options.on_unnormalized == "renormalize"
    highest = _FARTHEST if divides else tolerance
    _refuse_positive(name, logs, highest, remedy, single=single)
    refuse_ruled_out(name, logs, single=single)
    clipped = 0 if divides else int(np.count_nonzero(logs > 0))
    logs = logs if divides else np.minimum(logs, 0.0)
    p = np.exp(logs)
    sums = row_sums(p)
    errors = np.abs(sums - 1.0)
    worst = float(errors.max())
    if not divides:
        refuse(
            name,
            ~(errors <= tolerance),
            lambda at: (
                f"the probabilities of the row sum to {sums[at]:.12g}, not 1 within sum_tolerance "
                f'{tolerance:.3g}; {remedy}; on_unnormalized: "renormalize" divides by the sum'
            ),
            single=single,
        )
        return _checked(p, clipped, 0, worst, single=single), logs
    refuse(
        name,
        ~np.isfinite(sums),
        lambda _: "the row sums to more than a double and cannot be renormalized",
        single=single,
    )
    off = errors > logs.shape[1] * np.finfo(np.float64).eps
    if off.any():
        logs = logs.copy()
        logs[off] -= log_sum_exp(logs[off])[:, None]
        p = np.exp(logs)
    return _checked(p, 0, int(np.count_nonzero(off)), worst, single=single), logs


def _checked(
    p: Array, clipped: int, renormalized: int, worst: float, *, single: bool
) -> CheckedDistributions:
    return CheckedDistributions(
        p, clipped=clipped, single=single, renormalized=renormalized, max_sum_error=worst
    )


def log_probabilities(name: str, values: Array, options: Options, remedy: str) -> Array:
    """Logarithms of single probabilities, of any shape: at most 0, or −∞.

    Those above 0 by no more than the tolerance become 0.

    Raises:
        InvalidInput: the array is empty, or an entry is no logarithm of a probability.
    """
    if values.size == 0:
        raise InvalidInput.at(f"{name} is empty", name)
    tolerance = options.tolerance(values.dtype)
    logs = np.asarray(values, np.float64)
    _refuse_positive(name, logs, tolerance, remedy)
    return np.minimum(logs, 0.0)


def _refuse_positive(
    name: str, logs: Array, highest: float, remedy: str, *, single: bool = False
) -> None:
    if not logs.max() <= highest:
        refuse(
            name,
            ~(logs <= highest),
            lambda at: f"{logs[at]:.12g} is not the logarithm of a probability; {remedy}",
            single=single,
        )
