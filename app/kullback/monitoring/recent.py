"""The last hour of a monitor whose labels are in, and the predictions of the last hour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kullback.moments import DAY, FUTURE_SECONDS, HOUR
from kullback.monitoring.maturity import (
    FEW,
    RowsByTime,
    hour_at,
    hour_before,
    last_mature,
)
from kullback.monitoring.window_tallies import RowCounts, WindowTallies
from kullback.monitoring.windows import Span
from kullback.tally.drift import Drift
from kullback.tally.metrics import Estimate, TallyMetrics
from kullback.tally.tally import Tally

if TYPE_CHECKING:
    from kullback.monitoring.queries import MonitorReader

__all__ = ["Drift", "RecentHour", "recent_hour"]

SEARCHED_SECONDS = DAY  # how far beyond the lag an hour with labels is looked for
SEARCH_EVERY = 60.0  # seconds: it reads a day


@dataclass(frozen=True, slots=True)
class RecentHour:
    """What a monitor saw in its last mature hour, what came since, and when it last saw anything.

    Attributes:
        span: the last mature hour that has labels, within a day before the lag; None if there is
            none.
        metrics: of its rows with labels.
        rows: how many these are.
        labelled_share: the share of all rows of that hour that have labels.
        drift: of the scores of the last hour by the clock, and of the labels of the mature one.
        features: drift of each feature of the last hour by the clock.
        latest: rows of the last hour by the clock.
        lag: seconds after which labels are in, as set or learned.
        only_positives: whether the labels that came were all positive, and of a few rows.
        last_start: the start of the last window with rows.
        waiting_predictions: how many wait for their labels now.
        waiting_labels: how many wait for their predictions now.
        is_latest: whether the mature hour is the last one by the clock.
        searched: when the mature hour was looked for beside that at the lag; None where it was not.
    """

    span: Span | None
    metrics: Mapping[str, Estimate]
    rows: int
    labelled_share: float | None
    drift: Mapping[str, Drift]
    latest: RowCounts
    lag: float
    only_positives: bool
    last_start: int | None
    waiting_predictions: int
    waiting_labels: int
    is_latest: bool = False
    searched: float | None = None
    features: Mapping[str, Drift] = field(default_factory=dict)

    @property
    def predictions(self) -> int:
        """Rows of the last hour by the clock, with labels or not."""
        return self.latest.scored

    @property
    def stop(self) -> int | None:
        """The end of the last mature hour."""
        return None if self.span is None else self.span.stop

    @property
    def is_waiting(self) -> bool:
        """Whether rows came, of which too few have labels yet for a mature hour."""
        came = self.predictions > 0 or self.waiting_predictions > 0 or self.only_positives
        return self.span is None and came


def recent_hour(reader: "MonitorReader", before: RecentHour | None) -> RecentHour:
    """The last mature hour of a monitor, and its last hour.

    Where the last hour has about all of its labels, or the hour at the lag is mature, this is one
    reading, or two of an hour each. Where neither does, or where rows come with their labels, so
    that a later hour may have all, a day before the lag and all after it is searched by counts of
    rows; not again within a minute of `before`, what was found then.
    """
    maturity, latest_span = reader.maturity, reader.span(reader.now - HOUR, None)
    latest = reader.tallies(latest_span)
    span, rows = latest_span, latest
    if maturity.lag > 0:
        span, rows = _latest_or_at_lag(reader, latest_span, latest)
    chosen: Span | None = span
    is_latest = span is latest_span
    searched: float | None = None
    comes_labelled = maturity.final_share is not None and reader.counts.get("observations", 0) > 0
    if (not is_latest and comes_labelled) or not _is_mature(reader, span, rows):
        chosen, searched = _searched_again(reader, before)
        rows = WindowTallies() if chosen is None else reader.tallies(chosen)
    judged = maturity.judges(rows.rows, rows.labelled)
    if not judged:
        chosen, rows = None, WindowTallies()
    metrics = TallyMetrics(rows.labelled or Tally(reader.monitor.layout))
    return RecentHour(
        span=chosen,
        metrics=metrics.metrics(),
        rows=metrics.rows,
        labelled_share=rows.rows.labelled_share,
        drift=_drift(reader, WindowTallies(rows.labelled, latest.scored), latest_span, chosen),
        latest=latest.rows,
        lag=maturity.lag,
        only_positives=not judged,
        last_start=reader.last_start,
        waiting_predictions=reader.counts.get("waiting_predictions", 0),
        waiting_labels=reader.counts.get("waiting_labels", 0),
        is_latest=is_latest and searched is None,
        searched=searched,
        features=_feature_drifts(reader, latest_span),
    )


def _latest_or_at_lag(
    reader: "MonitorReader", latest_span: Span, latest: WindowTallies
) -> tuple[Span, WindowTallies]:
    """The last hour, where about all of more than a few rows have labels, or that at the lag."""
    now = reader.now
    at_lag = hour_before(reader.monitor, now - reader.maturity.lag, now)
    rows = reader.tallies(at_lag)
    is_some = latest.rows.labelled >= FEW * rows.rows.labelled
    if is_some and _is_mature(reader, latest_span, latest):
        return latest_span, latest
    return at_lag, rows


def _is_mature(reader: "MonitorReader", span: Span, rows: WindowTallies) -> bool:
    return rows.rows.labelled > 0 and reader.maturity.has(span.stop, rows.rows, reader.now)


def _searched_again(
    reader: "MonitorReader", before: RecentHour | None
) -> tuple[Span | None, float]:
    """What was found before, within a minute, or is now; and when."""
    last = None if before is None else before.searched
    if before is not None and last is not None and 0 <= reader.now - last < SEARCH_EVERY:
        return before.span, last
    return _searched(reader), reader.now


def _drift(
    reader: "MonitorReader", rows: WindowTallies, latest: Span, mature: Span | None
) -> Mapping[str, Drift]:
    """Drift of the scores of the last hour and of the labels of the mature one."""
    scores, labels = reader.reference_of(latest), reader.reference_of(mature or latest)
    if scores is None or labels is None:
        return {}
    return {"score": scores.score_drift(rows, ""), "label": labels.label_drift(rows, "")}


def _feature_drifts(reader: "MonitorReader", latest: Span) -> Mapping[str, Drift]:
    """Drift of each feature, where there is something to compare with."""
    if not reader.monitor.features or reader.reference is None:
        return {}
    reference = reader.reference_of(latest)
    assert reference is not None
    drifts = reference.feature_drifts(reader.features(latest))
    return {name: each.drift for name, each in drifts.items()}


def _searched(reader: "MonitorReader") -> Span | None:
    """The last mature hour with labels, of a day before the lag and all after it."""
    counts = reader.counts
    if not counts.get("matched", 0) and not counts.get("observations", 0):
        return None
    now = reader.now
    first = hour_at(reader.monitor, now - reader.maturity.lag - SEARCHED_SECONDS, now).start
    hours = RowsByTime(lambda at: hour_at(reader.monitor, at, now))
    with reader.store.stream(reader.record.id, first, int(now + FUTURE_SECONDS)) as parts:
        hours.count(reader.stored.seen(parts))
    return last_mature(hours.steps(), reader.maturity, now)
