"""Answers: monitor reports: written from the schemas of the service, not by hand."""

from datetime import datetime
from typing import Literal

from ..documents import Document
from .monitors import State
from .scores import Reason


class AucValue(Document):
    """The area under the ROC curve, true to ± `error_bound`: scores are kept in bins."""

    value: float | None
    status: Literal["finite", "infinite", "undefined"]
    reason: Reason | None
    standard_error: float | None
    error_bound: float | None


class EceValue(Document):
    """The expected calibration error, which chance makes larger."""

    value: float | None
    status: Literal["finite", "infinite", "undefined"]
    reason: Reason | None
    standard_error: float | None
    debiased: float | None
    expected_if_calibrated: float | None


class LogLossDecomposition(Document):
    """Log loss = miscalibration − discrimination + uncertainty, in nats."""

    miscalibration: float | None
    discrimination: float | None
    uncertainty: float | None


class MetricValue(Document):
    """A metric; `value` is null where `reason` says why there is none."""

    value: float | None
    status: Literal["finite", "infinite", "undefined"]
    reason: Reason | None
    standard_error: float | None


class DriftReport(Document):
    """How far shares are from those of the reference, in nats, and how surely they changed."""

    kl: float | None
    js: float | None
    psi: float | None
    g_statistic: float | None
    degrees_of_freedom: int | None
    p_value: float | None
    reason: Reason | None
    statement: str


class CategoryBin(Document):
    """The same of rows with one `value`; (other) is all that have no bin of their own."""

    value: str
    share: float | None
    reference_share: float | None


class MissingBin(Document):
    """The share of rows that came without a value of a feature, and that of the reference."""

    missing: bool | None
    share: float | None
    reference_share: float | None


class NumberBin(Document):
    """The same of rows with a number `from` one, inclusive, `to` another; null: nothing bounds."""

    from_: float | None
    to: float | None
    share: float | None
    reference_share: float | None


class FeatureDriftReport(Document):
    """How far a feature is from the reference, and where."""

    kl: float | None
    js: float | None
    psi: float | None
    g_statistic: float | None
    degrees_of_freedom: int | None
    p_value: float | None
    reason: Reason | None
    statement: str
    n: int
    missing_share: float | None
    reference_missing_share: float | None
    bins: list[NumberBin | CategoryBin | MissingBin]


class ReferenceTime(Document):
    """The time that a reference is of."""

    from_: datetime
    to: datetime


class MonitorDrift(Document):
    """Drift of scores and of labels; of `slices`, how rows fall into the values of a slice."""

    score: DriftReport
    label: DriftReport
    slices: dict[str, DriftReport] | None
    features: dict[str, FeatureDriftReport] | None
    reference: ReferenceTime | None


class MonitorGroup(Document):
    """The rows of one value of a slice; of these `predictions` were scored, `n` have labels."""

    slice: dict[str, str]
    n: int
    weight: float
    metrics: dict[str, AucValue | EceValue | MetricValue]
    predictions: int
    labelled_share: float | None
    drift: MonitorDrift


class MonitorLabel(Document):
    """A label of a multilabel monitor, over all rows: `log_loss` in nats, null where infinite."""

    label: str | int
    base_rate: float | None
    mean_prediction: float | None
    log_loss: float | None


class ReliabilityBin(Document):
    """Predictions in (low, high], beside what was observed."""

    low: float
    high: float
    weight: float
    mean_predicted: float | None
    observed: float | None


class MonitorReport(Document):
    """Metrics and drift of a monitor between `from`, inclusive, and `to`, exclusive."""

    monitor: str
    from_: datetime
    to: datetime
    n: int
    weight: float
    metrics: dict[str, AucValue | EceValue | MetricValue]
    predictions: int
    labelled_share: float | None
    mature_until: datetime | None
    maturity: str
    clipped: int
    infinite: int
    units: int | None
    decomposition: LogLossDecomposition
    reliability: list[ReliabilityBin]
    drift: MonitorDrift
    groups: list[MonitorGroup]
    labels: list[MonitorLabel] | None
    slice: dict[str, str] | None


class MetricPoint(Document):
    """A metric of the `n` rows with labels of one step; `error_bound` is of `auc` alone."""

    from_: datetime
    to: datetime
    n: int
    value: float | None
    status: Literal["finite", "infinite", "undefined"]
    reason: Reason | None
    standard_error: float | None
    labelled_share: float | None
    mature: bool
    error_bound: float | None
    metric: str | None
    slice: dict[str, str] | None


class MonitorSeries(Document):
    """Metrics over time: a point for each step of `step` seconds in which rows came."""

    monitor: str
    metric: str | None
    metrics: list[str] | None
    by: list[str] | None
    step: int
    points: list[MetricPoint]
    slice: dict[str, str] | None


class Check(Document):
    """One check of a monitor."""

    name: str
    state: State
    value: float | None
    threshold: float | None
    n: int
    minimum_rows: int
    evidence: float | None
    evidence_needed: float | None
    slice: dict[str, str] | None
    feature: str | None
    since: datetime | None
    statement: str


class MonitorChecks(Document):
    """The checks of a monitor, and the worst state of them, as of a moment."""

    monitor: str
    state: State
    time: datetime
    checks: list[Check]
