"""Pilots: rows of before, an experiment or a monitor, as they tell of the units to come."""

from collections.abc import Mapping, Sequence

from kullback.errors import InvalidInput
from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.plan import Plan
from kullback.experiments.report import ArmsReport
from kullback.experiments.sample_size import Pilot
from kullback.numerics.types import Undefined
from kullback.tally.contrast import difference
from kullback.tally.functionals import FUNCTIONALS
from kullback.tally.inference import standard_error
from kullback.tally.report_types import MetricValue
from kullback.tally.tally import Tally
from kullback.tally.unit_set import UnitSet

LEAST_UNITS = 20


def pilot_of_rows(plan: Plan, whole: ArmTallies) -> Pilot:
    """The pilot of rows: of one arm or several, or paired.

    Raises:
        InvalidInput: they are too few, or their metric has no error.
    """
    tallies = [tally for tally in whole.tallies.values() if tally.scalar("rows")]
    functional = FUNCTIONALS[plan.metric]
    if plan.design == "paired":
        return _of_paired(plan, whole)
    parts = []
    for name, tally in whole.tallies.items():
        value = functional(tally)
        error = standard_error(tally, value.slopes)
        if not isinstance(value.value, Undefined) and not isinstance(error, Undefined):
            parts.append((_units(whole, name, tally), value.value, error))
    rows = sum(tally.scalar("rows") for tally in tallies)
    return _pilot("units" if whole.units else "rows", rows, parts)


def pilot_of_report(plan: Plan, report: ArmsReport, days: float | None) -> Pilot:
    """The pilot of an experiment, by its report and the days that it took so far.

    Raises:
        InvalidInput: it is of too few units, or of another design.
    """
    if plan.design != report.design:
        raise InvalidInput.at(f"the experiment is {report.design}", "design")
    control = next(arm for arm in report.arms if arm.arm == report.control)
    if plan.design == "paired":
        same = plan.metric == report.metric
        errors = [
            each.standard_error if same else each.metrics[plan.metric].standard_error
            for each in report.comparisons
        ]
        largest = max((error for error in errors if error is not None), default=None)
        value = control.metrics[plan.metric].value
        pairs = [] if value is None or largest is None else [(control.units or 0, value, largest)]
        return _pilot("units", control.n, pairs, days)
    parts = [
        (arm.units or 0, value, error)
        for arm in sorted(report.arms, key=lambda arm: arm.arm != report.control)
        for value, error in [_stated(arm.metrics, plan.metric)]
        if value is not None and error is not None
    ]
    return _pilot("units", sum(arm.n for arm in report.arms), parts, days)


def pilot_of_monitor(
    metrics: Mapping[str, MetricValue], rows: int, plan: Plan, days: float
) -> Pilot:
    """The pilot of a monitor's rows, each of which counts as one unit.

    Raises:
        InvalidInput: they are too few, or arms are paired, of which a monitor has one.
    """
    if plan.design == "paired":
        raise InvalidInput.at("a monitor has one model: send rows with both", "design")
    value, error = _stated(metrics, plan.metric)
    parts = [] if value is None or error is None else [(rows, value, error)]
    return _pilot("rows", rows, parts, days)


def _of_paired(plan: Plan, whole: ArmTallies) -> Pilot:
    functional = FUNCTIONALS[plan.metric]
    control = whole.tallies[plan.control]
    value = functional(control).value
    widest: list[tuple[float, float, float]] = []
    for name in plan.treatments:
        effect = difference(functional, whole.tallies[name], control, is_paired=True)
        if not isinstance(effect, Undefined) and not isinstance(value, Undefined):
            widest.append((_units(whole, name, control), value, effect.standard_error))
    widest.sort(key=lambda part: -part[2])
    of = "units" if whole.units else "rows"
    return _pilot(of, control.scalar("rows"), widest[:1])


def _pilot(
    of: str,
    rows: int,
    parts: Sequence[tuple[float, float, float]],
    days: float | None = None,
) -> Pilot:
    """Of the units, the value and the error of each arm, the control first."""
    units = sum(count for count, _, _ in parts)
    if units < LEAST_UNITS:
        detail = f"{units:,.0f} units with an error, where a pilot has at least {LEAST_UNITS}"
        raise InvalidInput(f"the pilot says too little: {detail}")
    # each arm tells V = units · SE²; the more units the better
    variance = sum(count * count * error**2 for count, _, error in parts) / units
    if not variance > 0:
        raise InvalidInput("the pilot says too little: its metric does not vary")
    return Pilot(
        of="units" if of == "units" else "rows",
        units=units,
        rows=rows,
        value=parts[0][1],
        unit_variance=variance,
        units_per_day=None if days is None else units / max(days, 1.0),
    )


def _units(whole: ArmTallies, name: str, tally: Tally) -> float:
    if whole.units:
        return whole.units.get(name, UnitSet()).count
    return float(tally.scalar("rows"))


def _stated(metrics: Mapping[str, MetricValue], name: str) -> tuple[float | None, float | None]:
    metric = metrics.get(name)
    return (None, None) if metric is None else (metric.value, metric.standard_error)
