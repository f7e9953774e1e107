"""Effects in percent of the control's value: of what decides, and of every metric on one axis."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from kullback.experiments.report import (
    ArmsReport,
    ComparisonReport,
    Interval,
    MetricDifference,
    OverallComparison,
)
from kullback.experiments.wording import METRICS, coverage, evidence, metric_name, telling, unit
from kullback.experiments.wording import margin as margin_in_words
from kullback.figures.figure import ChartSeries, Figure, bounds
from kullback.figures.forest import directions
from kullback.figures.interval_rows import EffectAxis, IntervalRow, interval_rows
from kullback.numerics.digits import decimals, number

Percent = Callable[[float], float]
_ARROWS = {"log_loss": " ↓", "normalized_entropy": " ↓", "brier": " ↓", "auc": " ↑"}
_RATIO = "log_calibration_ratio"
_MOST = 600.0  # of a logarithm whose number is a double


def effect_bar(report: ArmsReport, comparison: ComparisonReport) -> str:
    """The effect that decides, with its intervals and the margin; "" where there is none.

    In percent of the control's value, or in the metric's own unit where that is 0.
    """
    if comparison.effect is None:
        return ""
    percent = _percent(report, comparison, report.outcome or report.metric)
    along, error = percent or (lambda value: value), comparison.standard_error
    fixed, sequence = comparison.fixed_interval, comparison.sequence
    ends = [_along(along, telling(each, error)) for each in (fixed, sequence)]
    if percent is not None:
        error = comparison.relative_standard_error
        fixed, sequence = comparison.relative_fixed_interval, comparison.relative_sequence
        ends = [_along(lambda part: 100 * part, telling(each, error)) for each in (fixed, sequence)]
    row = IntervalRow("", "", along(comparison.effect), fixed=ends[0], sequence=ends[1])
    metric, margin, minimum = metric_name(report), report.margin, report.minimum_effect
    size = "" if minimum is None else margin_in_words(minimum, report.metric)
    words = f"less than the minimum effect, {size}" if margin else ""
    axis = EffectAxis(
        f"% of {comparison.control}'s {metric}" if percent else f"{metric}{unit(report.metric)}",
        directions(report),
        None if margin is None else abs(along(margin)),
        words,
    )
    title = f"Effect of {comparison.arm} on {metric}"
    return interval_rows(title, {"": [row]}, axis, evidence(report, comparison))


def effects_by_metric(report: ArmsReport, comparison: OverallComparison) -> Figure | None:
    """Every metric's effect for one look, in percent of the control's value; None without any."""
    relative = [
        _Relative(name, percent, difference)
        for name, difference in comparison.metrics.items()
        if difference.effect is not None
        and (percent := _percent(report, comparison, name)) is not None
    ]
    if not relative:
        return None
    arm, control, rows = comparison.arm, comparison.control, [each.row() for each in relative]
    low, high = bounds([row.fixed for row in rows])
    axis = EffectAxis(f"% of {control}'s value")
    title = f"Every metric of {arm}"
    description = "; ".join(f"{row.name} {row.value}" for row in rows)
    return Figure(
        name="by-metric",
        title=title,
        caption=(
            f"Difference to {control} in percent of its value, with the {coverage(report)} "
            "interval for one look. ↓ lower is better, ↑ higher is."
        ),
        x_label="Metric",
        y_label=axis.unit,
        x=list(range(len(rows))),
        series=[ChartSeries("Effect, %", [row.effect for row in rows], low, high, style="points")],
        x_names=[row.name for row in rows],
        notes=[("p-value (BH)", [each.difference.benjamini_hochberg for each in relative])],
        levels=[(0.0, "no difference")],
        drawing=interval_rows(title, {"": rows}, axis, description),
    )


@dataclass(frozen=True, slots=True)
class _Relative:
    """The difference of a metric, and what makes it percent."""

    metric: str
    percent: Percent
    difference: MetricDifference

    def row(self) -> IntervalRow:
        difference, error = self.difference, self.difference.standard_error
        value = self.percent(difference.effect or 0.0)
        places = None if error is None else decimals(abs(self.percent(error)))
        name = METRICS.get(self.metric, self.metric).replace("log calibration", "calibration")
        return IntervalRow(
            f"{name}{_ARROWS.get(self.metric, '')}",
            f"{number(value, places, signed=True)}%",
            value,
            _along(self.percent, telling(difference.fixed_interval, error)),
        )


def _percent(report: ArmsReport, comparison: ComparisonReport, metric: str) -> Percent | None:
    """A difference of a metric made into percent of the control's value; None where that is 0."""
    if metric == _RATIO:
        return lambda difference: 100 * math.expm1(min(difference, _MOST))
    control = next((arm for arm in report.arms if arm.arm == comparison.control), None)
    value = control and control.metrics[metric].value
    return (lambda difference: 100 * difference / abs(value)) if value else None


def _along(percent: Percent, ends: Interval | None) -> Interval | None:
    return None if ends is None else (percent(ends[0]), percent(ends[1]))
