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
from kullback.monitoring.cells import MATCHED, OBSERVED, PREDICTED, CheckedRows, cells
from kullback.monitoring.features import ALL_FEATURES, feature_tables, total_features
from kullback.monitoring.histories import Histories
from kullback.monitoring.label_delays import DELAYS, LabelDelays
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.queries import MonitorReader
from kullback.monitoring.reference import Reference, reference_of_offset
from kullback.monitoring.stored import KIND, REFERENCE, StoredMonitor, document
from kullback.monitoring.window_tallies import WindowTallies, tallies_by_slice
from kullback.monitoring.windows import Span
from kullback.numerics.types import Array
from kullback.storage.base import Record, Store
from kullback.tally.feature_groups import FeatureColumn
from kullback.tally.units import bucket_of
from tests.statistics.monitoring.alarms import AlarmLog, CheckSeen
from tests.statistics.monitoring.arrivals import ROWS_AN_HOUR, Arrivals, Arrived, Seed
from tests.statistics.monitoring.parts import MemoryParts
from tests.statistics.monitoring.simulated_features import KINDS, Texts
from tests.statistics.monitoring.simulated_rows import SimulatedRows
from tests.statistics.monitoring.streams import ORIGIN, WEEK
from tests.statistics.monitoring.worlds import MonitoredWorld

KEPT = 24 * DAY  # seconds of history, more than is judged


@dataclass(slots=True)
class _Expiring:
    """Predictions of an hour, and how many of them have labels."""

    until: float
    predictions: int = 0
    matched: int = 0


@dataclass(slots=True)
class TalliedWorld:
    """A world, and what is stored of it by now."""

    world: MonitoredWorld
    seed: Seed
    parts: MemoryParts = field(default_factory=MemoryParts)
    delays: LabelDelays = field(default_factory=lambda: LabelDelays.decoded(None))
    arrivals: ArrivalTimes | None = None
    _histories: Histories = field(default_factory=Histories)
    _arrivals: Arrivals = field(init=False)
    _expiring: dict[int, _Expiring] = field(default_factory=dict)
    _fine: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._arrivals = Arrivals(self.world, self.seed, 0, self._with_defaults)

    @property
    def monitor(self) -> Monitor:
        """The settings of the monitor."""
        traffic = self.world.traffic
        classes = traffic.labels or (traffic.classes if traffic.classes > 2 else 0)
        return Monitor(
            task="multilabel" if traffic.labels else "multiclass" if classes else "binary",
            labels=tuple(map(str, range(classes))) if classes else None,
            features=KINDS if traffic.sends_features else {},
            slices=self.world.slices,
            reference_offset=WEEK * HOUR if self.world.reference == "moving" else None,
            **self.world.settings,  # type: ignore[arg-type]  # settings by name
        )

    def look(self, hour: float) -> list[CheckSeen]:
        """All checks at so many hours since the origin; looks follow one another."""
        now = ORIGIN + hour * HOUR
        monitor = self.monitor
        came = [np.empty(0)]
        for arrived in self._arrivals.until(now):
            self._add(monitor, arrived, now)
            came += [arrived.whole.arrives, arrived.predictions.arrives]
        self._note(np.sort(np.concatenate(came)))
        self._expire(now)
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

    def _note(self, came: Array) -> None:
        """Note when the rows came that have come since the last look."""
        for at in noted(came):
            arrival = ArrivalTimes(at, at, int(at))
            self.arrivals = self.arrivals.followed_by(arrival) if self.arrivals else arrival
        if self.arrivals is not None:
            self.parts.attachments[ARRIVALS] = self.arrivals.encoded()

    def _add(self, monitor: Monitor, arrived: Arrived, now: float) -> None:
        """Put what has come among the parts, and learn from its labels."""
        kinds = (
            (OBSERVED, arrived.whole),
            (MATCHED, arrived.labels),
            (PREDICTED, arrived.predictions),
        )
        for kind, rows in kinds:
            if len(rows):
                checked = _checked(self.world, rows)
                checked = replace(checked, y=None) if kind == PREDICTED else checked
                summed = cells(monitor, checked, kind, now)
                self.parts.add(summed)
                if kind != MATCHED:
                    self.parts.add(feature_tables(monitor, checked.features, rows.time, now))
                self._fine |= {cell.start // HOUR * HOUR for cell in summed if cell.width < HOUR}
        labels = arrived.labels
        if len(labels):
            self.delays = self.delays.with_delays(labels.labelled - labels.time, now)
        for ids, name in ((arrived.prediction_ids, "predictions"), (arrived.label_ids, "matched")):
            if ids.size:
                hour = int(ids[0]) // ROWS_AN_HOUR
                until = ORIGIN + (hour + 1) * HOUR + monitor.ttl_seconds
                expiring = self._expiring.setdefault(hour, _Expiring(until))
                setattr(expiring, name, getattr(expiring, name) + ids.size)

    def _expire(self, now: float) -> None:
        """What maintenance learns of predictions whose labels come no more."""
        for hour, each in list(self._expiring.items()):
            if each.until <= now:
                del self._expiring[hour]
                missing = each.predictions - each.matched
                self.delays = self.delays.with_expired(missing, each.matched, now)

    def _with_defaults(self, rows: SimulatedRows) -> SimulatedRows:
        """Rows with the labels that a monitor with a default gives them in time."""
        monitor = self.monitor
        if monitor.label_window is None:
            return rows
        given = rows.arrives + monitor.label_window
        y = np.where(rows.labelled > given, monitor.default_outcome or 0.0, rows.y)
        return replace(rows, y=y, labelled=np.minimum(rows.labelled, given))

    def _compact(self, now: float) -> None:
        """What maintenance does: windows of more than a day ago become hours, old ones go."""
        old = {start for start in self._fine if start + HOUR <= now - DAY}
        for start in old:
            self.parts.compact(start, HOUR)
        self._fine -= old
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
            with self.parts.stream(1, ORIGIN, stop, ALL_FEATURES) as parts:
                features = total_features(parts, monitor.features)
            reference = Reference.of_period(Span(ORIGIN, stop), tallies, features, now)
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


def _checked(world: MonitoredWorld, rows: SimulatedRows) -> CheckedRows:
    has_classes = world.traffic.classes > 2
    return CheckedRows(
        rows.y.astype(np.int64) if has_classes else rows.y,
        rows.p,
        rows.time,
        None if (rows.weight == 1).all() else rows.weight,
        bucket_of(rows.user) if world.traffic.sends_unit else None,
        {name: rows.slices[name].tolist() for name in world.slices},
        {name: column(values) for name, values in rows.features.items()},
    )


def column(values: Array | Texts) -> FeatureColumn:
    """The values of a feature as they are counted."""
    if values.dtype.kind == "f":
        return np.asarray(values, np.float64)
    texts: list[str | None] = values.tolist()
    return texts
