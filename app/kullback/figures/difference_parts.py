"""Parts of a difference of log loss: calibration, ranking, and the rows that were shown."""

from kullback.experiments.report import ComparisonReport
from kullback.figures.figure import ChartSeries, Figure


def difference_parts(comparison: ComparisonReport) -> Figure | None:
    """What each part adds to the difference of log loss; None where that is not known."""
    if comparison.why is None or comparison.why.calibration is None:
        return None
    parts = {
        "calibration": comparison.why.calibration,
        "ranking": comparison.why.ranking,
        "rows shown": comparison.why.rows or None,
    }
    names = [name for name, part in parts.items() if part is not None]  # paired rows are the same
    return Figure(
        name="parts",
        title=f"Where the difference of {comparison.arm} comes from",
        caption=(
            f"What each adds to the log loss of {comparison.arm}, minus that of "
            f"{comparison.control}: below 0 is better."
        ),
        x_label="Part",
        y_label="Difference of log loss, nats",
        x=list(range(len(names))),
        series=[ChartSeries("Difference", [parts[name] for name in names], style="bars")],
        levels=[(0.0, "")],
        x_names=names,
    )
