"""The overview page: the state of every monitor and every experiment, the worst first."""

import math
from collections.abc import Callable, Sequence
from statistics import median

from kullback.errors import NotFound, TallyMismatch
from kullback.figures.typesetting import shown, typeset
from kullback.moments import DAY, HOUR
from kullback.monitoring.checks import MonitorChecks, state_of
from kullback.monitoring.recent import RecentHour
from kullback.monitoring.selection import MonitorQuery
from kullback.monitoring.stored import StoredMonitor
from kullback.numerics.digits import decimals, number
from kullback.numerics.types import Undefined
from kullback.services import Services
from kullback.ui.check_rows import CheckRows, badness, in_short
from kullback.ui.kept_rows import KeptRows, NamedRows
from kullback.ui.overview_experiments import effects_of, ranked_row
from kullback.ui.overview_rows import OverviewRow, OverviewRows
from kullback.ui.slice_rows import words_of
from kullback.ui.sparks import NOTHING, Spark, Sparks, course

Sees = Callable[[str], bool]
RATIO = 1.25  # of log loss to the reference: how far sparklines of monitors reach


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
        self._of_experiments.refresh(
            versions, lambda name: effects_of(services, stored[name], states.get(name)), now
        )

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
        """A row for each experiment; those with a verdict come first."""
        states, spark = services.experiment_maintenance.states, self._of_experiments.of
        sources = {
            name: (stored, states.get(name), spark(name))
            for name, stored in services.experiment_queries.present().items()
        }
        return self._experiments.of(sources, lambda name: ranked_row(*sources[name]))


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
        shown(value) if value == math.inf else typeset(number(value, decimals(error))),
        _change(value, spark.base),
        as_of=None if recent is None or recent.is_latest else recent.stop,
        last=None if recent is None or recent.last_start is None else float(recent.last_start),
        since=None if rows.worst is None else rows.worst.since,
        statement=in_short(checks),
        place=f"feature {rows.feature}" if rows.feature else rows.slice and words_of(rows.slice),
        owner=stored.monitor.owner,
        tags=stored.monitor.tags,
        spark=spark,
    )


def _change(value: float | None, base: float | None) -> str:
    if value is None or value == math.inf or not base:
        return ""
    return typeset(f"{value / base - 1:+.1%}")


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
