"""Scores by label: which part of the rows of each label has which scores."""

import math
from collections.abc import Sequence
from dataclasses import replace

from kullback.experiments.report import OverallArm
from kullback.figures.figure import ChartSeries, Figure, Numbers, ScaleName, Style, bin_notes
from kullback.monitoring.replies import MonitorSetup
from kullback.monitoring.report import MonitorReport
from kullback.tally.report_types import ReliabilityBin


def of_arm(arm: OverallArm, name: str) -> Figure:
    """The scores of an arm, at the mean of each of many bins."""
    bins = [each for each in arm.score_histogram if each.mean_predicted is not None]
    scores = [each.mean_predicted or 0.0 for each in bins]
    figure = _figure(bins, ("Label 1", "Label 0"), ("line", "area"))
    scale: ScaleName = "logit" if any(0 < score < 1 for score in scores) else "linear"
    return replace(
        figure, name=name, title=f"Scores of {arm.arm} by label", x=scores, x_scale=scale
    )


def of_monitor(report: MonitorReport, setup: MonitorSetup) -> Figure:
    """The scores that a monitor watches, in a few bins of equal width."""
    names = [f"{each.low:g}–{each.high:g}" for each in report.reliability]  # noqa: RUF001 - a range
    return replace(_figure(report.reliability, _names(setup), ("bars", "bars")), x_names=names)


def _figure(
    bins: Sequence[ReliabilityBin], labels: tuple[str, str], styles: tuple[Style, Style]
) -> Figure:
    ones, zeros = parts(bins)
    return Figure(
        name="scores",
        title="Scores by label",
        caption=(
            "Which part of each label has which scores. "
            "The further apart the two are, the better the ranking."
        ),
        x_label="Score",
        y_label="Part of the label",
        x=list(range(len(bins))),
        series=[
            ChartSeries(labels[1], zeros, hue=2, style=styles[1]),
            ChartSeries(labels[0], ones, hue=1, style=styles[0]),
        ],
        notes=bin_notes(bins),
        y_holds=[0.0],
    )


def parts(bins: Sequence[ReliabilityBin]) -> tuple[Numbers, Numbers]:
    """The parts of label 1 and of label 0 that each bin holds; None of a label without rows."""
    ones = [each.weight * (each.observed or 0.0) for each in bins]
    zeros = [each.weight * (1 - (each.observed or 0.0)) for each in bins]
    return _shares(ones), _shares(zeros)


def _shares(weights: Sequence[float]) -> Numbers:
    total = math.fsum(weights)
    return [weight / total if total > 0 else None for weight in weights]


def _names(setup: MonitorSetup) -> tuple[str, str]:
    """What the rows are called in which it happened, and those in which it did not."""
    if setup.task == "multiclass":
        return "Top label right", "Top label wrong"
    if setup.task == "multilabel":
        return "Labels that came", "Labels that did not"
    labels = setup.labels or (0, 1)
    happened = labels[-1] if setup.pos_label is None else setup.pos_label
    other = next(label for label in labels if label != happened)
    return f"Label {happened}", f"Label {other}"
