"""Experiments under test over HTTP: bodies for rows of arms."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kullback.experiments.rows import ArmRows
from tests.monitoring.service import NOON, Document, Service

EXPERIMENT = "/v1/experiments/ranker"
NEW_EPOCH = f"{EXPERIMENT}?epoch=new"
OBSERVATIONS = f"{EXPERIMENT}/observations"
PAIRED: Document = {"arms": ["a", "b"], "design": "paired", "minimum_effect": 0.02}
PARALLEL: Document = PAIRED | {"design": "parallel"}
TWO: Document = {
    "y_true": [1, 0],
    "y_proba": {"a": [0.5, 0.5], "b": [0.75, 0.25]},
    "unit": ["ann", "bob"],
}
TWO_APART: Document = {
    "y_true": [1, 0],
    "y_proba": [0.5, 0.25],
    "arm": ["a", "b"],
    "unit": ["ann", "bob"],
}
HEAD = (
    *("experiment", "epoch", "version", "ignored", "stopped", "first_crossing", "first_answers"),
)


def sent(rows: ArmRows, **more: object) -> Document:
    """Rows as they are sent."""
    scores = rows.y_proba
    fields: Document = {
        "y_true": _listed(rows.y_true),
        "y_proba": {arm: _listed(p) for arm, p in scores.items()}
        if isinstance(scores, Mapping)
        else _listed(scores),
        "unit": _listed(rows.unit),
    }
    return fields | ({} if rows.arm is None else {"arm": rows.arm}) | more


def hours(n: int, count: int, seed: int = 3) -> list[float]:
    """A time for each of n rows, in so many hours before noon."""
    rng = np.random.default_rng(seed)
    found: list[float] = (NOON - rng.integers(1, count * 3600, n)).tolist()
    return found


def part(fields: Document, start: int, stop: int) -> Document:
    """Some of the rows that are to be sent."""
    return {
        name: part(column, start, stop) if isinstance(column, dict) else column[start:stop]
        for name, column in fields.items()
    }


async def observe(service: Service, **fields: object) -> Document:
    """Add rows."""
    return await service.post("observations", EXPERIMENT, **fields)


async def report(service: Service, **query: str | float) -> Document:
    return await service.report(EXPERIMENT, **query)


def findings(document: Document) -> Document:
    """What a report says of its rows, and of nothing else."""
    return {name: found for name, found in document.items() if name not in HEAD}


def _listed(values: Any) -> Any:  # noqa: ANN401 - lists and arrays
    return values.tolist() if isinstance(values, np.ndarray) else values
