"""The timeline of an experiment: its effect and its evidence over time, or over rows of files."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from kullback.experiments import wording
from kullback.experiments.answers import EffectPoint
from kullback.experiments.plan import HIGHER_IS_BETTER
from kullback.experiments.report import (
    ArmPair,
    ArmsReport,
    EvaluationLook,
    EvaluationReport,
    ExperimentReport,
    Interval,
)
from kullback.figures.axes import around_calm
from kullback.figures.figure import ChartSeries, Figure, Mark, Style, bounds, has_values
from kullback.figures.typesetting import typeset

_WIDEST = 4.0  # of effects, beyond which a sequence is cut


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Looks at an arm, each at its time or its number of rows."""

    report: ArmsReport
    pair: ArmPair
    x: Sequence[float]
    looks: Sequence[EffectPoint | EvaluationLook]
    first: str = ""

    @property
    def is_time(self) -> bool:
        return isinstance(self.report, ExperimentReport)

    @property
    def style(self) -> Style:
        return "line" if len(self.looks) > 1 else "points"


def over_time(
    report: ExperimentReport, pair: ArmPair, points: Sequence[EffectPoint], first: str
) -> list[Figure]:
    """The effect over time, and where there is one the evidence.

    Args:
        report: of the experiment.
        pair: the arms that the points are of.
        points: the effect at the end of each step.
        first: the first verdict in words; "" where there is none yet.
    """
    drawn = [point for point in points if point.effect is not None]
    return _figures(_Timeline(report, pair, [point.to for point in drawn], drawn, first))


def over_rows(report: EvaluationReport, pair: ArmPair) -> list[Figure]:
    """The effect over rows of files, and where there is one the evidence."""
    drawn = [(n, look) for n, look in report.looks(pair.arm) if look.effect is not None]
    looks = [look for _, look in drawn]
    return _figures(_Timeline(report, pair, [n for n, _ in drawn], looks))


def first_crossing(looks: Sequence[EffectPoint | EvaluationLook]) -> int | None:
    """Which look was the first at which 0 was outside of the sequence."""
    for at, look in enumerate(looks):
        if look.sequence is not None and not look.sequence[0] <= 0 <= look.sequence[1]:
            return at
    return None


def _figures(timeline: _Timeline) -> list[Figure]:
    has_evidence = timeline.report.minimum_effect is not None
    return [_effect(timeline), *([_evidence(timeline)] if has_evidence else [])]


def _figure(timeline: _Timeline) -> partial[Figure]:
    x_label = "Of all rows before (UTC)" if timeline.is_time else "Rows"
    return partial(Figure, x=timeline.x, x_label=x_label, is_time=timeline.is_time)


def _effect(timeline: _Timeline) -> Figure:
    report, looks = timeline.report, timeline.looks
    coverage, metric = wording.coverage(report), wording.METRICS[report.metric]
    series = [
        _band(f"{coverage} sequence", [look.sequence for look in looks], timeline.style),
        _band(
            f"{coverage} interval for one look",
            [look.fixed_interval for look in looks],
            timeline.style,
            hue=5,
        ),
        ChartSeries("Effect", [look.effect for look in looks], style=timeline.style),
    ]
    return _figure(timeline)(
        name="effect",
        title=f"Effect of {timeline.pair.arm}",
        caption=" ".join((*_how_to_read(timeline), timeline.first)).strip(),
        y_label=f"Difference of {metric}{wording.unit(report.metric).replace(' ', ', ')}",
        series=[part for part in series if part.low is None or has_values(part.low)],
        levels=[(0.0, "no difference"), *_margins(report.minimum_effect)],
        marks=_crossing(timeline),
        y_span=_span(timeline) if looks else None,
    )


def _how_to_read(timeline: _Timeline) -> Iterator[str]:
    report, arm = timeline.report, timeline.pair.arm
    side = "Above" if report.metric in HIGHER_IS_BETTER else "Below"
    yield f"Line: {arm} minus {timeline.pair.control}, of all rows so far."
    yield f"{side} 0 {arm} is better."
    if report.minimum_effect is not None:
        yield "Wide band: where the truth lies, at every look at once;"
        yield "once it leaves 0 the sign is known."
    yield "Grey: the interval for one look that was planned; do not stop by it."


def _evidence(timeline: _Timeline) -> Figure:
    alpha = timeline.report.alpha
    enough = -math.log(alpha)
    log_e_values = [look.log_e_value for look in timeline.looks]
    return _figure(timeline)(
        name="evidence",
        title=f"Evidence that {timeline.pair.arm} differs",
        caption=(
            f"ln of the e-value. At ln(1/α) = {enough:.3g}, an e-value of "
            f"{typeset(f'{1 / alpha:.4g}')}, a difference is claimed, however often one looks; "
            "below 0 the rows rather speak for none."
        ),
        y_label="ln e-value",
        series=[ChartSeries("ln e", log_e_values, hue=4, style=timeline.style)],
        levels=[(enough, f"enough: ln(1/α) = {enough:.2f}"), (0.0, "nothing either way")],
        notes=[("e-value", [look.e_value for look in timeline.looks])],
        y_holds=[0.0, enough],
    )


def _band(
    label: str, intervals: Sequence[Interval | None], style: Style, hue: int = 1
) -> ChartSeries:
    """Bounds without a line in them."""
    low, high = bounds(intervals)
    return ChartSeries(label, [None] * len(low), low, high, hue, style, is_faint=hue == 5)


def _margins(margin: float | None) -> list[tuple[float, str]]:
    if margin is None:
        return []
    return [
        (sign * margin, f"{typeset(f'{sign * margin:+g}')}: minimum effect") for sign in (-1, 1)
    ]


def _crossing(timeline: _Timeline) -> list[Mark]:
    """On files the first look without 0; an experiment keeps its first verdict, in words."""
    at = None if timeline.is_time else first_crossing(timeline.looks)
    if at is None:
        return []
    x, effect = timeline.x[at], timeline.looks[at].effect
    return [(x, effect or 0.0, f"first without 0: {x:,.0f} rows")]


def _span(timeline: _Timeline) -> Interval:
    """As high as the effects of the later half, and their sequences if not wild."""
    margin = timeline.report.minimum_effect or 0.0
    later = timeline.looks[len(timeline.looks) // 2 :]
    effects = [0.0, -margin, margin, *(look.effect or 0.0 for look in later)]
    ends = [end for look in later for end in look.sequence or look.fixed_interval or ()]
    return around_calm(effects, ends, _WIDEST)
