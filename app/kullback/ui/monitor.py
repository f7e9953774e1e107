"""This file is about the page of a monitor: how it stands, over time and slice by slice."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kullback.experiments.told import Metric
from kullback.moments import moment
from kullback.monitoring.queries import MonitorQueries, MonitorQuery, RecentHour
from kullback.monitoring.report import statement
from kullback.numerics.types import Undefined
from kullback.services import Services
from kullback.ui import bins, history
from kullback.ui.figures import shown
from kullback.ui.observed import Report, Setup
from kullback.ui.overview import HUES, is_drifting, state_of
from kullback.ui.times import CUSTOM, RANGES, Ground, View, view

LABELS_SHOWN = 6
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
    "auc": "how well it ranks: 0.5 is chance, 1 is perfect",
    "brier": "squared error, lower is better",
    "ece": "mean gap between predicted and observed",
    "accuracy": "how often the top label was right",
}
REASONS = {
    "empty": "no rows",
    "zero_weight": "all weights are 0",
    "one_class": "needs rows of both labels",
    "no_positives": "needs rows of the positive label",
    "no_predictions": "all predictions are 0",
    "multiclass": "of two labels only",
    "positive_infinity": "a probability of 0 was given to what happened",
    "too_few_rows": "needs more rows",
    "too_few_units": "needs more units",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A number at a glance."""

    name: str
    number: str
    error: str
    meaning: str


def content(
    services: Services, name: str, query: Mapping[str, str], now: float
) -> dict[str, object]:
    """What the page shows.

    Raises:
        NotFound: there is no monitor of that name.
    """
    setup = Setup.of(services.monitor_queries.get(name))
    ground = Ground(setup.window_seconds, setup.slices, now)
    asked = view(query, ground)
    recent = services.monitor_maintenance.recent.get(name)
    state = state_of(recent)
    head: dict[str, object] = {
        "setup": setup,
        "asked": asked,
        "ranges": {key: words for key, (words, _) in RANGES.items()} | {CUSTOM: "From … to …"},
        "state": state,
        "hue": HUES[state],
        "why": why(state, recent, has_reference=setup.reference is not None),
        "first": first_batch(setup),
    }
    return head if setup.is_empty else head | _body(services.monitor_queries, setup, asked, ground)


def _body(views: MonitorQueries, setup: Setup, asked: View, ground: Ground) -> dict[str, object]:
    report = Report.of(views.report(setup.name, MonitorQuery(asked.start, asked.stop, asked.by)))
    has_rows = report.n > 0
    return {
        "report": report,
        "names": NAMES,
        "why_not": why_not,
        "cards": cards(report.metrics),
        "course": history.over_time(views, setup, asked, ground) if has_rows else [],
        "bins": [bins.reliability(report, setup), bins.histogram(report, setup)],
        "slices": history.side_by_side(views, setup, asked, ground, report.groups),
        "groups": history.heaviest(report.groups),
        "baseline": json.dumps({"from": moment(asked.start), "to": moment(asked.stop)}),
    }


def cards(metrics: Mapping[str, Metric]) -> list[Card]:
    """The metrics at a glance: those that a task has."""
    found = {name: metrics[name] for name in MEANINGS if name in metrics}
    return [_card(name, one) for name, one in found.items() if one.reason != "multiclass"]


def _card(name: str, one: Metric) -> Card:
    if one.value is None:
        number = "∞" if one.reason == "positive_infinity" else shown(None)
        return Card(NAMES[name], number, "", why_not(one.reason))
    error = "" if one.standard_error is None else f"± {shown(_rounded(one.standard_error, 2))}"
    meaning = MEANINGS[name]
    if one.error_bound is not None:
        meaning += f"; known to ± {shown(_rounded(one.error_bound, 2))}"
    return Card(NAMES[name], shown(_rounded(one.value, 4)), error, meaning)


def why_not(reason: str | None) -> str:
    """Why there is no number, in words."""
    return REASONS.get(reason or "", (reason or "").replace("_", " "))


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def why(state: str, recent: RecentHour | None, *, has_reference: bool) -> str:
    """Why a monitor is in its state, in a sentence or two."""
    if recent is None or state == "no data":
        waiting = 0 if recent is None else recent.waiting_predictions
        more = f" {waiting:,} predictions wait for their labels." if waiting else ""
        return f"No rows with labels in the last hour.{more}"
    rows = f"In the last hour, of {recent.rows:,} rows:"
    if state == "drifting":
        found = [
            f"{of}s have drifted from the reference. {statement(one)}"
            for of, one in recent.drift.items()
            if is_drifting(one)
        ]
        return f"{rows} {' '.join(found)}"
    calibration = _calibration(recent)
    if state == "miscalibrated":
        return f"{rows} {calibration}."
    drift = (
        "scores and labels are much as in the reference"
        if recent.drift
        else "drift from the reference is told within a minute"
        if has_reference
        else "there is no reference yet to find drift against"
    )
    return f"{rows} {calibration}{', and ' if calibration else ''}{drift}."


def _calibration(recent: RecentHour) -> str:
    found = recent.metrics["calibration_ratio"]
    if isinstance(found.value, Undefined):
        return ""
    error = found.standard_error
    told = f" ± {shown(_rounded(error, 2))}" if isinstance(error, float) else ""
    return f"predictions are {shown(_rounded(found.value, 3))}{told} times what happened"


def first_batch(setup: Setup) -> str:
    """A first batch for this monitor as the shell takes it; "" where its rows are too wide."""
    if setup.task == "multiclass":
        labels: Sequence[str | int] = setup.labels or ()
        if len(labels) > LABELS_SHOWN:
            return ""
        rest = round(0.4 / (len(labels) - 1), 4)
        first = round(1 - rest * (len(labels) - 1), 4)
        rows = [[first if at == row else rest for at in range(len(labels))] for row in range(2)]
        return shlex.quote(json.dumps({"y_true": labels[:2], "y_proba": rows}))
    low, high = setup.labels or (0, 1)
    y_true, y_proba = [high, low, high], [0.8, 0.3, 0.6]
    if setup.pos_label == low:
        y_proba = [0.2, 0.7, 0.4]
    return shlex.quote(json.dumps({"y_true": y_true, "y_proba": y_proba}))
