"""The words of a report, and its numbers in as many digits as are known."""

from kullback.experiments.assignment_report import SampleRatioReport
from kullback.experiments.evaluation_report import EvaluationReport
from kullback.experiments.margins import MinimumEffect, worded
from kullback.experiments.measured import prefers_more
from kullback.experiments.plan import Plan
from kullback.experiments.report import (
    ArmEffect,
    ArmsReport,
    ComparisonReport,
    ExperimentReport,
    FirstAnswer,
    FirstCrossing,
    Interval,
    OverallComparison,
    ParallelComparison,
)
from kullback.moments import moment
from kullback.numerics.digits import UNKNOWN, chance, decimals, magnitude, number, p_value
from kullback.tally.report_types import AucValue, MetricValue

METRICS = {
    "log_loss": "log loss",
    "normalized_entropy": "normalized entropy",
    "brier": "Brier score",
    "base_rate": "base rate",
    "log_calibration_ratio": "log calibration ratio",
    "mean_prediction": "mean prediction",
    "auc": "AUC",
    "outcome": "outcome",
    "ratio": "ratio",
}
_GRADES = (1.0, 3.0, 20.0, 150.0)
_LEAST_PERCENT = 1e-4
_MANY = 9.995  # times one: more percent than three digits are
_WIDEST = 100.0  # standard errors on either side of an effect


def measured(metric: MetricValue) -> str:
    """A metric of an arm ± its standard error; an AUC in no more digits than its bound leaves."""
    if metric.value is None:
        return UNKNOWN
    error = metric.standard_error
    bound = metric.error_bound if isinstance(metric, AucValue) else None
    places = decimals(max(error or 0.0, bound or 0.0))
    return number(metric.value, places) + (f" ± {number(error, places)}" if error else "")


def telling(bounds: Interval | None, standard_error: float | None) -> Interval | None:
    """An interval, unless it is so wide that it tells nothing yet: 100 standard errors each way."""
    if bounds is None or standard_error is None:
        return bounds
    low, high = bounds
    return bounds if high - low <= 2 * _WIDEST * standard_error else None


def interval(bounds: Interval | None, standard_error: float | None) -> str:
    """The bounds, to as many digits as their standard error has; — where they tell nothing yet."""
    bounds = telling(bounds, standard_error)
    if bounds is None:
        return UNKNOWN
    places = decimals(standard_error)
    return " to ".join(number(bound, places, signed=True) for bound in bounds)


def percent(part: float | None, *, signed: bool = False) -> str:
    """A part of one, in percent: to three digits, or to whole ones where it is many times one."""
    if part is None:
        return UNKNOWN
    if 0 < abs(part) < _LEAST_PERCENT / 100 or abs(part) >= _MANY:
        return f"{number(100 * part, 0 if abs(part) >= _MANY else None, signed=signed)}%"
    return f"{100 * part:{'+' if signed and part else ''}.3g}%"


def strength(e_value: float) -> str:
    """What an e-value is as evidence, in words: the e-value of a mixture is a Bayes factor.

    Source: Kass & Raftery, Journal of the American Statistical Association 90 (1995), p. 777.
    """
    grades = zip(_GRADES, ("none", "hardly worth a mention", "positive", "strong"), strict=True)
    return next((word for below, word in grades if e_value < below), "very strong")


def graded(comparison: ArmEffect | FirstCrossing) -> str:
    """The evidence in words, and its e-value; — where the data cannot carry any."""
    if comparison.e_value is None or comparison.verdict == "invalid":
        return UNKNOWN
    weight = magnitude(comparison.e_value, comparison.log_e_value)
    return f"{strength(comparison.e_value)} ({weight})"


def sequence(comparison: ArmEffect) -> str:
    """The confidence sequence; — where the data cannot carry it."""
    is_carried = comparison.verdict != "invalid"
    return interval(comparison.sequence if is_carried else None, comparison.standard_error)


def one_look(comparison: ArmEffect) -> str:
    """The interval for one look; — where the data cannot carry it."""
    is_carried = comparison.verdict != "invalid"
    return interval(comparison.fixed_interval if is_carried else None, comparison.standard_error)


def p_cell(p: float | None) -> str:
    """A p-value as a cell of a table."""
    return p_value(p).removeprefix("= ")


def metric_name(of: Plan | ArmsReport) -> str:
    """What the metric of a plan or of a report is called."""
    return of.outcome or "outcome" if of.metric == "outcome" else METRICS[of.metric]


def unit(metric: str) -> str:
    """What a metric is in, with a space before it; empty for a pure number."""
    return " nats" if metric == "log_loss" else ""


def margin(minimum: MinimumEffect, metric: str) -> str:
    """A minimum effect as it was typed, with its unit."""
    return worded(minimum, unit(metric))


def claim(comparison: ArmEffect) -> str:
    """The verdict, as what is claimed."""
    return comparison.verdict.claim.format(comparison.arm, comparison.control)


def evidence(report: ArmsReport, comparison: ArmEffect) -> str:
    """The effect with its unit, the confidence sequence and the evidence, in sentences."""
    metric, in_unit, error = metric_name(report), unit(report.metric), comparison.standard_error
    if comparison.effect is None:
        return f"There is no difference of {metric} to tell."
    sentences = f"Difference of {metric}: {effect(comparison)}"
    sentences += f" ± {number(error, decimals(error))}{in_unit}" if error else in_unit
    if comparison.relative_effect is not None:
        sentences += f" ({relative(comparison)} of the control's)"
    sentences += "."
    if comparison.verdict == "invalid":
        return f"{sentences} That is of the rows at hand, and no evidence."
    if comparison.sequence is None or comparison.e_value is None:
        return sentences
    if telling(comparison.sequence, error) is None:
        return f"{sentences} There are too few units yet to say between which bounds it lies."
    bounds = interval(comparison.sequence, error).replace(" to ", " and ")
    weight = magnitude(comparison.e_value, comparison.log_e_value)
    return (
        f"{sentences} At every look between {bounds}{in_unit} ({coverage(report)} confidence "
        f"sequence). Evidence: {strength(comparison.e_value)} (e-value {weight})."
    )


def horizon(report: ArmsReport, comparison: OverallComparison) -> str:
    """What the planned horizon says, in a sentence; "" without one."""
    look = comparison.horizon
    if look is None:
        return ""
    answer = look.answer.claim.format(comparison.arm, comparison.control)
    if look.answer == "undecided":
        answer = "no difference was found" if look.is_last else "not decided yet"
    bounds = interval(look.interval, comparison.standard_error).replace(" to ", " and ")
    head = f"Planned horizon, {percent(look.information_fraction)} of its information: {answer}."
    return f"{head} By its looks the effect is between {bounds}{unit(report.metric)}."


def explanation(comparison: ComparisonReport) -> str:
    """Why the effect is what it is; "" where that is not known."""
    sentences = [] if comparison.why is None else [comparison.why.statement]
    if sentences and comparison.verdict == "invalid" and comparison.effect is not None:
        sentences.insert(0, "Without a verdict this describes the rows at hand and no more.")
    if isinstance(comparison, ParallelComparison) and comparison.base_rate_difference is not None:
        error = comparison.metrics["base_rate"].standard_error
        difference = number(comparison.base_rate_difference, decimals(error), signed=True)
        sentences.append(f"Its base rate differs by {difference}.")
    if comparison.covariate is not None:
        taken = percent(comparison.covariate.reduction)
        sentences.append(f"The covariate takes away {taken} of the variance of its effect.")
    return " ".join(sentences)


def effect(comparison: ArmEffect) -> str:
    """The effect, to as many digits as its standard error has."""
    return number(comparison.effect, decimals(comparison.standard_error), signed=True)


def relative(comparison: ArmEffect) -> str:
    """The effect in percent of the control's value, to as many digits as its error has."""
    part, whole, error = comparison.relative_effect, comparison.effect, comparison.standard_error
    if not part or not whole or not error:
        return percent(part, signed=True)
    return f"{number(100 * part, decimals(100 * error * abs(part / whole)), signed=True)}%"


def relative_sequence(comparison: ComparisonReport) -> str:
    """The confidence sequence in percent of the control's value; — where it cannot be told."""
    error = comparison.relative_standard_error
    bounds = telling(comparison.relative_sequence, error)
    if bounds is None or error is None or comparison.verdict == "invalid":
        return UNKNOWN
    return " to ".join(
        f"{number(100 * end, decimals(100 * error), signed=True)}%" for end in bounds
    )


def relative_in_full(comparison: ComparisonReport) -> str:
    """The effect in percent of the control's value, and its sequence or why there is none."""
    reason = comparison.relative_reason
    words = relative_sequence(comparison) if reason is None else f"{UNKNOWN}: {reason.sentence}"
    return relative(comparison) + ("" if words == UNKNOWN else f" ({words})")


def coverage(report: ArmsReport) -> str:
    """In which part of all experiments intervals are right, in percent."""
    return f"{100 * (1 - report.alpha):.6g}%"


def adjusted(comparison: ComparisonReport) -> str:
    """Whether e-BH claims a difference, among all comparisons."""
    if comparison.adjusted is None or comparison.adjusted.e_bh is None:
        return UNKNOWN
    return "yes" if comparison.adjusted.e_bh else "no"


def setting(report: ArmsReport) -> list[tuple[str, str]]:
    """What the report is of, by name."""
    least = report.minimum_effect
    settings = [
        ("Design", report.design),
        ("Metric", f"{metric_name(report)} ({direction(report)})"),
        ("Control", report.control),
        ("α", f"{report.alpha:g}"),
        ("Minimum effect", "none" if least is None else margin(least, report.metric)),
        ("Minimum units", f"{report.minimum_units:,}"),
        ("Log loss convention", report.convention),
    ]
    if report.objective != "superiority":
        settings.insert(0, ("Objective", report.objective.replace("_", " ")))
    if isinstance(report, (EvaluationReport, ExperimentReport)):
        settings.append(("Rows", f"{report.rows:,}"))
    if isinstance(report, ExperimentReport):
        settings.append(("Epoch", str(report.epoch)))
        if report.stopped is not None:
            settings.append(("Stopped", f"{moment(report.stopped.at)}: {report.stopped.note}"))
    return settings


def ignored(report: ExperimentReport) -> str:
    """How many rows of other arms were left out; "" where none were."""
    return f"Left out: {report.ignored:,} of arms that are not planned." if report.ignored else ""


def direction(report: ArmsReport) -> str:
    """Which way is better."""
    more = prefers_more(report.metric, report.higher_is_better)
    return "higher is better" if more else "lower is better"


def shares(ratio: SampleRatioReport) -> str:
    """Whether units or requests went to the arms as planned; "" where that is no question."""
    counts = ratio.units if ratio.requests is None else ratio.requests
    if ratio.expected is None or counts is None:
        return ""
    if ratio.periods:  # a unit that came in two of them is expected in both
        counts = {arm: sum(each.observed[arm] for each in ratio.periods) for arm in counts}
    observed = " : ".join(f"{count:,.0f}" for count in counts.values())
    trials = "Units" if ratio.requests is None else "Rows of requests"
    expected = " : ".join(f"{count:,.0f}" for count in ratio.expected.values())
    verdict = "mismatch" if ratio.alarm else "as planned"
    e_value = magnitude(ratio.e_value, ratio.log_e_value)
    names = " : ".join(counts)
    periods = f", in {len(ratio.periods)} periods of shares" if ratio.periods else ""
    return (
        f"Sample ratio: {verdict}. {trials} of {names} are {observed}, expected {expected}"
        f"{periods}; e-value {e_value} (a mismatch from 1,000), chi-square p-value of this one "
        f"look {chance(ratio.chi_square_p_value)}."
    )


def crossing(first: FirstCrossing) -> str:
    """When the first verdict on an arm was written down, or the first answer to a question."""
    name = f"{first.arm}, {first.question}" if isinstance(first, FirstAnswer) else first.arm
    error = number(first.standard_error, decimals(first.standard_error))
    effect = number(first.effect, decimals(first.standard_error), signed=True)
    return (
        f"{name}: {first.verdict.label} since {moment(first.at)}; then the effect was "
        f"{effect} ± {error}, and the evidence of a difference "
        f"{graded(first)}"
    )
