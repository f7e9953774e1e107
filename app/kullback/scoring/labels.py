"""Labels: the class of each row, in whatever form it was sent."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import overload

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import (
    CheckedDistributions,
    CheckedProbabilities,
    distributions,
    probabilities,
    row_blocks,
    row_sums,
    shown,
)
from kullback.scoring.label_types import in_one_type, kind_of, occurring, refuse_odd
from kullback.scoring.options import Options
from kullback.scoring.refusals import refuse

Label = str | int
Labels = Array | Indices | list[str]
_UNNAMED = (
    "is neither 0 nor 1: of two classes labels or pos_label says which is which, of more classes "
    "y_proba has a column each"
)
STRICT = Options(sum_tolerance=0.0)
UNKNOWN = "the label is not among labels"
SEVERAL = (
    "one label per row is expected; where a row may have any number of them, "
    'log-loss, focal-loss, calibration and brier have task "multilabel", and there is '
    "sigmoid-cross-entropy"
)


def row_count(y: Labels) -> int:
    """How many rows the labels speak of."""
    return len(y) if isinstance(y, list) else y.shape[0]


@overload
def flat(y: Array) -> Array: ...
@overload
def flat(y: Labels) -> Labels: ...
def flat(y: Labels) -> Labels:
    """Rows of one entry (n, 1) as (n,); anything else as it is."""
    if isinstance(y, list) or y.ndim != 2 or y.shape[1] != 1:
        return y
    return y.reshape(-1)


def class_labels(
    name: str, y: Labels, labels: Sequence[Label] | None, k: int, options: Options
) -> Indices | CheckedDistributions:
    """The column of each row's class, or the rows where some are soft.

    Rows are soft only if an entry is neither 0 nor 1: hard labels give the same indices in every
    form, and so the same score.

    Args:
        name: what the caller calls the argument.
        y: labels (n,) or (n, 1): integers, also as floats, booleans or strings; or rows (n, k).
        labels: the label of each column, in column order; 0..k-1 where None.
        k: the number of columns.
        options: `sum_tolerance` is read; labels are never renormalized.

    Returns:
        Indices into the columns (n,); or the rows, each of which sums to 1.

    Raises:
        InvalidInput: a label is not among the columns' labels, or a row is no distribution, or
            of no class or of several at once.
    """
    y = flat(y)
    if isinstance(y, list) or y.ndim == 1:
        return class_indices(name, y, labels, k)
    if y.ndim != 2 or y.shape[1] != k:
        detail = f"{name} has shape {shown(y)}; [{y.shape[0]}] or [{y.shape[0]}][{k}] is expected"
        raise InvalidInput.at(detail, name)
    if labels is not None:
        _check_labels(labels, k)
    if _are_hard(y):
        ones = row_sums(np.asarray(y, np.float64))
        refuse(name, ones == 0, lambda _: f"a row of no label; {SEVERAL}")
        refuse(name, ones > 1, lambda at: f"a row of {numeral(ones[at])} labels; {SEVERAL}")
        index: Indices = y.argmax(axis=1)
        return index
    remedy = "soft labels are taken as they are, and never renormalized"
    rows = distributions(name, y, replace(options, on_unnormalized="error"), remedy)
    return np.argmax(rows.values, axis=1) if _are_hard(rows.values) else rows


def _are_hard(y: Array | Indices) -> bool:
    return all(bool(((y[b] == 0) | (y[b] == 1)).all()) for b in row_blocks(*y.shape))


def hard_labels(
    name: str, y: Labels, labels: Sequence[Label] | None, k: int, options: Options
) -> Indices:
    """The column of each row's class: see class_labels.

    Raises:
        InvalidInput: also where a row is soft.
    """
    target = class_labels(name, y, labels, k, options)
    if not isinstance(target, CheckedDistributions):
        return target
    rows = target.values
    detail = "is neither 0 nor 1: soft labels are not read here"
    refuse(name, (rows > 0) & (rows < 1), lambda at: f"{numeral(rows[at])} {detail}")
    index: Indices = rows.argmax(axis=1)
    return index


def class_indices(
    name: str, y: Labels, labels: Sequence[Label] | None, k: int, unknown: str = UNKNOWN
) -> Indices:
    """The column of each label.

    Args:
        name: what the caller calls the argument.
        y: labels (n,): integers or strings.
        labels: the label of each column, in column order; 0..k-1 where None.
        k: the number of columns.
        unknown: what is said of a label that is not among them.

    Returns:
        Indices into the columns, (n,).

    Raises:
        InvalidInput: a label is not among the columns' labels, or those are not k different ones.
    """
    if labels is None:
        indices = whole(name, in_one_type(y, ())[0])
        if indices.size and not (indices.min() >= 0 and indices.max() < k):
            outside = (indices < 0) | (indices >= k)
            refuse(name, outside, lambda at: f"the label {indices[at]} is not among 0..{k - 1}")
        return indices
    _check_labels(labels, k)
    y, names = in_one_type(y, labels)
    if isinstance(y, list):
        column = {label: i for i, label in enumerate(names) if isinstance(label, str)}
        indices = np.fromiter((column.get(label, -1) for label in y), np.int64, len(y))
    else:
        indices = _numeric_columns(whole(name, y), names)
    is_of_type = any(isinstance(label, str) == isinstance(y, list) for label in names)
    detail = unknown
    if not is_of_type:
        refuse_odd(name, y)
        detail = _other_type(name, kind_of(y), y, "labels")
    refuse(name, indices < 0, lambda _: detail)
    return indices


def _other_type(name: str, held: str, y: Labels, option: str) -> str:
    other = "integers" if isinstance(y, list) else "strings"
    return f"{name} holds {held}, and {option} {other}"


def _check_labels(labels: Sequence[Label], k: int) -> None:
    if len(labels) != k:
        raise InvalidInput.at(f"labels names {len(labels)} classes but there are {k}", "labels")
    numbers = sorted(label for label in labels if isinstance(label, int))
    words = [label for label in labels if isinstance(label, str)]
    if len(set(words)) != len(words) or any(a == b for a, b in pairwise(numbers)):
        raise InvalidInput.at("labels names a class twice", "labels")
    if numbers and not -(2**63) <= numbers[0] <= numbers[-1] < 2**63:
        raise InvalidInput.at("an integer label has at most 64 bits", "labels")


def _numeric_columns(y: Indices, labels: Sequence[Label]) -> Indices:
    """Columns of integer labels by binary search: client integers never enter a hash table."""
    pairs = sorted((label, i) for i, label in enumerate(labels) if isinstance(label, int))
    if not pairs:
        return np.full(y.shape, -1, dtype=np.int64)
    ordered = np.array([label for label, _ in pairs], dtype=np.int64)
    column = np.array([i for _, i in pairs], dtype=np.int64)
    place = np.minimum(np.searchsorted(ordered, y), ordered.size - 1)
    return np.where(ordered[place] == y, column[place], -1)


def whole(name: str, y: Labels) -> Indices:
    """Labels that are integers, also where they are written as floats, (n,).

    Raises:
        InvalidInput: one is not whole, or they are strings.
    """
    if isinstance(y, list):
        refuse_odd(name, y)
        detail = f"{name} holds {kind_of(y)}: labels must name the classes, in column order"
        raise InvalidInput.at(detail, name)
    if y.ndim != 1:
        raise InvalidInput.at(f"{name} has shape {shown(y)}; [{y.shape[0]}] is expected", name)
    if y.dtype == np.int64:
        return np.asarray(y, np.int64)
    numbers = np.asarray(y, np.float64)
    with np.errstate(invalid="ignore"):
        refuse(
            name,
            ~((numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)),
            lambda at: f"{numeral(numbers[at])} is not a class: a whole number is expected",
        )
    return numbers.astype(np.int64)


def binary_target(
    name: str,
    y: Labels,
    labels: Sequence[Label] | None,
    pos_label: Label | None,
    options: Options = STRICT,
) -> CheckedProbabilities:
    """The share of each row that is of the positive class: 0, 1, or between for soft labels.

    Args:
        name: what the caller calls the argument.
        y: labels (n,) or (n, 1), shares in [0, 1], or rows of a 0 and a 1, (n, 2).
        labels: the negative and the positive label, if not 0 and 1.
        pos_label: the positive label; the last of `labels`, or 1, where None.
        options: `sum_tolerance` is read.

    Returns:
        (n,), in [0, 1].

    Raises:
        InvalidInput: a label is neither of the two.
    """
    y, names = in_one_type(flat(y), [*(labels or ()), *_said(pos_label)])
    pos_label = None if pos_label is None else names.pop()
    two = names if labels is not None else None
    if not isinstance(y, list) and two is None:
        if y.ndim == 2 and y.shape[1] == 2:
            two = [0, 1]
        else:
            other = ((y < 0) | (y > 1)) & (y == np.floor(y))  # classes, not shares
            if pos_label is None:
                refuse(name, other, lambda at: f"{numeral(y[at])} {_UNNAMED}")
            if pos_label is None or (pos_label == 1 and not other.any()):
                return positive_shares(name, y, options)
    two = _two_labels(name, y, two, pos_label)
    positive = two[1] if pos_label is None else pos_label
    if positive not in two:
        raise InvalidInput.at("pos_label is not among labels", "pos_label")
    index = hard_labels(name, y, two, 2, options)
    return CheckedProbabilities(np.where(index == two.index(positive), 1.0, 0.0))


def _said(label: Label | None) -> list[Label]:
    return [] if label is None else [label]


def positive_shares(name: str, y: Labels, options: Options = STRICT) -> CheckedProbabilities:
    """Labels that are numbers already: 0, 1, or between, (n,) or (n, 1).

    Raises:
        InvalidInput: they are strings, more than one per row, or outside [0, 1].
    """
    y, _ = in_one_type(flat(y), ())
    if isinstance(y, list):
        refuse_odd(name, y)
        raise InvalidInput.at(f"{name} holds {kind_of(y)}, where 0 and 1 are expected", name)
    if y.ndim != 1:
        raise InvalidInput.at(f"{name} has shape {shown(y)}; [{y.shape[0]}] is expected", name)
    return probabilities(name, y, options)


def _two_labels(
    name: str, y: Labels, labels: Sequence[Label] | None, pos_label: Label | None
) -> list[Label]:
    """The two labels: as sent, 0 and 1, or the positive one and the one other that occurs."""
    if labels is not None:
        _check_labels(labels, 2)
        return list(labels)
    if pos_label is None:
        refuse_odd(name, y)
        detail = f"pos_label must name the positive class: {name} holds {kind_of(y)}"
        raise InvalidInput.at(detail, "pos_label")
    if isinstance(pos_label, str) != isinstance(y, list):
        refuse_odd(name, y)
        raise InvalidInput.at(_other_type(name, occurring(y), y, "pos_label is of"), "pos_label")
    distinct: list[Label] = (
        list(dict.fromkeys(y)) if isinstance(y, list) else np.unique(whole(name, y)).tolist()
    )
    if {pos_label, *distinct} <= {0, 1}:
        return [0, 1]
    others = [label for label in distinct if label != pos_label]
    if len(others) == len(distinct) > 1:
        detail = f"pos_label is none of the labels that occur: {name} holds {occurring(y)}"
        raise InvalidInput.at(detail, "pos_label")
    if len(others) > 1:
        raise InvalidInput.at(f"{len(distinct)} different labels where two are expected", name)
    stand_in: Label = f"not {pos_label}" if isinstance(pos_label, str) else pos_label ^ 1
    return [others[0] if others else stand_in, pos_label]
