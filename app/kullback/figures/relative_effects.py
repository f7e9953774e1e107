"""Effects in percent of the control's value: of what decides, and of every metric."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kullback.experiments.measured import prefers_more
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
from kullback.figures.interval_rows import (
    EffectAxis,
    IntervalRow,
    interval_rows,
    rows_on_own_scales,
)
from kullback.numerics.digits import decimals, number

Percent = Callable[[float], float]
_SIDES = {"log_loss": " ↓", "normalized_entropy": " ↓", "brier": " ↓", "auc": " ↑"}
_RATIO = "log_calibration_ratio"
_MOST_LETTERS = 44  # of a name and its number on a line, on phones too
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
        _Relative(name, _side(report, name), percent, difference)
        for name, difference in comparison.metrics.items()
        if difference.effect is not None
        and (percent := _percent(report, comparison, name)) is not None
    ]
    if not relative:
        return None
    arm, control, rows = comparison.arm, comparison.control, [each.row() for each in relative]
    low, high = bounds([row.fixed for row in rows])
    title = f"Every metric of {arm}"
    description = "; ".join(f"{row.name} {row.value}" for row in rows)
    return Figure(
        name="by-metric",
        title=title,
        caption=(
            f"Difference to {control} in percent of its value, with the {coverage(report)} "
            "interval for one look; each on its own scale. "
            f"↓ lower is better, ↑ higher is{_words(relative)}."
        ),
        x_label="Metric",
        y_label=f"% of {control}'s value",
        x=list(range(len(rows))),
        series=[ChartSeries("Effect, %", [row.effect for row in rows], low, high, style="points")],
        x_names=[row.name for row in rows],
        notes=[("p-value (BH)", [each.difference.benjamini_hochberg for each in relative])],
        levels=[(0.0, "no difference")],
        drawing=rows_on_own_scales(title, rows, description),
    )


@dataclass(frozen=True, slots=True)
class _Relative:
    """The difference of a metric, and what makes it percent."""

    metric: str
    side: str
    percent: Percent
    difference: MetricDifference

    def row(self) -> IntervalRow:
        difference, error = self.difference, self.difference.standard_error
        value = self.percent(difference.effect or 0.0)
        places = None if error is None else decimals(abs(self.percent(error)))
        name = METRICS.get(self.metric, self.metric).replace("log calibration", "calibration")
        ends = _along(self.percent, telling(difference.fixed_interval, error))
        name, size = f"{name}{self.side}", f"{number(value, places, signed=True)}%"
        bounds = " to ".join(number(end, places, signed=True) for end in ends or ())
        in_full = f"{size} ({bounds})" if bounds else size
        is_short = len(name) + len(in_full) <= _MOST_LETTERS
        return IntervalRow(
            name, in_full if is_short else size, value, ends, words=f"{name}: {in_full}"
        )


def _side(report: ArmsReport, metric: str) -> str:
    """Which side of a metric is better, as an arrow; "" of those that have none."""
    more = {
        rail.name: prefers_more(rail.metric, rail.higher_is_better) for rail in report.guardrails
    }
    more[report.outcome or report.metric] = prefers_more(report.metric, report.higher_is_better)
    arrow = (" ↑" if more[metric] else " ↓") if metric in more else ""
    return _SIDES.get(metric, arrow)


def _words(rows: Sequence[_Relative]) -> str:
    """What is said of metrics that have no better side, where there are any."""
    metrics = {row.metric for row in rows if not row.side}
    said = ["of a calibration ratio nearer to 1 is"] if _RATIO in metrics else []
    said += ["the others have no better side"] if metrics - {_RATIO} else []
    return "".join(f"; {words}" for words in said)


def _percent(report: ArmsReport, comparison: ComparisonReport, metric: str) -> Percent | None:
    """A difference of a metric made into percent of the control's value; None where that is 0."""
    if metric == _RATIO:
        return lambda difference: 100 * math.expm1(min(difference, _MOST))
    control = next((arm for arm in report.arms if arm.arm == comparison.control), None)
    value = control and control.metrics[metric].value
    return (lambda difference: 100 * difference / abs(value)) if value else None


def _along(percent: Percent, ends: Interval | None) -> Interval | None:
    return None if ends is None else (percent(ends[0]), percent(ends[1]))
