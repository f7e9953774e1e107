"""Questions of an experiment: that of its plan, and that of each guardrail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kullback.experiments.measured import OF_MEASURES, OF_PREDICTIONS, Measure, MetricName
from kullback.experiments.plan import Plan
from kullback.tally.functionals import FUNCTIONALS, Functional
from kullback.tally.measure_functionals import measure_mean, measure_ratio
from kullback.tally.tally import Tally

_Functional = Callable[[Tally], Functional]


@dataclass(frozen=True, slots=True)
class PlanQuestion:
    """A question about each arm against the control.

    Attributes:
        plan: the plan as if the metric of the question were its own.
        metric: as a function of sums.
        covariate: the mean of the covariate, or None without one.
        guardrail: the name of the guardrail; "" of the plan's own question.
    """

    plan: Plan
    metric: _Functional
    covariate: _Functional | None
    guardrail: str = ""

    @property
    def is_of_predictions(self) -> bool:
        """Whether it is about predictions."""
        return self.plan.metric in OF_PREDICTIONS

    @property
    def is_of_measures(self) -> bool:
        """Whether it is about numbers that came with rows, and about no label."""
        return self.plan.metric in OF_MEASURES


def primary(plan: Plan) -> PlanQuestion:
    """The question that decides."""
    metric = metric_of(plan, plan.metric, plan.outcome)
    covariate = measure_mean(_number(plan, Measure("covariate"))) if plan.covariate else None
    return PlanQuestion(plan, metric, covariate)


def guardrails(plan: Plan) -> Iterator[PlanQuestion]:
    """The questions of the guardrails."""
    own = primary(plan)
    for rail in plan.guardrails:
        of_rail = replace(
            plan,
            metric=rail.metric,
            minimum_effect=rail.minimum_effect,
            objective=rail.objective,
            outcome=rail.measured[1],
            higher_is_better=rail.higher_is_better,
        )
        yield PlanQuestion(of_rail, metric_of(plan, *rail.measured), own.covariate, rail.name)


def metric_of(plan: Plan, metric: MetricName, outcome: str) -> _Functional:
    """A metric of a plan as a function of the sums of its arms."""
    if metric == "outcome":
        return measure_mean(_number(plan, Measure("outcome", outcome)))
    if metric == "ratio":
        numerator, denominator = Measure("numerator"), Measure("denominator")
        return measure_ratio(_number(plan, numerator), _number(plan, denominator))
    return FUNCTIONALS[metric]


def measured_metrics(plan: Plan) -> dict[str, _Functional]:
    """Every metric of measures that a plan names, by what reports call it."""
    named = {plan.metric_name: (plan.metric, plan.outcome)}
    named |= {rail.name: rail.measured for rail in plan.guardrails}
    return {
        name: metric_of(plan, metric, outcome)
        for name, (metric, outcome) in named.items()
        if metric in OF_MEASURES
    }


def winsorized_share(plan: Plan, tally: Tally) -> float | None:
    """The part of all weight whose outcome a bound has changed; None without bounds or rows."""
    if plan.winsorize is None:
        return None
    share = measure_mean(_number(plan, Measure("winsorized")))(tally).value
    return share if isinstance(share, float) else None


def _number(plan: Plan, measure: Measure) -> int:
    return plan.measures.index(measure)
