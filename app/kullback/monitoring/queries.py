"""Reading monitors: reports, series, and what stands of each in the store."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property

from kullback.documents import entity_tag, extended
from kullback.errors import DamagedTally, InvalidInput
from kullback.moments import DAY, HOUR, Clock
from kullback.monitoring.reference import Reference
from kullback.monitoring.replies import (
    CreatedMonitor,
    MonitorCounts,
    MonitorDetails,
    MonitorList,
    ReferenceSummary,
)
from kullback.monitoring.report import MetricPoint, MonitorReport, MonitorSeries, ReportScope
from kullback.monitoring.window_tallies import (
    MAX_POINTS,
    WindowTallies,
    tallies_by_slice,
    tallies_by_step,
)
from kullback.monitoring.windows import Span, span, step_at, widened
from kullback.monitoring.writes import KIND, REFERENCE, StoredMonitor
from kullback.storage.base import Part, Store
from kullback.tally.drift import Drift
from kullback.tally.metrics import Estimate, TallyMetrics
from kullback.tally.tally import Tally

LONGEST_STEP = 366 * DAY


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

    def list_all(self, sees: Callable[[str], bool]) -> MonitorList:
        """Every monitor whose name is seen, by name.

        Raises:
            DamagedTally: the settings of one cannot be read.
        """
        records = [record for record in self._store.records(KIND) if sees(record.name)]
        here = [StoredMonitor.of(record, record.name) for record in records]
        return MonitorList(tuple(CreatedMonitor.at(each.record, each.monitor) for each in here))

    def open(self, name: str) -> "MonitorReader":
        """A monitor as it is now.

        Raises:
            NotFound: there is none of that name.
        """
        stored = StoredMonitor.of(self._store.record(KIND, name), name)
        return MonitorReader(self._store, stored, self._clock())

    def tasks(self) -> dict[str, str]:
        """The task of every monitor whose settings can be read."""
        tasks: dict[str, str] = {}
        for record in self._store.records(KIND):
            with suppress(DamagedTally):
                tasks[record.name] = StoredMonitor.of(record, record.name).monitor.task
        return tasks


class MonitorReader:
    """A monitor at one moment; what is needed of it is read once, when it is first needed."""

    def __init__(self, store: Store, stored: StoredMonitor, now: float) -> None:
        self.store = store
        self.record = stored.record
        self.monitor = stored.monitor
        self.now = now

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """What the store counts of it."""
        return self.store.counts(self.record.id)

    @cached_property
    def last_start(self) -> int | None:
        """When the last window began that has rows."""
        return self.store.last_start(self.record.id)

    @cached_property
    def reference(self) -> Reference | None:
        """What its drift is measured against."""
        content = self.store.attachment(self.record.id, REFERENCE)
        return None if content is None else Reference.decoded(content)

    def details(self) -> MonitorDetails:
        """How it was set up, what came, what waits."""
        reference = self.reference
        return extended(
            MonitorDetails,
            CreatedMonitor.at(self.record, self.monitor),
            counts=MonitorCounts.of(self.counts),
            last_window=self.last_start,
            reference=None if reference is None else ReferenceSummary.of(reference),
        )

    def baseline(self) -> TallyMetrics | None:
        """The metrics of its reference, where that has rows with labels."""
        labelled = {} if self.reference is None else self.reference.labelled
        return TallyMetrics(labelled[""]) if "" in labelled else None

    def recent(self) -> RecentHour:
        """Its last hour, up to now."""
        rows = self.select(MonitorQuery(start=self.now - HOUR)).tallies()
        metrics = TallyMetrics(rows.labelled or Tally(self.monitor.layout))
        return RecentHour(
            metrics=metrics.metrics(),
            rows=metrics.rows,
            drift={} if self.reference is None else self.reference.drifts(rows, ""),
            last_start=self.last_start,
            waiting_predictions=self.counts.get("waiting_predictions", 0),
            waiting_labels=self.counts.get("waiting_labels", 0),
        )

    def select(self, query: MonitorQuery) -> "MonitorSelection":
        """Some time of it.

        Raises:
            InvalidInput: the time or the slice cannot be asked for.
        """
        chosen = span(self.monitor, query.start, query.stop, self.now)
        if query.by is not None:
            self.monitor.check_slice(query.by, "by")
        return MonitorSelection(self, query, chosen)


class MonitorSelection:
    """Some time of a monitor: each thing that is asked of it comes from one reading of its parts.

    A long time has more of them than memory has room for: they are summed as they come, unless
    they are kept.
    """

    def __init__(self, reader: MonitorReader, query: MonitorQuery, chosen: Span) -> None:
        self.reader = reader
        self._query = query
        self._span = chosen
        self._kept: dict[str | None, list[Part]] | None = None

    def keeping(self) -> "MonitorSelection":
        """The same with its parts in memory: all that is asked of it comes from one reading."""
        self._kept = {}
        return self

    @property
    def etag(self) -> str:
        """An entity tag: it changes whenever an answer does, and costs no part of a sum."""
        record = self.reader.record
        parts = (
            record.id,
            record.revision,
            # Every write counts something, while what maintenance merges stays the same sums.
            sorted(self.reader.counts.items()),
            self._span,
            widened(self.reader.monitor, self._span, self.reader.now),
            self._query,
        )
        return entity_tag(repr(parts).encode())

    def report(self) -> MonitorReport:
        """Metrics and drift of this time, and of the values of the slice."""
        monitor, by = self.reader.monitor, self._query.by
        return MonitorReport.of(
            ReportScope(self.reader.record.name, monitor.layout, self._span, by),
            self.tallies(),
            self._tallies(by) if by is not None else {},
            self.reader.reference,
        )

    def tallies(self) -> WindowTallies:
        """What came of all rows."""
        return self._tallies().get("", WindowTallies())

    def _tallies(self, by: str | None = None) -> dict[str, WindowTallies]:
        with self._parts(by) as parts:
            return tallies_by_slice(parts)

    def series(self) -> MonitorSeries:
        """One metric of all rows over this time.

        Raises:
            InvalidInput: the metric or the step cannot be asked for.
        """
        metric, monitor = self._query.metric, self.reader.monitor
        window = monitor.window_seconds
        step = self._default_step() if self._query.step is None else self._query.step
        if not 1 <= step <= LONGEST_STEP or step % window:
            detail = f"step is a multiple of the window's {window} seconds, up to {LONGEST_STEP}"
            raise InvalidInput.at(detail, "step")
        names = TallyMetrics(Tally(monitor.layout)).names()
        if metric not in names:
            raise InvalidInput.at(f"metric is one of {', '.join(names)}", "metric")
        points = self.points([metric], step)[metric]
        return MonitorSeries(self.reader.record.name, metric, step, points)

    def _default_step(self) -> int:
        """As wide as a window, or as wide as makes the time of such windows a series."""
        window, (start, stop) = self.reader.monitor.window_seconds, self._span
        return window * math.ceil(min(stop - start, DAY) / window / (MAX_POINTS // 2))

    def points(
        self, metrics: Sequence[str], step: int, value: str | None = None
    ) -> dict[str, tuple[MetricPoint, ...]]:
        """Metrics over time, of all rows or of one value of the slice: a point for each step."""
        reader, by = self.reader, self._query.by
        name = "" if value is None else f"{by}={value}"
        with self._parts(None if value is None else by) as parts:
            tallies = tallies_by_step(
                (part for part in parts if part[0].slice == name),
                lambda at: step_at(reader.monitor, step, at, reader.now),
            )
        steps = [(at, TallyMetrics(tally)) for at, tally in tallies.items()]
        return {
            metric: tuple(MetricPoint.of(at, read, metric) for at, read in steps)
            for metric in metrics
        }

    @contextmanager
    def _parts(self, by: str | None = None) -> Iterator[Iterable[Part]]:
        store, at = self.reader.store, (self.reader.record.id, *self._span)
        if self._kept is None:
            with store.stream(*at, slices=by) as parts:
                yield parts
        else:
            if by not in self._kept:
                self._kept[by] = store.parts(*at, slices=by)
            yield self._kept[by]
