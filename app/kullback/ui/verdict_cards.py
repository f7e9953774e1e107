"""Cards of verdicts: what is claimed of an arm, what to do, and how long it takes else."""

from collections.abc import Sequence
from dataclasses import dataclass

from kullback.experiments import verdict_words
from kullback.experiments.plan import Plan
from kullback.experiments.replies import EffectPoint
from kullback.experiments.report import ComparisonReport, ExperimentReport, FirstCrossing
from kullback.experiments.time_to_decision import time_to_decision
from kullback.experiments.wording import telling
from kullback.figures.relative_effects import effect_bar
from kullback.moments import HOUR
from kullback.ui.planning import needs, outlook
from kullback.ui.verdict_advice import advice, answers, reason
from kullback.ui.verdict_order import standing


@dataclass(frozen=True, slots=True)
class FirstVerdict:
    """The first verdict on an arm.

    Attributes:
        crossing: as it was kept when it was noticed.
        rows_until: the end of the step whose rows decided it, where that was long before.
    """

    crossing: FirstCrossing
    rows_until: float | None


@dataclass(frozen=True, slots=True)
class VerdictCard:
    """A verdict on an arm, with what to do about it.

    Attributes:
        claim: what is claimed; `hue` is the class of its colour.
        reason: of the verdict; "" where `outlook` says the same.
        outlook: how long it takes until something is decided; "" where it is, or nobody knows.
        needs: what the plan needs first, while there is too little.
        answers: what is asked of an arm, each with the answer; none of what is invalid.
        first: the first verdict; None where there was none.
        bar: the effect with its intervals and the margin, as SVG; "" where it is invalid.
    """

    comparison: ComparisonReport
    claim: str
    hue: str
    advice: str
    reason: str
    outlook: str
    needs: Sequence[str]
    answers: Sequence[tuple[str, str]]
    first: FirstVerdict | None
    bar: str


def verdict_cards(
    plan: Plan, report: ExperimentReport, points: Sequence[EffectPoint], last: float
) -> list[VerdictCard]:
    """A card for each arm, the best first.

    Args:
        plan: what is compared.
        report: of all rows.
        points: steps up to now of one of the arms.
        last: epoch seconds, the end of the last hour that has rows.
    """
    first = {each.arm: first_verdict(each, points) for each in report.first_crossing}
    cards = []
    for comparison in ranked(plan, report):
        time = _outlook(plan, report, comparison, points, last)
        why = reason(report, comparison)
        is_told = time and comparison.reason_code == "undecided" and why == comparison.reason
        is_waiting = verdict_words.is_waiting(report, comparison)
        cards.append(
            VerdictCard(
                comparison,
                verdict_words.claim(report, comparison),
                verdict_words.tone(report, comparison),
                advice(report, comparison),
                "" if is_told else why,
                time,
                needs(plan) if is_waiting else (),
                answers(report, comparison),
                first.get(comparison.arm),
                "" if comparison.verdict == "invalid" else effect_bar(report, comparison),
            )
        )
    return cards


def ranked(plan: Plan, report: ExperimentReport) -> list[ComparisonReport]:
    """The comparisons, of the best arm first."""
    return sorted(report.comparisons, key=lambda each: standing(each, plan.prefers_more))


def first_verdict(crossing: FirstCrossing, points: Sequence[EffectPoint]) -> FirstVerdict:
    """The first verdict on an arm, beside the rows that decided it where points are of the arm."""
    of_arm = [each for each in points if each.arm == crossing.arm]
    until = next((each.to for each in of_arm if each.verdict == crossing.verdict), None)
    is_long_before = until is not None and crossing.at - until > HOUR
    return FirstVerdict(crossing, until if is_long_before else None)


def _outlook(
    plan: Plan,
    report: ExperimentReport,
    comparison: ComparisonReport,
    points: Sequence[EffectPoint],
    last: float,
) -> str:
    is_open = comparison.verdict == "undecided" or verdict_words.is_waiting(report, comparison)
    tells = telling(comparison.sequence, comparison.standard_error) is not None
    if not (is_open and tells):
        return ""
    return outlook(plan, time_to_decision(plan, report.margin, comparison, points, last))
