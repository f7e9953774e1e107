"""Settings that are sent: written from the schemas of the service, not by hand."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class CheckThresholds(TypedDict, total=False):
    """Thresholds of a check; what is not said is as by default."""

    tolerance: float | None
    critical: float | None
    minimum_rows: int | None
    alarms_per_year: float | None
    enabled: bool


class MonitorLink(TypedDict, total=False):
    """A page about a monitor."""

    title: str
    url: str


class MonitorSettings(TypedDict, total=False):
    """Settings of a monitor."""

    task: Literal["binary", "multiclass", "multilabel"]
    labels: Sequence[str | int] | None
    pos_label: str | int | None
    window_seconds: int
    retention_days: int
    slices: Sequence[str]
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
    ttl_seconds: int | None
    default_label: str | int | None
    label_window: int | None
    label_lag: int | None
    timezone: str | None
    features: Mapping[str, Literal["numeric", "categorical"]]
    description: str
    owner: str | None
    tags: Sequence[str]
    links: Sequence[MonitorLink]
    checks: Mapping[str, CheckThresholds]


class GuardrailFields(TypedDict, total=False):
    """Another metric, which must not suffer."""

    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
    minimum_effect: float | str
    objective: Literal["superiority", "non_inferiority", "equivalence"]
    outcome: str | None
    higher_is_better: bool | None


class WinsorizeFields(TypedDict, total=False):
    """Bounds that numbers are moved to where they are beyond."""

    lower: float | None
    upper: float | None


class ExperimentSettings(TypedDict, total=False):
    """Settings of an experiment, made before its first row."""

    control: str | None
    assignment: Literal["unit", "request"]
    metric: Literal["log_loss", "normalized_entropy", "brier", "base_rate", "outcome", "ratio"]
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
    other_arms: Literal["error", "ignore"]
    outcome: str | None
    higher_is_better: bool | None
    winsorize: WinsorizeFields | None
    covariate: bool
    guardrails: Sequence[GuardrailFields]
    arms: Sequence[str] | Sequence[Mapping[str, Any]] | Mapping[str, float]
    design: Literal["parallel", "paired"]
    slices: Sequence[str]
