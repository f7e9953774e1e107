"""Figures of a monitor's bins: reliability, and scores by label."""

import math
from collections.abc import Sequence

from kullback.figures.figure import ChartSeries, Figure, Numbers, Scale
from kullback.figures.intervals import STANDARD_ERRORS
from kullback.monitoring.replies import MonitorSetup
from kullback.monitoring.report import MonitorReport
from kullback.tally.report_types import ReliabilityBin

_RARE = 0.1


def reliability(report: MonitorReport, setup: MonitorSetup) -> Figure:
    """What happened against what was predicted, in bins of equal width that hold rows."""
    bins = [each for each in report.reliability if each.mean_predicted is not None]
    predicted = [each.mean_predicted or 0.0 for each in bins]
    low, high = _bounds(bins, report)
    is_binary = setup.task == "binary"
    what = "what was predicted" if is_binary else "the probability of the top label"
    scale = _scale(report, predicted)
    return Figure(
        name="reliability",
        title="Reliability",
        caption=(
            f"How often it happened, against {what}: on the dashed line predictions mean what they "
            "say, below it they are too high. Bars are 95 % intervals (Wilson)."
        ),
        x_label="Mean prediction",
        y_label="Observed",
        x=predicted,
        series=[
            ChartSeries("Observed = predicted", predicted, hue=5, is_dashed=True),
            ChartSeries("Observed", [each.observed for each in bins], low, high, style="points"),
        ],
        x_scale=scale,
        y_scale=scale,
    )


def histogram(report: MonitorReport, setup: MonitorSetup) -> Figure:
    """Which part of the rows of each label has which scores."""
    bins = report.reliability
    counts = [(b.weight * (b.observed or 0.0), b.weight * (1 - (b.observed or 0.0))) for b in bins]
    ones, zeros = (_parts([pair[at] for pair in counts]) for at in (0, 1))
    happened, other = _names(setup)
    return Figure(
        name="scores",
        title="Scores by label",
        caption=(
            "Which part of each label has scores in each bin. "
            "The further apart the two are, the better the ranking."
        ),
        x_label="Score",
        y_label="Part of the label",
        x=list(range(len(bins))),
        series=[
            ChartSeries(other, zeros, hue=2, style="bars"),
            ChartSeries(happened, ones, hue=1, style="bars"),
        ],
        x_names=[f"{each.low:g}–{each.high:g}" for each in bins],  # noqa: RUF001 - a range
        y_holds=[0.0],
    )


def _names(setup: MonitorSetup) -> tuple[str, str]:
    """What the rows are called in which it happened, and those in which it did not."""
    if setup.task == "multiclass":
        return "Top label right", "Top label wrong"
    labels = setup.labels or (0, 1)
    happened = labels[-1] if setup.pos_label is None else setup.pos_label
    other = next(label for label in labels if label != happened)
    return f"Label {happened}", f"Label {other}"


def _parts(weights: Sequence[float]) -> Numbers:
    total = math.fsum(weights)
    return [weight / total if total > 0 else None for weight in weights]


def _bounds(bins: Sequence[ReliabilityBin], report: MonitorReport) -> tuple[Numbers, Numbers]:
    """Where what is observed may lie: rows of equal weights are taken as independent.

    Source: Wilson, Journal of the American Statistical Association 22 (1927).
    """
    per_weight = report.n / report.weight if report.weight > 0 else 0.0
    ends = [_wilson(each.observed or 0.0, each.weight * per_weight) for each in bins]
    return [low for low, _ in ends], [high for _, high in ends]


def _wilson(observed: float, rows: float) -> tuple[float, float]:
    share, square = min(max(observed, 0.0), 1.0), STANDARD_ERRORS**2
    middle = share * rows + square / 2
    half = STANDARD_ERRORS * math.sqrt(rows * share * (1 - share) + square / 4)
    return max(0.0, (middle - half) / (rows + square)), min(1.0, (middle + half) / (rows + square))


def _scale(report: MonitorReport, predicted: Sequence[float]) -> Scale:
    """Logits where so little happens that all else would lie in one corner."""
    rate = report.metrics["base_rate"].value
    is_rare = rate is not None and rate < _RARE
    return "logit" if is_rare and any(0 < p < 1 for p in predicted) else "linear"
