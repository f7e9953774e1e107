"""Effects of an arm in all rows and by segment, one under another."""

from kullback.experiments import wording
from kullback.experiments.report import ArmsReport
from kullback.figures.figure import ChartSeries, Figure, bounds
from kullback.figures.forest import drawing
from kullback.figures.segment_effects import SegmentEffect, effects

MAX_SEGMENTS = 12


def effects_by_segment(report: ArmsReport, arm: str) -> Figure | None:
    """The effect of an arm in all rows and in segments; None without segments.

    First are the segments that differ most surely, by |effect| / standard error.
    """
    whole, *segments = (each for each in effects(report) if each.comparison.arm == arm)
    surest = sorted(segments, key=_sureness, reverse=True)
    drawn = [whole, *surest[:MAX_SEGMENTS]]
    if not any(each.comparison.effect is not None for each in drawn[1:]):
        return None
    comparisons = [each.comparison for each in drawn]
    estimated = [each for each in drawn if each.comparison.effect is not None]
    low, high = bounds([each.sequence or each.fixed_interval for each in comparisons])
    has_sequence = report.minimum_effect is not None
    thin = "Thin line: the sequence, which holds at every look. " if has_sequence else ""
    left = len(segments) - MAX_SEGMENTS
    return Figure(
        name="by-segment",
        title=f"Effect of {arm} by segment",
        caption=(
            f"Those that differ most surely come first. Diamond: the effect. {thin}Thick bar: the "
            f"{wording.coverage(report)} interval for one look. An arrow: it goes on beyond."
        ),
        x_label="Segment",
        y_label=f"Difference of {wording.metric_name(report)}",
        x=list(range(len(drawn))),
        series=[
            ChartSeries("Effect", [each.effect for each in comparisons], low, high, style="points")
        ],
        levels=[(0.0, "no difference")],
        x_names=[each.segment for each in drawn],
        drawing=drawing(report, {f"{arm} against {report.control}": estimated}),
        more=f"{left} more segments" if left > 0 else "",
    )


def _sureness(segment: SegmentEffect) -> float:
    effect, error = segment.comparison.effect, segment.comparison.standard_error
    return -1.0 if effect is None or not error else abs(effect) / error
