"""The page of a monitor: how it stands, why, and over time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kullback.errors import InvalidInput
from kullback.figures import reliability, score_histogram
from kullback.figures.typesetting import measured
from kullback.judgement.findings import State
from kullback.moments import DAY, HOUR, moment
from kullback.monitoring.annotations import Annotation
from kullback.monitoring.checks import MonitorChecks, state_of
from kullback.monitoring.crossed_slices import CROSS, slice_name
from kullback.monitoring.queries import MonitorReader
from kullback.monitoring.recent import RecentHour
from kullback.monitoring.replies import MonitorSetup
from kullback.monitoring.selection import MonitorQuery, MonitorSelection, counted_query
from kullback.numerics.digits import counted
from kullback.numerics.types import Undefined
from kullback.services import Services
from kullback.tally.report_types import MetricValue
from kullback.ui import history
from kullback.ui.cards import NAMES, cards, why_not
from kullback.ui.check_rows import CHECK_HUES, CheckRows, sizes, statement, title
from kullback.ui.drift_rows import drift_rows, feature_rows
from kullback.ui.first_batch import first_batch
from kullback.ui.past import past_of, past_of_values
from kullback.ui.slice_rows import MOST_SHOWN, SliceTable, words_of
from kullback.ui.time_picker import time_picker
from kullback.ui.times import Ground, View, local, view
from kullback.ui.verdict_text import verdict_text

FEATURES_DRAWN = 12  # those that changed most; the others are in words
MOST_COMPARED = 200  # values of slices, beyond which those of one slice are compared


@dataclass(frozen=True, slots=True)
class MonitorPage:
    """The page of a monitor, of the time and the slice that its address asks for.

    Attributes:
        selection: the time, of all rows or of those of `value`.
        compared: the same time of all rows, by the slices whose values are compared.
        value: a slice and its value, "country=DE".
    """

    selection: MonitorSelection
    compared: MonitorSelection
    view: View
    value: str | None
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
        ground = Ground(
            monitor.window_seconds,
            monitor.slices,
            reader.now,
            monitor.timezone,
            reader.now - monitor.retention_days * DAY,
        )
        recent, checks = services.monitor_maintenance.looks.fresh(reader)
        chosen = view({key: text for key, text in query.items() if key != "slice"}, ground)
        value, messages = _value(reader, query.get("slice", ""))
        chosen = replace(chosen, messages=(*chosen.messages, *messages))
        by = chosen.slices or _compared(reader, CheckRows.of(checks).slice)
        compared = reader.select(MonitorQuery(chosen.start, chosen.stop, by)).keeping()
        selection = compared
        if value is not None:
            asked_for = MonitorQuery(chosen.start, chosen.stop, value=value)
            selection = reader.select(asked_for).keeping()
        return cls(selection, compared, chosen, value, ground, recent, checks)

    @property
    def state(self) -> object:
        """What the content follows from; it costs no part of a sum."""
        steps = self.view.step(self.ground), self.view.step(self.ground, history.SLICE_STEPS)
        reader = self.selection.reader
        checks = None if self.checks is None else self.checks.checks
        looked = self.recent, checks, self.annotations, self.marks_of_change
        tags = self.selection.etag, self.compared.etag
        return tags, reader.monitor, reader.last_start, self.view, self.value, steps, looked

    @property
    def annotations(self) -> Sequence[Annotation]:
        """What happened in the time that it shows."""
        return self.selection.reader.annotations(self.view.start, self.view.stop)

    @property
    def marks_of_change(self) -> Sequence[Annotation]:
        """What happened as the worst check began to warn, an hour before or after."""
        since = None if (worst := CheckRows.of(self.checks).worst) is None else worst.since
        if since is None:
            return ()
        return self.selection.reader.annotations(since - HOUR, since + HOUR)

    def content(self) -> dict[str, object]:
        """What the page shows."""
        reader = self.selection.reader
        setup = reader.details(self.checks)
        last = reader.last_start
        came = None if reader.arrivals is None else reader.arrivals.last
        state = state_of(self.checks)
        head: dict[str, object] = {
            "live": True,
            "setup": setup,
            "view": self.view,
            "kept": self.view.query | ({"by": self.view.by} if self.view.by else {}),
            "value": self.value,
            "words_of": words_of,
            "picked": time_picker(
                self.view, self.ground, {"by": self.view.by or "", "slice": self.value or ""}
            ),
            "state": state,
            "hue": CHECK_HUES[state],
            "why": why(self.checks, self.recent),
            "checks": CheckRows.of(self.checks),
            "now": self.ground.now,
            "last_rows": None if last is None else reader.span(last, last + 1),
            "came": came,
            "is_since": self._is_since(),
            "hues": CHECK_HUES,
            "sizes": sizes,
            "title": title,
            "local": local,
            "first": first_batch(setup),
            "annotations": self.annotations,
            "marks_of_change": self.marks_of_change,
        }
        return head if setup.counts.is_empty else head | self._body(setup)

    def _is_since(self) -> bool:
        """Whether the time that is shown is the time since the change, up to now."""
        worst, last = CheckRows.of(self.checks).worst, self.selection.reader.last_start
        if worst is None or worst.since is None or last is None:
            return False
        return abs(self.view.start - worst.since) < self.ground.window and self.view.stop > last

    def _states(self, *, slices: bool = False) -> Mapping[str, State]:
        """The states of checks that look at the rows that are shown: up to the last.

        The check of slices looks at all `slices`, but of all rows or one value at what it names.
        """
        last, checks = self.selection.reader.last_start, self.checks
        if checks is None or (last is not None and self.view.stop <= last):
            return {}
        is_named = slices or self.value == CheckRows.of(checks).slice
        return {each.name: each.state for each in checks.checks if is_named or each.name != "slice"}

    def _body(self, setup: MonitorSetup) -> dict[str, object]:
        selection, chosen, reader = self.selection, self.view, self.selection.reader
        limits, rows = reader.thresholds, CheckRows.of(self.checks)
        report = selection.report()
        compared = report if self.compared is selection else self.compared.report()
        past = past_of(selection, self.value)
        drawn, course = history.over_time(selection, chosen, self.ground, self.value, past)
        shown_cards = cards(report, past, limits, self._states()) if report.n else []
        names = [slice_name(group.slice) for group in compared.groups]
        past_values = past_of_values(self.compared, names)
        slices = SliceTable.of(compared, limits, past_values, rows.slice, self._states(slices=True))
        span = {"from": moment(report.start), "to": moment(report.stop)}
        return {
            "report": report,
            "names": NAMES,
            "why_not": why_not,
            "cards": shown_cards,
            "past": past,
            "course": course if report.n else [],
            "first_row": _first_row(selection, drawn) if drawn.start > chosen.start else None,
            "bins": [
                reliability.of_monitor(report, setup.task),
                score_histogram.of_monitor(report, setup),
            ],
            "drifts": drift_rows(report.drift, limits["score_drift"]),
            "features": feature_rows(report.drift, limits["feature_drift"]),
            "slices": slices,
            "most_shown": MOST_SHOWN,
            "drawn_features": FEATURES_DRAWN,
            "small": history.side_by_side(
                self.compared, chosen, self.ground, [row.slice for row in slices.rows], past_values
            )
            if chosen.by
            else [],
            "span": span,
            "step": drawn.step(self.ground),
            "metrics_drawn": ",".join(each.metric for each in history.drawn_of(setup.task)),
            "markdown": verdict_text(setup, self.checks, report, shown_cards, slices),
            "baseline": json.dumps(span),
        }


def _first_row(selection: MonitorSelection, drawn: View) -> int | None:
    """When the first window with rows began of the time that is drawn."""
    reader = selection.reader
    span = reader.span(drawn.start, drawn.stop)
    with reader.store.stream(reader.record.id, *span) as parts:
        return min((cell.start for cell, _ in reader.stored.seen(parts)), default=None)


def _value(reader: MonitorReader, text: str) -> tuple[str | None, Sequence[str]]:
    """The value of a slice that an address asks for, or why it cannot be."""
    if not text:
        return None, ()
    try:
        return counted_query(reader.monitor, MonitorQuery(value=text)).value, ()
    except InvalidInput as error:
        return None, (f"slice: {error.message} All rows are shown.",)


def _compared(reader: MonitorReader, worst: str) -> tuple[str, ...]:
    """The slices whose values are compared: all that are few, that of the worst value first."""
    names = [name for name in reader.monitor.slices if CROSS not in name]
    first = worst.partition("=")[0]
    names = sorted(names or reader.monitor.slices, key=lambda name: name != first)
    chosen: list[str] = []
    total = 0
    for name in names:
        total += sum(value.startswith(f"{name}=") for value in reader.values)
        if not chosen or total <= MOST_COMPARED:
            chosen.append(name)
    return tuple(chosen)


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
    hour = "the last hour"
    if not recent.is_latest and recent.span is not None:
        hour = " to ".join(("the hour from " + moment(recent.span.start), moment(recent.span.stop)))
    return f"{words} In {hour}, of {counted(recent.rows, 'row')}: {calibration}.".strip()


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
