"""The words of a report, and its numbers in as many digits as are known."""

import math

from kullback.experiments.report import (
    ArmEffect,
    ArmsReport,
    ComparisonReport,
    EvaluationReport,
    ExperimentReport,
    FirstCrossing,
    Interval,
    ParallelComparison,
    SampleRatioReport,
)
from kullback.moments import moment
from kullback.numerics.digits import UNKNOWN, decimals, number
from kullback.tally.report_types import AucValue, MetricValue

METRICS = {
    "log_loss": "log loss",
    "normalized_entropy": "normalized entropy",
    "brier": "Brier score",
    "base_rate": "base rate",
    "log_calibration_ratio": "log calibration ratio",
    "mean_prediction": "mean prediction",
    "auc": "AUC",
}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def measured(metric: MetricValue) -> str:
    """A metric of an arm, and ± what its value may be off for certain where that is known."""
    if metric.value is None:
        return UNKNOWN
    known_places = decimals(metric.standard_error)
    places = None if known_places is None else known_places + 1
    error_bound = metric.error_bound if isinstance(metric, AucValue) else None
    bound = "" if error_bound is None else f" ± {number(error_bound, places)}"
    return number(metric.value, places) + bound


def interval(bounds: Interval | None, standard_error: float | None) -> str:
    """The bounds, to as many digits as their standard error has."""
    if bounds is None:
        return UNKNOWN
    places = decimals(standard_error)
    return " to ".join(number(bound, places, signed=True) for bound in bounds)


def percent(part: float | None, *, signed: bool = False) -> str:
    """A part of one, in percent."""
    if part is None:
        return UNKNOWN
    return f"{100 * part:{'+' if signed else ''}.3g}%"


def weight_of_evidence(e_value: float | None, log_e_value: float | None) -> str:
    """An e-value, however large, in three digits."""
    if e_value is None:
        return UNKNOWN
    if log_e_value is None:
        return "0" if e_value < 1 else "> 10³⁰⁸"
    if 1e-3 <= e_value < 1e4:
        return f"{e_value:,.0f}" if e_value >= 1e3 else f"{e_value:.3g}"
    power, rest = divmod(log_e_value / math.log(10), 1)
    factor = round(10**rest, 1)
    if factor >= 10:
        factor, power = 1.0, power + 1
    return f"{factor:.1f} × 10{str(int(power)).translate(_SUPERSCRIPT)}"


def unit(metric: str) -> str:
    """What a metric is in, with a space before it; empty for a pure number."""
    return " nats" if metric == "log_loss" else ""


def claim(comparison: ArmEffect) -> str:
    """The verdict, as what is claimed."""
    return comparison.verdict.claim.format(comparison.arm, comparison.control)


def evidence(report: ArmsReport, comparison: ArmEffect) -> str:
    """The effect with its unit, the sequence and the e-value, in a sentence."""
    metric = METRICS[report.metric]
    if comparison.effect is None:
        return f"There is no difference of {metric} to tell."
    sentence = f"Difference of {metric}: {effect(comparison)}{unit(report.metric)}"
    if comparison.relative_effect is not None:
        sentence += f" ({percent(comparison.relative_effect, signed=True)} of the control's)"
    if comparison.sequence is not None:
        bounds = interval(comparison.sequence, comparison.standard_error).replace(" to ", " and ")
        sentence += f"; at every look between {bounds} ({coverage(report)} sure)"
    if comparison.e_value is not None:
        weight = weight_of_evidence(comparison.e_value, comparison.log_e_value)
        sentence += f"; e-value {weight}"
    return sentence + "."


def explanation(comparison: ComparisonReport) -> str:
    """Why the effect is what it is; "" where that is not known."""
    sentences = [] if comparison.why is None else [comparison.why.statement]
    if sentences and comparison.verdict == "invalid" and comparison.effect is not None:
        sentences.insert(0, "Without a verdict this describes the rows at hand and no more.")
    if isinstance(comparison, ParallelComparison) and comparison.base_rate_difference is not None:
        difference = number(comparison.base_rate_difference, signed=True)
        sentences.append(f"Its base rate differs by {difference}.")
    return " ".join(sentences)


def effect(comparison: ArmEffect) -> str:
    """The effect, to as many digits as its standard error has."""
    return number(comparison.effect, decimals(comparison.standard_error), signed=True)


def coverage(report: ArmsReport) -> str:
    """In which part of all experiments intervals are right, in percent."""
    return f"{100 * (1 - report.alpha):.6g}%"


def adjusted(comparison: ComparisonReport) -> str:
    """What e-BH says of a comparison among all of them."""
    if comparison.adjusted is None or comparison.adjusted.e_bh is None:
        return UNKNOWN
    return "a difference" if comparison.adjusted.e_bh else "none claimed"


def setting(report: ArmsReport) -> list[tuple[str, str]]:
    """What the report is of, by name."""
    settings = [
        ("Design", report.design),
        ("Metric", f"{METRICS[report.metric]} ({direction(report)})"),
        ("Control", report.control),
        ("α", f"{report.alpha:g}"),
        ("Minimum effect", _with_unit(report)),
        ("Minimum units", f"{report.minimum_units:,}"),
        ("Convention", report.convention),
    ]
    if isinstance(report, EvaluationReport):
        settings.append(("Rows", f"{report.rows:,}"))
    if isinstance(report, ExperimentReport):
        settings += [("Version", f"{report.version:,}"), ("Epoch", str(report.epoch))]
    return settings


def direction(report: ArmsReport) -> str:
    """Which way is better."""
    return "higher is better" if report.metric == "base_rate" else "lower is better"


def shares(ratio: SampleRatioReport) -> str:
    """Whether units went to the arms as planned, in a sentence."""
    if ratio.expected is None or ratio.units is None:
        return "Sample ratio: not a question here (each row is of all arms, or has no unit)."
    units = " : ".join(f"{count:,.0f}" for count in ratio.units.values())
    expected = " : ".join(f"{count:,.0f}" for count in ratio.expected.values())
    verdict = "NOT as planned" if ratio.alarm else "no sign of a mismatch"
    e_value = weight_of_evidence(ratio.e_value, ratio.log_e_value)
    names = " : ".join(ratio.units)
    return (
        f"Sample ratio: {verdict}. Units {names} = {units}, expected {expected}; e-value {e_value} "
        "(an alarm from 1,000)."
    )


def crossing(first: FirstCrossing) -> str:
    """When the first verdict on an arm was written down."""
    log_e_value = math.log(first.e_value) if first.e_value > 0 else None
    return (
        f"{first.arm}: {first.verdict.label} at version {first.version:,}, "
        f"{moment(first.at)}, effect {number(first.effect, signed=True)}, "
        f"e-value {weight_of_evidence(first.e_value, log_e_value)}"
    )


def reading(report: ArmsReport) -> list[str]:
    """How to read a report, in three lines."""
    metric, e_value = METRICS[report.metric], f"{1 / report.alpha:.4g}"
    always = (
        f"The always-valid sequence is right at every look at once in {coverage(report)} of all "
        "experiments, so stop whenever you like; the interval for one look is right only at a "
        "time that was planned."
    )
    family = (
        f"An e-value of {e_value} (1/α) or more speaks against no difference; e-BH keeps the part "
        "of false claims among all arms and segments below α."
    )
    return [
        f"Effects are the arm's {metric} minus the control's; {direction(report)}.",
        always,
        family,
    ]


def _with_unit(report: ArmsReport) -> str:
    if report.minimum_effect is None:
        return "none"
    return f"{report.minimum_effect:g}{unit(report.metric)}"
