"""Guardrails of an arm, as rows of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from kullback.experiments import wording
from kullback.experiments.measured import prefers_more
from kullback.experiments.report import ArmsReport, ComparisonReport, GuardrailReport


@dataclass(frozen=True, slots=True)
class GuardrailRow:
    """A guardrail, and how an arm does by it.

    Attributes:
        name: of the metric, with the side that is better.
        margin: what is asked of it, in words.
        p_value: by Holm, of the family of all that the experiment compares.
    """

    name: str
    margin: str
    rail: GuardrailReport
    p_value: float | None


def guardrail_rows(report: ArmsReport, comparison: ComparisonReport) -> Sequence[GuardrailRow]:
    """The guardrails of an arm, in the order of the plan; none without any."""
    rows = []
    for planned in report.guardrails:
        rail = comparison.guardrails.get(planned.name)
        if rail is None:
            continue
        more = prefers_more(planned.metric, planned.higher_is_better)
        bound = wording.margin(planned.minimum_effect, planned.metric)
        rows.append(
            GuardrailRow(
                f"{wording.METRICS.get(planned.name, planned.name)} {'↑' if more else '↓'}",
                f"{_OBJECTIVES[planned.objective]} {bound}",
                rail,
                None if rail.adjusted is None else rail.adjusted.holm,
            )
        )
    return rows


_OBJECTIVES = {
    "superiority": "better or worse, by",
    "non_inferiority": "not worse by",
    "equivalence": "no different by",
}
