"""Effects of arms in all rows and in each segment."""

from dataclasses import dataclass

from kullback.experiments.report import ArmsReport, ComparisonReport


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
