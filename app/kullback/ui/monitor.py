"""The page of a monitor: how it stands, over time and slice by slice."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kullback.figures import feature_shares, reliability, score_histogram
from kullback.figures.typesetting import measured
from kullback.moments import moment
from kullback.monitoring.annotations import Annotation
from kullback.monitoring.checks import MonitorChecks, state_of
from kullback.monitoring.recent import RecentHour
from kullback.monitoring.replies import MonitorSetup
from kullback.monitoring.selection import MonitorQuery, MonitorSelection
from kullback.numerics.digits import decimals
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.services import Services
from kullback.tally.report_types import AucValue, MetricValue, MetricValues
from kullback.ui import history
from kullback.ui.check_rows import CHECK_HUES, sizes, statement, worst_first
from kullback.ui.overview import hour_of
from kullback.ui.render import rounded
from kullback.ui.times import CUSTOM, RANGES, Ground, View, view

LABELS_SHOWN = 6
FEATURES_DRAWN = 12  # those that changed most; the table has all
NAMES = {
    "log_loss": "Log loss",
    "normalized_entropy": "Normalized entropy",
    "relative_information_gain": "Relative information gain",
    "calibration_ratio": "Calibration ratio",
    "auc": "AUC",
    "brier": "Brier score",
    "ece": "Expected calibration error",
    "accuracy": "Accuracy",
    "base_rate": "Base rate",
    "mean_prediction": "Mean prediction",
}
MEANINGS = {
    "log_loss": "nats per row, lower is better",
    "normalized_entropy": "1 is no better than the base rate, 0 is perfect",
    "calibration_ratio": "predicted / observed, 1 is right",
    "auc": "0.5 is chance, 1 is perfect ranking",
    "brier": "squared error, lower is better",
    "ece": "mean gap between predicted and observed",
    "accuracy": "how often the top label was right",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A number at a glance."""

    name: str
    number: str
    error: str
    meaning: str


@dataclass(frozen=True, slots=True)
class MonitorPage:
    """The page of a monitor, of the time and the slice that its address asks for."""

    selection: MonitorSelection
    view: View
    ground: Ground
    recent: RecentHour | None
    checks: MonitorChecks | None

    @classmethod
    def of(cls, services: Services, name: str, query: Mapping[str, str]) -> "MonitorPage":
        """The page that an address asks for.

        Raises:
            NotFound: there is no monitor of that name.
        """
        reader = services.monitor_queries.open(name)
        monitor = reader.monitor
        ground = Ground(monitor.window_seconds, monitor.slices, reader.now, monitor.timezone)
        chosen = view(query, ground)
        selection = reader.select(MonitorQuery(chosen.start, chosen.stop, chosen.slices)).keeping()
        recent, checks = services.monitor_maintenance.looks.fresh(reader)
        return cls(selection, chosen, ground, recent, checks)

    @property
    def state(self) -> object:
        """What the content follows from; it costs no part of a sum."""
        steps = self.view.step(self.ground), self.view.step(self.ground, history.SLICE_STEPS)
        selection = self.selection
        monitor = selection.reader.monitor
        checks = None if self.checks is None else self.checks.checks
        looked = self.recent, checks, self.annotations
        return selection.etag, monitor, selection.reader.last_start, self.view, steps, looked

    @property
    def annotations(self) -> Sequence[Annotation]:
        """What happened in the time that it shows."""
        return self.selection.reader.annotations(self.view.start, self.view.stop)

    def content(self) -> dict[str, object]:
        """What the page shows."""
        setup = self.selection.reader.details(self.checks)
        state = state_of(self.checks)
        head: dict[str, object] = {
            "live": True,
            "setup": setup,
            "view": self.view,
            "ranges": {key: words for key, (words, _) in RANGES.items()} | {CUSTOM: "From, to"},
            "state": state,
            "hue": CHECK_HUES[state],
            "why": why(self.checks, self.recent),
            "checks": worst_first(self.checks),
            "hues": CHECK_HUES,
            "sizes": sizes,
            "first": first_batch(setup),
            "annotations": self.annotations,
        }
        return head if setup.counts.is_empty else head | self._body(setup)

    def _body(self, setup: MonitorSetup) -> dict[str, object]:
        selection, chosen = self.selection, self.view
        report = selection.report()
        slices = history.side_by_side(selection, chosen, self.ground, report.groups)
        return {
            "report": report,
            "names": NAMES,
            "why_not": why_not,
            "cards": cards(report.metrics),
            "course": history.over_time(selection, chosen, self.ground) if report.n else [],
            "bins": [
                reliability.of_monitor(report, setup.task),
                score_histogram.of_monitor(report, setup),
            ],
            "features": [
                feature_shares.of_feature(name, drift, place)
                for place, (name, drift) in enumerate(report.drift.features.items(), 1)
            ][:FEATURES_DRAWN],
            "slices": slices,
            "groups": history.heaviest(report.groups),
            "baseline": json.dumps({"from": moment(chosen.start), "to": moment(chosen.stop)}),
        }


def cards(metrics: MetricValues) -> list[Card]:
    """The metrics at a glance: those that a task has."""
    chosen = {name: metrics[name] for name in MEANINGS if name in metrics}
    return [_card(name, value) for name, value in chosen.items() if value.reason != "multiclass"]


def _card(name: str, metric: MetricValue) -> Card:
    if metric.value is None:
        return Card(NAMES[name], measured(metric), "", why_not(metric.reason))
    number, _, error = measured(metric).partition(" ± ")
    meaning = MEANINGS[name]
    if isinstance(metric, AucValue) and metric.error_bound:
        places = decimals(metric.standard_error)
        meaning += f"; known to ± {rounded(metric.error_bound, places)}"
    return Card(NAMES[name], number, f"± {error}" if error else "", meaning)


def why_not(reason: str | None) -> str:
    """Why there is no number, in words."""
    return "" if reason is None else Reason(reason).sentence


def why(checks: MonitorChecks | None, recent: RecentHour | None) -> str:
    """What the worst check says, what labels wait for, and of a sound one the last mature hour."""
    words = statement(checks)
    if recent is None:
        return words
    if recent.is_waiting:
        return f"{words} {_waiting(recent)}".strip()
    if checks is not None and any(each.is_alarm for each in checks.checks):
        return words
    calibration = _calibration(recent)
    if not recent.rows or not calibration:
        return words
    hour = "the last hour" if recent.is_latest else f"the hour from {hour_of(recent)}"
    return f"{words} In {hour}, of {recent.rows:,} rows: {calibration}.".strip()


def _waiting(recent: RecentHour) -> str:
    """Why no hour is mature yet."""
    if recent.only_positives:
        return (
            "Only positive labels come, and not for all predictions: their base rate would be 1. "
            "Send the labels of the others too."
        )
    share = recent.latest.labelled_share
    words = "No hour is mature yet."
    if recent.waiting_predictions:
        words = f"{words} {recent.waiting_predictions:,} predictions wait for their labels."
    if share is not None:
        words = f"{words} Of the {recent.predictions:,} rows of the last hour {share:.0%} have one."
    return words


def _calibration(recent: RecentHour) -> str:
    ratio = recent.metrics["calibration_ratio"]
    if isinstance(ratio.value, Undefined):
        return ""
    return f"predictions are {measured(MetricValue.of(ratio))} times what happened"


def first_batch(setup: MonitorSetup) -> str:
    """A first batch for this monitor as the shell takes it; "" where its rows are too wide."""
    if setup.task != "binary":
        labels: Sequence[str | int] = setup.labels or ()
        if len(labels) > LABELS_SHOWN:
            return ""
        rest = round(0.4 / (len(labels) - 1), 4)
        first = round(1 - rest * (len(labels) - 1), 4)
        rows = [[first if at == row else rest for at in range(len(labels))] for row in range(2)]
        came = [[int(p > rest) for p in row] for row in rows]
        truth = labels[:2] if setup.task == "multiclass" else came
        return shlex.quote(json.dumps({"y_true": truth, "y_proba": rows}))
    low, high = setup.labels or (0, 1)
    y_true, y_proba = [high, low, high], [0.8, 0.3, 0.6]
    if setup.pos_label == low:
        y_proba = [0.2, 0.7, 0.4]
    return shlex.quote(json.dumps({"y_true": y_true, "y_proba": y_proba}))
