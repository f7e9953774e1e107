"""Reliability: what was observed against what was predicted, in bins."""

from collections.abc import Sequence

from kullback.experiments.report import OverallArm
from kullback.figures.figure import ChartSeries, Figure, ScaleName, bin_notes
from kullback.figures.intervals import wilson
from kullback.monitoring.report import MonitorReport
from kullback.tally.report_types import ReliabilityBin

_CORNER = 0.1
_HOW_TO_READ = (
    "On the dashed line predictions mean what they say; below it they are too high, above it too "
    "low. Bars are 95 % intervals (Wilson), as if rows were independent."
)
_BEYOND = " Where nothing or all was observed the point lies beyond the axis; the table has it."


def of_arm(arm: OverallArm, name: str) -> Figure:
    """The reliability of an arm, in bins of equal weight."""
    caption = f"Each point is a bin of about a tenth of the rows. {_HOW_TO_READ}"
    return _figure(arm, name, f"Reliability of {arm.arm}", caption)


def of_monitor(report: MonitorReport, task: str) -> Figure:
    """The reliability of what a monitor watches, in bins of equal width."""
    what = "the probability of the top label" if task == "multiclass" else "what was predicted"
    caption = f"How often it happened, against {what}. {_HOW_TO_READ}"
    return _figure(report, "reliability", "Reliability", caption)


def _figure(report: MonitorReport | OverallArm, name: str, title: str, caption: str) -> Figure:
    bins = [each for each in report.reliability if each.mean_predicted is not None]
    predicted = [each.mean_predicted or 0.0 for each in bins]
    observed = [each.observed for each in bins]
    per_weight = report.n / report.weight if report.weight > 0 else 0.0
    ends = [wilson(each.observed or 0.0, each.weight * per_weight) for each in bins]
    scale: ScaleName = "logit" if _is_crowded(bins) else "linear"
    return Figure(
        name=name,
        title=title,
        caption=caption + (_BEYOND if scale == "logit" and {0.0, 1.0} & set(observed) else ""),
        x_label="Mean prediction",
        y_label="Observed",
        x=predicted,
        series=[
            ChartSeries("Observed = predicted", predicted, hue=5, is_dashed=True),
            ChartSeries(
                "Observed",
                observed,
                [low for low, _ in ends],
                [high for _, high in ends],
                style="points",
            ),
        ],
        x_scale=scale,
        y_scale=scale,
        notes=bin_notes(bins),
    )


def _is_crowded(bins: Sequence[ReliabilityBin]) -> bool:
    """Whether half of the weight lies so near 0 or 1 that only logits tell the points apart."""
    inside = [each for each in bins if 0 < (each.mean_predicted or 0.0) < 1]
    middle = [each for each in inside if _CORNER <= (each.mean_predicted or 0.0) <= 1 - _CORNER]
    return bool(inside) and 2 * sum(b.weight for b in middle) <= sum(b.weight for b in inside)
