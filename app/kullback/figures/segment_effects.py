"""Effects of arms in all rows and in each segment, and what of them is in view."""

from collections.abc import Sequence
from dataclasses import dataclass

from kullback.experiments.report import ArmsReport, ComparisonReport, Interval
from kullback.figures.in_view import Row, in_view

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


def span(report: ArmsReport, comparisons: Sequence[ComparisonReport]) -> Interval:
    """What is in view of effects with their intervals."""
    rows: list[Row] = []
    for comparison in comparisons:
        for low, high in (comparison.sequence or _NONE, comparison.fixed_interval or _NONE):
            rows.append((comparison.effect, low, high))
    margin = report.minimum_effect or 0.0
    return in_view(rows, [-margin, margin, 0.0])
