"""Some time of a monitor, as it was asked for: its report, and its metrics over time."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kullback.documents import entity_tag
from kullback.errors import InvalidInput
from kullback.moments import DAY
from kullback.monitoring.report import MonitorReport, ReportScope
from kullback.monitoring.series import MetricPoint, MonitorSeries
from kullback.monitoring.window_tallies import (
    MAX_POINTS,
    WindowTallies,
    tallies_by_slice,
    tallies_by_step,
)
from kullback.monitoring.windows import Span, step_at, widened
from kullback.storage.base import Part
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Tally

if TYPE_CHECKING:
    from kullback.monitoring.queries import MonitorReader

LONGEST_STEP = 366 * DAY


@dataclass(frozen=True, slots=True)
class MonitorQuery:
    """What is asked of a monitor; None where nothing is said."""

    start: float | None = None
    stop: float | None = None
    by: str | None = None
    metric: str = "log_loss"
    step: int | None = None


class MonitorSelection:
    """Some time of a monitor: each thing that is asked of it comes from one reading of its parts.

    A long time has more of them than memory has room for: they are summed as they come, unless
    they are kept.
    """

    def __init__(self, reader: "MonitorReader", query: MonitorQuery, chosen: Span) -> None:
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
