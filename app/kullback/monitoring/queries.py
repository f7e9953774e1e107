"""This file is about reading monitors: reports, series, and what stands of each in the store."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from kullback.errors import InvalidInput
from kullback.moments import DAY, HOUR, Clock, moment
from kullback.monitoring.reference import Reference, WindowTallies
from kullback.monitoring.report import ReportScope, report, series, tallies_by_slice
from kullback.monitoring.windows import span, step_at
from kullback.monitoring.writes import KIND, REFERENCE, StoredMonitor
from kullback.storage.base import Store
from kullback.tally.documents import Document
from kullback.tally.drift import Drift
from kullback.tally.metrics import Estimate, TallyMetrics
from kullback.tally.tally import Tally

LONGEST_STEP = 366 * DAY
_COUNTS = ("observations", "predictions", "labels", "matched", "duplicates", "late")


@dataclass(frozen=True, slots=True)
class MonitorQuery:
    """What is asked of a monitor; None where nothing is said."""

    start: float | None = None
    stop: float | None = None
    by: str | None = None
    metric: str = "log_loss"
    step: int | None = None


@dataclass(frozen=True, slots=True)
class RecentHour:
    """What a monitor saw in the last hour, and when it last saw anything."""

    metrics: Mapping[str, Estimate]
    rows: int
    drift: Mapping[str, Drift]
    last_start: int | None
    waiting_predictions: int
    waiting_labels: int


class MonitorQueries:
    """Reading monitors; what was written before it was asked for is in every answer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def list_all(self) -> Document:
        """Every monitor, by name."""
        found = [StoredMonitor.of(record, record.name) for record in self._store.records(KIND)]
        return {"monitors": [self._document(one) for one in found]}

    def get(self, name: str) -> Document:
        """One monitor: how it was set up, what came, what waits.

        Raises:
            NotFound: there is none of that name.
        """
        found = self._find(name)
        counts = self._store.counts(found.record.id)
        last = self._store.last_start(found.record.id)
        reference = self._reference(found)
        return self._document(found) | {
            "counts": {name: counts.get(name, 0) for name in _COUNTS}
            | {
                "pending": _sides(counts, "waiting"),
                "expired": _sides(counts, "expired"),
            },
            "last_window": None if last is None else moment(last),
            "reference": None if reference is None else reference.document(),
        }

    def etag(self, name: str, asked: MonitorQuery) -> str:
        """An entity tag: it changes whenever the answer to the question does."""
        found = self._find(name)
        asked_span = span(found.monitor, asked.start, asked.stop, self._clock())
        parts = (
            found.record.id,
            found.record.revision,
            # Every write counts something, while what maintenance folds stays the same sums.
            sorted(self._store.counts(found.record.id).items()),
            hashlib.sha256(self._store.attachment(found.record.id, REFERENCE) or b"").hexdigest(),
            *asked_span,
            asked,
        )
        return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'

    def report(self, name: str, asked: MonitorQuery) -> Document:
        """The report of a monitor.

        Raises:
            NotFound: there is none of that name.
            InvalidInput: the time or the slice cannot be asked for.
        """
        found = self._find(name)
        asked_span = span(found.monitor, asked.start, asked.stop, self._clock())
        if asked.by is not None:
            found.monitor.check_slice(asked.by, "by")
        record = found.record.id
        parts = self._store.parts(record, *asked_span)
        slices = self._store.parts(record, *asked_span, slices=asked.by) if asked.by else []
        whole = ReportScope(name, found.monitor.layout, asked_span, asked.by)
        return report(whole, parts, slices, self._reference(found))

    def series(self, name: str, asked: MonitorQuery) -> Document:
        """One metric of a monitor over time.

        Raises:
            NotFound: there is no monitor of that name.
            InvalidInput: the time, the metric or the step cannot be asked for.
        """
        found = self._find(name)
        window = found.monitor.window_seconds
        step = window if asked.step is None else asked.step
        if not 1 <= step <= LONGEST_STEP or step % window:
            detail = f"step is a multiple of the window's {window} seconds, up to {LONGEST_STEP}"
            raise InvalidInput.at(detail, "step")
        known = TallyMetrics(Tally(found.monitor.layout)).names()
        if asked.metric not in known:
            raise InvalidInput.at(f"metric is one of {', '.join(known)}", "metric")
        now = self._clock()
        parts = self._store.parts(
            found.record.id, *span(found.monitor, asked.start, asked.stop, now)
        )
        points = series(parts, asked.metric, lambda at: step_at(found.monitor, step, at, now))
        return {"monitor": name, "metric": asked.metric, "step": step, "points": points}

    def baseline(self, name: str) -> TallyMetrics | None:
        """What the reference of a monitor says, where it has rows with labels.

        Raises:
            NotFound: there is none of that name.
        """
        reference = self._reference(self._find(name))
        known = None if reference is None else reference.labelled.get("")
        return None if known is None else TallyMetrics(known)

    def recent(self, name: str) -> RecentHour:
        """The last hour of a monitor, up to now.

        Raises:
            NotFound: there is none of that name.
        """
        found, now = self._find(name), self._clock()
        asked_span = span(found.monitor, now - HOUR, None, now)
        rows = tallies_by_slice(self._store.parts(found.record.id, *asked_span)).get(
            "", WindowTallies(None, None)
        )
        reading = TallyMetrics(rows.labelled or Tally(found.monitor.layout))
        reference = self._reference(found)
        drift = {} if reference is None else reference.drifts(rows, "")
        last, counts = self._store.last_start(found.record.id), self._store.counts(found.record.id)
        waiting = (counts.get(f"waiting_{side}", 0) for side in ("predictions", "labels"))
        return RecentHour(reading.metrics(), reading.rows, drift, last, *waiting)

    def tasks(self) -> dict[str, str]:
        """The task of every monitor."""
        found = [StoredMonitor.of(record, record.name) for record in self._store.records(KIND)]
        return {one.record.name: one.monitor.task for one in found}

    def _find(self, name: str) -> StoredMonitor:
        return StoredMonitor.of(self._store.record(KIND, name), name)

    def _document(self, found: StoredMonitor) -> Document:
        return found.document() | {"created": moment(found.record.created)}

    def _reference(self, found: StoredMonitor) -> Reference | None:
        content = self._store.attachment(found.record.id, REFERENCE)
        return None if content is None else Reference.decoded(content)


def _sides(counts: Mapping[str, int], what: str) -> Document:
    return {side: counts.get(f"{what}_{side}", 0) for side in ("predictions", "labels")}
