"""This file is about a report as Markdown, to be pasted into a ticket."""

import re
from collections.abc import Iterable, Sequence

from kullback.experiments import wording
from kullback.experiments.told import Arm, Comparison, Report
from kullback.experiments.wording import UNKNOWN, decimals, interval, measured, number
from kullback.tally.documents import Document

_MEANT = re.compile(r"[\\`*_{}\[\]<>&|~#$@]")
_ARM_METRICS = ("log_loss", "normalized_entropy", "calibration_ratio", "auc", "base_rate")
_ARMS = (
    *("Arm", "Rows", "Units", "Log loss (nats)", "Normalized entropy", "Calibration ratio"),
    *("AUC", "Base rate"),
)


def markdown(document: Document) -> str:
    """The page of a report: verdicts first, then the numbers they stand on."""
    report = Report.of(document)
    name = "of recommenders" if report.experiment is None else report.experiment
    kind = "Comparison" if report.experiment is None else "Experiment"
    parts = [
        [f"# {kind} {escaped(name)}"],
        [escaped(" · ".join(f"{name}: {value}" for name, value in wording.setting(report)))],
        *([_headline(report, one)] for one in report.comparisons),
        ["## Arms", *_arms(report.arms)],
        ["## Comparisons", *_comparisons(report)],
        _why(report.comparisons),
        _segments(report),
        ["## Checks", _list(_checks(report))],
        ["## First verdicts", _list(map(wording.crossing, report.first_crossing))],
        ["## Warnings", _list(report.warnings)],
        ["## How to read it", _list(wording.reading(report))],
    ]
    told = ["\n\n".join(part) for part in parts if all(part) and part]
    return "\n\n".join(told) + "\n"


def escaped(text: str) -> str:
    """Text that means nothing to Markdown, on one line."""
    on_one_line = " ".join(text.split())
    return _MEANT.sub(r"\\\g<0>", on_one_line).replace("://", r":\//")


def _headline(report: Report, one: Comparison) -> str:
    told = f"**{escaped(wording.claim(one))}**. {escaped(wording.evidence(report, one))}"
    return f"{told} {escaped(one.reason)}"


def _arms(arms: Sequence[Arm]) -> list[str]:
    rows = [
        [
            arm.arm,
            f"{arm.n:,}",
            UNKNOWN if arm.units is None else f"{arm.units:,}",
            *(measured(arm.metrics.get(name)) for name in _ARM_METRICS),
        ]
        for arm in arms
    ]
    refused = [f"{arm.arm}: {arm.refused}" for arm in arms if arm.refused]
    return [_table(_ARMS, rows), *([_list(refused)] if refused else [])]


def _comparisons(report: Report) -> list[str]:
    sure = wording.sure(report)
    head = (
        "Arm against control",
        f"Effect{_in_unit(report)}",
        "Standard error",
        f"{sure} interval (one look)",
        f"{sure} sequence (always valid)",
        "e-value",
        "Verdict",
    )
    rows = [
        [
            f"{one.arm} against {one.control}",
            wording.effect(one),
            number(one.standard_error, decimals(one.standard_error)),
            interval(one.fixed_interval, one.standard_error),
            interval(one.sequence, one.standard_error),
            wording.weight_of_evidence(one.e_value, one.log_e_value),
            wording.VERDICTS[one.verdict],
        ]
        for one in report.comparisons
    ]
    return [_table(head, rows)]


def _why(comparisons: Iterable[Comparison]) -> list[str]:
    told = [(one.arm, wording.explanation(one)) for one in comparisons]
    known = [f"{arm}: {words}" for arm, words in told if words]
    return ["## Why", _list(known)] if known else []


def _segments(report: Report) -> list[str]:
    head = (
        *("Segment", "Arm", "Rows", f"Effect{_in_unit(report)}"),
        f"{wording.sure(report)} sequence (always valid)",
        *("e-value", "Verdict", "Of all together (e-BH)", "Sequence of what e-BH claims"),
    )
    rows = [
        [
            group.name,
            one.arm,
            f"{sum(arm.n for arm in group.arms if arm.arm == one.arm):,}",
            *_sequence_cells(one),
        ]
        for group in report.groups
        for one in group.comparisons
    ]
    if not rows:
        return []
    whole = [
        ["all rows", one.arm, _rows_of(report, one), *_sequence_cells(one)]
        for one in report.comparisons
    ]
    return ["## Segments", _table(head, [*whole, *rows])]


def _rows_of(report: Report, one: Comparison) -> str:
    return f"{sum(arm.n for arm in report.arms if arm.arm == one.arm):,}"


def _sequence_cells(one: Comparison) -> list[str]:
    claimed = None if one.adjusted is None else one.adjusted.sequence
    return [
        wording.effect(one),
        interval(one.sequence, one.standard_error),
        wording.weight_of_evidence(one.e_value, one.log_e_value),
        wording.VERDICTS[one.verdict],
        wording.adjusted(one),
        interval(claimed, one.standard_error),
    ]


def _checks(report: Report) -> list[str]:
    told = [wording.shares(report.sample_ratio)]
    if report.design == "parallel":
        told.append(f"Crossover: {wording.percent(report.crossover)} of units met several arms.")
    told += [f"Excluded: {count:,} rows without {name}." for name, count in _excluded(report)]
    return told


def _excluded(report: Report) -> list[tuple[str, int]]:
    return [(name, count) for name, count in report.excluded.items() if count]


def _in_unit(report: Report) -> str:
    unit = wording.unit(report.metric).strip()
    return f" ({unit})" if unit else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = [head, ["---"] * len(head)]
    lines = [*names, *(list(map(escaped, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(item)}" for item in items)
