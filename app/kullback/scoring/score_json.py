"""JSON of a score."""

from collections.abc import Mapping

import numpy as np
from pydantic_core import to_json

from kullback.numerics.types import Array
from kullback.scoring.score import Score

_PIECE = 1 << 13


def encode(score: Score) -> bytes:
    """The answer of docs/api.md: every field always there, no number that JSON lacks."""
    undefined_or_infinite = score.status != "finite"
    parts = {
        "metric": score.metric,
        "value": None if undefined_or_infinite else score.value,
        "status": score.status,
        "reason": score.reason,
        "unit": score.unit,
        "n": score.n,
        "weight": score.weight,
        "standard_error": score.standard_error,
    }
    last = {
        "details": score.details,
        "conventions": score.conventions,
        "diagnostics": score.diagnostics,
    }
    head = to_json(parts)
    per_row, gradient = _array(score.per_row), _array(score.gradients or score.gradient)
    arrays = b',"per_row":' + per_row + b',"gradient":' + gradient + b","
    return head[:-1] + arrays + to_json(last, serialize_unknown=False, fallback=_plain)[1:]


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(type(value).__name__)


def _array(values: Array | Mapping[str, Array] | None) -> bytes:
    """A JSON list, made in pieces so that other threads may run in between; null for no number."""
    if values is None:
        return b"null"
    if isinstance(values, Mapping):
        items = (to_json(name) + b":" + _array(array) for name, array in values.items())
        return b"{" + b",".join(items) + b"}"
    rows = max(1, _PIECE // max(1, values[:1].size))
    pieces = (
        to_json(values[start : start + rows].tolist(), inf_nan_mode="null")[1:-1]
        for start in range(0, len(values), rows)
    )
    return b"[" + b",".join(pieces) + b"]"
