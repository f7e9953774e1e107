"""Prometheus collector of monitors: sums that only grow, and gauges of the last hour."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from threading import Lock

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kullback.errors import StoreUnavailable
from kullback.monitoring.counters import BINS_SHOWN, MonitorCounters, MonitorSums
from kullback.monitoring.maintenance import MonitorMaintenance
from kullback.monitoring.recent import Drift, RecentHour
from kullback.monitoring.stored import StoredMonitor
from kullback.numerics.types import Undefined
from kullback.telemetry import check_gauges

MAX_SERIES = 15_000
MAX_SLICE_SERIES = 1_500  # of one monitor
Present = Callable[[], Mapping[str, StoredMonitor]]
Features = Mapping[str, Mapping[str, Drift]]  # by monitor, and what each is of
Values = Mapping[tuple[str, ...], float | Undefined | None]

_SUMS = {
    "predictions": "Rows with a prediction, from the moment they come.",
    "examples": "Rows with labels.",
    "weight": "Sum of weights w of rows with labels.",
    "loss_nats": "Sum of w·loss.",
    "loss_nats_squared": "Sum of w²·loss².",
    "label_weight": "Sum of w·y; multiclass: w of rows whose most probable class was right.",
    "prediction_weight": "Sum of w·p; multiclass: w·probability of the most probable class.",
    "clipped": "Rows whose probability the convention bounded.",
    "infinite": "Rows whose loss is infinite; no sum has them.",
    "late": "Rows whose window had ended when they came.",
    "backfilled": "Rows more than a day older than the label lag: no other counter has them.",
    "duplicates": "Rows whose id had come before: not counted again.",
    "corrected": "Labels that replaced another, or a default: no other sum here has them.",
    "defaulted": "Predictions that came to count with default_label.",
    "rejected": "Rows that were left out because something was wrong with them.",
}
_SLICED = ("predictions", "examples", "weight", "loss_nats", "label_weight", "prediction_weight")
_METRICS = {
    "log_loss_nats": "log_loss",
    "normalized_entropy": "normalized_entropy",
    "calibration_ratio": "calibration_ratio",
    "ece": "ece",
    "auc": "auc",
}
_RECENT = {
    "kullback_recent_examples": ("Rows with labels in the last mature hour.", "rows"),
    "kullback_recent_timestamp_seconds": ("End of the last mature hour.", "stop"),
    "kullback_labelled_share": ("Share of its rows that have labels.", "labelled_share"),
    "kullback_label_lag_seconds": ("After how long labels are in.", "lag"),
    "kullback_recent_predictions": ("Rows with a prediction in the last hour.", "predictions"),
    "kullback_last_observation_timestamp_seconds": ("Start of the last window.", "last_start"),
    "kullback_waiting_predictions": ("Predictions without labels.", "waiting_predictions"),
    "kullback_waiting_labels": ("Labels without predictions.", "waiting_labels"),
}
_EDGES = tuple(f"{(at + 1) / BINS_SHOWN:.1f}" for at in range(BINS_SHOWN))
_OTHERS = 9  # two gauges of what it is, a standard error, and three numbers of two drifts
_OWN = len(_SUMS) + 3 * BINS_SHOWN + len(_METRICS) + len(_RECENT) + _OTHERS
PER_MONITOR = _OWN + check_gauges.PER_MONITOR
PER_SLICE = len(_SLICED)
PER_FEATURE = 3


class MonitorCollector(Collector):
    """The series of every monitor, from its creation on, up to a number of series.

    Monitors and slices keep their place once they have one; what finds none is counted once. No
    monitor has more than its share for slices, and those of whoever has most make room where a
    monitor has no place for its own series.
    """

    def __init__(
        self,
        present: Present,
        counters: MonitorCounters,
        maintenance: MonitorMaintenance,
        cap: int = MAX_SERIES,
        share: int = MAX_SLICE_SERIES,
    ) -> None:
        self._read_present = present
        self._counters = counters
        self._maintenance = maintenance
        self._cap = cap
        self._share = share
        self._lock = Lock()
        self._admitted: dict[str, set[str]] = {}  # slices of each monitor, "" for all rows
        self._refused: dict[str, set[str]] = {}
        self._hidden: set[tuple[str, str]] = set()  # features of monitors
        self._dropped = 0
        self._present: Mapping[str, StoredMonitor] = {}

    def describe(self) -> Iterator[Metric]:
        """Nothing: what there is changes with the monitors."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client.registry.Collector."""
        with self._lock:
            present = self._latest()
            self._admit(
                {name: self._counters.slices(stored.record) for name, stored in present.items()}
            )
            shown = {
                name: self._counters.of(present[name].record, parts)
                for name, parts in sorted(self._admitted.items())
            }
            recent = self._maintenance.recent
            features = self._room_for({name: recent[name] for name in shown if name in recent})
            dropped = self._dropped
        yield from _counters(shown)
        yield from _bins(shown)
        info: Values = {(name, present[name].monitor.task): 1.0 for name in shown}
        yield _gauge("kullback_monitor_info", "1 for every monitor, with its task.", info, "task")
        created: Values = {(name,): present[name].record.created for name in shown}
        yield _gauge("kullback_monitor_created_timestamp_seconds", "When it was made.", created)
        yield from _gauges({name: recent[name] for name in shown if name in recent}, features)
        checks = self._maintenance.checks
        seen = {name: checks[name] for name in shown if name in checks}
        yield from check_gauges.gauges(seen)
        family = CounterMetricFamily(
            "kullback_series_dropped", f"Series beyond {self._cap}, which are not shown."
        )
        family.add_metric([], dropped)
        yield family

    def _latest(self) -> Mapping[str, StoredMonitor]:
        """Every monitor; as last known while the store is away."""
        with suppress(StoreUnavailable):
            self._present = self._read_present()
        return self._present

    def _admit(self, here: Mapping[str, Sequence[str]]) -> None:
        """Give places to all rows of each monitor, then to its slices."""
        self._admitted = _still(self._admitted, here)
        self._refused = _still(self._refused, here)
        slices = sum(map(len, self._admitted.values())) - len(self._admitted)
        left = self._cap - len(self._admitted) * PER_MONITOR - slices * PER_SLICE
        for name in sorted(here.keys() - self._admitted.keys()):
            left += self._make_room(PER_MONITOR - left)
            if left >= PER_MONITOR:
                left -= PER_MONITOR
                self._admitted[name] = {""}
                self._refused.get(name, set()).discard("")
            else:
                self._refuse(name, {""}, PER_MONITOR)
        for name, parts in sorted(here.items()):
            places = self._admitted.get(name, set())
            waiting = [part for part in parts if part and part not in places]
            room = min(left, self._share - (len(places) - 1) * PER_SLICE) if places else 0
            admitted = set(waiting[: max(room, 0) // PER_SLICE])
            left -= len(admitted) * PER_SLICE
            places |= admitted
            self._refused.get(name, set()).difference_update(admitted)
            self._refuse(name, set(waiting) - admitted, PER_SLICE)

    def _room_for(self, recent: Mapping[str, RecentHour]) -> Features:
        """The drifts of features that there is room for beside all that has a place."""
        taken = sum((len(parts) - 1) * PER_SLICE + PER_MONITOR for parts in self._admitted.values())
        left = max(self._cap - taken, 0) // PER_FEATURE
        shown: dict[str, dict[str, Drift]] = {}
        hidden: set[tuple[str, str]] = set()
        for name, hour in recent.items():
            drifts = {f"feature:{each}": drift for each, drift in sorted(hour.features.items())}
            shown[name] = dict(islice(drifts.items(), left))
            left -= len(shown[name])
            hidden |= {(name, each) for each in drifts.keys() - shown[name].keys()}
        self._dropped += len(hidden - self._hidden) * PER_FEATURE
        self._hidden = hidden
        return shown

    def _make_room(self, series: int) -> int:
        """Take so many series from the slices of whoever has most; how many came of it."""
        freed = 0
        while freed < series:
            most = max(self._admitted.values(), key=len, default=set())
            if len(most) < 2:
                break
            most.remove(max(most))
            freed += PER_SLICE
        return freed

    def _refuse(self, name: str, parts: set[str], series: int) -> None:
        refused = self._refused.setdefault(name, set())
        self._dropped += len(parts - refused) * series
        refused |= parts


def _still(
    places: Mapping[str, set[str]], here: Mapping[str, Sequence[str]]
) -> dict[str, set[str]]:
    return {name: parts.intersection(here[name]) for name, parts in places.items() if name in here}


def _counters(shown: Mapping[str, Mapping[str, MonitorSums]]) -> Iterator[Metric]:
    for name, text in _SUMS.items():
        family = CounterMetricFamily(f"kullback_{name}", text, labels=["monitor"])
        for monitor, parts in shown.items():
            family.add_metric([monitor], parts[""].values.get(name, 0.0))
        yield family
    for name in _SLICED:
        text = f"By slice: {_SUMS[name]}"
        family = CounterMetricFamily(f"kullback_slice_{name}", text, labels=["monitor", "slice"])
        for monitor, parts in shown.items():
            for part in sorted(filter(None, parts)):
                value = parts[part].values.get(name, 0.0)
                family.add_metric([monitor, part], value)
        yield family


def _bins(shown: Mapping[str, Mapping[str, MonitorSums]]) -> Iterator[Metric]:
    weights = CounterMetricFamily(
        "kullback_score_bin_weight",
        "Weight of rows by tenth of the score (upper edge) and label.",
        labels=["monitor", "bin", "label"],
    )
    predicted = CounterMetricFamily(
        "kullback_score_bin_prediction_weight",
        "Sum of w·p by tenth of the score (upper edge).",
        labels=["monitor", "bin"],
    )
    for monitor, parts in shown.items():
        sums = parts[""]
        for at, edge in enumerate(_EDGES):
            positive = float(sums.bin_label[at])
            negative = max(float(sums.bin_weight[at]) - positive, 0.0)
            weights.add_metric([monitor, edge, "0"], negative)
            weights.add_metric([monitor, edge, "1"], positive)
            predicted.add_metric([monitor, edge], float(sums.bin_prediction[at]))
    yield weights
    yield predicted


def _gauges(recent: Mapping[str, RecentHour], features: Features) -> Iterator[Metric]:
    values: Values
    for name, metric in _METRICS.items():
        text = f"{metric} of the last mature hour, over all replicas."
        values = {(monitor,): hour.metrics[metric].value for monitor, hour in recent.items()}
        yield _gauge(f"kullback_recent_{name}", text, values)
    yield _gauge(
        "kullback_recent_log_loss_standard_error_nats",
        "Standard error of the log loss of the last mature hour.",
        {(monitor,): hour.metrics["log_loss"].standard_error for monitor, hour in recent.items()},
    )
    for name, (text, attribute) in _RECENT.items():
        values = {(monitor,): getattr(hour, attribute) for monitor, hour in recent.items()}
        yield _gauge(name, text, values)
    for name, attribute in (("psi", "psi"), ("js_nats", "js"), ("p_value", "p_value")):
        text = f"{attribute}: scores and features of the last hour, labels of the mature one."
        values = {
            (monitor, of): getattr(drift, attribute)
            for monitor, hour in recent.items()
            for of, drift in (*hour.drift.items(), *features.get(monitor, {}).items())
        }
        yield _gauge(f"kullback_drift_{name}", text, values, "of")


def _gauge(name: str, text: str, values: Values, *labels: str) -> Metric:
    """A gauge of the monitors that have the number; one that is undefined is absent."""
    family = GaugeMetricFamily(name, text, labels=["monitor", *labels])
    for place, value in values.items():
        if value is not None and not isinstance(value, Undefined):
            family.add_metric(place, value)
    return family
