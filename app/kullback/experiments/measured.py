"""Metrics that a plan is of, and the measures that rows must bring for them."""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import Field as DocumentField

from kullback.experiments.margins import MinimumEffect

ForecastMetric = Literal["log_loss", "normalized_entropy", "brier", "base_rate"]
MetricName = Literal[ForecastMetric, "outcome", "ratio"]
Objective = Literal["superiority", "non_inferiority", "equivalence"]
Field = Literal["outcome", "numerator", "denominator", "covariate", "winsorized"]
OF_PREDICTIONS: frozenset[MetricName] = frozenset({"log_loss", "normalized_entropy", "brier"})
OF_MEASURES: frozenset[MetricName] = frozenset({"outcome", "ratio"})
HIGHER_IS_BETTER: frozenset[MetricName] = frozenset({"base_rate", *OF_MEASURES})
OUTCOME = "outcome"
MAX_GUARDRAILS = 10
_ONLY_WHERE_SAID = DocumentField(exclude_if=lambda value: value is None)


class Measure(NamedTuple):
    """Numbers that come with rows: the field that they are sent in, and their name within it.

    A measure of the field `winsorized` is not sent: it says which rows a bound has changed.
    """

    field: Field
    name: str = ""


@dataclass(frozen=True, slots=True)
class Winsorize:
    """Bounds that the outcome, or the numerator, of each row is moved to where it is beyond."""

    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Guardrail:
    """Another metric of an experiment, which must not suffer.

    Attributes:
        metric: which one.
        minimum_effect: the margin, in the metric's unit or in percent of the control's value.
        objective: what is asked of it.
        outcome: the name of the outcome, of the metric `outcome`.
        higher_is_better: of base rates, outcomes and ratios; None as is usual of the metric.
    """

    metric: MetricName
    minimum_effect: MinimumEffect
    objective: Objective = "non_inferiority"
    outcome: Annotated[str | None, _ONLY_WHERE_SAID] = None
    higher_is_better: Annotated[bool | None, _ONLY_WHERE_SAID] = None

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.outcome or self.metric

    @property
    def measured(self) -> tuple[MetricName, str]:
        """The metric, and the name of the outcome."""
        return self.metric, self.outcome or OUTCOME


def prefers_more(metric: MetricName, higher_is_better: bool | None) -> bool:  # noqa: FBT001
    """Whether more of a metric is better, as is said or as is usual."""
    return metric in HIGHER_IS_BETTER if higher_is_better is None else higher_is_better


def measures_of(metric: MetricName, outcome: str) -> tuple[Measure, ...]:
    """The measures that a metric needs."""
    if metric == "outcome":
        return (Measure("outcome", outcome),)
    if metric == "ratio":
        return Measure("numerator"), Measure("denominator")
    return ()
