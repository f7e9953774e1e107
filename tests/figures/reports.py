"""Reports whose figures are looked at."""

from dataclasses import replace

from kullback.experiments.evaluation_report import EvaluationReport
from kullback.experiments.report import OverallArm, OverallComparison
from kullback.experiments.verdict import VerdictWord
from kullback.tally.report_types import ReliabilityBin
from tests.experiments import documents

DOCUMENTS = documents.all_of_them()


def arm(*reliability: tuple[float, float, float]) -> OverallArm:
    """An arm with bins (predicted, observed, weight), whose rows have weight 1 each."""
    bins = tuple(ReliabilityBin(p, p, weight, p, observed) for p, observed, weight in reliability)
    weight = sum(each.weight for each in bins)
    return replace(
        DOCUMENTS["better"].arms[1],
        n=max(1, round(weight)),
        weight=weight,
        reliability=bins,
        score_histogram=bins,
    )


def report(*comparisons: OverallComparison, minimum_effect: float | None = 0.1) -> EvaluationReport:
    """A report of these comparisons."""
    return replace(DOCUMENTS["better"], comparisons=comparisons, minimum_effect=minimum_effect)


def comparison(effect: float, half: float) -> OverallComparison:
    """A comparison whose sequence is twice as wide as its interval."""
    return replace(
        DOCUMENTS["better"].comparisons[0],
        arm=f"arm {effect}",
        verdict=VerdictWord.UNDECIDED,
        effect=effect,
        standard_error=half / 2,
        fixed_interval=(effect - half, effect + half),
        sequence=(effect - 2 * half, effect + 2 * half),
    )
