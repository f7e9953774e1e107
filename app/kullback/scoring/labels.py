"""Labels: the class of each row, and class weights."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import probabilities, refuse, shown, weights

Label = str | int
Labels = Array | Indices | list[str]
ClassWeightName = Literal["balanced", "inverse", "effective_number"]


def row_count(y: Labels) -> int:
    """How many rows the labels speak of."""
    return len(y) if isinstance(y, list) else y.shape[0]


def class_indices(name: str, y: Labels, labels: Sequence[Label] | None, k: int) -> Indices:
    """The column of each label.

    Args:
        name: what the caller calls the argument.
        y: labels (n,): integers or strings.
        labels: the label of each column, in column order; 0..k-1 where None.
        k: the number of columns.

    Returns:
        Indices into the columns, (n,).

    Raises:
        InvalidInput: a label is not among the columns' labels, or those are not k different ones.
    """
    if labels is None:
        indices = whole(name, y)
        outside = (indices < 0) | (indices >= k)
        refuse(name, outside, lambda at: f"the label {indices[at]} is not among 0..{k - 1}")
        return indices
    _check_labels(labels, k)
    if isinstance(y, list):
        column = {label: i for i, label in enumerate(labels) if isinstance(label, str)}
        indices = np.fromiter((column.get(label, -1) for label in y), np.int64, len(y))
    else:
        indices = _numeric_columns(whole(name, y), labels)
    refuse(name, indices < 0, lambda _: "the label is not among labels")
    return indices


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
        detail = "labels must name the classes, in column order, where y_true holds strings"
        raise InvalidInput.at(detail, name)
    if y.ndim != 1:
        raise InvalidInput.at(f"{name} has shape {shown(np.asarray(y, np.float64))}", name)
    if y.dtype == np.int64:
        return np.asarray(y, np.int64)
    numbers = np.asarray(y, np.float64)
    with np.errstate(invalid="ignore"):
        refuse(
            name,
            ~((numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)),
            lambda at: f"{numbers[at]:g} is not a class",
        )
    return numbers.astype(np.int64)


def binary_target(
    name: str, y: Labels, labels: Sequence[Label] | None, pos_label: Label | None
) -> Array:
    """The share of each row that is of the positive class: 0, 1, or between for soft labels.

    Args:
        name: what the caller calls the argument.
        y: labels (n,), or shares in [0, 1].
        labels: the negative and the positive label, if not 0 and 1.
        pos_label: the positive label; the last of `labels`, or 1, where None.

    Returns:
        (n,), in [0, 1].

    Raises:
        InvalidInput: a label is neither of the two.
    """
    if labels is None and pos_label in (None, 1) and not isinstance(y, list):
        return positive_shares(name, y)
    labels = binary_labels(name, y, labels, pos_label)
    positive = labels[1] if pos_label is None else pos_label
    if positive not in labels:
        raise InvalidInput.at("pos_label is not among labels", "pos_label")
    target: Array = np.where(class_indices(name, y, labels, 2) == labels.index(positive), 1.0, 0.0)
    return target


def positive_shares(name: str, y: Labels) -> Array:
    """Labels that are numbers already: 0, 1, or between, (n,).

    Raises:
        InvalidInput: they are strings, more than one per row, or outside [0, 1].
    """
    if isinstance(y, list):
        raise InvalidInput.at("strings, where 0 and 1 are expected", name)
    if y.ndim != 1:
        raise InvalidInput.at(f"{name} has shape {shown(np.asarray(y, np.float64))}", name)
    return probabilities(name, np.asarray(y, np.float64))


def binary_labels(
    name: str, y: Labels, labels: Sequence[Label] | None, pos_label: Label | None
) -> list[Label]:
    """The two labels: as sent, 0 and 1, or the positive one and the one other that occurs."""
    if labels is not None:
        _check_labels(labels, 2)
        return list(labels)
    if pos_label in (0, 1) and not isinstance(y, list):
        return [0, 1]
    if pos_label is None:
        raise InvalidInput.at("pos_label must name the positive class", "pos_label")
    distinct: list[Label] = (
        list(dict.fromkeys(y)) if isinstance(y, list) else np.unique(whole(name, y)).tolist()
    )
    others = [label for label in distinct if label != pos_label]
    if len(others) == len(distinct) > 1:
        raise InvalidInput.at("pos_label is none of the labels that occur", "pos_label")
    if len(others) > 1:
        raise InvalidInput.at(f"{len(distinct)} different labels where two are expected", name)
    stand_in: Label = "" if isinstance(pos_label, str) else pos_label - 1
    return [others[0] if others else stand_in, pos_label]


def class_weights(
    spec: Array | ClassWeightName | None, counts: Array, beta: float | None
) -> Array | None:
    """What a row of each class weighs.

        balanced          w_c = N / (K n_c)
        inverse           w_c ∝ 1 / n_c, Σ w_c = K
        effective_number  w_c ∝ (1 − β) / (1 − β^{n_c}), Σ w_c = K

    Args:
        spec: the weights themselves (k,), or the name of a rule.
        counts: n_c, rows of each class, (k,).
        beta: β in [0, 1), for effective_number.

    Returns:
        (k,), or None for no weighting. A class without rows has weight 0 under a rule.

    Raises:
        InvalidInput: not k weights, a weight is negative, or beta is missing.

    Source: King & Zeng, Political Analysis 9 (2001); Cui et al., CVPR (2019), eq. 4.
    """
    if spec is None:
        return None
    if not isinstance(spec, str):
        return weights("class_weight", spec, counts.size)
    present = counts > 0
    n = np.where(present, counts, 1.0)
    if spec == "balanced":
        weight: Array = counts.sum() / (counts.size * n)
    elif spec == "inverse":
        weight = 1.0 / n
    else:
        if beta is None:
            raise InvalidInput.at("class_weight effective_number needs beta", "beta")
        log_beta = np.log(beta) if beta > 0 else -np.inf
        weight = (1.0 - beta) / -np.expm1(n * log_beta)
    weight = np.where(present, weight, 0.0)
    if spec != "balanced" and present.any():
        weight = weight * (counts.size / weight.sum())
    return weight


def class_counts(index: Indices, k: int) -> Array:
    """n_c: how many rows are of each class, (k,)."""
    return np.bincount(index, minlength=k).astype(np.float64)
