"""Log-probabilities that were sent as such: checked, never silently normalized."""

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_sum_exp
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array
from kullback.scoring.arrays import (
    CheckedDistributions,
    CheckedProbabilities,
    distributions,
    matrix,
    probabilities,
    refuse_ruled_out,
    row_sums,
)
from kullback.scoring.options import Options
from kullback.scoring.refusals import off_sum, refuse

_NO_LOGITS = "scores of a model go to softmax-cross-entropy or sigmoid-cross-entropy, as logits"
_NO_ROUNDING = -0.05
_FARTHEST = np.log(np.finfo(np.float64).max)


def log_distributions(
    name: str, values: Array, options: Options, remedy: str
) -> CheckedDistributions:
    """Rows of ln p whose probabilities sum to 1 within the tolerance, −∞ where p is 0.

    With `on_unnormalized="renormalize"` the logarithm of its sum is subtracted from each row
    instead.

    Args:
        name: what the caller calls the argument.
        values: ln p, shape (k,) or (n, k), natural logarithms.
        options: `sum_tolerance` and `on_unnormalized` are read.
        remedy: where scores go that are no log-probabilities.

    Returns:
        The rows e^{ln p} with their logarithms, both (n, k).

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
                f"of the probabilities {off_sum(float(sums[at]), tolerance)}; {remedy}; "
                'on_unnormalized: "renormalize" divides by the sum'
            ),
            single=single,
        )
        return CheckedDistributions(p, values.dtype, clipped, single, 0, worst, logs=logs)
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
    divided = int(np.count_nonzero(off))
    return CheckedDistributions(p, values.dtype, 0, single, divided, worst, logs=logs)


def log_probabilities(
    name: str, values: Array, options: Options, remedy: str
) -> CheckedProbabilities:
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
    outside = int(np.count_nonzero(logs > 0))
    logs = np.minimum(logs, 0.0)
    return CheckedProbabilities(np.exp(logs), values.dtype, outside, logs=logs)


def refuse_logarithms(name: str, values: Array, log_name: str) -> None:
    """Refuse probabilities of which none is above 0 and most are below by far, as logarithms are.

    Raises:
        InvalidInput: they are so.
    """
    if values.size and values.max() <= 0 and values.min() < _NO_ROUNDING and np.median(values) < 0:
        detail = f"no probability is above 0: logarithms of probabilities are {log_name}"
        raise InvalidInput.at(detail, name)


def sent_probabilities(values: Array, options: Options, *, is_log: bool) -> CheckedProbabilities:
    """`y_proba`, or `log_proba` if it `is_log`, of single probabilities.

    Raises:
        InvalidInput: an entry is no probability, or no logarithm of one.
    """
    if not is_log:
        refuse_logarithms("y_proba", values, "log_proba")
        return probabilities("y_proba", values, options)
    return log_probabilities("log_proba", values, options, _NO_LOGITS)


def sent_distributions(
    values: Array, options: Options, remedy: str, *, is_log: bool
) -> CheckedDistributions:
    """`y_proba`, or `log_proba` if it `is_log`, of rows that sum to 1.

    Raises:
        InvalidInput: a row is no distribution.
    """
    if not is_log:
        refuse_logarithms("y_proba", values, "log_proba")
        return distributions("y_proba", values, options, remedy)
    return log_distributions("log_proba", values, options, _NO_LOGITS)


def _refuse_positive(
    name: str, logs: Array, highest: float, remedy: str, *, single: bool = False
) -> None:
    if not logs.max() <= highest:
        refuse(
            name,
            ~(logs <= highest),
            lambda at: (
                f"{numeral(logs[at], 0.0, highest)} is not the logarithm of a probability; {remedy}"
            ),
            single=single,
        )
