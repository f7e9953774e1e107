"""Answers about experiments beside their reports: set-ups, series, replies to writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from kullback.documents import extended
from kullback.errors import FieldError
from kullback.experiments.margins import MinimumEffect
from kullback.experiments.measure_reports import PlannedMeasures, planned_measures
from kullback.experiments.measured import MetricName, Objective
from kullback.experiments.plan import Arm, Assignment, Design, OtherArms, Plan
from kullback.experiments.report import ArmEffect, FirstAnswer, FirstCrossing
from kullback.experiments.stops import Stop
from kullback.moments import Moment
from kullback.scoring.conventions import ConventionName


@dataclass(frozen=True, kw_only=True)
class SeriesStep:
    """A step of time, and the number of all rows up to its end."""

    start: Annotated[Moment, Field(alias="from")]
    to: Moment
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectPoint(ArmEffect, SeriesStep):
    """The effect at the end of a step, of all rows up to there."""


@dataclass(frozen=True, slots=True)
class ExperimentSeries:
    """The effect of an arm over time."""

    experiment: str
    metric: MetricName
    step: int
    epoch: int
    arm: str
    control: str
    points: tuple[EffectPoint, ...]


@dataclass(frozen=True, slots=True)
class ExperimentSetup(PlannedMeasures):
    """An experiment as it was set up; `epoch` is that of the rows that come now."""

    name: str
    epoch: int
    arms: tuple[Arm, ...]
    control: str
    design: Design
    assignment: Assignment
    metric: MetricName
    alpha: float
    minimum_effect: MinimumEffect | None
    minimum_units: int
    objective: Objective
    power: float | None
    convention: ConventionName
    slices: tuple[str, ...]
    other_arms: OtherArms
    stopped: Annotated[Stop | None, Field(exclude_if=lambda stop: stop is None)]

    @classmethod
    def of(
        cls, name: str, epoch: int, plan: Plan, stopped: Stop | None = None
    ) -> "ExperimentSetup":
        """The set-up that a plan is of."""
        return extended(
            ExperimentSetup,
            planned_measures(plan),
            name=name,
            epoch=epoch,
            arms=plan.arms,
            control=plan.control,
            design=plan.design,
            assignment=plan.assignment,
            metric=plan.metric,
            alpha=plan.alpha,
            minimum_effect=plan.minimum_effect,
            minimum_units=plan.minimum_units,
            objective=plan.objective,
            power=plan.power,
            convention=plan.convention,
            slices=plan.slices,
            other_arms=plan.other_arms,
            stopped=stopped,
        )


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What another plan changes: rows that stay behind are of the epoch that ends.

    `rows_kept` are the rows so far of the epoch of the other plan. `opens_stratum`: rows count on,
    and those from now on are compared among themselves, as they come in other shares.
    """

    fields: tuple[str, ...]
    opens_epoch: bool
    opens_stratum: bool
    rows_left_behind: int
    rows_kept: int


@dataclass(frozen=True, slots=True)
class ChangedExperiment(ExperimentSetup):
    """An experiment under the plan that was put, and what that changes, where it was there."""

    change: Annotated[PlanChange | None, Field(exclude_if=lambda change: change is None)] = None

    @classmethod
    def after(cls, setup: ExperimentSetup, change: PlanChange | None) -> "ChangedExperiment":
        """An experiment after a change of its plan."""
        return extended(cls, setup, change=change)


@dataclass(frozen=True, slots=True)
class ListedExperiment(ExperimentSetup):
    """An experiment as it was set up, and when."""

    created: Moment


@dataclass(frozen=True, slots=True)
class ExperimentList:
    """Every experiment, by name."""

    experiments: tuple[ListedExperiment, ...]


@dataclass(frozen=True, slots=True)
class ExperimentDetail(ListedExperiment):
    """An experiment, the number of rows in each epoch, its first verdicts and answers."""

    version: int
    observations: Mapping[str, int]
    last_window: Moment | None
    first_crossing: tuple[FirstCrossing, ...]
    first_answers: tuple[FirstAnswer, ...]


@dataclass(frozen=True, slots=True)
class AcceptedObservations:
    """What became of observations that were sent, counted over all arms.

    `rejected` rows were left out, the first of them with a reason; `ignored` ones too, as the plan
    says: rows, or predictions of paired rows, of arms that are not in it.
    """

    accepted: int
    ignored: int
    rejected: int
    rejections: tuple[FieldError, ...]
    clipped: int
    infinite: int
    epoch: int
