"""A world at full speed: its hours are summed by the product's tallies, and no store is written.

A reader of a monitor reads these sums, at any moment as they would stand in a store then, and its
checks are the product's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from kullback.moments import DAY, HOUR
from kullback.monitoring.arrival_times import ARRIVALS, EVERY, ArrivalTimes
from kullback.monitoring.cells import MATCHED, OBSERVED, PREDICTED, Cells, CheckedRows, cells
from kullback.monitoring.histories import Histories
from kullback.monitoring.label_delays import DELAYS, LabelDelays
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.queries import MonitorReader
from kullback.monitoring.reference import Reference, reference_of_offset
from kullback.monitoring.stored import KIND, REFERENCE, StoredMonitor, document
from kullback.monitoring.window_tallies import WindowTallies, tallies_by_slice
from kullback.monitoring.windows import Span
from kullback.numerics.types import Array, Flags
from kullback.storage.base import Record, Store
from kullback.tally.feature_table import FeatureTable
from kullback.tally.units import bucket_of
from tests.statistics.monitoring.alarms import AlarmLog, CheckSeen
from tests.statistics.monitoring.arrivals import Seed
from tests.statistics.monitoring.parts import MemoryParts
from tests.statistics.monitoring.simulated_rows import SimulatedRows
from tests.statistics.monitoring.streams import ORIGIN, WEEK, drawn
from tests.statistics.monitoring.worlds import MonitoredWorld

KEPT = 24 * DAY  # seconds of history, more than is judged


@dataclass(slots=True)
class _OpenHour:
    """An hour of which rows or labels are still to come, and what was summed of it."""

    start: int
    rows: SimulatedRows
    summed: tuple[int, ...] = ()
    learned: float = -np.inf


@dataclass(slots=True)
class TalliedWorld:
    """A world, and what is stored of it by now."""

    world: MonitoredWorld
    seed: Seed
    parts: MemoryParts = field(default_factory=MemoryParts)
    delays: LabelDelays = field(default_factory=lambda: LabelDelays.decoded(None))
    arrivals: ArrivalTimes | None = None
    _histories: Histories = field(default_factory=Histories)
    _open: list[_OpenHour] = field(default_factory=list)
    _fine: list[int] = field(default_factory=list)
    _next: int = 0

    @property
    def monitor(self) -> Monitor:
        """The settings of the monitor."""
        traffic = self.world.traffic
        labels = tuple(map(str, range(traffic.classes))) if traffic.classes > 2 else None
        return Monitor(
            task="binary" if labels is None else "multiclass",
            labels=labels,
            slices=self.world.slices,
            reference_offset=WEEK * HOUR if self.world.reference == "moving" else None,
            **self.world.settings,  # type: ignore[arg-type]  # settings by name
        )

    def look(self, hour: float) -> list[CheckSeen]:
        """All checks at so many hours since the origin; looks follow one another."""
        now = ORIGIN + hour * HOUR
        while self._next < hour:
            rows = drawn(self.world.traffic, self.seed, self._next, self.world.breakage)
            self._open.append(_OpenHour(ORIGIN + self._next * HOUR, rows))
            self._next += 1
        monitor = self.monitor
        self._arrive(now)
        for each in self._open:
            self._sum(monitor, each, now)
        self._open = [each for each in self._open if not self._is_over(monitor, each, now)]
        self._compact(now)
        self.parts.attachments[DELAYS] = self.delays.encoded()
        self._set_reference(monitor, now)
        record = Record(1, KIND, "world", 1, document(monitor), float(ORIGIN))
        stored = StoredMonitor(record, monitor)
        reader = MonitorReader(cast("Store", self.parts), stored, now, self._histories)
        return [
            CheckSeen(each.name, each.state.value, slice_text(each.slice), each.statement)
            for each in reader.checks().checks
        ]

    def _arrive(self, now: float) -> None:
        """Note when the rows came that have come since the last look."""
        before = -np.inf if self.arrivals is None else self.arrivals.last
        times = [each.rows.arrives for each in self._open]
        came = [some[(some > before) & (some < now)] for some in times]
        for at in noted(np.sort(np.concatenate([np.empty(0), *came]))):
            arrival = ArrivalTimes(at, at, int(at))
            self.arrivals = self.arrivals.followed_by(arrival) if self.arrivals else arrival
        if self.arrivals is not None:
            self.parts.attachments[ARRIVALS] = self.arrivals.encoded()

    def _sum(self, monitor: Monitor, each: _OpenHour, now: float) -> None:
        """Put what has come of an hour among the parts, and learn from its labels."""
        rows = each.rows
        came, labelled = rows.arrives < now, rows.labelled < now
        later = rows.labelled > rows.arrives
        fresh = labelled & later & (rows.labelled >= each.learned)
        if fresh.any():
            self.delays = self.delays.with_delays((rows.labelled - rows.time)[fresh], now)
        each.learned = now
        if monitor.label_window is not None:
            rows, labelled = _with_defaults(monitor, rows, labelled, now)
        summed = int(came.sum()), int(labelled.sum())
        if summed == each.summed or not summed[0]:
            return
        each.summed = summed
        kinds = (
            (OBSERVED, came & ~later),
            (MATCHED, labelled & later),
            (PREDICTED, came & later),
        )
        whole: Cells = {}
        for kind, some in kinds:
            if some.any():
                checked = _checked(self.world, rows.taken(some))
                checked = replace(checked, y=None) if kind == PREDICTED else checked
                whole |= cells(monitor, checked, kind, now)
        self.parts.put(each.start, whole)
        self._fine += [each.start] if monitor.window_seconds < HOUR else []

    def _is_over(self, monitor: Monitor, each: _OpenHour, now: float) -> bool:
        """Whether nothing is to come; where labels never came, that is learned."""
        rows = each.rows
        if each.start + HOUR > now:
            return False
        if (rows.labelled < now).all():
            return True
        if now < each.start + HOUR + monitor.ttl_seconds:
            return False
        joined = int(np.sum(rows.labelled > rows.arrives))
        missing = int(np.sum(rows.labelled >= now))
        self.delays = self.delays.with_expired(missing, joined - missing, now)
        return True

    def _compact(self, now: float) -> None:
        """What maintenance does: windows of more than a day ago become hours, old ones go."""
        old = [start for start in self._fine if start + HOUR <= now - DAY]
        for start in set(old):
            self.parts.compact(start, HOUR)
        self._fine = [start for start in self._fine if start + HOUR > now - DAY]
        self.parts.forget(int(now) - KEPT)

    def _set_reference(self, monitor: Monitor, now: float) -> None:
        """Set the reference of the world, once there is a week."""
        stop = ORIGIN + WEEK * HOUR
        if not self.world.reference or now < stop or REFERENCE in self.parts.attachments:
            return
        if monitor.reference_offset is not None:
            reference = reference_of_offset(monitor, monitor.reference_offset, now)
        else:
            tallies: dict[str, WindowTallies] = {}
            for name in (None, *monitor.slices):
                with self.parts.stream(1, ORIGIN, stop, name) as parts:
                    tallies |= tallies_by_slice(parts)
            reference = Reference.of_period(Span(ORIGIN, stop), tallies, FeatureTable(), now)
        self.parts.attachments[REFERENCE] = reference.encoded()


def watched(
    world: MonitoredWorld,
    seed: Seed,
    looks: list[float],
    is_enough: Callable[[AlarmLog], bool] = lambda _: False,
) -> AlarmLog:
    """What is raised at looks, hours since the origin in order, until that is enough."""
    log, tallied = AlarmLog(), TalliedWorld(world, seed)
    for hour in looks:
        log.look(ORIGIN + hour * HOUR, tallied.look(hour))
        if is_enough(log):
            break
    return log


def noted(came: Array) -> list[float]:
    """Of moments in order the first, and the first of each minute since the one before."""
    result: list[float] = []
    while came.size:
        result.append(float(came[0]))
        came = came[np.searchsorted(came, came[0] + EVERY) :]
    return result


def slice_text(values: Mapping[str, str] | None) -> str:
    """The values of a slice as they are written in sums."""
    return "×".join(f"{name}={value}" for name, value in (values or {}).items())


def _with_defaults(
    monitor: Monitor, rows: SimulatedRows, labelled: Flags, now: float
) -> tuple[SimulatedRows, Flags]:
    """Rows with the labels that a monitor with a default has given them by now."""
    assert monitor.label_window is not None
    defaulted = ~labelled & (rows.arrives + monitor.label_window <= now)
    y = np.where(defaulted, monitor.default_outcome or 0.0, rows.y)
    return replace(rows, y=y), labelled | defaulted


def _checked(world: MonitoredWorld, rows: SimulatedRows) -> CheckedRows:
    is_binary = rows.truth.ndim == 1
    return CheckedRows(
        rows.y if is_binary else rows.y.astype(np.int64),
        rows.p,
        rows.time,
        None if (rows.weight == 1).all() else rows.weight,
        bucket_of(rows.user) if world.traffic.sends_unit else None,
        {name: rows.slices[name].tolist() for name in world.slices},
    )
