"""The effects of arms and segments one under another, with their intervals, as SVG."""

from collections.abc import Mapping, Sequence

from kullback.experiments.measured import prefers_more
from kullback.experiments.report import ArmsReport
from kullback.experiments.verdict_words import label
from kullback.experiments.wording import effect, interval, metric_name, unit
from kullback.experiments.wording import margin as margin_in_words
from kullback.figures.interval_rows import EffectAxis, IntervalRow, interval_rows
from kullback.figures.segment_effects import SegmentEffect, effects

MOST_ROWS = 40


def forest(report: ArmsReport) -> str:
    """Each effect with its intervals, the arms first and then the segments; "" without any."""
    by_arm = _by_arm(report)
    return drawing(report, by_arm) if by_arm else ""


def drawing(report: ArmsReport, by_head: Mapping[str, Sequence[SegmentEffect]]) -> str:
    """Effects, each group under its head unless that is ""; each comparison has an effect."""
    groups = {head: [_row(report, row) for row in several] for head, several in by_head.items()}
    in_unit, margin = unit(report.metric), report.margin
    axis = EffectAxis(
        in_unit.strip(),
        directions(report),
        margin,
        ""
        if report.minimum_effect is None
        else f"less than ±{margin_in_words(report.minimum_effect, report.metric)}",
    )
    description = "; ".join(
        f"{row.comparison.arm} against {report.control}, {row.segment}: {effect(row.comparison)}"
        for several in by_head.values()
        for row in several
    )
    title = f"Difference of {metric_name(report)} to {report.control}"
    return interval_rows(title, groups, axis, description)


def directions(report: ArmsReport) -> tuple[str, str]:
    """What is left of 0 and what is right of it."""
    if prefers_more(report.metric, report.higher_is_better):
        return "← worse", "better →"
    return "← better", "worse →"


def _row(report: ArmsReport, row: SegmentEffect) -> IntervalRow:
    comparison = row.comparison
    assert comparison.effect is not None
    return IntervalRow(
        row.segment,
        f"{effect(comparison)}, {label(report, comparison)}",
        comparison.effect,
        comparison.fixed_interval,
        comparison.sequence,
        _words(report, row),
    )


def _words(report: ArmsReport, row: SegmentEffect) -> str:
    """The effect with its intervals, as a pointer has it told."""
    comparison, error = row.comparison, row.comparison.standard_error
    words = [f"{row.segment}: {effect(comparison)}, {label(report, comparison)}"]
    if comparison.sequence is not None:
        words.append(f"at every look {interval(comparison.sequence, error)}")
    if comparison.fixed_interval is not None:
        words.append(f"for one look {interval(comparison.fixed_interval, error)}")
    return " · ".join(words)


def _by_arm(report: ArmsReport) -> dict[str, list[SegmentEffect]]:
    """The rows that have an effect and are drawn, by arm."""
    shown = [row for row in effects(report) if row.comparison.effect is not None][:MOST_ROWS]
    arms = dict.fromkeys(row.comparison.arm for row in shown)
    return {
        f"{arm} against {report.control}": [row for row in shown if row.comparison.arm == arm]
        for arm in arms
    }
