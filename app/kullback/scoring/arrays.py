"""Checked arrays: untrusted numbers become arrays that formulas may trust."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, DType, Indices
from kullback.scoring.options import Options
from kullback.scoring.refusals import ONE_COLUMN, ONE_LOGIT, RENORMALIZE, off_sum, outside, refuse

HEAVIEST_WEIGHT = 1e100
FLOAT64: DType = np.dtype(np.float64)
CELLS_PER_BLOCK = 1 << 15  # 256 KiB of float64: a block and its temporaries stay in cache


@dataclass(frozen=True, slots=True)
class CheckedProbabilities:
    """Probabilities in [0, 1] as float64, the type they were sent in, and how many lay outside.

    Where logarithms were sent, `logs` are those.
    """

    values: Array
    dtype: DType = FLOAT64
    clipped: int = 0
    logs: Array | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class CheckedDistributions(CheckedProbabilities):
    """Rows that are probability distributions, (n, k), and what was done to make them so."""

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


def matrix(name: str, values: Array | Indices) -> tuple[Array, bool]:
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
    return np.ascontiguousarray(values, np.float64), single


def distributions(
    name: str, values: Array | Indices, options: Options, remedy: str = RENORMALIZE
) -> CheckedDistributions:
    """Rows whose entries are at least 0 and sum to 1, within the tolerance.

    With `on_unnormalized="renormalize"` each row is divided by its sum instead.

    Args:
        name: what the caller calls the argument.
        values: shape (k,) or (n, k), of any floating type.
        options: `sum_tolerance` and `on_unnormalized` are read.
        remedy: what a refusal of a sum advises beside a larger `sum_tolerance`.

    Returns:
        The rows, (n, k), with the largest |Σ − 1|. Entries outside [0, 1] by no more than the
        tolerance are set to the bound and counted.

    Raises:
        InvalidInput: an entry is negative or not finite, or a row does not sum to 1.
    """
    tolerance, dtype = options.tolerance(values.dtype), values.dtype
    rows, single = matrix(name, values)
    clipped = 0
    least = rows.min()
    if not least >= 0:
        refuse(
            name,
            ~(rows >= -tolerance),
            lambda at: f"{numeral(rows[at], 0.0, -tolerance)} is not a probability",
            single=single,
        )
        clipped = int(np.count_nonzero(rows < 0))
        rows = np.maximum(rows, 0.0)
    with np.errstate(over="ignore"):
        sums = row_sums(rows)
    smallest = sums.min()
    if smallest == 0:
        refuse(name, sums == 0, lambda _: "the row is all zeros", single=single)
    worst = float(max(sums.max() - 1.0, 1.0 - smallest))
    if options.on_unnormalized == "renormalize":
        checked = CheckedDistributions(rows, dtype, clipped, single, 0, worst)
        return _renormalized(name, checked, sums)
    if not worst <= tolerance:
        remedy = remedy if rows.shape[1] > 1 else ONE_COLUMN
        refuse(
            name,
            ~(np.abs(sums - 1.0) <= tolerance),
            lambda at: f"{off_sum(float(sums[at]), tolerance)}; {remedy}",
            single=single,
        )
    if sums.max() > 1.0 and rows.max() > 1.0:
        clipped += int(np.count_nonzero(rows > 1))
        rows = np.minimum(rows, 1.0)
    return CheckedDistributions(rows, dtype, clipped, single, 0, worst)


def _renormalized(name: str, checked: CheckedDistributions, sums: Array) -> CheckedDistributions:
    values = checked.values
    refuse(
        name,
        ~((sums > 0) & np.isfinite(sums)),
        lambda at: f"the row sums to {numeral(sums[at])} and cannot be renormalized",
        single=checked.single,
    )
    rounding = values.shape[1] * np.finfo(np.float64).eps
    off = np.abs(sums - 1.0) > rounding
    if off.any():
        values = values.copy()
        values[off] /= row_sums(values[off])[:, None]
    return replace(checked, values=values, renormalized=int(np.count_nonzero(off)))


def probabilities(name: str, values: Array | Indices, options: Options) -> CheckedProbabilities:
    """Numbers in [0, 1], of any shape; those outside by no more than the tolerance become 0 or 1.

    Raises:
        InvalidInput: the array is empty, or an entry lies outside [0, 1] or is not a number.
    """
    if values.size == 0:
        raise InvalidInput.at(f"{name} is empty", name)
    tolerance, dtype = options.tolerance(values.dtype), values.dtype
    values = np.asarray(values, np.float64)
    if values.min() >= 0 and values.max() <= 1:
        return CheckedProbabilities(values, dtype)
    low, high = 0.0 - tolerance, 1.0 + tolerance
    refuse(
        name,
        ~((values >= low) & (values <= high)),
        lambda at: outside(float(values[at]), tolerance),
    )
    clipped = int(np.count_nonzero((values < 0) | (values > 1)))
    return CheckedProbabilities(np.clip(values, 0.0, 1.0), dtype, clipped)


def unit_interval(name: str, values: Array) -> Array:
    """Numbers in [0, 1], to the last digit, of any shape.

    Raises:
        InvalidInput: the array is empty, or an entry lies outside [0, 1] or is not a number.
    """
    return probabilities(name, values, Options(sum_tolerance=0.0)).values


def logits(name: str, values: Array, *, single: bool = False) -> Array:
    """Scores of any shape: finite, or −∞ where an outcome is ruled out.

    Raises:
        InvalidInput: the array is empty, or an entry is NaN or +∞.
    """
    if values.size == 0:
        raise InvalidInput.at(f"{name} is empty", name)
    values = np.asarray(values, np.float64)
    if not values.max() < np.inf:
        refuse(
            name,
            ~(values < np.inf),
            lambda at: f"{numeral(values[at])} is not a logit",
            single=single,
        )
    return values


def logit_rows(name: str, values: Array) -> tuple[Array, bool]:
    """Rows of logits of a softmax (n, k), and whether it was one row [k].

    Raises:
        InvalidInput: an entry is no logit, or a row has no finite entry.
    """
    refuse_one_logit(name, values)
    rows, single = matrix(name, values)
    rows = logits(name, rows, single=single)
    refuse_ruled_out(name, rows, single=single)
    return rows, single


def refuse_one_logit(name: str, values: Array) -> None:
    """Refuse a softmax of one logit, along the last axis.

    Raises:
        InvalidInput: it is one.
    """
    if values.shape[-1:] == (1,):
        raise InvalidInput.at(f"{name} has shape {shown(values)}: {ONE_LOGIT}", name)


def refuse_ruled_out(name: str, values: Array, *, single: bool = False) -> None:
    """Refuse rows, along the last axis, of nothing but −∞.

    Raises:
        InvalidInput: there is one.
    """
    if not values.min() > -np.inf:
        ruled_out = values.max(axis=-1) == -np.inf
        refuse(name, ruled_out, lambda _: "the row rules out every outcome", single=single)


def weights(name: str, values: Array | None, n: int | tuple[int, ...]) -> Array | None:
    """Weights of n rows, or of the entries of an array: finite, at least 0, of a sensible size.

    Raises:
        InvalidInput: there are not n of them, one is negative or not finite, or all are so
            large or so small that sums of them leave doubles.
    """
    if values is None:
        return None
    shape = (n,) if isinstance(n, int) else n
    if values.shape != shape:
        sizes = "".join(f"[{size}]" for size in shape)
        raise InvalidInput.at(f"{name} has shape {shown(values)}; {sizes} is expected", name)
    if not (values.min() >= 0 and values.max() < np.inf):
        refuse(
            name,
            ~((values >= 0) & (values < np.inf)),
            lambda at: f"{numeral(values[at], 0.0)} is no weight",
        )
    largest = float(values.max())
    if largest > HEAVIEST_WEIGHT or 0 < largest < 1 / HEAVIEST_WEIGHT:
        raise InvalidInput.at(
            f"the largest of {name} is {numeral(largest)}: scale them nearer to 1",
            name,
        )
    return values


def shown(values: Array | Indices) -> str:
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
