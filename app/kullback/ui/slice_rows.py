"""Values of slices, the worst first: by how far they are off, and how sure that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from kullback.figures.intervals import STANDARD_ERRORS
from kullback.figures.typesetting import measured, typeset
from kullback.judgement.findings import State
from kullback.judgement.settings import Thresholds
from kullback.monitoring.crossed_slices import slice_name, slice_values
from kullback.monitoring.report import MonitorGroup, MonitorReport
from kullback.numerics.digits import number
from kullback.tally.report_types import MetricValue
from kullback.ui.check_rows import CHECK_HUES
from kullback.ui.differences import Difference, errors_apart, ratio_off
from kullback.ui.interval_bars import Reach, interval_bar, widest

MOST_SHOWN, MOST_ROWS = 10, 100
_LEAST = 1e-3  # nats: a scale is no narrower


@dataclass(frozen=True, slots=True)
class SliceRow:
    """A value of a slice.

    Attributes:
        slice: the slice and the value as an address has them, "country=BR".
        words: the same as people read it, "country = BR".
        group: its rows.
        off: how far it is off, with its error; "" where nobody knows.
        state, hue: how bad that is.
        bar: its interval as a picture.
        is_worst: whether it is what to look at.
    """

    slice: str
    words: str
    group: MonitorGroup
    off: str
    state: State
    hue: str
    bar: Markup
    is_worst: bool = False


@dataclass(frozen=True, slots=True)
class SliceTable:
    """The values of slices, the worst first, and what it is that tells how bad they are."""

    measure: str
    rows: Sequence[SliceRow]
    hidden: int

    @classmethod
    def of(cls, report: MonitorReport, limits: Thresholds, named: str = "") -> "SliceTable":
        """The values that a report was asked for; `named` is that which a check warns of.

        They are compared by their calibration ratio; of a multiclass task, which has none, by
        their log loss beside that of all rows.
        """
        by_ratio = report.metrics["calibration_ratio"].reason != "multiclass"
        measures = [
            _by_ratio(group) if by_ratio else _by_loss(group, report) for group in report.groups
        ]
        ranked = sorted(
            zip(report.groups, measures, strict=True),
            key=lambda pair: (slice_name(pair[0].slice) != named, *pair[1].rank, pair[0].value),
        )[:MOST_ROWS]
        tolerance = math.log1p(limits.tolerance) if by_ratio else 0.0
        reaches = [each.reach for _, each in ranked if each.reach is not None]
        scale = widest(reaches, tolerance or _LEAST), tolerance
        rows = [
            _row(group, each, each.state(limits, len(measures)), scale) for group, each in ranked
        ]
        if rows and (rows[0].state.is_alarm or rows[0].slice == named):
            rows[0] = replace(rows[0], is_worst=True)
        measure = "Predicted / observed" if by_ratio else "Log loss, beside all rows"
        return cls(measure, rows, max(0, len(measures) - MOST_ROWS))


@dataclass(frozen=True, slots=True)
class _Measure:
    """How far a value is off: on the scale of its picture, in words, and by the thresholds."""

    off: str = "—"
    words: str = ""
    reach: Reach | None = None
    difference: Difference | None = None

    @property
    def rank(self) -> tuple[float, float]:
        """What is worst has the least of it: what it is off at least, then at all."""
        if self.reach is None:
            return 0.0, 0.0
        nearest = max(self.reach.low, -self.reach.high, 0.0)
        return -nearest, -abs(self.reach.value)

    def state(self, limits: Thresholds, comparisons: int) -> State:
        """How bad that is, among so many values."""
        if self.difference is None:
            return State.UNKNOWN
        return self.difference.state(limits, comparisons)


def words_of(name: str) -> str:
    """A slice and its value as people read them: "country = BR"."""
    return ", ".join(f"{key} = {value}" for key, value in slice_values(name).items())


def _row(
    group: MonitorGroup, measure: _Measure, state: State, scale: tuple[float, float]
) -> SliceRow:
    name, hue = slice_name(group.slice), CHECK_HUES[state]
    bar, words = Markup(), f"{words_of(name)}: {measure.words}"
    if measure.reach is not None:
        bar = interval_bar(measure.reach, *scale, hue, words)
    return SliceRow(name, words_of(name), group, measure.off, state, hue, bar)


def _by_ratio(group: MonitorGroup) -> _Measure:
    metric = group.metrics["calibration_ratio"]
    ratio, error, mean = metric.value, metric.standard_error, group.metrics["mean_prediction"].value
    if ratio is None or ratio <= 0 or mean is None:
        return _Measure()
    off = math.log(ratio)
    half = STANDARD_ERRORS * (error or 0.0) / ratio
    low, high = (math.exp(end) for end in (off - half, off + half))
    difference = Difference(ratio_off(ratio, mean), errors_apart(ratio - 1, error), group.n)
    words = f"{ratio:.2f}, 95 % interval {low:.2f} to {high:.2f}"
    return _Measure(f"{measured(metric)}×", words, Reach(off, off - half, off + half), difference)


def _by_loss(group: MonitorGroup, report: MonitorReport) -> _Measure:
    loss, whole = group.metrics["log_loss"], report.metrics["log_loss"].value
    if loss.value is None or whole is None:
        return _Measure()
    off, half = loss.value - whole, STANDARD_ERRORS * (loss.standard_error or 0.0)
    value, low, high = (number(each, 4, signed=True) for each in (off, off - half, off + half))
    words = f"{value} nats, 95 % interval {low} to {high}"
    more = MetricValue(off, loss.status, None, loss.standard_error)
    signed = measured(more) if off < 0 else f"+{measured(more)}"
    reach = Reach(off, off - half, off + half)
    return _Measure(typeset(signed), typeset(words), reach)
