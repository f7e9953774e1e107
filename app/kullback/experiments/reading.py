"""How to read a report, in a few lines."""

from kullback.experiments.measured import OF_MEASURES
from kullback.experiments.report import ArmsReport
from kullback.experiments.verdict import LEAST_POSITIVES
from kullback.experiments.wording import coverage, direction, metric_name


def reading(report: ArmsReport) -> list[str]:
    """How to read a report, in a few lines."""
    effects = (
        f"Effects are the arm's {metric_name(report)} minus the control's, ± one standard error "
        f"(of units); {direction(report)}."
    )
    if report.minimum_effect is None:
        planned = "An interval for one look is right only at a time that was planned in advance."
        return [effects, planned]
    rarer = f" and {LEAST_POSITIVES} rows of the rarer label"
    labels = "" if report.metric in OF_MEASURES else rarer
    always = (
        f"The confidence sequence is right at every look at once in {coverage(report)} of all "
        f"experiments, from the look on at which each arm has {report.minimum_units:,} units"
        f"{labels}: from then on stop whenever you like. The "
        "interval for one look is right only at a time that was planned in advance."
    )
    grades = (
        "Evidence in words is Kass and Raftery's scale (1995): positive from an e-value of 3, "
        f"strong from 20, very strong from 150. {1 / report.alpha:.4g} (1/α) or more claims a "
        "difference; e-BH keeps the part of false claims among all arms and segments below α."
    )
    return [effects, always, grades]
