"""A world at full speed: its hours are summed by the product's tallies and judged, without a store.

What a look sees is what a service would read then: rows that have come, labels that have come, and
of the hours those as mature whose labels are in by what the delays of labels so far have taught.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from kullback.judgement.blocks import Block, block, summed
from kullback.judgement.history import History
from kullback.judgement.judge import judge
from kullback.judgement.judged import JudgedBlock, judged
from kullback.judgement.recalibration import Tolerance
from kullback.judgement.settings import DEFAULTS, Thresholds
from kullback.moments import HOUR
from kullback.monitoring.cells import MATCHED, OBSERVED, PREDICTED, Cells, CheckedRows, cells
from kullback.monitoring.label_delays import LabelDelays
from kullback.monitoring.maturity import Maturity
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.window_tallies import NO_ROWS, RowCounts
from kullback.tally.tally import Tally
from tests.statistics.monitoring.alarms import AlarmLog, CheckSeen
from tests.statistics.monitoring.arrivals import Seed
from tests.statistics.monitoring.simulated_rows import SimulatedRows
from tests.statistics.monitoring.streams import ORIGIN, WEEK, drawn
from tests.statistics.monitoring.worlds import MonitoredWorld

HISTORY, SLICE_HISTORY = 15 * 24, 8 * 24  # hours that are read
MINUTE = 60
Told = Callable[[], None]


@dataclass(slots=True)
class _OpenHour:
    """An hour of which rows or labels are still to come, and what was summed of it."""

    hour: int
    rows: SimulatedRows
    summed: RowCounts = NO_ROWS
    is_mature: bool = False
    is_over: bool = False
    learned: float = -np.inf


@dataclass(slots=True)
class TalliedWorld:
    """A world, and what a monitor knows of it by now."""

    world: MonitoredWorld
    seed: Seed
    thresholds: dict[str, Thresholds] = field(default_factory=lambda: dict(DEFAULTS))
    delays: LabelDelays = field(default_factory=lambda: LabelDelays.decoded(None))
    blocks: dict[str, dict[int, JudgedBlock]] = field(default_factory=lambda: defaultdict(dict))
    _open: list[_OpenHour] = field(default_factory=list)
    _next: int = 0
    _last_row: float | None = None
    _largest_gap: float = 0.0
    _first_week: Block | None = None
    _reference_values: frozenset[str] = frozenset()
    _seen: tuple[float, float] | None = None

    @property
    def monitor(self) -> Monitor:
        """The settings of the monitor."""
        traffic = self.world.traffic
        labels = tuple(map(str, range(traffic.classes))) if traffic.classes > 2 else None
        return Monitor(
            task="binary" if labels is None else "multiclass",
            labels=labels,
            window_seconds=HOUR,
            slices=self.world.slices,
            **self.world.settings,  # type: ignore[arg-type]  # settings by name
        )

    def look(self, hour: float) -> list[CheckSeen]:
        """All checks at so many hours since the origin; looks follow one another."""
        now = ORIGIN + hour * HOUR
        while self._next < hour:
            rows = drawn(self.world.traffic, self.seed, self._next, self.world.breakage)
            self._open.append(_OpenHour(self._next, rows))
            self._next += 1
        monitor = self.monitor
        self._learn(now)
        maturity = Maturity.of(monitor, self.delays)
        for each in self._open:
            self._sum(monitor, maturity, each, now)
        self._settle(monitor, now)
        self._mind_gaps(now)
        verdict = judge(self._history(maturity, now))
        return [
            CheckSeen(each.name, each.state.value, each.slice, each.statement)
            for each in verdict.findings.values()
        ]

    def _learn(self, now: float) -> None:
        """Learn from labels that came since the last look, and from rows that none came of."""
        for each in self._open:
            rows = each.rows
            came = (rows.labelled < now) & (rows.labelled >= each.learned)
            came &= rows.labelled > rows.arrives
            if came.any():
                self.delays = self.delays.with_delays((rows.labelled - rows.time)[came], now)
            each.learned = now

    def _settle(self, monitor: Monitor, now: float) -> None:
        """Forget hours of which nothing is to come; learn how many of their rows have labels."""
        for each in self._open:
            is_expired = now > ORIGIN + (each.hour + 1) * HOUR + monitor.ttl_seconds
            if is_expired and each.summed.predicted:
                matched = each.summed.matched
                missing = each.summed.predicted - matched
                self.delays = self.delays.with_expired(missing, matched, now)
            come = each.is_mature and bool((each.rows.labelled < now).all())
            each.is_over = is_expired or come
        self._open = [each for each in self._open if not each.is_over]

    def _mind_gaps(self, now: float) -> None:
        """Remember how long there was no news, once there is news again."""
        last = self._last_row
        if last is None:
            return
        if self._seen is not None and last > self._seen[1]:
            self._largest_gap = max(self._largest_gap, self._seen[0] - self._seen[1])
        self._seen = now, last

    def _sum(self, monitor: Monitor, maturity: Maturity, each: _OpenHour, now: float) -> None:
        rows = _by(each.rows, monitor, now)
        came, labelled = rows.arrives < now, rows.labelled < now
        at_once = rows.labelled <= rows.arrives
        counts = RowCounts(
            int(np.sum(came & at_once)),
            int(np.sum(came & ~at_once)),
            int(np.sum(labelled & ~at_once)),
        )
        start = ORIGIN + each.hour * HOUR
        is_mature = bool(counts.labelled) and maturity.has(start + HOUR, counts, now)
        if counts == each.summed and is_mature == each.is_mature:
            return
        each.summed, each.is_mature = counts, is_mature
        if counts.scored:
            last = min(float(rows.time[came].max()) // MINUTE * MINUTE + MINUTE, now)
            self._last_row = max(last, self._last_row or last)
        self._block(monitor, each, rows.taken(came), now)

    def _block(self, monitor: Monitor, each: _OpenHour, rows: SimulatedRows, now: float) -> None:
        start = ORIGIN + each.hour * HOUR
        at_once = rows.labelled <= rows.arrives
        if at_once.all():
            whole = (
                cells(monitor, _checked(rows, monitor.slices), OBSERVED, now) if len(rows) else {}
            )
            labelled, scored = _by_slice(whole), _by_slice(whole)
        else:
            hidden = replace(_checked(rows, monitor.slices), y=None)
            scored = _by_slice(cells(monitor, hidden, PREDICTED, now))
            known = rows.taken(rows.labelled < now)
            has_labels = each.is_mature and len(known)
            labelled = (
                _by_slice(cells(monitor, _checked(known, monitor.slices), MATCHED, now))
                if has_labels
                else {}
            )
        limits = self.thresholds["calibration"]
        for name, tally in scored.items():
            made = block(
                (start, min(start + HOUR, int(now))),
                monitor.layout,
                labelled.get(name),
                tally,
                (each.summed.predicted, each.summed.labelled),
            )
            self.blocks[name][each.hour] = judged(made, Tolerance(limits.tolerance))

    def _reference(self, now: float) -> Block | None:
        """The first week, once it is over; or of a moving reference the day of a week ago."""
        if not self.world.reference or now < ORIGIN + WEEK * HOUR:
            return None
        if self.world.reference == "moving":
            first = int((now - ORIGIN) // HOUR) - WEEK - 24
            return self._day_from(first)
        if self._first_week is None:
            self._reference_values = frozenset(name for name in self.blocks if name)
            self._first_week = summed([each.block for each in self.blocks[""].values()])
        return self._first_week

    def _day_from(self, first: int) -> Block | None:
        hours = range(first, first + 24)
        kept = [self.blocks[""][hour].block for hour in hours if hour in self.blocks[""]]
        return summed(kept) if kept else None

    def _history(self, maturity: Maturity, now: float) -> History:
        kept = {
            name: [
                each
                for hour, each in by_hour.items()
                if hour >= self._next - (SLICE_HISTORY if name else HISTORY)
            ]
            for name, by_hour in self.blocks.items()
        }
        return History(
            now=now,
            blocks=kept.pop("", []),
            slices={name: some for name, some in kept.items() if some},
            reference=self._reference(now),
            reference_values=self._reference_values,
            lag=maturity.lag,
            largest_gap=self._largest_gap,
            last_row=self._last_row,
            thresholds=self.thresholds,
        )


def watched(
    world: MonitoredWorld, seed: Seed, looks: list[float], told: Told = lambda: None
) -> AlarmLog:
    """What is raised at looks, hours since the origin in order, of a world from its origin on."""
    log, tallied = AlarmLog(), TalliedWorld(world, seed)
    for hour in looks:
        log.look(ORIGIN + hour * HOUR, tallied.look(hour))
        told()
    return log


def _by(rows: SimulatedRows, monitor: Monitor, now: float) -> SimulatedRows:
    """The rows with the labels that a monitor with a default has given them by now."""
    if monitor.label_window is None:
        return rows
    defaulted = (rows.labelled > now) & (rows.arrives + monitor.label_window <= now)
    y = np.where(defaulted, monitor.default_outcome or 0.0, rows.y)
    return replace(rows, y=y, labelled=np.where(defaulted, now - 1, rows.labelled))


def _by_slice(summed: Cells) -> dict[str, Tally]:
    return {cell.slice: tally for cell, tally in summed.items()}


def _checked(rows: SimulatedRows, slices: tuple[str, ...]) -> CheckedRows:
    is_binary = rows.truth.ndim == 1
    return CheckedRows(
        rows.y if is_binary else rows.y.astype(np.int64),
        rows.p,
        rows.time,
        None if (rows.weight == 1).all() else rows.weight,
        None,
        {name: rows.slices[name].tolist() for name in slices},
    )
