"""Cells of a monitor: rows become a tally for each window and slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kullback.moments import DAY, FUTURE_SECONDS
from kullback.monitoring.crossed_slices import counted_columns
from kullback.monitoring.features import FeatureColumns, feature_columns, taken_values
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.rows import ObservationRows
from kullback.monitoring.windows import width_at, window_starts
from kullback.numerics.types import Array, Indices
from kullback.scoring.label_types import texts_of
from kullback.scoring.refusals import refuse
from kullback.scoring.screening import refuse_strays
from kullback.storage.base import Cell
from kullback.storage.slice_values import OTHER
from kullback.tally.binary import binary_terms
from kullback.tally.grouping import group_ids
from kullback.tally.multiclass import multiclass_terms
from kullback.tally.multilabel import multilabel_terms
from kullback.tally.tally import Tally
from kullback.tally.terms import Terms
from kullback.tally.units import bucket_of
from kullback.timezones import MONITOR_ZONE

# A row that is predicted and then matched stands in two kinds: what counts rows by their labels
# adds the first two and subtracts the last, what counts rows by their scores adds the first and
# the third. Every sum that is stored only grows.
OBSERVED = "observed"  # rows that came with their labels
MATCHED = "matched"  # predictions whose labels came apart from them
PREDICTED = "predicted"  # predictions that came alone, whether or not their labels came since
RETRACTED = "retracted"  # rows of the first two whose labels were taken back
LABELLED = (OBSERVED, MATCHED)
SCORED = (OBSERVED, PREDICTED)

Cells = dict[Cell, Tally]


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """Rows of a monitor, checked: predictions, and their outcomes where those are known.

    Attributes:
        y: outcomes (n,) of a binary task, classes (n,) of a multiclass one, outcomes (n, k) of a
            multilabel one, or None.
        p: predictions, (n,) or (n, k).
        time: epoch seconds (n,).
        w: weights (n,), or None.
        units: buckets of units (n,), or None.
        slices: the value of each row, by the name of every slice that rows are counted by,
            crossed ones too; None where a row has none.
        features: the values that the rows came with, by the name of the feature.
    """

    y: Array | Indices | None
    p: Array
    time: Array
    w: Array | None
    units: Indices | None
    slices: Mapping[str, Sequence[str | None]]
    features: FeatureColumns = field(default_factory=dict)

    def taken(self, rows: Indices) -> "CheckedRows":
        """Those of some rows."""
        return CheckedRows(
            None if self.y is None else self.y[rows],
            self.p[rows],
            self.time[rows],
            None if self.w is None else self.w[rows],
            None if self.units is None else self.units[rows],
            {name: texts_of(values, rows) for name, values in self.slices.items()},
            {name: taken_values(values, rows) for name, values in self.features.items()},
        )

    def moved(self, moved: Mapping[str, str]) -> "CheckedRows":
        """The same where slices that have no place of their own, as admit says, are others."""
        slices = {
            name: [value if f"{name}={value}" not in moved else OTHER for value in values]
            for name, values in self.slices.items()
        }
        return replace(self, slices=slices) if moved else self


def checked_rows(monitor: Monitor, rows: ObservationRows, now: float) -> CheckedRows:
    """Rows as the monitor sees them; those without a timestamp are of now.

    Raises:
        InvalidInput: a shape, a label, a slice or a time is not this monitor's.
    """
    p = monitor.predictions(monitor.in_label_order("y_proba", rows.y_proba, rows.names))
    refuse_strays(rows.slices, lambda name: monitor.check_slice(name, "slice", name))
    time = np.full(len(rows), now)
    if rows.timestamp is not None:
        time = rows.timestamp.moments("timestamp", monitor.timezone, MONITOR_ZONE)
    _check_times(monitor, time, now)
    return CheckedRows(
        y=None if rows.y_true is None else monitor.outcomes("y_true", rows.y_true, rows.names),
        p=p,
        time=time,
        w=rows.weight,
        units=None if rows.unit is None else bucket_of(rows.unit),
        slices=counted_columns(monitor.slices, rows.slices),
        features=feature_columns(monitor, rows.features),
    )


def late(monitor: Monitor, rows: CheckedRows, now: float) -> int:
    """How many rows lie in windows that had ended."""
    width = monitor.window_seconds
    return int(np.count_nonzero(rows.time < now // width * width))


def _check_times(monitor: Monitor, time: Array, now: float) -> None:
    """Refuse rows from the future, and rows older than what is kept."""
    early = time > now + FUTURE_SECONDS
    refuse("timestamp", early, lambda _: f"more than {FUTURE_SECONDS} seconds in the future")
    kept = now - monitor.retention_days * DAY
    days = monitor.retention_days
    refuse("timestamp", time < kept, lambda _: f"older than the {days} days that are kept")


def cells(monitor: Monitor, rows: CheckedRows, kind: str, now: float) -> Cells:
    """The tally of each window, of all rows and of each value of each slice.

    Windows are as wide as they are kept by now: old rows lie in hours and days at once.

    Raises:
        InvalidInput: the rows lie in more groups than one request may touch.
    """
    window = window_starts(monitor, rows.time, now) // monitor.window_seconds
    tallies = group_ids(
        lambda chosen: _terms(monitor, rows, chosen),
        window,
        rows.slices,
        f", or make window_seconds, now {monitor.window_seconds}, longer",
        monitor.layout.classes if monitor.task == "multilabel" else 1,
    )
    starts = {place: place * monitor.window_seconds for _, place in tallies}
    widths = {place: width_at(monitor, start, now) for place, start in starts.items()}
    return {
        Cell(kind, name, starts[place], widths[place]): tally
        for (name, place), tally in tallies.items()
    }


def _terms(monitor: Monitor, rows: CheckedRows, chosen: slice) -> Terms:
    y = None if rows.y is None else rows.y[chosen]
    w = None if rows.w is None else rows.w[chosen]
    units = None if rows.units is None else rows.units[chosen]
    if monitor.task != "multiclass":
        outcome = None if y is None else np.asarray(y, np.float64)
        terms = binary_terms if monitor.task == "binary" else multilabel_terms
        return terms(monitor.layout, outcome, rows.p[chosen], w, units)
    classes = None if y is None else np.asarray(y, np.int64)
    return multiclass_terms(monitor.layout, classes, rows.p[chosen], w, units)
