"""Sample size of an experiment: the units, and days, that a pilot says it takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kullback.errors import InvalidInput
from kullback.experiments.margins import amount
from kullback.experiments.measured import MetricName, Objective
from kullback.experiments.plan import Design, Plan
from kullback.tally.planned_power import Question, one_look, sequence_power

POWERS = (0.8, 0.95)
DAYS = (7.0, 14.0, 28.0)
Method = Literal["fixed", "sequence"]
METHODS: tuple[Method, ...] = ("fixed", "sequence")
Trials = Literal["units", "rows"]


@dataclass(frozen=True, slots=True)
class Pilot:
    """What rows of before say of those to come.

    Attributes:
        of: what is counted: units, or rows where units are not known.
        units: how many of them there were.
        rows: how many rows they had.
        value: the metric of the control, or of all rows.
        unit_variance: units · SE²: of an arm's metric, or of the difference where arms are paired.
        units_per_day: how many came a day, where that is known.
    """

    of: Trials
    units: float
    rows: int
    value: float
    unit_variance: float
    units_per_day: float | None = None


@dataclass(frozen=True, slots=True)
class SampleSize:
    """How many units, rows and days it takes to find the minimum effect with a power.

    `method` is `fixed`, one look that was planned, or `sequence`, to stop at any look. A power
    that needs more than can be told has none.
    """

    method: Method
    power: float
    units: int
    arms: Mapping[str, int]
    rows: int
    days: float | None


@dataclass(frozen=True, slots=True)
class DetectableEffect:
    """The effect that so many days find with a power."""

    days: float
    units: int
    method: Method
    power: float
    effect: float
    relative_effect: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSize:
    """How long an experiment takes, by a pilot; `arm` is the one of which least is known."""

    metric: MetricName
    design: Design
    objective: Objective
    alpha: float
    control: str
    arm: str
    minimum_effect: float | None
    pilot: Pilot
    sizes: tuple[SampleSize, ...]
    detectable: tuple[DetectableEffect, ...]


def experiment_size(
    plan: Plan, pilot: Pilot, days: Sequence[float] = (), units_per_day: float | None = None
) -> ExperimentSize:
    """The units that a plan takes, and the effects that so many days find.

        SE² = V/N (1/s + 1/s₀)        of parallel arms with shares s and s₀; V/N of paired ones
        N = v V (1/s + 1/s₀)/δ²        v: see one_look and sequence_power

    Args:
        plan: what is compared; without a minimum effect there are only effects by days.
        pilot: what rows of before say.
        days: of the effects; default 7, 14 and 28 where the units of a day are known.
        units_per_day: in place of the pilot's.

    Raises:
        InvalidInput: there is nothing to answer.
    """
    daily = pilot.units_per_day if units_per_day is None else units_per_day
    if days and daily is None:
        raise InvalidInput.at("how many units come a day is not known", "units_per_day")
    if plan.minimum_effect is None and daily is None:
        raise InvalidInput.at(
            "name minimum_effect, or units_per_day for the effects that days can find",
            "minimum_effect",
        )
    arm = min(plan.treatments, key=plan.shares.__getitem__)
    spread = pilot.unit_variance
    if plan.design == "parallel":
        spread *= 1 / plan.shares[arm] + 1 / plan.shares[plan.control]
    delta = None if plan.minimum_effect is None else amount(plan.minimum_effect, pilot.value)
    if delta is not None and not delta > 0:
        raise InvalidInput.at("a share of a control of 0 is no effect", "minimum_effect")
    return ExperimentSize(
        metric=plan.metric,
        design=plan.design,
        objective=plan.objective,
        alpha=plan.alpha,
        control=plan.control,
        arm=arm,
        minimum_effect=delta,
        pilot=pilot,
        sizes=() if delta is None else tuple(_sizes(plan, pilot, spread / delta**2, daily)),
        detectable=() if daily is None else tuple(_effects(plan, pilot, spread, days, daily)),
    )


def _sizes(plan: Plan, pilot: Pilot, unit: float, daily: float | None) -> list[SampleSize]:
    sizes = []
    for method in METHODS:
        for power in POWERS:
            needed = information(plan, method, power) * unit
            if not needed < 2**53:
                raise InvalidInput.at("too small: no number of units finds it", "minimum_effect")
            units = max(math.ceil(needed), _least(plan))
            by_arm = {name: math.ceil(units * share) for name, share in _shares(plan).items()}
            rows = math.ceil(units * pilot.rows / pilot.units)
            days = None if daily is None else units / daily
            sizes.append(SampleSize(method, power, units, by_arm, rows, days))
    return sizes


def _effects(
    plan: Plan, pilot: Pilot, spread: float, days: Sequence[float], daily: float
) -> list[DetectableEffect]:
    effects = []
    for count in days or DAYS:
        units = count * daily
        for method in METHODS:
            for power in POWERS:
                effect = math.sqrt(information(plan, method, power) * spread / units)
                relative = effect / abs(pilot.value) if pilot.value else None
                effects.append(
                    DetectableEffect(count, math.floor(units), method, power, effect, relative)
                )
    return effects


def information(plan: Plan, method: Method, power: float) -> float:
    """V = δ²/SE² that finds the minimum effect δ with a power; infinite beyond what can be told."""
    question: Question = "equivalence" if plan.objective == "equivalence" else "difference"
    if method == "fixed":
        return one_look(power, plan.alpha, question)
    return sequence_power(plan.alpha, question).needed(power)


def _least(plan: Plan) -> int:
    """Units below which there is no verdict."""
    return math.ceil(plan.minimum_units / min(_shares(plan).values()))


def _shares(plan: Plan) -> Mapping[str, float]:
    """The part of all units that each arm meets."""
    return dict.fromkeys(plan.names, 1.0) if plan.design == "paired" else plan.shares
