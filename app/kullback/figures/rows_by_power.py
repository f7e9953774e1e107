"""Rows that an experiment takes, by the power with which it finds the minimum effect."""

from collections.abc import Sequence

from kullback.figures.figure import ChartSeries, Figure, has_values
from kullback.figures.in_view import Numbers


def rows_by_power(
    grades: Sequence[float], at_any_look: Numbers, at_one_look: Numbers, margin: str
) -> Figure | None:
    """Rows by grades of power, to stop at any look and for one that is planned; None without."""
    if not has_values(at_any_look):
        return None
    return Figure(
        name="by-power",
        title=f"Rows that find a difference of {margin}",
        caption=(
            "In so many of all experiments with such a difference it is found by then: at any "
            "look, or at one look that was planned."
        ),
        x_label="Power, %",
        y_label="Rows in all",
        x=[100 * grade for grade in grades],
        series=[
            ChartSeries("At any look", at_any_look),
            ChartSeries("At one look", at_one_look, hue=5, is_dashed=True),
        ],
        y_holds=[0.0],
    )
