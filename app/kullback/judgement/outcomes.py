"""Checks of outcomes: calibration, skill, and log loss beside the reference and the past."""

import math
from dataclasses import replace

from kullback.judgement.blocks import Block
from kullback.judgement.evidence import OutcomeHistory
from kullback.judgement.findings import Finding, Size, State, graded
from kullback.judgement.history import History
from kullback.judgement.lost_skill import lost, past_skill
from kullback.judgement.ratios import Ratio
from kullback.judgement.recalibration import fitted_slope
from kullback.judgement.settings import Thresholds
from kullback.judgement.skill import Skill, normalized_entropy, skill
from kullback.numerics.digits import counted

_SHRUNK = "They tell more than they say: calibrate them again."
_INVERTED = "The ranking is inverted: are labels or scores swapped?"


def calibration(history: History) -> Finding:
    """Whether what is predicted happens as often."""
    limits, outcomes = history.thresholds["calibration"], history.outcomes()
    if outcomes.rows < limits.minimum_rows:
        return too_few("calibration", limits, outcomes)
    result = outcomes.rates(limits.log_threshold)
    ratio = Ratio.of(result.rows)
    state = graded(result.is_over, ratio.off, limits)
    said = ratio.words[0].upper() + ratio.words[1:]
    said += "." if state is not State.OK else f": within {limits.tolerance:.0%}, or by chance."
    bound = ratio.bound(limits.tolerance)
    finding = result.finding("calibration", Size(state, ratio.value, bound, said))
    return replace(finding, cause=inverted(skill(result.rows)))


def no_skill(history: History) -> Finding:
    """Whether predictions are no better than the base rate."""
    limits, outcomes = history.thresholds["no_skill"], history.outcomes()
    result = lost(history, limits)
    if result is None:
        return too_few("no_skill", limits, outcomes)
    have = skill(result.rows)
    if have is None:
        return _one_outcome("no_skill", result.rows)
    is_none = result.is_over and have.is_none
    entropy = normalized_entropy(result.rows)
    auc = "" if have.auc is None else f", AUC {have.auc:.2f}"
    numbers = f"normalized entropy {_written(entropy)}{auc}"
    said = (
        f"No better than the base rate: {numbers}."
        if is_none
        else f"Predictions rank better than chance: {numbers}."
        if not have.is_none
        else f"Hardly better than the base rate, or by chance: {numbers}."
        if entropy < 1
        else f"No better than the base rate, but too little evidence to warn: {numbers}."
    )
    state = State.CRITICAL if is_none else State.OK
    finding = result.finding("no_skill", Size(state, 1 - entropy, 0.0, said))
    return replace(finding, cause=inverted(have))


def log_loss(history: History) -> Finding:
    """Whether losses are more than predictions say, or than those of reference and past."""
    limits, outcomes = history.thresholds["log_loss"], history.outcomes()
    result = lost(history, limits)
    if result is None:
        return too_few("log_loss", limits, outcomes)
    have, base = skill(result.rows), past_skill(history)
    if have is None:
        return _one_outcome("log_loss", result.rows)
    entropy = normalized_entropy(result.rows)
    slope = 1.0 if result.rows.layout.task == "multiclass" else fitted_slope(result.rows)
    less = 0.0 if base is None or base.gain <= 0 else min(1 - have.gain / base.gain, 1.0)
    shrunk = 1 - 1 / max(slope, 1.0)
    size = max(less, 1 - max(slope, 0.0), shrunk)
    state = graded(result.is_over, size, limits)
    beside = "" if base is None else f" where {1 - base.gain:.3f} is usual"
    if state is State.OK:
        is_far = size >= limits.tolerance
        why = "too little evidence to warn" if is_far else "no worse than chance explains"
        said = f"Normalized entropy is {_written(entropy)}{beside}: {why}."
    else:
        what = "Normalized" if entropy < 1 else "Worse than always saying the base rate: normalized"
        said = f"{what} entropy is {_written(entropy)}{beside}."
        if slope >= 0 and abs(1 - slope) >= limits.tolerance:
            how = "extreme" if slope < 1 else "moderate"
            said += f" Calibration slope {slope:.2f}: predictions are too {how}."
    finding = result.finding("log_loss", Size(state, size, limits.tolerance, said))
    return replace(finding, cause=inverted(have) or (_SHRUNK if shrunk > less else ""))


def inverted(have: Skill | None) -> str:
    """What an inverted ranking comes from; "" of one that is not surely so."""
    return _INVERTED if have is not None and have.is_inverted else ""


def _written(entropy: float) -> str:
    return "∞" if math.isinf(entropy) else f"{entropy:.3f}"


def too_few(name: str, limits: Thresholds, outcomes: OutcomeHistory) -> Finding:
    """Nothing to judge yet."""
    rows = counted(outcomes.rows, "row")
    said = f"{rows} with mature labels: {limits.minimum_rows} are needed."
    return Finding(name, State.UNKNOWN, None, None, outcomes.rows, said)


def _one_outcome(name: str, rows: Block) -> Finding:
    """Nothing to tell apart."""
    said = f"All of {rows.rows:,} rows have the same label: there is no skill to judge."
    return Finding(name, State.UNKNOWN, None, None, rows.rows, said)
