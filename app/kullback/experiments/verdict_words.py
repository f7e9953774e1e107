"""Verdicts as people read them: where it is too early for one, an arm waits for rows."""

from kullback.experiments import wording
from kullback.experiments.report import ArmEffect, ArmsReport, ExperimentReport
from kullback.experiments.verdict import TOO_EARLY, Tone, VerdictWord

WAITING = "waiting"


def is_waiting(report: ArmsReport, comparison: ArmEffect) -> bool:
    """Whether a verdict waits for rows of an experiment that takes them; files get no more."""
    takes_rows = isinstance(report, ExperimentReport) and report.stopped is None
    return takes_rows and comparison.reason_code in TOO_EARLY


def claim(report: ArmsReport, comparison: ArmEffect) -> str:
    """The verdict, as what is claimed."""
    if is_waiting(report, comparison):
        return f"{comparison.arm} against {comparison.control}: waiting for rows"
    return wording.claim(comparison)


def label(report: ArmsReport, comparison: ArmEffect) -> str:
    """The verdict in a word."""
    return WAITING if is_waiting(report, comparison) else comparison.verdict.label


def tone(report: ArmsReport, comparison: ArmEffect) -> Tone:
    """How the verdict is coloured."""
    is_open = is_waiting(report, comparison)
    return VerdictWord.UNDECIDED.tone if is_open else comparison.verdict.tone
