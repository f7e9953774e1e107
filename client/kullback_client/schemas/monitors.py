"""Answers: monitors: written from the schemas of the service, not by hand."""

from datetime import datetime
from typing import Literal, TypeAlias

from ..documents import Document


class ChosenThresholds(Document):
    """Thresholds of a check where they are not the default ones; None where they are."""

    tolerance: float | None
    critical: float | None
    minimum_rows: int | None
    alarms_per_year: float | None
    enabled: bool | None


class Link(Document):
    """A page about a monitor; `url` begins with http:// or https://."""

    title: str
    url: str


class MonitorSetup(Document):
    """How a monitor was set up; `labels` are in column order, the last of two is positive."""

    name: str
    task: Literal["binary", "multiclass", "multilabel"]
    labels: list[str | int] | None
    pos_label: str | int | None
    window_seconds: int
    retention_days: int
    slices: list[str]
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
    ttl_seconds: int
    label_lag: int | None
    timezone: str | None
    description: str
    owner: str | None
    tags: list[str]
    links: list[Link]
    default_label: str | int | None
    label_window: int | None
    checks: dict[str, ChosenThresholds]
    features: dict[str, Literal["numeric", "categorical"]]


class ForgottenRows(Document):
    """What a change has removed: rows, those of them with labels, ids, and counts of features."""

    rows: int
    labelled: int
    ids: int
    features: list[str] | None


class ChangedMonitor(Document):
    """How a monitor is set up after a change, and what that has forgotten."""

    name: str
    task: Literal["binary", "multiclass", "multilabel"]
    labels: list[str | int] | None
    pos_label: str | int | None
    window_seconds: int
    retention_days: int
    slices: list[str]
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
    ttl_seconds: int
    label_lag: int | None
    timezone: str | None
    description: str
    owner: str | None
    tags: list[str]
    links: list[Link]
    default_label: str | int | None
    label_window: int | None
    checks: dict[str, ChosenThresholds]
    features: dict[str, Literal["numeric", "categorical"]]
    forgotten: ForgottenRows | None


class UnmatchedRows(Document):
    """Predictions without a label, and labels without a prediction."""

    predictions: int
    labels: int


class MonitorCounts(Document):
    """How many rows have come since the monitor was created."""

    observations: int
    predictions: int
    labels: int
    matched: int
    defaulted: int
    corrected: int
    duplicates: int
    rejected: int
    late: int
    backfilled: int
    pending: UnmatchedRows
    expired: UnmatchedRows


class ReferenceSummary(Document):
    """What drift is measured against; `n` is null where no rows were counted."""

    source: str
    n: int | None
    score_histogram: list[float] | None
    label_distribution: list[float] | None
    offset: int | None


State: TypeAlias = Literal["ok", "warning", "critical", "unknown"]


class MonitorDetails(Document):
    """A monitor in full; `last_window` is the start of the last window in which rows came."""

    name: str
    task: Literal["binary", "multiclass", "multilabel"]
    labels: list[str | int] | None
    pos_label: str | int | None
    window_seconds: int
    retention_days: int
    slices: list[str]
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
    ttl_seconds: int
    label_lag: int | None
    timezone: str | None
    description: str
    owner: str | None
    tags: list[str]
    links: list[Link]
    default_label: str | int | None
    label_window: int | None
    checks: dict[str, ChosenThresholds]
    features: dict[str, Literal["numeric", "categorical"]]
    created: datetime
    state: State
    counts: MonitorCounts
    last_window: datetime | None
    learned_label_lag: float | None
    reference: ReferenceSummary | None


class ListedMonitor(Document):
    """How a monitor was set up, and the state of its checks, of a minute ago at most."""

    name: str
    task: Literal["binary", "multiclass", "multilabel"]
    labels: list[str | int] | None
    pos_label: str | int | None
    window_seconds: int
    retention_days: int
    slices: list[str]
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
    ttl_seconds: int
    label_lag: int | None
    timezone: str | None
    description: str
    owner: str | None
    tags: list[str]
    links: list[Link]
    default_label: str | int | None
    label_window: int | None
    checks: dict[str, ChosenThresholds]
    features: dict[str, Literal["numeric", "categorical"]]
    created: datetime
    state: State


class MonitorList(Document):
    """Monitors, by name; of a part of them `next` is what to begin `after` for more, or null."""

    monitors: list[ListedMonitor]
    next: str | None


class RemovedWindows(Document):
    """How many rows stood in the windows that were removed, and how many of them had labels."""

    from_: datetime
    to: datetime
    removed: int
    labelled: int


class FieldError(Document):
    """One wrong place: a JSON Pointer (RFC 6901) and what is wrong there."""

    pointer: str
    detail: str


class RowsAccepted(Document):
    """How many rows were added, and how many were `rejected`, the first of them with a reason."""

    accepted: int
    rejected: int
    rejections: list[FieldError]
    clipped: int
    infinite: int
    late: int
    backfilled: int
    duplicates: int


class JoinedRowsAccepted(Document):
    """How many rows were added, and what became of them by id."""

    accepted: int
    rejected: int
    rejections: list[FieldError]
    clipped: int
    infinite: int
    late: int
    backfilled: int
    duplicates: int
    matched: int
    pending: int
    corrected: int


class Annotation(Document):
    """What happened at a time; `link` leads to a page about it."""

    id: str
    time: datetime
    text: str
    link: str | None


class AnnotationList(Document):
    """Annotations by time, the earliest first."""

    annotations: list[Annotation]
