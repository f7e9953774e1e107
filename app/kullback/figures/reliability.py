"""Reliability: what was observed against what was predicted, in bins."""

from collections.abc import Mapping, Sequence

from kullback.experiments.report import OverallArm
from kullback.figures.figure import ARM_HUES, ChartSeries, Figure, ScaleName, bin_notes, bounds
from kullback.figures.intervals import wilson
from kullback.monitoring.report import MonitorReport
from kullback.tally.report_types import ReliabilityBin

_CORNER = 0.1
_HOW_TO_READ = (
    "On the dashed line predictions mean what they say; below it they are too high, above it too "
    "low. Bars are 95% intervals (Wilson), as if rows were independent."
)
_BEYOND = " Where nothing or all was observed the point lies beyond the axis; the table has it."


def of_arms(arms: Sequence[OverallArm], name: str) -> Figure:
    """The reliability of arms on the same axes, each in bins of equal weight."""
    caption = f"Each point is a bin of about a tenth of the rows of an arm. {_HOW_TO_READ}"
    title = f"Reliability of {' and '.join(arm.arm for arm in arms)}"
    return _figure({arm.arm: arm for arm in arms}, name, title, caption)


def of_monitor(report: MonitorReport, task: str) -> Figure:
    """The reliability of what a monitor watches, in bins of equal width."""
    what = "the probability of the top label" if task == "multiclass" else "what was predicted"
    caption = f"How often it happened, against {what}. {_HOW_TO_READ}"
    return _figure({"Observed": report}, "reliability", "Reliability", caption)


def _figure(
    reports: Mapping[str, MonitorReport | OverallArm], name: str, title: str, caption: str
) -> Figure:
    """The bins of all the reports, from the lowest predictions to the highest."""
    rows = [
        (each.mean_predicted, label, each)
        for label, report in reports.items()
        for each in report.reliability
        if each.mean_predicted is not None
    ]
    rows.sort(key=lambda row: row[0])
    predicted = [mean for mean, _, _ in rows]
    bins = [each for _, _, each in rows]
    scale: ScaleName = "logit" if _is_crowded(bins) else "linear"
    is_beyond = scale == "logit" and {0.0, 1.0} & {each.observed for each in bins}
    diagonal, series = [], []
    if len(set(predicted)) > 1:
        diagonal = [ChartSeries("Observed = predicted", predicted, hue=5, is_dashed=True)]
    for at, (label, report) in enumerate(reports.items()):
        per_weight = report.n / report.weight if report.weight > 0 else 0.0
        own = [each if owner == label else None for _, owner, each in rows]
        ends = [
            None if each is None else wilson(each.observed or 0.0, each.weight * per_weight)
            for each in own
        ]
        series.append(
            ChartSeries(
                label,
                [None if each is None else each.observed for each in own],
                *bounds(ends),
                hue=ARM_HUES[at % len(ARM_HUES)] if len(reports) > 1 else 1,
                style="points",
            )
        )
    return Figure(
        name=name,
        title=title,
        caption=caption + (_BEYOND if is_beyond else ""),
        x_label="Mean prediction",
        y_label="Observed",
        x=predicted,
        series=[*diagonal, *series],
        levels=[] if diagonal else [(each, "observed = predicted") for each in predicted[:1]],
        x_scale=scale,
        y_scale=scale,
        notes=bin_notes(bins),
    )


def _is_crowded(bins: Sequence[ReliabilityBin]) -> bool:
    """Whether half of the weight lies so near 0 or 1 that only logits tell the points apart."""
    inside = [each for each in bins if 0 < (each.mean_predicted or 0.0) < 1]
    middle = [each for each in inside if _CORNER <= (each.mean_predicted or 0.0) <= 1 - _CORNER]
    return bool(inside) and 2 * sum(b.weight for b in middle) <= sum(b.weight for b in inside)
