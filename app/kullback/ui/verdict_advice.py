"""What to do about a verdict, and why there is none yet, in words."""

from collections.abc import Mapping, Sequence

from kullback.experiments.measured import OF_PREDICTIONS
from kullback.experiments.report import ArmsReport, ComparisonReport
from kullback.experiments.verdict import VerdictWord
from kullback.experiments.wording import margin, telling, unit
from kullback.numerics.digits import decimals, number

ADVICE = {
    "better": "Ship it: this holds however often you look.",
    "worse": "Do not ship it as it is.",
    "equivalent": "Neither is better by as much as matters: take the cheaper one.",
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
OF_FORECASTS: Mapping[str, str] = {
    "worse": "Do not ship it as it is. Where all of it is calibration, recalibrate the arm first.",
    "equivalent": "Neither predicts better by as much as matters: take the cheaper one.",
}
_NARROW = 10.0  # times the minimum effect: a larger error leaves the sequence without a word


def advice(report: ArmsReport, comparison: ComparisonReport) -> str:
    """What to do."""
    code = comparison.reason_code
    suffering = worse_guardrails(comparison)
    if suffering and code in ("better", "equivalent", "not_worse"):
        return f"Do not ship it before you have looked at {' and '.join(suffering)}."
    if is_too_narrow(report, comparison):
        return (
            "Wait for more rows, or plan a minimum effect that is near the effects you expect: "
            "that opens a new epoch (?epoch=new)."
        )
    if report.metric in OF_PREDICTIONS and code in OF_FORECASTS:
        return OF_FORECASTS[code]
    return ADVICE.get(code, "")


def reason(report: ArmsReport, comparison: ComparisonReport) -> str:
    """Why the verdict is what it is."""
    error, least = comparison.standard_error, report.minimum_effect
    if least is None or error is None or not is_too_narrow(report, comparison):
        return comparison.reason
    return (
        f"The minimum effect, {margin(least, report.metric)}, is far smaller than the standard "
        f"error, {number(error, decimals(error))}{unit(report.metric)}: a confidence sequence that "
        f"looks for effects as small is wide as yet. {comparison.reason}"
    )


def worse_guardrails(comparison: ComparisonReport) -> Sequence[str]:
    """The guardrails that are worse."""
    rails = comparison.guardrails.items()
    return [name.replace("_", " ") for name, rail in rails if rail.verdict is VerdictWord.WORSE]


def is_too_narrow(report: ArmsReport, comparison: ComparisonReport) -> bool:
    """Whether nothing is decided as the minimum effect is far below the standard error."""
    error, least = comparison.standard_error, report.margin
    if comparison.reason_code != "undecided" or error is None or least is None:
        return False
    return error > _NARROW * least or telling(comparison.sequence, error) is None


def answers(report: ArmsReport, comparison: ComparisonReport) -> Sequence[tuple[str, str]]:
    """Whether an arm is better, and how it lies to the margin; whatever the plan asks."""
    least = report.minimum_effect
    if least is None or comparison.verdict == "invalid":
        return ()
    bound = margin(least, report.metric)
    return (
        ("Is there a difference?", SUPERIORITY[comparison.superiority]),
        (f"Does it matter, by {bound}?", MARGIN[comparison.margin]),
    )
