"""Scores by label: which part of the rows of each label has which scores."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from kullback.experiments.report import SCORE_BINS, OverallArm
from kullback.figures.figure import ARM_HUES, ChartSeries, Figure, bin_notes
from kullback.figures.in_view import Numbers
from kullback.monitoring.replies import MonitorSetup
from kullback.monitoring.report import MonitorReport
from kullback.tally.bins import BINS, bin_of
from kullback.tally.report_types import ReliabilityBin

_HOW_TO_READ = (
    "Which part of each label has which scores. "
    "The further apart the two are, the better the ranking."
)
_ENDS = "Each bin holds its upper end: 0.5 is in 0.4–0.5."  # noqa: RUF001 - a range
_NOTHING = ReliabilityBin(0.0, 0.0, 0.0, None, None)


def of_arms(arms: Sequence[OverallArm], name: str) -> Figure:
    """The scores of arms on the same axes: a line of label 1 for each, a dotted one of label 0."""
    cells = [_cells(arm.score_histogram) for arm in arms]
    places = sorted({cell for each in cells for cell in each})
    scores = [_mean([each[cell] for each in cells if cell in each]) for cell in places]
    series = []
    for at, (arm, each) in enumerate(zip(arms, cells, strict=True)):
        shares = parts([each.get(cell, _NOTHING) for cell in places])
        for label, y in zip(("1", "0"), shares, strict=True):
            hue = ARM_HUES[at % len(ARM_HUES)]
            series.append(
                ChartSeries(f"{arm.arm}, label {label}", y, hue=hue, is_faint=label == "0")
            )
    return Figure(
        name=name,
        title=f"Scores of {' and '.join(arm.arm for arm in arms)} by label",
        caption=_HOW_TO_READ,
        x_label="Score",
        y_label="Part of the label",
        x=scores,
        series=series,
        x_scale="logit" if any(0 < score < 1 for score in scores) else "linear",
        notes=[
            (f"{arm.arm}, weight", [each.get(cell, _NOTHING).weight for cell in places])
            for arm, each in zip(arms, cells, strict=True)
        ],
        y_holds=[0.0],
    )


def _cells(bins: Sequence[ReliabilityBin]) -> dict[int, ReliabilityBin]:
    """Bins by where they lie in the histogram of scores, which all arms share."""
    held = [each for each in bins if each.mean_predicted is not None]
    means = np.array([each.mean_predicted for each in held], dtype=np.float64)
    cells: dict[int, list[ReliabilityBin]] = defaultdict(list)
    for cell, each in zip((bin_of(means) * SCORE_BINS // BINS).tolist(), held, strict=True):
        cells[cell].append(each)
    return {cell: _together(inside) for cell, inside in cells.items()}


def _together(bins: Sequence[ReliabilityBin]) -> ReliabilityBin:
    """Bins as one: a mean at the edge of a cell may lie, rounded, in the next."""
    weight = math.fsum(each.weight for each in bins)
    ones = math.fsum(each.weight * (each.observed or 0.0) for each in bins)
    return ReliabilityBin(bins[0].low, bins[-1].high, weight, _mean(bins), ones / weight)


def _mean(bins: Sequence[ReliabilityBin]) -> float:
    weight = math.fsum(each.weight for each in bins)
    return math.fsum(each.weight * (each.mean_predicted or 0.0) for each in bins) / weight


def of_monitor(report: MonitorReport, setup: MonitorSetup) -> Figure:
    """The scores that a monitor watches, in a few bins of equal width."""
    bins = report.reliability
    ones, zeros = parts(bins)
    happened, other = _names(setup)
    return Figure(
        name="scores",
        title="Scores by label",
        caption=f"{_HOW_TO_READ} {_ENDS}",
        x_label="Score",
        y_label="Part of the label",
        x=list(range(len(bins))),
        series=[
            ChartSeries(other, zeros, hue=2, style="bars"),
            ChartSeries(happened, ones, hue=1, style="bars"),
        ],
        x_names=[f"{each.low:g}–{each.high:g}" for each in bins],  # noqa: RUF001 - a range
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
