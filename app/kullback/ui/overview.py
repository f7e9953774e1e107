"""The overview page: the state of every monitor and every experiment."""

from dataclasses import dataclass, replace

from kullback.experiments.answers import ExperimentSeries
from kullback.experiments.comparison import Comparison
from kullback.experiments.queries import ExperimentQuery
from kullback.experiments.queries import ExperimentSnapshot as Standing
from kullback.experiments.writes import StoredExperiment
from kullback.moments import DAY, HOUR
from kullback.monitoring.queries import MonitorQuery, RecentHour
from kullback.numerics.types import Undefined
from kullback.services import Services
from kullback.tally.drift import Drift
from kullback.tally.metrics import Estimate
from kullback.ui.figures import shown
from kullback.ui.sparks import Sparks

SURE = 0.001  # how rare a change must be without drift to be called one
LARGE_PSI = 0.1
MISCALIBRATED = 0.1
ERRORS_AWAY = 3.0
HUES = {
    "ok": "good",
    "drifting": "bad",
    "miscalibrated": "stop",
    "no data": "",
    "better": "good",
    "equivalent": "good",
    "not_worse": "good",
    "worse": "bad",
    "undecided": "",
    "invalid": "stop",
}


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One monitor or experiment: its state, its headline number, and where it is told in full."""

    name: str
    state: str
    headline: str
    what: str
    last: float | None
    spark: str = ""

    def with_spark(self, spark: str) -> "OverviewRow":
        """The same with this sparkline."""
        return replace(self, spark=spark)

    @property
    def hue(self) -> str:
        """The class of the state."""
        return HUES[self.state]


def state_of(recent: RecentHour | None) -> str:
    """How a monitor was in the last hour, the worst first."""
    if recent is None or recent.rows == 0:
        return "no data"
    if any(map(is_drifting, recent.drift.values())):
        return "drifting"
    return "miscalibrated" if is_miscalibrated(recent.metrics["calibration_ratio"]) else "ok"


def is_drifting(drift: Drift) -> bool:
    """Whether a change from the reference is both sure and large."""
    if isinstance(drift.p_value, Undefined) or isinstance(drift.psi, Undefined):
        return False
    return drift.p_value < SURE and drift.psi >= LARGE_PSI


def is_miscalibrated(ratio: Estimate) -> bool:
    """Whether predictions are off what happens by a tenth, and by three standard errors."""
    if isinstance(ratio.value, Undefined) or not isinstance(ratio.standard_error, float):
        return False
    off = abs(ratio.value - 1)
    return off >= MISCALIBRATED and off >= ERRORS_AWAY * ratio.standard_error


class Overview:
    """How everything stands; sparklines are kept for a few minutes."""

    def __init__(self) -> None:
        self._of_monitors = Sparks()
        self._of_experiments = Sparks()

    def monitors(self, services: Services, now: float) -> list[OverviewRow]:
        """Every monitor, by name."""
        recent, names = (
            services.monitor_maintenance.recent,
            sorted(services.monitor_queries.tasks()),
        )
        sparks = self._of_monitors.drawn(names, lambda name: _losses(services, name, now), now)
        return [_monitor(name, recent.get(name), sparks[name]) for name in names]

    def experiments(self, services: Services, now: float) -> list[OverviewRow]:
        """Every experiment, by name: a line for each arm that is compared."""
        views, states = services.experiment_queries, services.experiment_maintenance.states
        found = sorted(views.stored(), key=lambda one: one.record.name)
        names = [one.record.name for one in found]
        sparks = self._of_experiments.drawn(names, lambda name: _effects(services, name), now)
        return [
            _experiment(one, arm, states.get(one.record.name), views.last_start(one)).with_spark(
                sparks[one.record.name] if arm == one.plan.treatments[0] else ""
            )
            for one in found
            for arm in one.plan.treatments
        ]


def _monitor(name: str, recent: RecentHour | None, spark: str) -> OverviewRow:
    loss = None if recent is None else recent.metrics["log_loss"].value
    number = None if loss is None or isinstance(loss, Undefined) else loss
    last = None if recent is None or recent.last_start is None else float(recent.last_start)
    return OverviewRow(name, state_of(recent), shown(number), "log loss, last hour", last, spark)


def _experiment(
    found: StoredExperiment, arm: str, state: Standing | None, last: float | None
) -> OverviewRow:
    name, what = found.record.name, f"{arm} against {found.plan.control}"
    if state is None:
        return OverviewRow(name, "undecided", shown(None), what, last)
    one = next((one for one in state.findings.comparisons[""] if one.arm == arm), None)
    if one is None:  # the plan has changed since the last round
        return OverviewRow(name, "undecided", shown(None), what, last)
    return OverviewRow(name, one.verdict.word, _effect(one), what, last)


def _effect(one: Comparison) -> str:
    if isinstance(one.effect, Undefined):
        return shown(None)
    sign = "+" if one.effect.effect > 0 else ""
    return f"{sign}{shown(float(f'{one.effect.effect:.3g}'))}"


def _losses(services: Services, name: str, now: float) -> list[float]:
    """Log loss of the last day by the hour."""
    reader = services.monitor_queries.open(name)
    step = max(HOUR, reader.monitor.window_seconds)
    points = reader.select(MonitorQuery(start=now - DAY, step=step)).series().points
    return [point.value for point in points if point.value is not None]


def _effects(services: Services, name: str) -> list[float]:
    """The effect of the first arm by day, or by hour on the first: of all rows up to there."""
    views = services.experiment_queries
    by_day = _defined(views.series(name, ExperimentQuery()))
    return by_day if len(by_day) > 1 else _defined(views.series(name, ExperimentQuery(step=HOUR)))


def _defined(series: ExperimentSeries) -> list[float]:
    return [point.effect for point in series.points if point.effect is not None]
