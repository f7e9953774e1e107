"""Values of slices, the worst first: by how far they are off, and how sure that is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from kullback.figures.intervals import STANDARD_ERRORS
from kullback.figures.typesetting import measured, typeset
from kullback.judgement.findings import State, worst
from kullback.judgement.settings import Thresholds
from kullback.monitoring.crossed_slices import slice_name, slice_values
from kullback.monitoring.report import MonitorGroup, MonitorReport
from kullback.numerics.digits import number
from kullback.tally.report_types import MetricValue, MetricValues
from kullback.ui.check_rows import CHECK_HUES
from kullback.ui.differences import Difference, off_calibration
from kullback.ui.interval_bars import Reach, interval_bar, widest
from kullback.ui.losses import skill_lost

MOST_SHOWN, MOST_ROWS = 10, 100
_WORST_FIRST = (State.CRITICAL, State.WARNING)
_OF_QUALITY = ("slice", "calibration", "log_loss", "no_skill")
_LEAST = 1e-3  # nats: a scale is no narrower
_FURTHEST = 700.0  # of a logarithm: its exponential is still a number


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
        before: its normalized entropy in the reference, where too much skill is lost since.
        is_worst: whether it is what to look at.
    """

    slice: str
    words: str
    group: MonitorGroup
    off: str
    state: State
    hue: str
    bar: Markup
    before: str = ""
    is_worst: bool = False


@dataclass(frozen=True, slots=True)
class SliceTable:
    """The values of slices, the worst first, and what it is that tells how bad they are."""

    measure: str
    rows: Sequence[SliceRow]
    hidden: int

    @classmethod
    def of(
        cls,
        report: MonitorReport,
        limits: Mapping[str, Thresholds],
        past: Mapping[str, MetricValues],
        named: str,
        states: Mapping[str, State],
    ) -> "SliceTable":
        """The values that a report was asked for.

        They are compared by their calibration ratio; of a multiclass task, which has none, by
        their log loss beside the reference, or without one beside all rows.

        Args:
            report: by slices.
            limits: the thresholds of checks.
            past: the metrics of values in the reference, "country=DE".
            named: the value that a check warns of.
            states: of checks that look at the same rows. A value that one names is as bad as that
                says, and none is where no check warns. Without any, values go by their errors.
        """
        by_ratio = report.metrics["calibration_ratio"].reason != "multiclass"
        judged = [
            _Judged.of(
                group,
                _by_ratio(group)
                if by_ratio
                else _by_loss(group, past.get(slice_name(group.slice)) if past else report.metrics),
                past.get(slice_name(group.slice)),
                limits,
                len(report.groups),
            )
            for group in report.groups
        ]
        agreeing = [each.agreeing(states, is_named=each.name == named) for each in judged]
        ranked = sorted(
            agreeing,
            key=lambda each: (each.name != named, each.severity, *each.measure.rank, each.name),
        )[:MOST_ROWS]
        tolerance = math.log1p(limits["slice"].tolerance) if by_ratio else 0.0
        reaches = [each.measure.reach for each in ranked if each.measure.reach is not None]
        scale = widest(reaches, tolerance or _LEAST), tolerance
        rows = [each.row(scale) for each in ranked]
        if rows and (rows[0].state.is_alarm or rows[0].slice == named):
            rows[0] = replace(rows[0], is_worst=True)
        beside = "the reference" if past else "all rows"
        measure = "Predicted / observed" if by_ratio else f"Log loss, beside {beside}"
        return cls(measure, rows, max(0, len(judged) - MOST_ROWS))


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
            far = 0.0 if self.difference is None else math.log1p(max(self.difference.size, 0.0))
            return -far, -far
        nearest = max(self.reach.low, -self.reach.high, 0.0)
        return -nearest, -abs(self.reach.value)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A value of a slice, how far it is off, and how bad that and its loss of skill are."""

    group: MonitorGroup
    measure: _Measure
    off: State
    skill: State
    before: str

    @classmethod
    def of(
        cls,
        group: MonitorGroup,
        measure: _Measure,
        past: MetricValues | None,
        limits: Mapping[str, Thresholds],
        comparisons: int,
    ) -> "_Judged":
        off, skill, before = State.UNKNOWN, State.UNKNOWN, ""
        if measure.difference is not None:
            off = measure.difference.state(limits["slice"], comparisons)
        lost = None if past is None else skill_lost(group.metrics, past, group.n)
        if past is not None and lost is not None:
            skill = lost.state(limits["log_loss"], comparisons)
            before = measured(past["normalized_entropy"]).partition(" ")[0]
        return cls(group, measure, off, skill, before if skill.is_alarm else "")

    def agreeing(self, states: Mapping[str, State], *, is_named: bool) -> "_Judged":
        """The same as checks have it that look at these rows."""
        if not states:
            return self
        if is_named:
            return replace(self, off=worst([states.get("slice", State.UNKNOWN), self.off]))
        if any(states[each].is_alarm for each in _OF_QUALITY if each in states):
            return self
        off, skill = (State.OK if each.is_alarm else each for each in (self.off, self.skill))
        return replace(self, off=off, skill=skill, before="")

    @property
    def name(self) -> str:
        return slice_name(self.group.slice)

    @property
    def state(self) -> State:
        return worst([self.off, self.skill])

    @property
    def severity(self) -> int:
        """The less, the worse."""
        return _WORST_FIRST.index(self.state) if self.state.is_alarm else len(_WORST_FIRST)

    def row(self, scale: tuple[float, float]) -> SliceRow:
        bar, words = Markup(), f"{words_of(self.name)}: {self.measure.words}"
        if self.measure.reach is not None:
            bar = interval_bar(self.measure.reach, *scale, CHECK_HUES[self.off], words)
        return SliceRow(
            self.name,
            words_of(self.name),
            self.group,
            self.measure.off,
            self.state,
            CHECK_HUES[self.state],
            bar,
            self.before,
        )


def words_of(name: str) -> str:
    """A slice and its value as people read them: "country = BR"."""
    return ", ".join(f"{key} = {value}" for key, value in slice_values(name).items())


def _by_ratio(group: MonitorGroup) -> _Measure:
    metric, difference = group.metrics["calibration_ratio"], off_calibration(group.metrics, group.n)
    if difference is None:
        return _Measure()
    if not metric.value:
        expected = number(group.n * (group.metrics["mean_prediction"].value or 0.0), 0)
        none = f"{expected} expected, none happened"
        return _Measure("0×" if metric.value is not None else none, difference=difference)
    ratio, error = metric.value, metric.standard_error
    if not error and difference.errors is None:
        return _Measure(f"{measured(metric)}×", difference=difference)
    if not error:
        error = abs(ratio - 1) / abs(difference.errors) if difference.errors else 0.0
    off, half = math.log(ratio), STANDARD_ERRORS * error / ratio
    low, high = max(off - half, -_FURTHEST), min(off + half, _FURTHEST)
    value, *ends = (number(each, 2) for each in (ratio, math.exp(low), math.exp(high)))
    words = f"{value}, 95% interval {' to '.join(ends)}"
    return _Measure(f"{measured(metric)}×", words, Reach(off, low, high), difference)


def _by_loss(group: MonitorGroup, beside: MetricValues | None) -> _Measure:
    loss, whole = group.metrics["log_loss"], None if beside is None else beside["log_loss"].value
    if loss.value is None or whole is None:
        return _Measure()
    off, half = loss.value - whole, STANDARD_ERRORS * (loss.standard_error or 0.0)
    value, low, high = (number(each, 4, signed=True) for each in (off, off - half, off + half))
    words = f"{value} nats, 95% interval {low} to {high}"
    more = MetricValue(off, loss.status, None, loss.standard_error)
    signed = measured(more) if off < 0 else f"+{measured(more)}"
    reach = Reach(off, off - half, off + half)
    return _Measure(typeset(signed), typeset(words), reach)
