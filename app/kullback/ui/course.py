"""The course of an experiment: figures of its effect and its evidence over time."""

import math
from collections.abc import Iterable, Sequence

from kullback.experiments import wording
from kullback.experiments.answers import EffectPoint
from kullback.experiments.plan import HIGHER_IS_BETTER
from kullback.experiments.report import ComparisonReport, ExperimentReport, Interval
from kullback.figures.figure import ChartSeries, Figure, Numbers, Style, has_values
from kullback.figures.typesetting import typeset


def course(
    report: ExperimentReport,
    comparison: ComparisonReport,
    points: Sequence[EffectPoint],
    first: str,
) -> list[Figure]:
    """The effect over time, and where there is one the evidence.

    Args:
        report: of the experiment.
        comparison: the one that the points are of.
        points: what was known, in order.
        first: the first verdict in words; "" where there is none yet.
    """
    drawn = [point for point in points if point.effect is not None]
    figures = [_effect(report, comparison, drawn, first)]
    return figures if report.minimum_effect is None else [*figures, _evidence(report, drawn)]


def _effect(
    report: ExperimentReport,
    comparison: ComparisonReport,
    points: Sequence[EffectPoint],
    first: str,
) -> Figure:
    coverage = wording.coverage(report)
    series = [
        _band(f"{coverage} sequence", [point.sequence for point in points], 1),
        _band(f"{coverage} interval for one look", [point.fixed_interval for point in points], 5),
        ChartSeries("Effect", [point.effect for point in points], style=_style(points)),
    ]
    metric, margin = wording.METRICS[report.metric], report.minimum_effect
    unit = wording.unit(report.metric).replace(" ", ", ")
    return Figure(
        name="effect",
        title=f"Effect of {comparison.arm}",
        caption=" ".join((*_how_to_read(report, comparison), first)).strip(),
        x_label="Of all rows before (UTC)",
        y_label=f"Difference of {metric}{unit}",
        x=[point.to for point in points],
        series=[part for part in series if part.low is None or has_values(part.low)],
        is_time=True,
        levels=[(0.0, "no difference"), *_margins(margin)],
        y_holds=[0.0, *(end for point in points[-1:] for end in point.sequence or ())],
    )


def _how_to_read(report: ExperimentReport, comparison: ComparisonReport) -> Iterable[str]:
    side = "Above" if report.metric in HIGHER_IS_BETTER else "Below"
    arm, control = comparison.arm, comparison.control
    yield f"Line: {arm} minus {control}, of all rows so far. {side} 0 {arm} is better."
    if report.minimum_effect is None:
        yield "Grey: the interval for one look that was planned; do not stop by it."
        return
    yield (
        "Wide band: where the truth lies, at every look at once; once it leaves 0 the sign is "
        "known. Grey: the interval for one look that was planned; do not stop by it."
    )


def _evidence(report: ExperimentReport, points: Sequence[EffectPoint]) -> Figure:
    wanted = -math.log(report.alpha)
    least = typeset(f"{1 / report.alpha:.4g}")
    return Figure(
        name="evidence",
        title="Evidence against no difference",
        caption=(
            f"ln of the e-value. At ln(1/α) = {wanted:.3g}, an e-value of {least}, a difference "
            "is claimed, however often one looks; below 0 the rows rather speak for none."
        ),
        x_label="Of all rows before (UTC)",
        y_label="ln e-value",
        x=[point.to for point in points],
        series=[
            ChartSeries(
                "ln e", [point.log_e_value for point in points], hue=4, style=_style(points)
            )
        ],
        is_time=True,
        levels=[(wanted, "enough: ln(1/α)"), (0.0, "nothing either way")],
        y_holds=[0.0, wanted],
    )


def _style(points: Sequence[EffectPoint]) -> Style:
    return "line" if len(points) > 1 else "points"


def _band(label: str, bounds: Sequence[Interval | None], hue: int) -> ChartSeries:
    """Bounds without a line in them."""
    nothing: Numbers = [None] * len(bounds)
    low = [None if ends is None else ends[0] for ends in bounds]
    high = [None if ends is None else ends[1] for ends in bounds]
    style: Style = "line" if len(bounds) > 1 else "points"
    return ChartSeries(label, nothing, low, high, hue, style, is_faint=hue == 5)


def _margins(margin: float | None) -> list[tuple[float, str]]:
    if margin is None:
        return []
    return [
        (sign * margin, f"{typeset(f'{sign * margin:+g}')}: minimum effect") for sign in (-1, 1)
    ]
