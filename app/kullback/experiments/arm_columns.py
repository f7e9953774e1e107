"""Rows of each arm: which they are, what it predicted of them, and what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kullback.errors import FieldError, InvalidInput, InvalidRows, pointer
from kullback.experiments.measure_columns import arms_measured, measured
from kullback.experiments.measured import OF_MEASURES, OF_PREDICTIONS
from kullback.experiments.plan import Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import unit_interval
from kullback.scoring.refusals import refuse


@dataclass(frozen=True, slots=True)
class ArmColumns:
    """Rows of one arm.

    Attributes:
        rows: which are its own, all where None.
        p: their P(1), or None where nobody predicted.
        measures: their measures (m, size), in the order of the plan.
        size: how many there are.
    """

    rows: Indices | None
    p: Array | None
    measures: Array
    size: int


def arm_columns(plan: Plan, rows: ArmRows, n: int) -> dict[str, ArmColumns]:
    """The n rows of an experiment by arm.

    Raises:
        InvalidInput: an arm, a prediction or a measure is not this experiment's.
    """
    _check_needed(plan, rows)
    by_name = isinstance(rows.y_proba, Mapping)
    if by_name and plan.design != "paired":
        raise InvalidInput.at("the experiment is parallel: [n], and the arm of each", "y_proba")
    if plan.design == "paired":
        return _paired(plan, rows, n)
    if rows.arm is None:
        raise InvalidInput.at("this field is missing: the experiment is parallel", "arm")
    assert not isinstance(rows.y_proba, Mapping)
    p = None if rows.y_proba is None else _probabilities(rows.y_proba, n)
    codes = {name: code for code, name in enumerate(plan.names)}
    code = np.fromiter((codes.get(arm, -1) for arm in rows.arm), np.int64, len(rows.arm))
    if plan.other_arms == "error":
        names = ", ".join(plan.names)
        refuse("arm", code < 0, lambda _: f"not an arm of this experiment, which has {names}")
    measures = measured(plan, rows, n)("")
    own = {name: np.flatnonzero(code == at) for name, at in codes.items()}
    return {
        name: ArmColumns(at, None if p is None else p[at], measures[:, at], at.size)
        for name, at in own.items()
    }


def ignored_in(plan: Plan, rows: ArmRows, n: int, columns: Mapping[str, ArmColumns]) -> int:
    """How many rows, or predictions of paired rows, are of other arms."""
    if plan.design == "parallel":
        return n - sum(each.size for each in columns.values())
    predicted = rows.y_proba if isinstance(rows.y_proba, Mapping) else ()
    return n * (len({*predicted, *arms_measured(rows)}) - len(plan.names))


def _check_needed(plan: Plan, rows: ArmRows) -> None:
    """Refuse rows that lack what the plan's metrics are of."""
    metrics = {plan.metric, *(rail.metric for rail in plan.guardrails)}
    if rows.y_proba is None and metrics & OF_PREDICTIONS:
        detail = f"this field is missing: {min(metrics & OF_PREDICTIONS)} is of predictions"
        raise InvalidInput.at(detail, "y_proba")
    if rows.y_true is None and (metrics - OF_MEASURES or rows.y_proba is not None):
        why = f"{min(metrics - OF_MEASURES)} is" if metrics - OF_MEASURES else "predictions are"
        raise InvalidInput.at(f"this field is missing: {why} of labels", "y_true")


def _paired(plan: Plan, rows: ArmRows, n: int) -> dict[str, ArmColumns]:
    y_proba = rows.y_proba
    if y_proba is not None and not isinstance(y_proba, Mapping):
        raise InvalidInput.at("the experiment is paired: an object of [n] by arm", "y_proba")
    if rows.arm is not None:
        raise InvalidInput.at("every row is of every arm in a paired experiment", "arm")
    names = ", ".join(plan.names)
    for name in y_proba or ():
        if name not in plan.names and plan.other_arms == "error":
            detail = f"not an arm of this experiment, which has {names}"
            raise InvalidInput.at(detail, "y_proba", name)
    for name in plan.names:
        if y_proba is not None and name not in y_proba:
            raise InvalidInput.at("this arm is missing: each row is scored by all", "y_proba", name)
    measures = measured(plan, rows, n)
    return {
        name: ArmColumns(
            None,
            None if y_proba is None else _probabilities(y_proba[name], n, name),
            measures(name),
            n,
        )
        for name in plan.names
    }


def _probabilities(values: Array, n: int, *arm: str) -> Array:
    if values.ndim != 1:
        raise InvalidInput.at("[n]: one P(1) per row is expected", "y_proba", *arm)
    if values.size == n == 0:
        return values
    try:
        p = unit_interval("y_proba", values)
    except InvalidInput as error:
        raise _of_arm(error, *arm) from error
    if p.size != n:
        raise InvalidInput.at(f"{p.size} rows where y_true has {n}", "y_proba", *arm)
    return p


def _of_arm(error: InvalidInput, *arm: str) -> InvalidInput:
    """The same refusal, of the predictions of an arm."""
    field = pointer("y_proba")

    def moved(offence: FieldError) -> FieldError:
        place = field + pointer(*arm) + offence.pointer.removeprefix(field)
        return FieldError(place, offence.detail)

    if isinstance(error, InvalidRows):
        return error.moved(moved, error.message, error.depth + len(arm))
    return error.moved(moved, error.message)
