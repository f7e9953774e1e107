"""The overview page: the state of every monitor and every experiment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kullback.errors import NotFound, TallyMismatch
from kullback.experiments.comparison import Comparison
from kullback.experiments.crossings import ExperimentSnapshot
from kullback.experiments.replies import ExperimentSeries
from kullback.experiments.selection import STEPS, ExperimentSelection
from kullback.experiments.verdict import VerdictWord
from kullback.figures.typesetting import shown
from kullback.moments import DAY, HOUR
from kullback.monitoring.checks import MonitorChecks, state_of
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.recent import RecentHour
from kullback.monitoring.selection import MonitorQuery
from kullback.numerics.types import Undefined
from kullback.services import Services
from kullback.ui.check_rows import CHECK_HUES, badness, in_short
from kullback.ui.sparks import Sparks

Sees = Callable[[str], bool]
HUES: Mapping[str, str] = {state.value: hue for state, hue in CHECK_HUES.items()} | {
    word.value: word.tone for word in VerdictWord
}


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One monitor or experiment: its state, its headline number, and the last rows.

    `what` says what the number is of, of a monitor where that is not the last hour by the clock,
    `statement` what its worst check says.
    """

    name: str
    state: str
    headline: str
    what: str
    last: float | None
    spark: str = ""
    owner: str | None = None
    tags: tuple[str, ...] = ()
    statement: str = ""

    @property
    def hue(self) -> str:
        """The class of the state."""
        return HUES[self.state]


class Overview:
    """How everything stands; sparklines are kept for a few minutes."""

    def __init__(self) -> None:
        self._of_monitors = Sparks()
        self._of_experiments = Sparks()

    def monitors(self, services: Services, sees: Sees, now: float) -> list[OverviewRow]:
        """Every monitor whose name is seen, the worst first, then by name."""
        recent, checks = services.monitor_maintenance.recent, services.monitor_maintenance.checks
        present = services.monitor_queries.present()
        names = sorted(present, key=lambda name: (badness(checks.get(name)), name))
        sparks = self._of_monitors.drawn(names, lambda name: _losses(services, name), now)
        return [
            _monitor(present[name].monitor, name, recent.get(name), checks.get(name), sparks[name])
            for name in names
            if sees(name)
        ]

    def experiments(self, services: Services, sees: Sees, now: float) -> list[OverviewRow]:
        """Every experiment whose name is seen, by name: a row for each arm that is compared."""
        queries, snapshots = services.experiment_queries, services.experiment_maintenance.states
        here = {stored.record.name: queries.of(stored) for stored in queries.stored()}
        sparks = self._of_experiments.drawn(sorted(here), lambda name: _effects(here[name]), now)
        return [
            row
            for name in filter(sees, sorted(here))
            for row in _arms(here[name], snapshots.get(name), sparks[name])
        ]


def in_state(rows: Sequence[OverviewRow], word: str) -> dict[str, object]:
    """The monitors that are in a state, where one is asked for, and how many are in each."""
    counts = {state.value: sum(row.state == state for row in rows) for state in CHECK_HUES}
    message = (
        "" if not word or word in counts else f"No state “{word}”; there are {', '.join(counts)}."
    )
    chosen = word if word in counts else ""
    return {
        "monitors": [row for row in rows if not chosen or row.state == chosen],
        "counts": {state: number for state, number in counts.items() if number},
        "chosen": chosen,
        "message": message,
    }


def _monitor(
    monitor: Monitor,
    name: str,
    recent: RecentHour | None,
    checks: MonitorChecks | None,
    spark: str,
) -> OverviewRow:
    loss = None if recent is None else recent.metrics["log_loss"].value
    number = None if loss is None or isinstance(loss, Undefined) else loss
    last = None if recent is None or recent.last_start is None else float(recent.last_start)
    what = "" if recent is None or recent.is_latest else hour_of(recent)
    state = state_of(checks)
    own = monitor.owner, monitor.tags, in_short(checks)
    return OverviewRow(name, state, shown(number), what, last, spark, *own)


def hour_of(recent: RecentHour) -> str:
    """The last mature hour by its name: "11:00 to 12:00 UTC on 5 March"; "" where there is none."""
    if recent.span is None:
        return ""
    start, stop = (datetime.fromtimestamp(edge, UTC) for edge in recent.span)
    return f"{start:%H:%M} to {stop:%H:%M} UTC on {start.day} {start:%B}"


def _arms(
    selection: ExperimentSelection, snapshot: ExperimentSnapshot | None, spark: str
) -> Iterator[OverviewRow]:
    """A row for each arm that is compared; the sparkline is that of the first."""
    plan = selection.plan
    comparisons = () if snapshot is None else snapshot.findings.comparisons[""]
    by_arm = {comparison.arm: comparison for comparison in comparisons}
    for arm in plan.treatments:
        comparison = by_arm.get(arm)  # there is none yet where the plan has just changed
        yield OverviewRow(
            selection.experiment.record.name,
            "undecided" if comparison is None else comparison.verdict.word,
            shown(None) if comparison is None else _effect(comparison),
            f"{arm} against {plan.control}",
            selection.last_start,
            spark if arm == plan.treatments[0] else "",
        )


def _effect(comparison: Comparison) -> str:
    if isinstance(comparison.effect, Undefined):
        return shown(None)
    effect = comparison.effect.effect
    return f"{'+' if effect > 0 else ''}{shown(float(f'{effect:.3g}'))}"


def _losses(services: Services, name: str) -> list[float]:
    """Log loss of the last mature day by the hour."""
    try:
        reader = services.monitor_queries.open(name)
        step = max(HOUR, reader.monitor.window_seconds)
        start = reader.now - reader.maturity.lag - DAY
        selection = reader.select(MonitorQuery(start=start))
        points = selection.points(["log_loss"], step)["log_loss"]
    except (NotFound, TallyMismatch):  # removed this very moment, or damaged
        return []
    return [point.value for point in points if point.value is not None and point.mature]


def _effects(selection: ExperimentSelection) -> list[float]:
    """The effect of the first arm by day or longer, or by hour on the first day."""
    step = next(step for step in STEPS if step >= DAY and selection.allows(step))
    try:
        course = _defined(selection.series(step))
        return course if len(course) > 1 or step > DAY else _defined(selection.series(HOUR))
    except TallyMismatch:  # damaged
        return []


def _defined(series: ExperimentSeries) -> list[float]:
    return [point.effect for point in series.points if point.effect is not None]
