"""Numbers that come with rows, checked against what a plan expects."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kullback.errors import InvalidInput, Step
from kullback.experiments.measured import Measure, Winsorize, measures_of
from kullback.experiments.plan import Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.numerals import numeral
from kullback.numerics.types import Array
from kullback.scoring.refusals import refuse

LARGEST = 1e100
FIELDS = ("outcome", "numerator", "denominator", "covariate")
_HOW_TO_PLAN = {
    "outcome": 'metric "outcome", or a guardrail with it',
    "numerator": 'metric "ratio", or a guardrail with it',
    "denominator": 'metric "ratio", or a guardrail with it',
    "covariate": '"covariate": true',
}

_ByArm = Mapping[str, Array]
Measured = Callable[[str], Array]


def measured(plan: Plan, rows: ArmRows, n: int) -> Measured:
    """The measures of an arm, (m, n), by its name, in the order of the plan.

    Raises:
        InvalidInput: one is missing, was not planned, or is no number that can be summed.
    """
    for field in FIELDS:
        if field in rows.measures and not any(each.field == field for each in plan.measures):
            detail = f"the plan expects none: plan it with {_HOW_TO_PLAN[field]}"
            raise InvalidInput.at(detail, field)
    columns = [_column(plan, rows, each, n) for each in plan.measures if each.field in FIELDS]
    if plan.winsorize is not None:
        columns = _winsorized(plan, columns, plan.winsorize)

    def of_arm(arm: str) -> Array:
        parts = [column[arm] if isinstance(column, Mapping) else column for column in columns]
        return np.stack(parts) if parts else np.empty((0, n))

    return of_arm


def arms_measured(rows: ArmRows) -> Sequence[str]:
    """The arms that paired rows have measures of."""
    parts = [part for part in rows.measures.values() if isinstance(part, Mapping)]
    return tuple(dict.fromkeys(arm for part in parts for arm in part))


def _column(plan: Plan, rows: ArmRows, measure: Measure, n: int) -> Array | _ByArm:
    field, name = measure
    sent = rows.measures.get(field)
    if sent is None:
        raise InvalidInput.at("this field is missing: the plan expects it of every row", field)
    if plan.design == "paired":
        return _of_arms(plan, sent, field, n)
    if isinstance(sent, Mapping) and field != "outcome":
        raise InvalidInput.at("the experiment is parallel: one list [n] is expected", field)
    if field != "outcome":
        assert not isinstance(sent, Mapping)
        return _checked(sent, n, field)
    names = [each.name for each in plan.measures if each.field == "outcome"]
    if not isinstance(sent, Mapping):
        if len(names) > 1:
            detail = f"the plan has several outcomes: an object of [n] by {', '.join(names)}"
            raise InvalidInput.at(detail, field)
        return _checked(sent, n, field)
    for other in sent:
        if other not in names:
            raise InvalidInput.at(f"the plan has no such outcome: {', '.join(names)}", field, other)
    if name not in sent:
        raise InvalidInput.at("this outcome is missing: the plan expects it", field, name)
    return _checked(sent[name], n, field, name)


def _of_arms(plan: Plan, sent: Array | _ByArm, field: str, n: int) -> Array | _ByArm:
    """Of paired arms each has its own, but denominators may be the same for all."""
    if not isinstance(sent, Mapping):
        if field == "denominator":
            return _checked(sent, n, field)
        raise InvalidInput.at("the experiment is paired: an object of [n] by arm", field)
    for arm in sent:
        if arm not in plan.names and plan.other_arms == "error":
            detail = f"not an arm of this experiment, which has {', '.join(plan.names)}"
            raise InvalidInput.at(detail, field, arm)
    for arm in plan.names:
        if arm not in sent:
            raise InvalidInput.at("this arm is missing: each row is of all", field, arm)
    return {arm: _checked(sent[arm], n, field, arm) for arm in plan.names}


def _checked(values: Array, n: int, field: str, *name: str) -> Array:
    place: tuple[Step, ...] = (field, *name)
    if values.ndim != 1:
        raise InvalidInput.at("[n]: one number per row is expected", *place)
    if values.size != n:
        raise InvalidInput.at(f"{values.size} rows where there are {n}", *place)
    least = 0.0 if field == "denominator" else -LARGEST

    def describe(at: tuple[int, ...]) -> str:
        value = float(values[at])
        if not np.isfinite(value):
            return "not a finite number"
        return f"{numeral(value, least, LARGEST)} is not in [{least:g}, {LARGEST:g}]"

    refuse((field, *name), ~((values >= least) & (values <= LARGEST)), describe)
    return np.asarray(values, np.float64)


def _winsorized(
    plan: Plan, columns: Sequence[Array | _ByArm], bounds: Winsorize
) -> list[Array | _ByArm]:
    """The columns with that of the plan's metric moved to the bounds, and which rows were."""
    low = -np.inf if bounds.lower is None else bounds.lower
    high = np.inf if bounds.upper is None else bounds.upper
    at = plan.measures.index(measures_of(plan.metric, plan.outcome)[0])
    bounded = list(columns)
    column = columns[at]
    if isinstance(column, Mapping):
        bounded[at] = {arm: np.clip(each, low, high) for arm, each in column.items()}
        is_beyond: Array | _ByArm = {arm: _beyond(each, low, high) for arm, each in column.items()}
    else:
        bounded[at] = np.clip(column, low, high)
        is_beyond = _beyond(column, low, high)
    return [*bounded, is_beyond]  # fields are sorted, and this is the last


def _beyond(column: Array, low: float, high: float) -> Array:
    return ((column < low) | (column > high)).astype(np.float64)
