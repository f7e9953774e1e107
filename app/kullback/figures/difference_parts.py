"""Parts of a difference of log loss: calibration, ranking, and the rows that were shown."""

from kullback.experiments.report import ComparisonReport
from kullback.figures.figure import ChartSeries, Figure


def difference_parts(comparison: ComparisonReport) -> Figure | None:
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
