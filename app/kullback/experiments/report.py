"""Reports of arms, as pages read them; JSON begins with the fields of a type's last base."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from kullback.experiments.assignment_report import SampleRatioReport, StrataReport
from kullback.experiments.horizon_report import HorizonReport
from kullback.experiments.margins import MinimumEffect, amount
from kullback.experiments.measure_reports import CovariateReport, PlannedMeasures
from kullback.experiments.measured import MetricName, Objective
from kullback.experiments.plan import Assignment, Design
from kullback.experiments.stops import Stop
from kullback.experiments.verdict import VerdictWord
from kullback.moments import KeptMoment
from kullback.numerics.reasons import Reason
from kullback.scoring.conventions import ConventionName
from kullback.tally.report_types import MetricValues, ReliabilityBin

Interval = tuple[float, float]
Question = Literal["superiority", "margin", "horizon"]
SCORE_BINS = 64  # at most, of an arm
OnlyWhereKnown = Field(exclude_if=lambda value: value is None)
OnlyWhereAny = Field(exclude_if=lambda value: not value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastReport:
    """The difference of a metric, arm minus control; null throughout where there is none.

    `fixed_interval` and `fixed_p_value` are valid for one look, at a time planned in advance.
    `clusters` are buckets of units; `largest_share` is the part of the variance that one makes,
    `skewness` that of the sum of what they add.
    """

    effect: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    clusters: int | None
    largest_share: float | None
    skewness: float | None
    fixed_interval: Interval | None
    fixed_p_value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDifference(ContrastReport):
    """The difference of another metric, with its p-value corrected for the number of metrics.

    `sequence` is valid at every look at once, and of `auc` alone.
    """

    sequence: Interval | None
    benjamini_hochberg: float | None
    reason: Reason | None


@dataclass(frozen=True, kw_only=True)
class ArmPair:
    """An arm, and the control that it is compared with."""

    arm: str
    control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmEffect(ContrastReport, ArmPair):
    """The effect of an arm and the verdict on it.

    `sequence`, `e_value` and `p_value` are valid at every look at once; they are null without a
    minimum effect. `verdict` answers what the plan asks, `superiority` and `margin` each question.
    `information_needed`: how many times the present information would decide.
    """

    relative_effect: float | None
    sequence: Interval | None
    e_value: float | None
    log_e_value: float | None
    p_value: float | None
    information: float | None
    verdict: VerdictWord
    superiority: VerdictWord
    margin: VerdictWord
    reason: str
    reason_code: str
    information_needed: float | None


@dataclass(frozen=True, slots=True)
class ExplanationReport:
    """Where the difference of log loss comes from, in words and in nats."""

    statement: str
    calibration: float | None
    ranking: float | None
    rows: float | None
    auc_difference: float | None


@dataclass(frozen=True, slots=True)
class AdjustedValues:
    """A comparison among all arms and segments: adjusted p-values, and what e-BH claims."""

    holm: float
    benjamini_hochberg: float
    e_bh: bool | None
    sequence: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailReport(ArmEffect):
    """The effect of an arm on a guardrail, and the verdict on it."""

    metric: MetricName
    objective: Objective
    minimum_effect: MinimumEffect | None
    adjusted: AdjustedValues | None
    covariate: Annotated[CovariateReport | None, OnlyWhereKnown] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonReport(ArmEffect):
    """An arm against the control.

    Relative intervals are Fieller's, of the effect in terms of the control's value;
    `relative_reason` says why there is none.
    """

    relative_standard_error: float | None
    relative_fixed_interval: Interval | None
    relative_sequence: Interval | None
    relative_reason: Reason | None
    why: ExplanationReport | None
    adjusted: AdjustedValues | None
    covariate: Annotated[CovariateReport | None, OnlyWhereKnown] = None
    guardrails: Annotated[Mapping[str, GuardrailReport], OnlyWhereAny] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallComparison(ComparisonReport):
    """An arm against the control in all rows, by every metric.

    `horizon` is null without a planned one, and as long as the arms cannot carry a sequence.
    """

    horizon: HorizonReport | None
    metrics: Mapping[str, MetricDifference]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelComparison(OverallComparison):
    """An arm against the control where each row is of one arm."""

    base_rate_difference: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmReport:
    """An arm; `refused` says why it has no metrics, `winsorized` which part of it bounds moved."""

    arm: str
    share: float
    units: int | None
    clusters: int
    n: int
    weight: float
    metrics: MetricValues
    refused: Annotated[str | None, OnlyWhereKnown] = None
    clipped: int
    infinite: int
    effective_sample_size: float
    winsorized: Annotated[float | None, OnlyWhereKnown] = None


@dataclass(frozen=True, slots=True)
class ArmDiagnosis:
    """What the log loss of an arm is made of, in nats, and its calibration line in logits.

    Standard errors are null of labels between 0 and 1, and by units where predictions are narrow.
    """

    miscalibration: float | None
    discrimination: float | None
    uncertainty: float | None
    slope: float | None
    intercept: float | None
    slope_standard_error: float | None
    intercept_standard_error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallArm(ArmReport):
    """An arm in all rows, with its predictions in bins of equal weight and of equal width."""

    diagnosis: ArmDiagnosis
    reliability: tuple[ReliabilityBin, ...]
    score_histogram: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """The arms and their comparisons in the rows of one value of a slice."""

    slice: Mapping[str, str]
    arms: tuple[ArmReport, ...]
    comparisons: tuple[ComparisonReport, ...]

    @property
    def name(self) -> str:
        """The segment, as "country = DE"."""
        return ", ".join(f"{key} = {value}" for key, value in self.slice.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmsReport(PlannedMeasures):
    """Arms and how they compare, by what a plan says.

    `crossover` is the part of all units that met more than one arm; `strata` are null where arms
    are compared by all rows at once.
    """

    design: Design
    assignment: Assignment
    metric: MetricName
    control: str
    alpha: float
    minimum_effect: MinimumEffect | None
    minimum_units: int
    objective: Objective
    power: float | None
    convention: ConventionName
    arms: tuple[OverallArm, ...]
    comparisons: tuple[ParallelComparison | OverallComparison, ...]
    sample_ratio: SampleRatioReport
    crossover: float
    strata: StrataReport | None
    groups: tuple[SegmentReport, ...]
    warnings: tuple[str, ...]
    base_rate_difference: Annotated[Mapping[str, float | None] | None, OnlyWhereKnown] = None

    @property
    def margin(self) -> float | None:
        """The minimum effect in the metric's unit, of the control as it stands, if that is."""
        if not isinstance(self.minimum_effect, str):
            return self.minimum_effect
        control = next(arm for arm in self.arms if arm.arm == self.control)
        value = control.metrics[self.outcome or self.metric].value
        return None if value is None else amount(self.minimum_effect, value)


@dataclass(frozen=True, slots=True)
class FirstCrossing:
    """The first verdict on an arm that was not open, as it was kept, at a version."""

    version: int
    at: KeptMoment
    arm: str
    verdict: VerdictWord
    effect: float
    standard_error: float
    sequence: Interval | None
    e_value: float
    log_e_value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer(FirstCrossing):
    """The first answer to a question that was not open, as it was kept: `verdict` is its word."""

    question: Question


@dataclass(frozen=True, kw_only=True)
class ExperimentVersion:
    """Which state of an experiment: `version` is the number of writes that brought rows."""

    experiment: str
    epoch: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentReport(ArmsReport, ExperimentVersion):
    """The report of an epoch of an experiment.

    `ignored` counts rows of arms that are not planned: they were left out.
    """

    ignored: int
    stopped: Stop | None
    first_crossing: tuple[FirstCrossing, ...]
    first_answers: tuple[FirstAnswer, ...]

    @property
    def rows(self) -> int:
        """How many rows came: each is of every arm where arms are paired."""
        counts = [arm.n for arm in self.arms]
        return max(counts) if self.design == "paired" else sum(counts)
