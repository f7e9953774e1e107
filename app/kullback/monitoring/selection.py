"""Some time of a monitor, as it was asked for: its report, and its metrics over time."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from kullback.documents import entity_tag
from kullback.errors import InvalidInput
from kullback.moments import DAY, HOUR
from kullback.monitoring.crossed_slices import (
    CROSS,
    crossed_value,
    declared,
    slice_parts,
    slice_values,
)
from kullback.monitoring.maturity import MatureTime, RowsByTime, hour_at
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.report import MonitorReport, ReportScope
from kullback.monitoring.series import MetricPoint, MonitorSeries, PointScope
from kullback.monitoring.window_tallies import (
    MAX_POINTS,
    RowCounts,
    WindowTallies,
    tallies_by_slice,
    tallies_by_step,
)
from kullback.monitoring.windows import Span, step_at, widened
from kullback.storage.base import Part
from kullback.tally.feature_table import FeatureTable
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Tally
from kullback.timezones import Time

if TYPE_CHECKING:
    from kullback.monitoring.queries import MonitorReader

LONGEST_STEP = 366 * DAY


@dataclass(frozen=True, slots=True)
class MonitorQuery:
    """What is asked of a monitor; None where nothing is said.

    Attributes:
        by: slices, each value of which is asked for.
        value: a slice and its value, "country=DE": no other rows are asked for.
        last: seconds up to now, in place of `start` and `stop`.
    """

    start: Time | None = None
    stop: Time | None = None
    by: tuple[str, ...] = ()
    value: str | None = None
    metrics: tuple[str, ...] = ("log_loss",)
    step: int | None = None
    last: int | None = None


def counted_query(monitor: Monitor, query: MonitorQuery) -> MonitorQuery:
    """The same by slices as the monitor counts rows by them.

    Raises:
        InvalidInput: it does not count by one of them, or not by `by` and the slice together.
    """
    if query.value is None:
        by = dict.fromkeys(monitor.slice_named(name, "by") for name in query.by)
        return replace(query, by=tuple(by))
    name, _, text = query.value.partition("=")
    values = slice_values(f"{name.replace('*', CROSS)}={text}")
    value = _value(monitor, name, values)
    crossed: dict[str, None] = {}
    for each in query.by:
        parts = slice_parts(each.replace("*", CROSS))
        for part in parts:
            monitor.check_slice(part, "by")
        both = CROSS.join(dict.fromkeys((*values, *parts)))
        there = declared(both, monitor.slices)
        if there is None:
            detail = f"rows are not counted by both: {both} is not a slice of this monitor"
            raise InvalidInput.at(detail, "slice")
        crossed[there] = None
    return replace(query, by=tuple(crossed), value=value)


def _value(monitor: Monitor, name: str, values: Mapping[str, str]) -> str:
    """A slice and its value as the store has them."""
    name = monitor.slice_named(name, "slice")
    return f"{name}={crossed_value([values[part] for part in slice_parts(name)])}"


class MonitorSelection:
    """Some time of a monitor: each thing that is asked of it comes from one reading of its parts.

    A long time has more of them than memory has room for: they are summed as they come, unless
    they are kept.
    """

    def __init__(self, reader: "MonitorReader", query: MonitorQuery, chosen: Span) -> None:
        self.reader = reader
        self.span = chosen
        self._query = query
        self._kept: dict[str | None, list[Part]] | None = None
        self._within = slice_values(query.value or "") if query.by else {}

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
            self.span,
            widened(self.reader.monitor, self.span, self.reader.now),
            self._mature_edge(),
            self.reader.past(self.span),
            self._query,
        )
        return entity_tag(repr(parts).encode())

    def _mature_edge(self) -> tuple[float, float | None, int]:
        """What makes time mature, and where that begins to matter here."""
        first, last = self.span
        maturity = self.reader.maturity
        edge = min(max(maturity.edge(self.reader.now), first), last)
        return maturity.lag, maturity.final_share, edge

    def report(self) -> MonitorReport:
        """Metrics and drift of this time, and of the values of slices."""
        reader, query = self.reader, self._query
        value = query.value or ""
        hours = RowsByTime(lambda at: hour_at(reader.monitor, at, reader.now))
        with self._parts(query.value) as parts:
            rows = tallies_by_slice(hours.counting(parts) if self._is_joined else parts)
        mature = MatureTime.of(self.span, hours.steps(value), reader.maturity, reader.now)
        layout, labels = reader.monitor.layout, reader.monitor.labels_apart
        return MonitorReport.of(
            ReportScope(reader.record.name, layout, self.span, mature, query.by, value, labels),
            rows.get(value, WindowTallies()),
            {name: group for by in query.by for name, group in self._tallies(by).items()},
            reader.reference_of(self.span, (query.value, *query.by)),
            FeatureTable() if value else reader.features(self.span),
        )

    @property
    def _is_joined(self) -> bool:
        """Whether rows have to be counted to know what is mature."""
        maturity = self.reader.maturity
        is_late = maturity.lag > 0 or self.reader.counts.get("predictions", 0) > 0
        return maturity.final_share is not None and is_late

    def tallies(self) -> WindowTallies:
        """What came of all rows, or of those of the value that was asked for."""
        value = self._query.value
        return self._tallies(value).get(value or "", WindowTallies())

    def _tallies(self, slices: str | None = None) -> dict[str, WindowTallies]:
        with self._parts(slices) as parts:
            return tallies_by_slice(parts)

    def series(self) -> MonitorSeries:
        """Metrics over this time, of all rows, of one value of a slice, or of each value.

        Raises:
            InvalidInput: the metrics or the step cannot be asked for.
        """
        query, name = self._query, self.reader.record.name
        step = self._step()
        self._check_metrics()
        values = None if query.value is None else slice_values(query.value)
        if len(query.metrics) == 1 and not query.by:
            points = self.points(query.metrics, step, query.value)[query.metrics[0]]
            return MonitorSeries(name, query.metrics[0], (), (), step, points, values)
        several: list[MetricPoint] = []
        for slices in query.by or (query.value,):
            room = (MAX_POINTS - len(several)) // len(query.metrics)
            several += [
                replace(
                    MetricPoint.of(at, metrics, metric), metric=metric, slice=slice_values(value)
                )
                for value, steps in self._steps(slices, step, room).items()
                for at, metrics in steps
                for metric in query.metrics
            ]
        return MonitorSeries(name, None, query.metrics, query.by, step, tuple(several), values)

    def points(
        self, metrics: Sequence[str], step: int, value: str | None = None
    ) -> dict[str, tuple[MetricPoint, ...]]:
        """Metrics over time, of all rows or of one value of a slice: a point for each step."""
        steps = self._steps(value, step).get(value or "", [])
        return {
            metric: tuple(MetricPoint.of(at, read, metric) for at, read in steps)
            for metric in metrics
        }

    def _steps(
        self, slices: str | None, step: int, most: int = MAX_POINTS
    ) -> dict[str, list[tuple[PointScope, TallyMetrics]]]:
        reader = self.reader

        def place(at: int) -> Span:
            return step_at(reader.monitor, step, at, reader.now)

        counted = RowsByTime(place)
        with self._parts(slices) as parts:
            tallies = tallies_by_step(
                counted.counting(parts) if self._is_joined else parts, place, most
            )
        return {
            name: [
                (self._scope(at, rows.get(at), tally), TallyMetrics(tally))
                for at, tally in steps.items()
            ]
            for name, steps in tallies.items()
            for rows in (counted.steps(name),)
        }

    def _scope(self, at: Span, rows: RowCounts | None, labelled: Tally) -> PointScope:
        """What there is to say of a step besides its metrics."""
        maturity = self.reader.maturity
        rows = rows or RowCounts(observed=labelled.scalar("rows"))
        is_mature = maturity.has(at.stop, rows, self.reader.now)
        is_mature = is_mature and maturity.judges(rows, labelled)
        return PointScope(at, rows.labelled_share, is_mature)

    def _check_metrics(self) -> None:
        names = TallyMetrics(Tally(self.reader.monitor.layout)).names()
        if not set(names).issuperset(self._query.metrics):
            raise InvalidInput.at(f"metric is one of {', '.join(names)}", "metric")

    def _step(self) -> int:
        window, step = self.reader.monitor.window_seconds, self._query.step
        step = self._default_step() if step is None else step
        if not 1 <= step <= LONGEST_STEP or step % window:
            detail = f"step is a multiple of the window's {window} seconds, up to {LONGEST_STEP}"
            raise InvalidInput.at(detail, "step")
        return step

    def _default_step(self) -> int:
        """As wide as a window, or as wide as makes the time of such windows a series.

        An hour at least where each value of a slice is asked for: there may be a thousand.
        """
        window, (start, stop) = self.reader.monitor.window_seconds, self.span
        most = MAX_POINTS // 2 // len(self._query.metrics)
        step = window * math.ceil(min(stop - start, DAY) / window / most)
        return max(step, HOUR, window) if self._query.by else step

    @contextmanager
    def _parts(self, slices: str | None = None) -> Iterator[Iterable[Part]]:
        """The parts of all rows, of each value of a slice, or of one value.

        Of a crossed slice those of the value alone whose rows were asked for.
        """
        store, at = self.reader.store, (self.reader.record.id, *self.span)
        by = (slices or "").partition("=")[0]
        if self._kept is None:
            with store.stream(*at, slices=slices) as parts:
                seen = self.reader.stored.seen(parts)
                yield self._chosen(seen) if slices in self._query.by else seen
        elif by in self._query.by and slices != by:
            with self._parts(by) as parts:
                yield [part for part in parts if part[0].slice == slices]
        else:
            if slices not in self._kept:
                kept = store.parts(*at, slices=slices)
                self._kept[slices] = list(self.reader.stored.seen(kept))
            yield self._kept[slices]

    def _chosen(self, parts: Iterable[Part]) -> Iterable[Part]:
        @cache
        def is_chosen(name: str) -> bool:
            return self._within.items() <= slice_values(name).items()

        return (part for part in parts if is_chosen(part[0].slice)) if self._within else parts
