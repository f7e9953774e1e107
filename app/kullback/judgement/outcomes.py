"""Checks of outcomes: calibration, skill, and log loss beside the reference and the past."""

from dataclasses import replace

import numpy as np

from kullback.judgement.blocks import Block
from kullback.judgement.evidence import OutcomeHistory
from kullback.judgement.findings import LEAST_RATIO, Finding, Size, State, graded, ratio_off
from kullback.judgement.history import History
from kullback.judgement.lost_skill import lost, past_skill
from kullback.judgement.recalibration import fitted_slope
from kullback.judgement.settings import Thresholds
from kullback.judgement.skill import skill
from kullback.numerics.digits import counted

_SHRUNK = "They tell more than they say: calibrate them again."


def calibration(history: History) -> Finding:
    """Whether what is predicted happens as often."""
    limits, outcomes = history.thresholds["calibration"], history.outcomes()
    if outcomes.rows < limits.minimum_rows:
        return too_few("calibration", limits, outcomes)
    result = outcomes.rates(limits.log_threshold)
    ratio = class_or_ratio(result.rows)
    state = graded(result.is_over, distance(ratio, result.rows), limits)
    said = f"Predictions are {ratio:.2f} times what happened"
    said += "." if state is not State.OK else f": within {limits.tolerance:.0%}, or by chance."
    return result.finding("calibration", Size(state, ratio, 1 + limits.tolerance, said))


def no_skill(history: History) -> Finding:
    """Whether predictions are no better than the base rate."""
    limits, outcomes = history.thresholds["no_skill"], history.outcomes()
    result = lost(history, limits)
    if result is None:
        return too_few("no_skill", limits, outcomes)
    have = skill(result.rows)
    if have is None:
        return too_few("no_skill", limits, outcomes)
    is_none = result.is_over and have.is_none
    auc = "" if have.auc is None else f", AUC {have.auc:.2f}"
    said = (
        f"No better than the base rate: normalized entropy {1 - have.gain:.2f}{auc}."
        if is_none
        else f"Better than the base rate: normalized entropy {1 - have.gain:.3f}{auc}."
        if not have.is_none
        else f"Hardly better than the base rate: normalized entropy {1 - have.gain:.3f}{auc}, "
        "which may be chance."
    )
    state = State.CRITICAL if is_none else State.OK
    return result.finding("no_skill", Size(state, have.gain, 0.0, said))


def log_loss(history: History) -> Finding:
    """Whether losses are more than predictions say, or than those of reference and past."""
    limits, outcomes = history.thresholds["log_loss"], history.outcomes()
    result = lost(history, limits)
    if result is None:
        return too_few("log_loss", limits, outcomes)
    have, base = skill(result.rows), past_skill(history)
    if have is None:
        return too_few("log_loss", limits, outcomes)
    entropy = 1 - have.gain
    slope = 1.0 if result.rows.layout.task == "multiclass" else fitted_slope(result.rows)
    less = 0.0 if base is None or base.gain <= 0 else 1 - have.gain / base.gain
    shrunk = 1 - 1 / max(slope, 1.0)
    size = max(less, 1 - max(slope, 0.0), shrunk)
    state = graded(result.is_over, size, limits)
    beside = "" if base is None else f" where {1 - base.gain:.3f} is usual"
    if state is State.OK:
        said = f"Normalized entropy is {entropy:.3f}{beside}: no worse than chance explains."
    else:
        what = "Normalized" if entropy < 1 else "Worse than always saying the base rate: normalized"
        said = f"{what} entropy is {entropy:.3f}{beside}."
        if abs(1 - slope) >= limits.tolerance:
            how = "extreme" if slope < 1 else "moderate"
            said += f" Calibration slope {slope:.2f}: predictions are too {how}."
    finding = result.finding("log_loss", Size(state, size, limits.tolerance, said))
    return replace(finding, cause=_SHRUNK) if shrunk > less else finding


def class_or_ratio(rows: Block) -> float:
    """The calibration ratio: of a multiclass task, of the class that is furthest off."""
    if rows.layout.task == "multiclass":
        seen = np.maximum(rows.class_weight, rows.scale / 2)
        ratios = rows.class_predicted / seen
        furthest = np.argmax(np.abs(np.log(np.maximum(ratios, LEAST_RATIO))))
        return float(ratios[furthest])
    positive, predicted = float(rows.positive.sum()), float(rows.predicted.sum())
    return predicted / max(positive, rows.scale / 2)


def distance(ratio: float, rows: Block) -> float:
    """How far a ratio is from 1, as a share of the rarer outcome, either way alike."""
    return ratio_off(ratio, rows.mean_prediction if rows.layout.task != "multiclass" else 0.0)


def too_few(name: str, limits: Thresholds, outcomes: OutcomeHistory) -> Finding:
    """Nothing to judge yet."""
    rows = counted(outcomes.rows, "row")
    said = f"{rows} with mature labels: {limits.minimum_rows} are needed."
    return Finding(name, State.UNKNOWN, None, None, outcomes.rows, said)
