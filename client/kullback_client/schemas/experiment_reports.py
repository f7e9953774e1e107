"""Answers: experiment reports: written from the schemas of the service, not by hand."""

from datetime import datetime
from typing import Literal

from ..documents import Document
from .experiment_assignment import SampleRatioReport, StrataReport
from .experiment_effects import AdjustedValues, CovariateReport, ExplanationReport, GuardrailReport
from .experiments import FirstAnswer, FirstCrossing, Guardrail, Stop, VerdictWord, Winsorize
from .monitor_reports import AucValue, EceValue, MetricValue, ReliabilityBin
from .scores import Reason


class ArmDiagnosis(Document):
    """What the log loss of an arm is made of, in nats, and its calibration line in logits."""

    miscalibration: float | None
    discrimination: float | None
    uncertainty: float | None
    slope: float | None
    intercept: float | None
    slope_standard_error: float | None
    intercept_standard_error: float | None


class OverallArm(Document):
    """An arm in all rows, with its predictions in bins of equal weight and of equal width."""

    arm: str
    share: float
    units: int | None
    clusters: int
    n: int
    weight: float
    metrics: dict[str, AucValue | EceValue | MetricValue]
    refused: str | None
    clipped: int
    infinite: int
    effective_sample_size: float
    winsorized: float | None
    diagnosis: ArmDiagnosis
    reliability: list[ReliabilityBin]
    score_histogram: list[ReliabilityBin]


class HorizonReport(Document):
    """A comparison on its way to a planned horizon, by group-sequential looks."""

    information_fraction: float | None
    statistic: float | None
    boundary: float | None
    interval: tuple[float, float] | None
    answer: VerdictWord
    is_last: bool


class MetricDifference(Document):
    """The difference of another metric, with its p-value corrected for the number of metrics."""

    effect: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    clusters: int | None
    largest_share: float | None
    skewness: float | None
    fixed_interval: tuple[float, float] | None
    fixed_p_value: float | None
    sequence: tuple[float, float] | None
    benjamini_hochberg: float | None
    reason: Reason | None


class OverallComparison(Document):
    """An arm against the control in all rows, by every metric."""

    arm: str
    control: str
    effect: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    clusters: int | None
    largest_share: float | None
    skewness: float | None
    fixed_interval: tuple[float, float] | None
    fixed_p_value: float | None
    relative_effect: float | None
    sequence: tuple[float, float] | None
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
    relative_standard_error: float | None
    relative_fixed_interval: tuple[float, float] | None
    relative_sequence: tuple[float, float] | None
    relative_reason: Reason | None
    why: ExplanationReport | None
    adjusted: AdjustedValues | None
    covariate: CovariateReport | None
    guardrails: dict[str, GuardrailReport] | None
    horizon: HorizonReport | None
    metrics: dict[str, MetricDifference]


class ParallelComparison(Document):
    """An arm against the control where each row is of one arm."""

    arm: str
    control: str
    effect: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    clusters: int | None
    largest_share: float | None
    skewness: float | None
    fixed_interval: tuple[float, float] | None
    fixed_p_value: float | None
    relative_effect: float | None
    sequence: tuple[float, float] | None
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
    relative_standard_error: float | None
    relative_fixed_interval: tuple[float, float] | None
    relative_sequence: tuple[float, float] | None
    relative_reason: Reason | None
    why: ExplanationReport | None
    adjusted: AdjustedValues | None
    covariate: CovariateReport | None
    guardrails: dict[str, GuardrailReport] | None
    horizon: HorizonReport | None
    metrics: dict[str, MetricDifference]
    base_rate_difference: float | None


class ArmReport(Document):
    """An arm; `refused` says why it has no metrics, `winsorized` which part of it bounds moved."""

    arm: str
    share: float
    units: int | None
    clusters: int
    n: int
    weight: float
    metrics: dict[str, AucValue | EceValue | MetricValue]
    refused: str | None
    clipped: int
    infinite: int
    effective_sample_size: float
    winsorized: float | None


class ComparisonReport(Document):
    """An arm against the control."""

    arm: str
    control: str
    effect: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    clusters: int | None
    largest_share: float | None
    skewness: float | None
    fixed_interval: tuple[float, float] | None
    fixed_p_value: float | None
    relative_effect: float | None
    sequence: tuple[float, float] | None
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
    relative_standard_error: float | None
    relative_fixed_interval: tuple[float, float] | None
    relative_sequence: tuple[float, float] | None
    relative_reason: Reason | None
    why: ExplanationReport | None
    adjusted: AdjustedValues | None
    covariate: CovariateReport | None
    guardrails: dict[str, GuardrailReport] | None


class SegmentReport(Document):
    """The arms and their comparisons in the rows of one value of a slice."""

    slice: dict[str, str]
    arms: list[ArmReport]
    comparisons: list[ComparisonReport]


class ExperimentReport(Document):
    """The report of an epoch of an experiment."""

    experiment: str
    epoch: int
    version: int
    outcome: str | None
    higher_is_better: bool | None
    winsorize: Winsorize | None
    covariate: bool | None
    guardrails: list[Guardrail] | None
    design: Literal["parallel", "paired"]
    assignment: Literal["unit", "request"]
    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    control: str
    alpha: float
    minimum_effect: float | str | None
    minimum_units: int
    objective: Literal["superiority", "non_inferiority", "equivalence"]
    power: float | None
    convention: Literal[
        "exact",
        "sklearn",
        "torchrec",
        "lightgbm",
        "xgboost",
        "keras",
        "torch",
        "lightgbm_cross_entropy",
        "catboost",
        "river",
        "spark",
    ]
    arms: list[OverallArm]
    comparisons: list[ParallelComparison | OverallComparison]
    sample_ratio: SampleRatioReport
    crossover: float
    strata: StrataReport | None
    groups: list[SegmentReport]
    warnings: list[str]
    base_rate_difference: dict[str, float | None] | None
    ignored: int
    stopped: Stop | None
    first_crossing: list[FirstCrossing]
    first_answers: list[FirstAnswer]


class EffectPoint(Document):
    """The effect at the end of a step, of all rows up to there."""

    from_: datetime
    to: datetime
    n: int
    arm: str
    control: str
    effect: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    clusters: int | None
    largest_share: float | None
    skewness: float | None
    fixed_interval: tuple[float, float] | None
    fixed_p_value: float | None
    relative_effect: float | None
    sequence: tuple[float, float] | None
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


class ExperimentSeries(Document):
    """The effect of an arm over time."""

    experiment: str
    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    step: int
    epoch: int
    arm: str
    control: str
    points: list[EffectPoint]
