"""Tables of a comparison in a terminal, verdicts first."""

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kullback.cli.terminal import printable
from kullback.evaluation.job import NO_UNIT
from kullback.experiments import wording
from kullback.experiments.evaluation_report import EvaluationReport
from kullback.experiments.report import ArmReport, ArmsReport, ComparisonReport
from kullback.experiments.verdict import Tone, VerdictWord
from kullback.experiments.wording import measured
from kullback.numerics.digits import UNKNOWN, decimals, number

_WIDE = 200  # columns, where nobody's terminal says otherwise
_STYLES: Mapping[Tone, str] = {
    "good": "green",
    "even": "cyan",
    "bad": "red",
    "open": "yellow",
    "stop": "magenta",
}
_SHOWN = 3  # files
_ARM_METRICS = ("log_loss", "normalized_entropy", "calibration_ratio", "auc")


def show(report: EvaluationReport) -> None:
    """Print a report to stdout."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    for comparison in report.comparisons:
        console.print(_claim(comparison))
        for sentences in (
            wording.evidence(report, comparison),
            comparison.reason,
            wording.horizon(report, comparison),
            wording.explanation(comparison),
        ):
            if sentences:  # a pipe has no width to wrap at
                console.print(_indented(sentences), soft_wrap=not console.is_terminal)
    if NO_UNIT in report.warnings:
        console.print(Text(NO_UNIT, "yellow"))
    console.print(_arms(report))
    console.print(_comparisons(report))
    if report.groups:
        console.print(_segments(report))
    for line in _notes(report):
        console.print(_text(line))


def _claim(comparison: ComparisonReport) -> Text:
    return Text.assemble(
        (printable(wording.claim(comparison)), f"bold {_STYLES[comparison.verdict.tone]}")
    )


def _indented(line: str) -> Text:
    return _text(f"  {line}")


def _arms(report: ArmsReport) -> Table:
    names = ("Log loss", "NE", "Calibration ratio", "AUC")
    rows = [
        [
            arm.arm,
            f"{arm.n:,}",
            UNKNOWN if arm.units is None else f"{arm.units:,}",
            *(measured(arm.metrics[name]) for name in _ARM_METRICS),
        ]
        for arm in report.arms
    ]
    return _table("Arms", ("Arm", "Rows", "Units", *names), rows)


def _comparisons(report: ArmsReport) -> Table:
    rows = [
        [comparison.arm, *_cells(comparison), comparison.verdict]
        for comparison in report.comparisons
    ]
    head = ("Arm", *_effect_head(report), "Verdict")
    return _table(f"Against {report.control}", head, rows, verdict=len(head) - 1)


def _segments(report: ArmsReport) -> Table:
    rows = [
        [
            group.name,
            comparison.arm,
            f"{_rows_of(group.arms, comparison.arm):,}",
            *_cells(comparison),
            comparison.verdict,
            wording.adjusted(comparison),
        ]
        for group in report.groups
        for comparison in group.comparisons
    ]
    head = ("Segment", "Arm", "Rows", *_effect_head(report), "Verdict", "Claimed among all (e-BH)")
    return _table(f"Segments, against {report.control}", head, rows, verdict=len(head) - 2)


def _effect_head(report: ArmsReport) -> tuple[str, ...]:
    effect = f"Effect on {wording.metric_name(report)}"
    coverage = wording.coverage(report)
    return (
        effect,
        "± error",
        "Of the control's, every look",
        f"{coverage}, one look",
        f"{coverage}, every look",
        "Evidence (e-value)",
    )


def _cells(comparison: ComparisonReport) -> list[str]:
    return [
        wording.effect(comparison),
        number(comparison.standard_error, decimals(comparison.standard_error)),
        wording.relative_in_full(comparison),
        wording.one_look(comparison),
        wording.sequence(comparison),
        wording.graded(comparison),
    ]


def _rows_of(arms: Iterable[ArmReport], name: str) -> int:
    return sum(arm.n for arm in arms if arm.arm == name)


def _notes(report: EvaluationReport) -> list[str]:
    notes = [_files(report)]
    notes += [f"{arm.arm}: {arm.refused}" for arm in report.arms if arm.refused]
    ratio = wording.shares(report.sample_ratio)
    notes += [ratio] if ratio else []
    if report.left_out:
        causes = ", ".join(f"{count:,} {what}" for count, what in report.left_out)
        notes.append(f"Excluded of {report.rows:,} rows: {causes}.")
    return [*notes, *(f"Note: {text}" for text in report.warnings if text != NO_UNIT)]


def _files(report: EvaluationReport) -> str:
    """What was read, and what was not though it lies there."""
    number = len(report.files)
    kinds = ", ".join(f"{count:,} {name}" for name, count in sorted(report.formats.items()))
    text = f"Read: {report.rows:,} rows of {number:,} file{'s' * (number != 1)} ({kinds})."
    if not report.skipped:
        return text
    listed = ", ".join(report.skipped[:_SHOWN]) + ", …" * (len(report.skipped) > _SHOWN)
    return f"{text} Not read, as neither name nor place is that of a log: {listed}."


def _table(
    title: str, head: Sequence[str], rows: Iterable[Sequence[str]], verdict: int | None = None
) -> Table:
    table = Table(title=_text(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    words = {
        name for name in head if name in {"Arm", "Segment", "Verdict", "Claimed among all (e-BH)"}
    }
    for name in head:
        table.add_column(name, justify="left" if name in words else "right")
    for row in rows:
        cells = [_text(cell) for cell in row]
        if verdict is not None:
            word = VerdictWord(row[verdict])
            cells[verdict] = Text(word.label, _STYLES[word.tone])
        table.add_row(*cells)
    return table


def _text(line: str) -> Text:
    return Text(printable(line))
