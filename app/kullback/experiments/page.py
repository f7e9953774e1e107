"""A report as Markdown, to be pasted into a ticket."""

import re
from collections.abc import Iterable, Sequence

from kullback.experiments import verdict_words, wording
from kullback.experiments.evaluation_report import EvaluationReport
from kullback.experiments.reading import reading
from kullback.experiments.report import (
    ArmReport,
    ArmsReport,
    ComparisonReport,
    ExperimentReport,
    FirstCrossing,
    OverallComparison,
)
from kullback.experiments.wording import interval, measured
from kullback.numerics.digits import UNKNOWN, decimals, number

_MEANT = re.compile(r"[\\`*_{}\[\]<>&|~#$@]")
_ARM_METRICS = ("log_loss", "normalized_entropy", "calibration_ratio", "auc", "base_rate")
_ARMS = (
    *("Arm", "Rows", "Units", "Log loss (nats)", "Normalized entropy", "Calibration ratio"),
    *("AUC", "Base rate"),
)


def markdown(report: ArmsReport) -> str:
    """The page of a report: verdicts first, then the numbers they stand on."""
    arms = ", ".join(comparison.arm for comparison in report.comparisons)
    title, first = escaped(f"{arms} against {report.control}"), tuple[FirstCrossing, ...]()
    if isinstance(report, ExperimentReport):
        title, first = (
            f"Experiment {escaped(report.experiment)}",
            (*report.first_crossing, *report.first_answers),
        )
    parts = [
        [f"# {title}"],
        [escaped(" · ".join(f"{name}: {value}" for name, value in wording.setting(report)))],
        *([_headline(report, comparison)] for comparison in report.comparisons),
        ["## Arms", *_arms(report.arms)],
        ["## Comparisons", *_comparisons(report)],
        _why(report.comparisons),
        _segments(report),
        ["## Checks", _list(_checks(report))],
        ["## First verdicts", _list(map(wording.crossing, first))],
        ["## Warnings", _list(report.warnings)],
        ["## How to read it", _list(reading(report))],
    ]
    written = ["\n\n".join(part) for part in parts if all(part) and part]
    return "\n\n".join(written) + "\n"


def escaped(text: str) -> str:
    """Text that means nothing to Markdown, on one line."""
    on_one_line = " ".join(text.split())
    return _MEANT.sub(r"\\\g<0>", on_one_line).replace("://", r":\//")


def _headline(report: ArmsReport, comparison: OverallComparison) -> str:
    claim, evidence = verdict_words.claim(report, comparison), wording.evidence(report, comparison)
    horizon = escaped(wording.horizon(report, comparison))
    return (
        f"**{escaped(claim)}**. {escaped(evidence)} {escaped(comparison.reason)} {horizon}".strip()
    )


def _arms(arms: Sequence[ArmReport]) -> list[str]:
    rows = [
        [
            arm.arm,
            f"{arm.n:,}",
            UNKNOWN if arm.units is None else f"{arm.units:,}",
            *(measured(arm.metrics[name]) for name in _ARM_METRICS),
        ]
        for arm in arms
    ]
    refused = [f"{arm.arm}: {arm.refused}" for arm in arms if arm.refused]
    return [_table(_ARMS, rows), *([_list(refused)] if refused else [])]


def _comparisons(report: ArmsReport) -> list[str]:
    coverage = wording.coverage(report)
    head = (
        "Arm against control",
        f"Effect{_in_unit(report)}",
        "Standard error",
        "Effect in percent of the control's, at every look",
        f"{coverage} confidence sequence (every look)",
        f"{coverage} interval (one look)",
        "Evidence (e-value)",
        "Verdict",
    )
    rows = [
        [
            f"{comparison.arm} against {comparison.control}",
            wording.effect(comparison),
            number(comparison.standard_error, decimals(comparison.standard_error)),
            wording.relative_in_full(comparison),
            wording.sequence(comparison),
            wording.one_look(comparison),
            wording.graded(comparison),
            verdict_words.label(report, comparison),
        ]
        for comparison in report.comparisons
    ]
    return [_table(head, rows)]


def _why(comparisons: Iterable[ComparisonReport]) -> list[str]:
    words = {comparison.arm: wording.explanation(comparison) for comparison in comparisons}
    explanations = [f"{arm}: {explanation}" for arm, explanation in words.items() if explanation]
    return ["## Why", _list(explanations)] if explanations else []


def _segments(report: ArmsReport) -> list[str]:
    head = (
        *("Segment", "Arm", "Rows", f"Effect{_in_unit(report)}"),
        f"{wording.coverage(report)} confidence sequence",
        *("Evidence (e-value)", "Verdict", "Claimed among all (e-BH)", "Interval of the claim"),
    )
    rows = [
        [
            group.name,
            comparison.arm,
            _rows_of(group.arms, comparison.arm),
            *_sequence_cells(report, comparison),
        ]
        for group in report.groups
        for comparison in group.comparisons
    ]
    if not rows:
        return []
    whole = [
        [
            "all rows",
            comparison.arm,
            _rows_of(report.arms, comparison.arm),
            *_sequence_cells(report, comparison),
        ]
        for comparison in report.comparisons
    ]
    return ["## Segments", _table(head, [*whole, *rows])]


def _rows_of(arms: Iterable[ArmReport], name: str) -> str:
    return f"{sum(arm.n for arm in arms if arm.arm == name):,}"


def _sequence_cells(report: ArmsReport, comparison: ComparisonReport) -> list[str]:
    claimed = None if comparison.adjusted is None else comparison.adjusted.sequence
    return [
        wording.effect(comparison),
        wording.sequence(comparison),
        wording.graded(comparison),
        verdict_words.label(report, comparison),
        wording.adjusted(comparison),
        interval(claimed, comparison.standard_error),
    ]


def _checks(report: ArmsReport) -> list[str]:
    ratio = wording.shares(report.sample_ratio)
    checks = [ratio] if ratio else []
    if report.sample_ratio.expected is not None:
        checks.append(f"Crossover: {wording.percent(report.crossover)} of units met several arms.")
    excluded = report.left_out if isinstance(report, EvaluationReport) else ()
    checks += [f"Excluded: {count:,} rows {what}." for count, what in excluded]
    if isinstance(report, ExperimentReport) and report.ignored:
        checks.append(wording.ignored(report))
    return checks


def _in_unit(report: ArmsReport) -> str:
    unit = wording.unit(report.metric).strip()
    return f" ({unit})" if unit else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = [head, ["---"] * len(head)]
    lines = [*names, *(list(map(escaped, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(item)}" for item in items)
