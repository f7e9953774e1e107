"""Answers: experiment effects: written from the schemas of the service, not by hand."""

from typing import Literal

from ..documents import Document
from .experiments import VerdictWord


class AdjustedValues(Document):
    """A comparison among all arms and segments: adjusted p-values, and what e-BH claims."""

    holm: float
    benjamini_hochberg: float
    e_bh: bool | None
    sequence: tuple[float, float] | None


class CovariateReport(Document):
    """What a covariate takes from an effect: `reduction` is the part of its variance."""

    correlation: float
    reduction: float
    unadjusted_effect: float
    unadjusted_standard_error: float
    difference: float
    difference_p_value: float
    is_balanced: bool


class GuardrailReport(Document):
    """The effect of an arm on a guardrail, and the verdict on it."""

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
    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    objective: Literal["superiority", "non_inferiority", "equivalence"]
    minimum_effect: float | str | None
    adjusted: AdjustedValues | None
    covariate: CovariateReport | None


class ExplanationReport(Document):
    """Where the difference of log loss comes from, in words and in nats."""

    statement: str
    calibration: float | None
    ranking: float | None
    rows: float | None
    auc_difference: float | None
