"""Columns of a score that came under names, in the order of the labels that they name."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.types import Indices
from kullback.requests.base import ScoreRequest
from kullback.requests.validation import validated
from kullback.scoring.column_names import (
    Names,
    column_numbers,
    common_order,
    label_order,
    without_names,
)
from kullback.scoring.labels import Label

Request = TypeVar("Request", bound=ScoreRequest)


def score_request(model: type[Request], fields: Mapping[str, object]) -> Request:
    """The request of these fields, as they were read.

    Columns that came under names are in the order of the labels; where those are not said, and
    the names can only be labels, they are.

    Raises:
        InvalidInput: a field is missing, unknown or impossible, or a column is of no label.
    """
    values, names = without_names(fields)
    request = validated(model, values)
    names = {field: names[field] for field in names if _has_columns(request, field, names[field])}
    if not names:
        return request
    labels, update = _labels(request, names), dict[str, object]()
    if labels is not None and getattr(request, model.column_labels) is None:
        update[model.column_labels] = labels
    orders = common_order(names) if labels is None else _label_orders(request, names, labels)
    for field, order in orders.items():
        if not np.array_equal(order, np.arange(order.size)):
            update[field] = getattr(request, field)[:, order]
    return request.model_copy(update=update) if update else request


def _has_columns(request: ScoreRequest, field: str, names: Names) -> bool:
    value = getattr(request, field)
    return isinstance(value, np.ndarray) and (value.ndim == 2 or len(names) == 1)


def _labels(request: ScoreRequest, names: Mapping[str, Names]) -> Sequence[Label] | None:
    """The labels of the columns: as they were sent, or the names, where they can only be that."""
    sent = getattr(request, request.column_labels, None)
    if sent is not None or not hasattr(request, request.column_labels):
        return sent
    y_true = getattr(request, "y_true", None)
    first = next((each for field, each in names.items() if field in _PREDICTIONS), ())
    if len(first) < 2 or request.column_labels != "labels":
        return None
    if all(name.isdecimal() for name in first):
        numbers = column_numbers(first)
        is_places = numbers is not None and numbers.min() == 0
        return None if is_places else sorted(int(name) for name in first)
    return list(first) if isinstance(y_true, list) else None


def _label_orders(
    request: ScoreRequest, names: Mapping[str, Names], labels: Sequence[Label]
) -> dict[str, Indices]:
    several = {field: each for field, each in names.items() if len(each) > 1 or len(labels) == 1}
    for field in names.keys() - several.keys():
        _refuse_negative(request, field, names[field][0], labels)
    return {field: label_order(field, each, labels) for field, each in several.items()}


def _refuse_negative(request: ScoreRequest, field: str, name: str, labels: Sequence[Label]) -> None:
    """Refuse the one column of P(positive label) under the name of another label."""
    positive = getattr(request, "pos_label", None)
    positive = labels[-1] if positive is None else positive
    if name in map(str, labels) and name != str(positive):
        detail = f"one column is that of the positive label, {str(positive)[:20]}"
        raise InvalidInput.at(detail, f"{field}.{name}")


_PREDICTIONS = ("y_proba", "log_proba", "logits")
