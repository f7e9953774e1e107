"""Class weights: given, or derived from how many rows each class has."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import weights

ClassWeightName = Literal["balanced", "inverse", "effective_number"]


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
        InvalidInput: not k weights, a weight is negative, or beta is missing or of no rule.

    Source: King & Zeng, Political Analysis 9 (2001); Cui et al., CVPR (2019), eq. 4.
    """
    if beta is not None and not (isinstance(spec, str) and spec == "effective_number"):
        raise InvalidInput.at("beta is of class_weight effective_number", "beta")
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


def named_weights(
    name: str, spec: Mapping[str, float], labels: Sequence[str | int] | None, k: int
) -> Array:
    """Weights by the names of labels as weights of the columns; 1 for a label without one.

    Args:
        name: what the caller calls the argument.
        spec: a weight by the name of a label, an integer as its digits.
        labels: the label of each column; 0..k-1 where None.
        k: how many columns there are.

    Raises:
        InvalidInput: a name is none of the labels, or there are not k labels.
    """
    names = [
        str(label).lower() if isinstance(label, bool) else str(label)
        for label in (range(k) if labels is None else labels)
    ]
    if len(names) != k:
        raise InvalidInput.at(f"labels names {len(names)} classes but there are {k}", "labels")
    place = {label: at for at, label in enumerate(names)}
    weight = np.ones(k)
    for label, value in spec.items():
        if label not in place:
            where = "labels" if labels is not None else f"0..{k - 1}: send labels to name them"
            raise InvalidInput.at(f"{label[:64]} is not among {where}", name, label[:64])
        weight[place[label]] = value
    return weight


def class_counts(index: Indices, k: int) -> Array:
    """n_c: how many rows are of each class, (k,)."""
    return np.bincount(index, minlength=k).astype(np.float64)


def class_mass(y: Array, weight: Array | None) -> Array:
    """How many rows each class has, soft ones in parts; rows of weight 0 do not count."""
    mass: Array = (y if weight is None else y[weight > 0]).sum(axis=0)
    return mass
