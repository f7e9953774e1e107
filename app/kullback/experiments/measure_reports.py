"""What answers say of measures: what is planned, and what a covariate does."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from kullback.experiments.measured import OF_MEASURES, Guardrail, Winsorize
from kullback.experiments.plan import Plan

_ONLY_WHERE_ANY = Field(exclude_if=lambda value: value is None or value is False or value == ())


@dataclass(frozen=True, kw_only=True)
class PlannedMeasures:
    """What a plan says of outcomes, covariate and guardrails; absent where it says nothing.

    `outcome` names the outcome that decides, `higher_is_better` says which way it does.
    """

    outcome: Annotated[str | None, _ONLY_WHERE_ANY] = None
    higher_is_better: Annotated[bool | None, Field(exclude_if=lambda value: value is None)] = None
    winsorize: Annotated[Winsorize | None, _ONLY_WHERE_ANY] = None
    covariate: Annotated[bool, _ONLY_WHERE_ANY] = False
    guardrails: Annotated[tuple[Guardrail, ...], _ONLY_WHERE_ANY] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CovariateReport:
    """What a covariate takes from an effect: `reduction` is the part of its variance.

    `difference` is that of the covariate itself, arm minus control: by chance alone.
    """

    correlation: float
    reduction: float
    unadjusted_effect: float
    unadjusted_standard_error: float
    difference: float
    difference_p_value: float
    is_balanced: bool


def planned_measures(plan: Plan) -> PlannedMeasures:
    """What a plan says of measures."""
    is_measured = plan.metric in OF_MEASURES
    return PlannedMeasures(
        outcome=plan.outcome if plan.metric == "outcome" else None,
        higher_is_better=plan.prefers_more if is_measured else plan.higher_is_better,
        winsorize=plan.winsorize,
        covariate=plan.covariate,
        guardrails=plan.guardrails,
    )
