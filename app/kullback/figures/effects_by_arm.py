"""Effects of all arms against the control, the best first."""

from collections.abc import Sequence

from kullback.experiments import wording
from kullback.experiments.report import ArmsReport, ComparisonReport
from kullback.figures.figure import ChartSeries, Figure, bounds
from kullback.figures.forest import drawing
from kullback.figures.segment_effects import SegmentEffect


def effects_by_arm(report: ArmsReport, ordered: Sequence[ComparisonReport]) -> Figure | None:
    """The effect of each arm in this order; None where no arm has any."""
    estimated = [each for each in ordered if each.effect is not None]
    if not estimated:
        return None
    low, high = bounds([each.sequence or each.fixed_interval for each in estimated])
    metric = wording.metric_name(report)
    return Figure(
        name="by-arm",
        title=f"Every arm against {report.control}, the best first",
        caption=(
            f"Difference of {metric} to {report.control}; arms are not compared with each other. "
            "Diamond: the effect. Thin line: at every look. Thick bar: for one look. An arrow: it "
            "goes on beyond."
        ),
        x_label="Arm",
        y_label=f"Difference of {metric}",
        x=list(range(len(estimated))),
        series=[
            ChartSeries("Effect", [each.effect for each in estimated], low, high, style="points")
        ],
        levels=[(0.0, "no difference")],
        x_names=[each.arm for each in estimated],
        drawing=drawing(report, {"": [SegmentEffect(each.arm, each) for each in estimated]}),
    )
