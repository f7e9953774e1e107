"""Cards of verdicts: what is claimed of an arm, what to do, and how long it takes else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kullback.experiments.plan import Plan
from kullback.experiments.replies import SeriesStep
from kullback.experiments.report import ComparisonReport, ExperimentReport, FirstCrossing
from kullback.experiments.time_to_decision import time_to_decision
from kullback.experiments.wording import margin, telling
from kullback.figures.relative_effects import effect_bar
from kullback.ui.dates import absolute
from kullback.ui.planning import needs, outlook

ADVICE = {
    "better": "Ship it: this holds however often you look.",
    "worse": "Do not ship it as it is. Where all of it is calibration, recalibrate the arm first.",
    "equivalent": "Neither predicts better by as much as matters: take the cheaper one.",
    "not_worse": "Enough for a change that is wanted for other reasons. It need not be better.",
    "undecided": "Wait for more rows.",
    "no_minimum_effect": "Plan one: that opens a new epoch (?epoch=new).",
    "dominated": "Wait for more units, or look for a robot.",
    "crossover": "Mend the assignment, and send the unit that was assigned.",
    "effective_sample_size": "Look at weights and propensities: a few rows carry them.",
    "too_few_units": "Wait for more units.",
    "too_few_positives": "Wait for more rows of the rarer label.",
    "empty": "Send rows, or look for a typo in the name of the arm.",
    "zero_weight": "Send weights above 0.",
    "zero_denominator": "Look at the denominators that are sent.",
    "one_class": "Wait for rows of the other label.",
    "infinite": "Take another convention, or mend the model.",
    "beyond_doubles": "Rescale the weights.",
}
OF_BASE_RATES: Mapping[str, str] = {
    "worse": "Do not ship it: fewer of its rows have the label 1.",
    "equivalent": "Neither gets more of the label 1 by as much as matters: take the cheaper one.",
}
SUPERIORITY: Mapping[str, str] = {
    "better": "Yes, better.",
    "worse": "Yes, worse.",
    "undecided": "Not shown yet.",
}
MARGIN: Mapping[str, str] = {
    "better": "Yes, better by more.",
    "worse": "Yes, worse by more.",
    "equivalent": "No, less either way.",
    "not_worse": "Not worse by as much; whether better by it is open.",
    "undecided": "Not decided yet.",
}
EARLY = ("empty", "one_class", "too_few_units", "too_few_positives")


@dataclass(frozen=True, slots=True)
class VerdictCard:
    """A verdict on an arm, with what to do about it.

    Attributes:
        reason: of the verdict; "" where `outlook` says the same.
        outlook: how long it takes until something is decided; "" where it is, or nobody knows.
        needs: what the plan needs first, while there is too little.
        answers: what is asked of an arm, each with the answer; none of what is invalid.
        first: when there was a verdict for the first time; "" where there was none.
        bar: the effect with its intervals and the margin, as SVG; "" where it is invalid.
    """

    comparison: ComparisonReport
    advice: str
    reason: str
    outlook: str
    needs: Sequence[str]
    answers: Sequence[tuple[str, str]]
    first: str
    bar: str

    @property
    def hue(self) -> str:
        """The class of the verdict."""
        return self.comparison.verdict.tone


def verdict_cards(
    plan: Plan, report: ExperimentReport, points: Sequence[SeriesStep], last: float
) -> list[VerdictCard]:
    """A card for each arm; see time_to_decision for `points` and `last`."""
    first = {crossing.arm: first_verdict(crossing) for crossing in report.first_crossing}
    cards = []
    for comparison in report.comparisons:
        code, time = comparison.reason_code, _outlook(plan, report, comparison, points, last)
        cards.append(
            VerdictCard(
                comparison,
                _advice(report, comparison),
                "" if time and code == "undecided" else comparison.reason,
                time,
                needs(plan) if code in EARLY else (),
                _answers(report, comparison),
                first.get(comparison.arm, ""),
                "" if comparison.verdict == "invalid" else effect_bar(report, comparison),
            )
        )
    return cards


def _answers(report: ExperimentReport, comparison: ComparisonReport) -> Sequence[tuple[str, str]]:
    """Whether an arm is better, and how it lies to the margin; whatever the plan asks."""
    least = report.minimum_effect
    if least is None or comparison.verdict == "invalid":
        return ()
    bound = margin(least, report.metric)
    return (
        ("Is there a difference?", SUPERIORITY[comparison.superiority]),
        (f"Does it matter, by {bound}?", MARGIN[comparison.margin]),
    )


def first_verdict(crossing: FirstCrossing) -> str:
    """When an arm had a verdict for the first time, and which."""
    return f"First decided on {absolute(crossing.at)}: {crossing.verdict.label}."


def _advice(report: ExperimentReport, comparison: ComparisonReport) -> str:
    code = comparison.reason_code
    is_of_outcomes = report.metric == "base_rate" and code in OF_BASE_RATES
    return OF_BASE_RATES[code] if is_of_outcomes else ADVICE.get(code, "")


def _outlook(
    plan: Plan,
    report: ExperimentReport,
    comparison: ComparisonReport,
    points: Sequence[SeriesStep],
    last: float,
) -> str:
    is_open = comparison.verdict == "undecided" or comparison.reason_code in EARLY
    tells = telling(comparison.sequence, comparison.standard_error) is not None
    if not (is_open and tells):
        return ""
    return outlook(plan, time_to_decision(plan, report.margin, comparison, points, last))
