"""Checked arrays: untrusted numbers become arrays that formulas may trust."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kullback.errors import FieldError, InvalidInput, pointer
from kullback.numerics.types import Array, Flags
from kullback.scoring.options import Options

ERRORS_NAMED = 20
HEAVIEST_WEIGHT = 1e100
CELLS_PER_BLOCK = 1 << 15  # 256 KiB of float64: a block and its temporaries stay in cache


@dataclass(frozen=True, slots=True)
class CheckedDistributions:
    """Rows that are probability distributions, (n, k), and what was done to make them so."""

    values: Array
    single: bool = False
    renormalized: int = 0
    max_sum_error: float = 0.0


def row_blocks(n: int, k: int) -> Iterator[slice]:
    """Slices that cut n rows of k cells into blocks that fit a cache."""
    rows = max(1, CELLS_PER_BLOCK // max(k, 1))
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))


def row_sums(values: Array) -> Array:
    """Σₖ of each row (n, k): unrolled where rows are short, pairwise where they are long."""
    if values.shape[1] <= 16:
        sums: Array = np.einsum("ij->i", values)
    else:
        sums = values.sum(axis=1)
    return sums


def refuse(
    name: str, bad: Flags, describe: Callable[[tuple[int, ...]], str], *, single: bool = False
) -> None:
    """Refuse the argument if any cell is bad, naming the first cells and counting all.

    The one row of a `single` distribution is not part of the place: it was sent as [k].

    Raises:
        InvalidInput: where `bad` holds anywhere.
    """
    if not bad.any():
        return
    total = int(np.count_nonzero(bad))
    places = [_unravel(int(i), bad.shape) for i in np.flatnonzero(bad)[:ERRORS_NAMED]]
    start = 1 if single else 0
    offences = [FieldError(pointer(name, *place[start:]), describe(place)) for place in places]
    raise InvalidInput(f"{name}: {offences[0].detail}", offences, total)


def _unravel(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(step) for step in np.unravel_index(index, shape))


def matrix(name: str, values: Array) -> tuple[Array, bool]:
    """One row [k] or a batch [n][k], as (n, k), and whether it was one row.

    Raises:
        InvalidInput: no rows, no columns, or more than two axes.
    """
    if values.ndim == 1:
        values, single = values.reshape(1, -1), True
    else:
        single = False
    if values.ndim != 2:
        raise InvalidInput.at(f"{name} has {values.ndim} axes; [k] or [n][k] is expected", name)
    if values.size == 0:
        raise InvalidInput.at(f"{name} is empty", name)
    return np.ascontiguousarray(values), single


def distributions(name: str, values: Array, options: Options) -> CheckedDistributions:
    """Rows whose entries are at least 0 and sum to 1 within `sum_tolerance`.

    With `on_unnormalized="renormalize"` each row is divided by its sum instead.

    Args:
        name: what the caller calls the argument.
        values: shape (k,) or (n, k).
        options: `sum_tolerance` and `on_unnormalized` are read.

    Returns:
        The rows, (n, k), with the largest |Σ − 1| that was sent.

    Raises:
        InvalidInput: an entry is negative or not finite, or a row does not sum to 1.
    """
    values, single = matrix(name, values)
    least = values.min()
    if not least >= 0:
        refuse(
            name, ~(values >= 0), lambda at: f"{values[at]:g} is not a probability", single=single
        )
    with np.errstate(over="ignore"):
        sums = row_sums(values)
    smallest = sums.min()
    if smallest == 0:
        refuse(name, sums == 0, lambda _: "the row is all zeros", single=single)
    worst = float(max(sums.max() - 1.0, 1.0 - smallest))
    if options.on_unnormalized == "renormalize":
        return _renormalized(name, values, sums, single=single, worst=worst)
    if not worst <= options.sum_tolerance:
        refuse(
            name,
            ~(np.abs(sums - 1.0) <= options.sum_tolerance),
            lambda at: (
                f"the row sums to {sums[at]:.12g}, not 1 within {options.sum_tolerance:g}; "
                'send on_unnormalized: "renormalize" to divide by the sum'
            ),
            single=single,
        )
    return CheckedDistributions(values, single, 0, worst)


def _renormalized(
    name: str, values: Array, sums: Array, *, single: bool, worst: float
) -> CheckedDistributions:
    refuse(
        name,
        ~((sums > 0) & np.isfinite(sums)),
        lambda at: f"the row sums to {sums[at]:g} and cannot be renormalized",
        single=single,
    )
    rounding = values.shape[1] * np.finfo(np.float64).eps
    off = np.abs(sums - 1.0) > rounding
    if off.any():
        values = values.copy()
        values[off] /= row_sums(values[off])[:, None]
    return CheckedDistributions(values, single, int(np.count_nonzero(off)), worst)


def probabilities(name: str, values: Array) -> Array:
    """Numbers in [0, 1], of any shape.

    Raises:
        InvalidInput: the array is empty, or an entry lies outside [0, 1] or is not a number.
    """
    if values.size == 0:
        raise InvalidInput.at(f"{name} is empty", name)
    if not (values.min() >= 0 and values.max() <= 1):
        refuse(
            name, ~((values >= 0) & (values <= 1)), lambda at: f"{values[at]:g} is not in [0, 1]"
        )
    return values


def logits(name: str, values: Array, *, single: bool = False) -> Array:
    """Scores of any shape: finite, or −∞ where an outcome is ruled out.

    Raises:
        InvalidInput: the array is empty, or an entry is NaN or +∞.
    """
    if values.size == 0:
        raise InvalidInput.at(f"{name} is empty", name)
    if not values.max() < np.inf:
        refuse(name, ~(values < np.inf), lambda at: f"{values[at]:g} is not a logit", single=single)
    return values


def logit_rows(name: str, values: Array) -> tuple[Array, bool]:
    """Rows of logits of a softmax (n, k), and whether it was one row [k].

    Raises:
        InvalidInput: an entry is no logit, or a row has no finite entry.
    """
    values, single = matrix(name, values)
    logits(name, values, single=single)
    refuse_ruled_out(name, values, single=single)
    return values, single


def refuse_ruled_out(name: str, values: Array, *, single: bool = False) -> None:
    """Refuse rows, along the last axis, of nothing but −∞.

    Raises:
        InvalidInput: there is one.
    """
    if not values.min() > -np.inf:
        ruled_out = values.max(axis=-1) == -np.inf
        refuse(name, ruled_out, lambda _: "the row rules out every outcome", single=single)


def weights(name: str, values: Array | None, n: int) -> Array | None:
    """Weights of n rows: finite, at least 0, and the largest not of a size whose square is lost.

    Raises:
        InvalidInput: there are not n of them, one is negative or not finite, or all are so
            large or so small that sums of them leave doubles.
    """
    if values is None:
        return None
    if values.shape != (n,):
        raise InvalidInput.at(f"{name} has shape {shown(values)}; [{n}] is expected", name)
    if not (values.min() >= 0 and values.max() < np.inf):
        refuse(
            name, ~((values >= 0) & (values < np.inf)), lambda at: f"{values[at]:g} is no weight"
        )
    largest = float(values.max())
    if largest > HEAVIEST_WEIGHT or 0 < largest < 1 / HEAVIEST_WEIGHT:
        raise InvalidInput.at(f"the largest of {name} is {largest:g}: scale them nearer to 1", name)
    return values


def shown(values: Array) -> str:
    """The shape as users write it: [2][3]."""
    return "".join(f"[{size}]" for size in values.shape) or "a single number"


def same_shape(name: str, values: Array, other: str, expected: Array) -> None:
    """Refuse two arguments whose shapes differ.

    Raises:
        InvalidInput: the shapes differ.
    """
    if values.shape != expected.shape:
        raise InvalidInput.at(
            f"{name} has shape {shown(values)} but {other} has {shown(expected)}", name
        )
