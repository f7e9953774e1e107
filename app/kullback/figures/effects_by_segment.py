"""Effects by segment, beside those in all rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from kullback.experiments import wording
from kullback.experiments.report import ArmsReport, ComparisonReport, Interval
from kullback.figures.figure import ChartSeries, Figure, bounds
from kullback.figures.in_view import Row, in_view

MAX_SEGMENTS = 12
_NONE = (None, None)


@dataclass(frozen=True, slots=True)
class SegmentEffect:
    """A comparison, and the segment that it is of."""

    segment: str
    comparison: ComparisonReport


def effects(report: ArmsReport) -> list[SegmentEffect]:
    """All comparisons: of all rows, then of the segments."""
    whole = [SegmentEffect("all rows", comparison) for comparison in report.comparisons]
    return whole + [
        SegmentEffect(group.name, comparison)
        for group in report.groups
        for comparison in group.comparisons
    ]


def effects_by_segment(report: ArmsReport, arm: str) -> Figure | None:
    """The effect of an arm in the first segments, with its sequences; None without any."""
    segments = effects(report)[len(report.comparisons) :]
    drawn = [each for each in segments if each.comparison.arm == arm][:MAX_SEGMENTS]
    comparisons = [each.comparison for each in drawn]
    if not any(comparison.effect is not None for comparison in comparisons):
        return None
    low, high = bounds([each.sequence or each.fixed_interval for each in comparisons])
    kind = "sequence" if report.minimum_effect is not None else "interval for one look"
    return Figure(
        name="by-segment",
        title=f"Effect of {arm} by segment",
        caption=f"Bars: the {wording.coverage(report)} {kind} of each segment on its own.",
        x_label="Segment",
        y_label=f"Difference of {wording.METRICS[report.metric]}",
        x=list(range(len(drawn))),
        series=[
            ChartSeries("Effect", [each.effect for each in comparisons], low, high, style="points")
        ],
        levels=[(0.0, "no difference")],
        x_names=[each.segment for each in drawn],
        y_span=span(report, comparisons),
    )


def span(report: ArmsReport, comparisons: Sequence[ComparisonReport]) -> Interval:
    """What is in view of effects with their intervals."""
    rows: list[Row] = []
    for comparison in comparisons:
        for low, high in (comparison.sequence or _NONE, comparison.fixed_interval or _NONE):
            rows.append((comparison.effect, low, high))
    margin = report.minimum_effect or 0.0
    return in_view(rows, [-margin, margin, 0.0])
