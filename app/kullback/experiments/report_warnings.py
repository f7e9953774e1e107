"""Warnings of a report: what would mislead somebody who reads it."""

import math
from collections.abc import Iterator, Mapping

from kullback.experiments.compared import Comparison
from kullback.experiments.comparison import Findings
from kullback.experiments.measured import OF_PREDICTIONS
from kullback.experiments.verdict import WARN_CROSSED
from kullback.experiments.wording import telling
from kullback.numerics.digits import chance
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import MOST_OF_ONE

OWN_TRAFFIC = (
    "On split traffic {metric} says who predicts its own traffic better, not who recommends "
    "better: easier rows lower it too. Compare the base rates (base_rate_difference), or score "
    "every row by every arm (design paired) where you can."
)
NO_SEQUENCE = (
    "Without a minimum effect there is only the interval for one look: a difference that is found "
    "by looking again and again may be none."
)
ONE_LOOK = (
    "{arm}: the interval for one look is beyond 0 and the confidence sequence is not. That is a "
    "finding only if this very look was planned in advance."
)
CROSSED = "{:.1%} of all units met more than one arm."
HEAVY = (
    "{arm}: the units of one bucket make {share:.0%} of the variance. Look for a robot; evidence "
    "counts a 500th until others outweigh them."
)
UNBALANCED = (
    "{arm}: its covariate differs from the control's (p-value {p_value}). What was before the "
    "experiment cannot: look whether the covariate was measured before, and how units were "
    "assigned."
)
LEAST_CHANCE = 1e-3  # of the difference of a covariate
MANY_ROWS = (
    "{arm} has {times:.2g} times the rows of {control}, by their shares. If its units are not that "
    "much more active, rows are logged twice, or lost."
)


def report_warnings(findings: Findings) -> tuple[str, ...]:
    """What would mislead somebody here."""
    plan, warnings = findings.plan, list[str]()
    if plan.design == "parallel" and plan.metric in OF_PREDICTIONS:
        warnings.append(OWN_TRAFFIC.format(metric=plan.metric.replace("_", " ")))
    if findings.crossover >= WARN_CROSSED:
        warnings.append(CROSSED.format(findings.crossover))
    warnings += [_unbalanced(each) for each in findings.comparisons[""] if is_unbalanced(each)]
    warnings += [HEAVY.format(**heavy) for heavy in _heavy(findings)]
    warnings += [MANY_ROWS.format(**uneven) for uneven in _uneven(findings)]
    if plan.minimum_effect is None:
        return (*warnings, NO_SEQUENCE)
    tempting = [each.arm for each in findings.comparisons[""] if _is_tempting(each, plan.alpha)]
    return (*warnings, *(ONE_LOOK.format(arm=arm) for arm in tempting))


def is_unbalanced(comparison: Comparison) -> bool:
    """Whether the covariate of an arm differs from the control's as it hardly does by chance."""
    adjustment = comparison.covariate
    return adjustment is not None and adjustment.covariate.p_value() < LEAST_CHANCE


def _unbalanced(comparison: Comparison) -> str:
    assert comparison.covariate is not None
    p_value = chance(comparison.covariate.covariate.p_value())
    return UNBALANCED.format(arm=comparison.arm, p_value=p_value)


def _is_tempting(comparison: Comparison, alpha: float) -> bool:
    """Whether one look would find a difference that the confidence sequence does not."""
    effect, sequence = comparison.effect, comparison.confidence_sequence
    if isinstance(effect, Undefined) or sequence is None or comparison.verdict.word == "invalid":
        return False
    tells = telling((sequence.low, sequence.high), effect.standard_error) is not None
    return tells and effect.p_value() < alpha and sequence.low <= 0 <= sequence.high


def _heavy(findings: Findings) -> Iterator[Mapping[str, object]]:
    """Arms with a verdict though the units of one bucket make much of the variance."""
    for each in findings.comparisons[""]:
        if isinstance(each.effect, Undefined) or each.verdict.code == "dominated":
            continue
        if each.may_claim and each.effect.largest_share > MOST_OF_ONE:
            yield {"arm": each.arm, "share": each.effect.largest_share}


def _uneven(findings: Findings) -> Iterator[Mapping[str, object]]:
    """Arms with twice the rows of the control or more, or half of them, by planned shares."""
    plan, tallies = findings.plan, findings.tallies[""]
    if plan.design == "paired":
        return
    rows = {arm.name: tallies[arm.name].scalar("rows") / arm.share for arm in plan.arms}
    for arm in plan.treatments:
        times = rows[arm] / rows[plan.control] if rows[plan.control] else 1.0
        if times > 0 and abs(math.log2(times)) >= 1:
            yield {"arm": arm, "control": plan.control, "times": times}
