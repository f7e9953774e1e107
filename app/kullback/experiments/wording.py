"""This file is about how a report is put in words and in as many digits as are known."""

import math

from kullback.experiments.told import Comparison, Crossing, Interval, Metric, Ratio, Report

UNKNOWN = "—"
METRICS = {
    "log_loss": "log loss",
    "normalized_entropy": "normalized entropy",
    "brier": "Brier score",
    "base_rate": "base rate",
    "log_calibration_ratio": "log calibration ratio",
    "mean_prediction": "mean prediction",
    "auc": "AUC",
}
VERDICTS = {
    "better": "better",
    "worse": "worse",
    "equivalent": "equivalent",
    "not_worse": "not worse",
    "undecided": "undecided",
    "invalid": "invalid",
}
CLAIMS = {
    "better": "{} is better than {}",
    "worse": "{} is worse than {}",
    "equivalent": "{} and {} are equivalent",
    "not_worse": "{} is not worse than {}",
    "undecided": "{} against {}: not decided yet",
    "invalid": "{} against {}: no verdict, as the data cannot carry one",
}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIGNIFICANT = 4
_MOST_DECIMALS = 8
_LARGE = 1e12


def decimals(standard_error: float | None) -> int | None:
    """How many places behind the point show two digits of the standard error."""
    if not standard_error or not math.isfinite(standard_error):
        return None
    return max(0, 1 - math.floor(math.log10(abs(standard_error))))


def number(value: float | None, places: int | None = None, *, signed: bool = False) -> str:
    """A number with so many places behind the point, or else with four digits."""
    if value is None:
        return UNKNOWN
    sign = "+" if signed and value else ""
    if abs(value) >= _LARGE:
        return f"{value:{sign}.{_SIGNIFICANT - 1}e}"
    if places is None:
        places = _places(value)
    if places > _MOST_DECIMALS:
        digits = max(0, places + math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:{sign}.{digits}e}"
    return f"{value:{sign},.{places}f}"


def measured(found: Metric | None) -> str:
    """A metric of an arm, and ± what its value may be off for certain where that is known."""
    if found is None or found.value is None:
        return UNKNOWN
    known = decimals(found.standard_error)
    places = None if known is None else known + 1
    bound = "" if found.error_bound is None else f" ± {number(found.error_bound, places)}"
    return number(found.value, places) + bound


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


def claim(one: Comparison) -> str:
    """The verdict, as what is claimed."""
    return CLAIMS[one.verdict].format(one.arm, one.control)


def evidence(report: Report, one: Comparison) -> str:
    """The effect with its unit, the sequence and the e-value, in a sentence."""
    metric = METRICS[report.metric]
    if one.effect is None:
        return f"There is no difference of {metric} to tell."
    told = f"Difference of {metric}: {effect(one)}{unit(report.metric)}"
    if one.relative_effect is not None:
        told += f" ({percent(one.relative_effect, signed=True)} of the control's)"
    if one.sequence is not None:
        bounds = interval(one.sequence, one.standard_error)
        told += f"; at every look between {bounds.replace(' to ', ' and ')} ({sure(report)} sure)"
    if one.e_value is not None:
        told += f"; e-value {weight_of_evidence(one.e_value, one.log_e_value)}"
    return told + "."


def explanation(one: Comparison) -> str:
    """Why the effect is what it is; "" where that is not known."""
    told = [] if one.why is None else [one.why.statement]
    if told and one.verdict == "invalid" and one.effect is not None:
        told.insert(0, "Without a verdict this describes the rows at hand and no more.")
    if one.base_rate_difference is not None:
        told.append(f"Its base rate differs by {number(one.base_rate_difference, signed=True)}.")
    return " ".join(told)


def effect(one: Comparison) -> str:
    """The effect, to as many digits as its standard error has."""
    return number(one.effect, decimals(one.standard_error), signed=True)


def sure(report: Report) -> str:
    """How sure intervals are, in percent."""
    return f"{100 * (1 - report.alpha):.6g}%"


def adjusted(one: Comparison) -> str:
    """What e-BH says of a comparison among all of them."""
    if one.adjusted is None or one.adjusted.e_bh is None:
        return UNKNOWN
    return "a difference" if one.adjusted.e_bh else "none claimed"


def setting(report: Report) -> list[tuple[str, str]]:
    """What the report is of, by name."""
    known = [
        ("Design", report.design),
        ("Metric", f"{METRICS[report.metric]} ({direction(report)})"),
        ("Control", report.control),
        ("α", f"{report.alpha:g}"),
        ("Minimum effect", _with_unit(report)),
        ("Minimum units", _count(report.minimum_units)),
        ("Convention", report.convention),
        ("Rows", _count(report.rows)),
        ("Version", _count(report.version)),
        ("Epoch", None if report.epoch is None else str(report.epoch)),
    ]
    return [(name, value) for name, value in known if value is not None]


def direction(report: Report) -> str:
    """Which way is better."""
    return "higher is better" if report.metric == "base_rate" else "lower is better"


def shares(ratio: Ratio) -> str:
    """Whether units went to the arms as planned, in a sentence."""
    if ratio.expected is None or ratio.units is None:
        return "Sample ratio: not a question here (each row is of all arms, or has no unit)."
    found = " : ".join(f"{count:,.0f}" for count in ratio.units.values())
    expected = " : ".join(f"{count:,.0f}" for count in ratio.expected.values())
    verdict = "NOT as planned" if ratio.alarm else "no sign of a mismatch"
    e_value = weight_of_evidence(ratio.e_value, ratio.log_e_value)
    names = " : ".join(ratio.units)
    return (
        f"Sample ratio: {verdict}. Units {names} = {found}, expected {expected}; e-value {e_value} "
        "(an alarm from 1,000)."
    )


def crossing(found: Crossing) -> str:
    """When the first verdict on an arm was written down."""
    told = f"{found.arm}: {VERDICTS[found.verdict]}"
    told += "" if found.version is None else f" at version {found.version:,}"
    told += "" if found.at is None else f", {found.at}"
    told += "" if found.effect is None else f", effect {number(found.effect, signed=True)}"
    if found.e_value is None:
        return told
    log_e_value = math.log(found.e_value) if found.e_value > 0 else None
    return f"{told}, e-value {weight_of_evidence(found.e_value, log_e_value)}"


def reading(report: Report) -> list[str]:
    """How to read a report, in three lines."""
    metric, e_value = METRICS[report.metric], f"{1 / report.alpha:.4g}"
    always = (
        f"The always-valid sequence is right at every look at once in {sure(report)} of all "
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


def _places(value: float) -> int:
    if not value or not math.isfinite(value):
        return 0
    return max(0, _SIGNIFICANT - 1 - math.floor(math.log10(abs(value))))


def _count(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


def _with_unit(report: Report) -> str:
    if report.minimum_effect is None:
        return "none"
    return f"{report.minimum_effect:g}{unit(report.metric)}"
