"""The first rows of an experiment, as its plan expects them."""

import json
import shlex
from collections.abc import Sequence

from kullback.experiments.measured import OF_MEASURES, OF_PREDICTIONS
from kullback.experiments.plan import Plan


def first_batch(plan: Plan) -> str:
    """Rows as one may send them, quoted for a shell."""
    is_paired = plan.design == "paired"
    units = ["ann", "bob"] if is_paired else [f"user-{at}" for at in range(len(plan.names))]
    labels = [(at + 1) % 2 for at in range(len(units))]
    metrics = {plan.metric, *(rail.metric for rail in plan.guardrails)}
    rows: dict[str, object] = {}
    if metrics - OF_MEASURES:
        rows["y_true"] = labels
    if metrics & OF_PREDICTIONS:
        rows["y_proba"] = _numbers(plan, [0.3 + 0.5 * label for label in labels])
    rows |= _measures(plan, [12.5 * label + 2 for label in labels])
    if not is_paired:
        rows["arm"] = plan.names
    rows["unit"] = units
    if plan.slices:
        rows["slice"] = {name: ["here"] * len(units) for name in plan.slices}
    return shlex.quote(json.dumps(rows, ensure_ascii=False))


def _measures(plan: Plan, numbers: Sequence[float]) -> dict[str, object]:
    """Numbers of each field that the plan expects."""
    fields = {each.field for each in plan.measures} - {"winsorized"}
    names = [each.name for each in plan.measures if each.field == "outcome"]
    by_field: dict[str, object] = {field: _numbers(plan, numbers) for field in sorted(fields)}
    if len(names) > 1 and plan.design == "parallel":
        by_field["outcome"] = dict.fromkeys(names, numbers)
    return by_field


def _numbers(plan: Plan, numbers: Sequence[float]) -> object:
    """Numbers of rows, of each arm where every row is of all."""
    return dict.fromkeys(plan.names, numbers) if plan.design == "paired" else numbers
