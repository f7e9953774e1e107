"""Figures of scores: reliability, histogram, and why two arms differ."""

import math
from collections.abc import Iterator, Sequence

from kullback.experiments.report import ComparisonReport, OverallArm
from kullback.figures.figure import ChartSeries, Figure, Numbers, Scale
from kullback.figures.intervals import STANDARD_ERRORS
from kullback.tally.report_types import ReliabilityBin

_LOW = 0.05
_BEYOND = " Bins in which nothing was observed lie below the axis; the table has them."


def reliability(arm: OverallArm, name: str) -> Figure:
    """What was observed against what an arm predicted, in bins of equal weight."""
    bins = [bar for bar in arm.reliability if bar.mean_predicted is not None]
    predicted = [bar.mean_predicted or 0.0 for bar in bins]
    observed = [bar.observed for bar in bins]
    low, high = ([_bound(bar, sign) for bar in bins] for sign in (-1, 1))
    scale = _scale(predicted, observed)
    return Figure(
        name=name,
        title=f"Reliability of {arm.arm}",
        caption=(
            "Each point is a bin of about a tenth of the rows, its bar ±1.96 standard errors if "
            "rows were independent. Below the line the arm predicts too much, above it too little."
            + (_BEYOND if scale == "logit" and 0 in observed else "")
        ),
        x_label="Mean prediction",
        y_label="Observed",
        x=predicted,
        series=[
            ChartSeries("Observed = predicted", predicted, hue=5, is_dashed=True),
            ChartSeries("Observed", observed, low, high, style="points"),
        ],
        x_scale=scale,
        y_scale=scale,
    )


def histogram(arm: OverallArm, name: str) -> Figure:
    """Which parts of label 1 and of label 0 have which scores."""
    parts = list(_parts(arm.score_histogram))
    scores = [score for score, _, _ in parts]
    return Figure(
        name=name,
        title=f"Scores of {arm.arm} by label",
        caption="How the scores of each label lie. The further apart, the better the ranking.",
        x_label="Score",
        y_label="Part of the label",
        x=scores,
        series=[
            ChartSeries("Label 0", [zero for _, _, zero in parts], hue=2, style="area"),
            ChartSeries("Label 1", [share for _, share, _ in parts], hue=1),
        ],
        x_scale="logit" if any(0 < score < 1 for score in scores) else "linear",
        y_holds=[0.0],
    )


def of_arms(arms: Sequence[OverallArm]) -> list[Figure]:
    """Reliability and scores of these arms."""
    pairs = [
        (reliability(arm, f"reliability-{at}"), histogram(arm, f"scores-{at}"))
        for at, arm in enumerate(arms)
    ]
    return [figure for pair in pairs for figure in pair]


def why(comparison: ComparisonReport) -> Figure | None:
    """What each part adds to the difference of log loss; None where that is not known."""
    if comparison.why is None or comparison.why.calibration is None:
        return None
    parts = [comparison.why.calibration, comparison.why.ranking, comparison.why.rows]
    return Figure(
        name="parts",
        title=f"Where the difference of {comparison.arm} comes from",
        caption=(
            "What calibration, ranking and the rows that it was shown add to its log loss, "
            f"{comparison.arm} minus {comparison.control}: below 0 is better."
        ),
        x_label="Part",
        y_label="Difference of log loss, nats",
        x=[0, 1, 2],
        series=[ChartSeries("Difference", parts, style="bars")],
        levels=[(0.0, "")],
        x_names=["calibration", "ranking", "its rows"],
    )


def _bound(bar: ReliabilityBin, sign: int) -> float | None:
    """An end of the bar of what was observed, o ± 1.96 √(o(1 − o)/weight), inside of 0 and 1."""
    if bar.observed is None or bar.weight <= 0:
        return bar.observed
    variance = max(0.0, bar.observed * (1 - bar.observed)) / bar.weight
    return min(1.0, max(0.0, bar.observed + sign * STANDARD_ERRORS * math.sqrt(variance)))


def _scale(predicted: Sequence[float], observed: Numbers) -> Scale:
    """Logits where probabilities span so many powers of ten that nothing else tells them apart."""
    inside = [p for p in (*predicted, *observed) if p is not None and 0 < p < 1]
    if not any(0 < p < 1 for p in predicted):
        return "linear"
    low, high = min(inside), max(inside)
    is_wide = (low < _LOW and high > 10 * low) or (high > 1 - _LOW and 1 - low > 10 * (1 - high))
    return "logit" if is_wide else "linear"


def _parts(bins: Sequence[ReliabilityBin]) -> Iterator[tuple[float, float, float]]:
    """The mean score of each bin with the parts of label 1 and of label 0 that it holds."""
    measured = [(bar.mean_predicted, bar.observed, bar.weight) for bar in bins]
    counts = [(p, w * o, w * (1 - o)) for p, o, w in measured if p is not None and o is not None]
    ones, zeros = (sum(count[at] for count in counts) for at in (1, 2))
    for p, above, below in counts:
        yield p, above / ones if ones > 0 else 0.0, below / zeros if zeros > 0 else 0.0
