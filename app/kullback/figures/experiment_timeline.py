"""The timeline of an experiment: its effect and its evidence over time, or over rows of files."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from kullback.experiments import wording
from kullback.experiments.evaluation_report import EvaluationLook, EvaluationReport
from kullback.experiments.measured import prefers_more
from kullback.experiments.replies import EffectPoint
from kullback.experiments.report import ArmPair, ArmsReport, ExperimentReport, Interval
from kullback.figures.figure import ChartSeries, Figure, Mark, Style, bounds, has_values
from kullback.figures.in_view import in_view
from kullback.figures.typesetting import typeset

_NONE = (None, None)


def over_time(
    report: ExperimentReport, pair: ArmPair, points: Sequence[EffectPoint]
) -> list[Figure]:
    """The effect over time, and where there is one the evidence.

    Args:
        report: of the experiment.
        pair: the arms that the points are of.
        points: the effect at the end of each step.
    """
    drawn = [point for point in points if point.effect is not None]
    return _Timeline(report, pair, [point.to for point in drawn], drawn, is_time=True).figures()


def over_rows(report: EvaluationReport, pair: ArmPair) -> list[Figure]:
    """The effect over rows of files, and where there is one the evidence."""
    drawn = [(n, look) for n, look in report.looks(pair.arm) if look.effect is not None]
    n, looks = [n for n, _ in drawn], [look for _, look in drawn]
    return _Timeline(report, pair, n, looks, is_time=False).figures()


def first_crossing(looks: Sequence[EffectPoint | EvaluationLook]) -> int | None:
    """Which look was the first at which 0 was outside of the sequence."""
    sequences = [look.sequence or (0.0, 0.0) for look in looks]
    return next((at for at, (low, high) in enumerate(sequences) if not low <= 0 <= high), None)


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Looks at an arm, each at its time or its number of rows."""

    report: ArmsReport
    pair: ArmPair
    x: Sequence[float]
    looks: Sequence[EffectPoint | EvaluationLook]
    is_time: bool

    def figures(self) -> list[Figure]:
        evidence = [] if self.report.minimum_effect is None else [self._evidence()]
        return [self._effect(), *evidence]

    @property
    def _x_label(self) -> str:
        return "Time (UTC)" if self.is_time else "Rows"

    @property
    def _style(self) -> Style:
        return "line" if len(self.looks) > 1 else "points"

    def _effect(self) -> Figure:
        coverage, metric = wording.coverage(self.report), self.report.metric
        fixed = [look.fixed_interval for look in self.looks]
        series = [
            self._band(
                f"{coverage} confidence sequence", [look.sequence for look in self.looks], 1
            ),
            self._band(f"{coverage} interval for one look", fixed, 5),
            ChartSeries("Effect", [look.effect for look in self.looks], style=self._style),
        ]
        margin = self.report.margin
        margins = [] if margin is None else [-margin, margin]
        return Figure(
            name="effect",
            title=f"Effect of {self.pair.arm}",
            caption=self._how_to_read(),
            x_label=self._x_label,
            y_label=f"Difference of {wording.metric_name(self.report)}"
            + wording.unit(metric).replace(" ", ", "),
            x=self.x,
            series=[part for part in series if part.low is None or has_values(part.low)],
            is_time=self.is_time,
            levels=[
                (0.0, "no difference"),
                *((end, f"{typeset(f'{end:+g}')}: minimum effect") for end in margins),
            ],
            marks=self._crossing(),
            y_span=self._span(margins) if self.looks else None,
        )

    def _evidence(self) -> Figure:
        enough = -math.log10(self.report.alpha)
        logarithms = [look.log_e_value for look in self.looks]
        powers = [None if log is None else log / math.log(10) for log in logarithms]
        return Figure(
            name="evidence",
            title=f"Evidence that {self.pair.arm} differs",
            caption=(
                f"The e-value as a power of ten: 2 is 100. From {10**enough:.4g} (1/α) on a "
                "difference is claimed, however often one looks; below 1, which is the power 0, "
                "is evidence against a difference."
            ),
            x_label=self._x_label,
            y_label="e-value, power of ten",
            x=self.x,
            series=[ChartSeries("Power of ten", powers, hue=4, style=self._style)],
            is_time=self.is_time,
            levels=[(enough, f"claimed: e-value {10**enough:.4g}"), (0.0, "nothing either way")],
            notes=[("e-value", [_within_doubles(look.e_value) for look in self.looks])],
            y_holds=[0.0, enough],
        )

    def _how_to_read(self) -> str:
        arm, report = self.pair.arm, self.report
        more = prefers_more(report.metric, report.higher_is_better)
        side = "Above" if more else "Below"
        sequence = (
            ""
            if self.report.minimum_effect is None
            else " Wide band: the confidence sequence, right at every look at once; once it leaves "
            "0 the sign is known."
        )
        return (
            f"Line: {arm} minus {self.pair.control}, of all rows so far. {side} 0 {arm} is better."
            f"{sequence} Grey: the interval for one planned look; do not stop by it. "
            "An arrow: it goes on beyond the picture."
        )

    def _band(self, label: str, intervals: Sequence[Interval | None], hue: int) -> ChartSeries:
        """Bounds without a line in them."""
        low, high = bounds(intervals)
        nothing = [None] * len(low)
        return ChartSeries(label, nothing, low, high, hue, self._style, is_faint=hue == 5)

    def _crossing(self) -> list[Mark]:
        """On files the first look without 0; an experiment keeps its first verdict, in words."""
        at = None if self.is_time else first_crossing(self.looks)
        if at is None:
            return []
        x, effect = self.x[at], self.looks[at].effect or 0.0
        return [(x, effect, f"first without 0: {x:,.0f} rows")]

    def _span(self, margins: Sequence[float]) -> Interval:
        """What is in view: the last sequence, the later half of all, and earlier effects nearby."""
        early = [look.effect for look in self.looks if look.effect is not None]
        later = self.looks[len(self.looks) // 2 :]
        rows = [(look.effect, *(look.sequence or look.fixed_interval or _NONE)) for look in later]
        return in_view(rows, [0.0, *margins, *(self.looks[-1].sequence or ())], early)


def _within_doubles(e_value: float | None) -> float | None:
    """An e-value, unless its power of ten alone can be told."""
    return e_value if e_value is None or e_value < sys.float_info.max else None
