"""The overview page: the state of every monitor and every experiment, the worst first."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from kullback.errors import NotFound, TallyMismatch
from kullback.experiments.compared import Comparison
from kullback.experiments.crossings import ExperimentSnapshot
from kullback.experiments.selection import STEPS
from kullback.experiments.stored import StoredExperiment
from kullback.experiments.verdict import VerdictWord
from kullback.experiments.wording import metric_name, percent, unit
from kullback.figures.typesetting import shown, typeset
from kullback.moments import DAY, HOUR
from kullback.monitoring.checks import MonitorChecks, state_of
from kullback.monitoring.recent import RecentHour
from kullback.monitoring.selection import MonitorQuery
from kullback.monitoring.stored import StoredMonitor
from kullback.numerics.digits import decimals, number
from kullback.numerics.types import Undefined
from kullback.services import Services
from kullback.ui.check_rows import CHECK_HUES, CheckRows, badness, in_short
from kullback.ui.kept_rows import KeptRows, NamedRows, digest_of
from kullback.ui.slice_rows import words_of
from kullback.ui.sparks import NOTHING, Spark, Sparks, course

Sees = Callable[[str], bool]
HUES: Mapping[str, str] = {state.value: hue for state, hue in CHECK_HUES.items()} | {
    word.value: word.tone for word in VerdictWord
}
RATIO = 1.25  # of log loss to the reference: how far sparklines of monitors reach
SHARE = 0.05  # of the control: how far those of experiments reach
_DECIDED_FIRST = ("worse", "invalid", "better", "not_worse", "equivalent", "undecided")
_TOO_EARLY = ("empty", "zero_weight", "one_class", "too_few_units", "too_few_positives")


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One monitor, or one arm of an experiment that is compared.

    Attributes:
        headline: its number; `change` is that beside the reference, or in terms of the control.
        what: what the number of an arm is of.
        as_of: the end of the hour that the number of a monitor is of, where that is not the last.
        statement: what its worst check says, `place` the slice that it is worst in.
        since: when what the statement says began.
        rank: of an experiment, less the more there is to be done.
        is_stopped: whether an experiment takes no more rows.
    """

    name: str
    state: str
    headline: str
    change: str = ""
    what: str = ""
    as_of: float | None = None
    last: float | None = None
    since: float | None = None
    statement: str = ""
    place: str = ""
    owner: str | None = None
    tags: tuple[str, ...] = ()
    spark: Spark = NOTHING
    rank: int = len(_DECIDED_FIRST)
    is_stopped: bool = False

    @property
    def hue(self) -> str:
        """The class of the state."""
        return HUES[self.state]

    @property
    def words(self) -> str:
        """What is searched, casefolded."""
        parts = (self.name, self.state, self.statement, self.place, self.what, self.owner or "")
        return "\n".join((*parts, *self.tags)).casefold()


@dataclass(frozen=True, slots=True)
class OverviewRows:
    """The rows that a caller sees, each name's together."""

    monitors: Sequence[NamedRows[OverviewRow]]
    experiments: Sequence[NamedRows[OverviewRow]]

    @property
    def state(self) -> object:
        """What changes whenever a row does, or their order."""
        return digest_of(self.monitors), digest_of(self.experiments)


class Overview:
    """How everything stands; a request reads the names, what was drawn is of the upkeep."""

    def __init__(self) -> None:
        self._of_monitors, self._of_experiments = Sparks(), Sparks()
        self._monitors = KeptRows[OverviewRow]()
        self._experiments = KeptRows[OverviewRow]()

    def refresh(self, services: Services, now: float) -> None:
        """Draw what is due."""
        recent = services.monitor_maintenance.recent
        marks = {name: each.last_start for name, each in recent.items()}
        self._of_monitors.refresh(marks, lambda name: _losses(services, name), now)
        states = services.experiment_maintenance.states
        stored = services.experiment_queries.present()
        versions = {name: states[name].version if name in states else None for name in stored}
        self._of_experiments.refresh(versions, lambda name: _effects(services, stored[name]), now)

    def rows(self, services: Services, sees: Sees) -> OverviewRows:
        """The rows of every name that is seen."""
        monitors, experiments = self._all_monitors(services), self._all_experiments(services)
        return OverviewRows(
            [each for each in monitors if sees(each.name)],
            [each for each in experiments if sees(each.name)],
        )

    def _all_monitors(self, services: Services) -> Sequence[NamedRows[OverviewRow]]:
        """A row for each monitor, the worst first, then by name."""
        recent, checks = services.monitor_maintenance.recent, services.monitor_maintenance.checks
        present, spark = services.monitor_queries.present(), self._of_monitors.of
        sources = {
            name: (stored, recent.get(name), checks.get(name), spark(name))
            for name, stored in present.items()
        }
        return self._monitors.of(
            sources, lambda name: (badness(checks.get(name)), [_monitor(*sources[name])])
        )

    def _all_experiments(self, services: Services) -> Sequence[NamedRows[OverviewRow]]:
        """A row for each arm that is compared; experiments with a verdict come first."""
        states, spark = services.experiment_maintenance.states, self._of_experiments.of
        sources = {
            name: (stored, states.get(name), spark(name))
            for name, stored in services.experiment_queries.present().items()
        }

        def make(name: str) -> tuple[tuple[int], Sequence[OverviewRow]]:
            arms = _arms(*sources[name])
            return (min(row.rank for row in arms),), arms

        return self._experiments.of(sources, make)


def _rank(comparison: Comparison | None) -> int:
    if comparison is None or comparison.verdict.code in _TOO_EARLY:
        return len(_DECIDED_FIRST)
    return _DECIDED_FIRST.index(comparison.verdict.word)


def _monitor(
    stored: StoredMonitor, recent: RecentHour | None, checks: MonitorChecks | None, spark: Spark
) -> OverviewRow:
    loss = None if recent is None else recent.metrics["log_loss"]
    value = None if loss is None or isinstance(loss.value, Undefined) else loss.value
    error = (
        None if loss is None or isinstance(loss.standard_error, Undefined) else loss.standard_error
    )
    rows = CheckRows.of(checks)
    return OverviewRow(
        stored.record.name,
        state_of(checks),
        typeset(number(value, decimals(error))),
        _change(value, spark.base),
        "",
        None if recent is None or recent.is_latest else recent.stop,
        None if recent is None or recent.last_start is None else float(recent.last_start),
        None if rows.worst is None else rows.worst.since,
        in_short(checks),
        f"feature {rows.feature}" if rows.feature else rows.slice and words_of(rows.slice),
        stored.monitor.owner,
        stored.monitor.tags,
        spark,
    )


def _change(value: float | None, base: float | None) -> str:
    return "" if value is None or not base else typeset(f"{value / base - 1:+.1%}")


def hour_of(recent: RecentHour) -> str:
    """The last mature hour by its name: "11:00 to 12:00 UTC on 5 March"; "" where there is none."""
    if recent.span is None:
        return ""
    start, stop = (datetime.fromtimestamp(edge, UTC) for edge in recent.span)
    return f"{start:%H:%M} to {stop:%H:%M} UTC on {start.day} {start:%B}"


def _arms(
    stored: StoredExperiment, snapshot: ExperimentSnapshot | None, spark: Spark
) -> list[OverviewRow]:
    """A row for each arm that is compared; the sparkline is that of the first."""
    plan = stored.plan
    comparisons = () if snapshot is None else snapshot.findings.comparisons[""]
    by_arm = {comparison.arm: comparison for comparison in comparisons}
    rows = []
    for arm in plan.treatments:
        comparison = by_arm.get(arm)  # there is none yet where the plan has just changed
        rows.append(
            OverviewRow(
                stored.record.name,
                "undecided" if comparison is None else comparison.verdict.word,
                shown(None) if comparison is None else _effect(comparison, plan.metric),
                "" if comparison is None else _relative(comparison),
                f"{arm} against {plan.control}",
                last=spark.last,
                statement=metric_name(plan),
                spark=spark if arm == plan.treatments[0] else NOTHING,
                rank=_rank(comparison),
                is_stopped=stored.stop is not None,
            )
        )
    return rows


def _effect(comparison: Comparison, metric: str) -> str:
    if isinstance(comparison.effect, Undefined):
        return shown(None)
    places = decimals(comparison.effect.standard_error)
    return typeset(number(comparison.effect.effect, places, signed=True) + unit(metric))


def _relative(comparison: Comparison) -> str:
    relative = comparison.relative
    return "" if isinstance(relative, Undefined) else typeset(percent(relative, signed=True))


def _losses(services: Services, name: str) -> Spark:
    """Log loss of the last mature day by the hour, beside the reference or else its median."""
    try:
        reader = services.monitor_queries.open(name)
        step = max(HOUR, reader.monitor.window_seconds)
        start = reader.now - reader.maturity.lag - DAY
        points = reader.select(MonitorQuery(start=start)).points(["log_loss"], step)["log_loss"]
        baseline = reader.baseline()
    except (NotFound, TallyMismatch):  # removed this very moment, or damaged
        return NOTHING
    values = [point.value for point in points if point.value is not None and point.mature]
    loss = None if baseline is None else baseline.metrics()["log_loss"].value
    base = None if loss is None or isinstance(loss, Undefined) or not loss else loss
    middle = base or (median(values) if values else 0.0)
    if not 0 < middle < math.inf:
        return Spark(base=base)
    least = middle / RATIO**2  # beyond, of a loss of 0 too
    logs = [math.log(max(value, least) / middle) / math.log(RATIO) for value in values]
    return Spark(*course(logs), base)


def _effects(services: Services, stored: StoredExperiment) -> Spark:
    """The effect of the first arm in terms of the control, by day or longer, at first by hour."""
    selection = services.experiment_queries.of(stored)
    points: list[float] = []
    with suppress(TallyMismatch):  # damaged
        step = next(step for step in STEPS if step >= DAY and selection.allows(step))
        for each in (step, HOUR) if step == DAY else (step,):
            series = selection.series(each).points
            points = [p.relative_effect for p in series if p.relative_effect is not None]
            if len(points) > 1:
                break
    return Spark(*course([point / SHARE for point in points]), last=selection.last_start)
