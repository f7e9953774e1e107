"""What is answered about monitors besides reports: settings, what came, what a write did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from kullback.documents import extended
from kullback.errors import FieldError
from kullback.judgement.findings import State
from kullback.judgement.settings import ChosenThresholds
from kullback.moments import Moment
from kullback.monitoring.monitor import Link, Monitor
from kullback.monitoring.reference import Reference
from kullback.scoring.conventions import ConventionName
from kullback.scoring.labels import Label
from kullback.storage.base import Record
from kullback.tally.feature_counts import FeatureKind
from kullback.tally.tally import Task

WHOLE = ""  # no name: a list that nobody has asked for a part of


@dataclass(frozen=True, slots=True)
class MonitorSetup:
    """How a monitor was set up; `labels` are in column order, the last of two is positive.

    A prediction whose label has not come in `label_window` seconds counts with `default_label`.
    """

    name: str
    task: Task
    labels: tuple[Label, ...] | None
    pos_label: Label | None
    window_seconds: int
    retention_days: int
    slices: tuple[str, ...]
    convention: ConventionName
    ttl_seconds: int
    label_lag: int | None
    timezone: str | None
    description: str
    owner: str | None
    tags: tuple[str, ...]
    links: tuple[Link, ...]
    default_label: Label | None
    label_window: int | None
    checks: Mapping[str, ChosenThresholds]
    features: Mapping[str, FeatureKind]
    reference_offset: Annotated[int | None, Field(exclude=True)] = field(default=None, kw_only=True)

    @classmethod
    def of(cls, name: str, monitor: Monitor) -> "MonitorSetup":
        """A monitor as it was set up."""
        return extended(cls, monitor, name=name)


@dataclass(frozen=True, slots=True)
class ForgottenRows:
    """What a change has removed: rows, those of them with labels, ids, and counts of features."""

    rows: int
    labelled: int
    ids: int
    features: Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)] = ()


@dataclass(frozen=True, slots=True)
class ChangedMonitor(MonitorSetup):
    """How a monitor is set up after a change, and what that has forgotten."""

    forgotten: Annotated[ForgottenRows | None, Field(exclude_if=lambda rows: rows is None)] = None

    @classmethod
    def after(cls, setup: MonitorSetup, forgotten: ForgottenRows) -> "ChangedMonitor":
        """A monitor after a change."""
        return extended(cls, setup, forgotten=forgotten)


@dataclass(frozen=True, slots=True)
class RemovedWindows:
    """How many rows stood in the windows that were removed, and how many of them had labels."""

    start: Annotated[Moment, Field(alias="from")]
    stop: Annotated[Moment, Field(alias="to")]
    removed: int
    labelled: int


@dataclass(frozen=True, slots=True)
class CreatedMonitor(MonitorSetup):
    """How a monitor was set up, and when it was created."""

    created: Moment

    @classmethod
    def at(cls, record: Record, monitor: Monitor) -> "CreatedMonitor":
        """The monitor of a record."""
        return extended(cls, monitor, name=record.name, created=record.created)


@dataclass(frozen=True, slots=True)
class ListedMonitor(CreatedMonitor):
    """How a monitor was set up, and the state of its checks, of a minute ago at most."""

    state: State


@dataclass(frozen=True, slots=True)
class MonitorList:
    """Monitors, by name; of a part of them `next` is what to begin `after` for more, or null."""

    monitors: tuple[ListedMonitor, ...]
    next: Annotated[str | None, Field(exclude_if=lambda name: name == WHOLE)] = WHOLE


@dataclass(frozen=True, slots=True)
class UnmatchedRows:
    """Predictions without a label, and labels without a prediction."""

    predictions: int
    labels: int

    @classmethod
    def of(cls, counts: Mapping[str, int], state: str) -> "UnmatchedRows":
        """Those that are in this state, by the counts of the store."""
        return cls(counts.get(f"{state}_predictions", 0), counts.get(f"{state}_labels", 0))


@dataclass(frozen=True, slots=True)
class MonitorCounts:
    """How many rows have come since the monitor was created.

    `pending` rows wait for their other half, `expired` ones waited longer than `ttl_seconds`.
    Predictions that are `defaulted` count with `default_label`, as no label has come. Labels were
    `corrected` as often as another took the place of one, or of a default.
    """

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

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "MonitorCounts":
        """The counts of the store."""
        return cls(
            observations=counts.get("observations", 0),
            predictions=counts.get("predictions", 0),
            labels=counts.get("labels", 0),
            matched=counts.get("matched", 0),
            defaulted=counts.get("defaulted", 0),
            corrected=counts.get("corrected", 0),
            duplicates=counts.get("duplicates", 0),
            rejected=counts.get("rejected", 0),
            late=counts.get("late", 0),
            backfilled=counts.get("backfilled", 0),
            pending=UnmatchedRows.of(counts, "waiting"),
            expired=UnmatchedRows.of(counts, "expired"),
        )

    @property
    def is_empty(self) -> bool:
        """Whether no row ever came."""
        return not (self.observations or self.is_joined)

    @property
    def is_joined(self) -> bool:
        """Whether predictions and labels come apart."""
        return self.predictions > 0 or self.labels > 0


@dataclass(frozen=True, slots=True)
class ReferenceSummary:
    """What drift is measured against; `n` is null where no rows were counted.

    A moving one is of the time `offset` seconds before what is compared with it.
    """

    source: str
    n: int | None
    score_histogram: tuple[float, ...] | None
    label_distribution: tuple[float, ...] | None
    offset: Annotated[int | None, Field(exclude_if=lambda offset: offset is None)] = None

    @classmethod
    def of(cls, reference: Reference) -> "ReferenceSummary":
        """The reference in short."""
        rows = reference.scored.get("")
        return cls(
            reference.source,
            None if rows is None else rows.scalar("rows"),
            reference.score_histogram,
            reference.label_distribution,
            reference.offset,
        )


@dataclass(frozen=True, slots=True)
class MonitorDetails(ListedMonitor):
    """A monitor in full; `last_window` is the start of the last window in which rows came.

    `learned_label_lag` is how many seconds after their predictions 95 % of the labels come, null
    where no label came apart from its prediction.
    """

    counts: MonitorCounts
    last_window: Moment | None
    learned_label_lag: float | None
    reference: ReferenceSummary | None


@dataclass(frozen=True, slots=True)
class RowsAccepted:
    """How many rows were added, and how many were `rejected`, the first of them with a reason.

    Of those added `late` ones lie in windows that had ended, and `backfilled` ones in windows that
    ended more than a day before the label lag: they are no news, live counters do not have them.

    The loss of `clipped` rows was bounded by the convention, that of `infinite` ones is infinite.
    Of `duplicates` the id had come before: nothing was kept of these.
    """

    accepted: int
    rejected: int
    rejections: tuple[FieldError, ...]
    clipped: int
    infinite: int
    late: int
    backfilled: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class JoinedRowsAccepted(RowsAccepted):
    """How many rows were added, and what became of them by id.

    `matched` rows met their other half, `pending` ones wait for it. Labels that were `corrected`
    stand in place of others, or of `default_label`.
    """

    matched: int
    pending: int
    corrected: int
