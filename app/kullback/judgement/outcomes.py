"""Checks of outcomes: calibration, skill, and log loss beside the reference and the past."""

import math
from collections.abc import Sequence

import numpy as np

from kullback.judgement.blocks import Block, summed
from kullback.judgement.evidence import Process, process, rates, slopes, spread_of
from kullback.judgement.findings import Finding, Size, State
from kullback.judgement.history import History
from kullback.judgement.judged import JudgedBlock
from kullback.judgement.recalibration import fitted
from kullback.judgement.settings import Thresholds
from kullback.judgement.skill import Skill, skill
from kullback.moments import DAY
from kullback.numerics.types import Array

_ENOUGH = 30  # outcomes of either kind in a part of the past that skill is judged of
_SURE = 3.0  # standard errors of a skill that there is to lose
_LEFT = np.array([0.3, 0.0, -0.5])  # of the gain, after a loss


def calibration(history: History) -> Finding:
    """Whether what is predicted happens as often."""
    limits, blocks = history.thresholds["calibration"], history.mature()
    if sum(each.rows for each in blocks) < limits.minimum_rows:
        return too_few("calibration", limits, blocks)
    result = rates(blocks, limits.log_threshold, spread_of(blocks))
    ratio = class_or_ratio(result.rows)
    state = state_of(result.is_over, distance(ratio, result.rows), limits)
    said = f"Predictions are {ratio:.2f} times what happened"
    said += "." if state is not State.OK else f": within {limits.tolerance:.0%}, or by chance."
    return result.finding("calibration", Size(state, ratio, 1 + limits.tolerance, said))


def no_skill(history: History) -> Finding:
    """Whether predictions are no better than the base rate."""
    limits, blocks = history.thresholds["no_skill"], history.mature()
    result = _lost(history, blocks, limits)
    if result is None:
        return too_few("no_skill", limits, blocks)
    have = skill(result.rows)
    if have is None:
        return too_few("no_skill", limits, blocks)
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
    limits, blocks = history.thresholds["log_loss"], history.mature()
    result = _lost(history, blocks, limits)
    if result is None:
        return too_few("log_loss", limits, blocks)
    have, base = skill(result.rows), _base(history, blocks, result.rows.start)
    if have is None:
        return too_few("log_loss", limits, blocks)
    entropy = 1 - have.gain
    slope = 1.0 if result.rows.layout.task == "multiclass" else fitted(result.rows)[1]
    lost = 0.0 if base is None or base.gain <= 0 else 1 - have.gain / base.gain
    size = max(lost, abs(1 - slope))
    state = state_of(result.is_over, size, limits)
    beside = "" if base is None else f" where {1 - base.gain:.3f} is usual"
    said = (
        f"Normalized entropy is {entropy:.3f}{beside}; "
        f"outcomes differ {slope:.2f} times as much as predictions say."
        if state is not State.OK
        else f"Normalized entropy is {entropy:.3f}{beside}: no worse than chance explains."
    )
    return result.finding("log_loss", Size(state, size, limits.tolerance, said))


def _lost(history: History, blocks: Sequence[JudgedBlock], limits: Thresholds) -> Process | None:
    """Evidence that skill is lost: against what predictions say, or what it used to be."""
    if sum(each.rows for each in blocks) < limits.minimum_rows:
        return None
    said = slopes(blocks, limits.log_threshold, spread_of(blocks), values=2)
    used = _against_past(history, blocks, limits.log_threshold + math.log(2))
    if used is None or (said.is_over and said.log_e >= used.log_e):
        return said
    return used if used.is_over else said


def _against_past(
    history: History, blocks: Sequence[JudgedBlock], log_threshold: float
) -> Process | None:
    """Evidence that the gain is less than most of what it was; None without a past."""
    parts = _parts(blocks)
    log_e = np.zeros((len(parts), _LEFT.size))
    for at, part in enumerate(parts):
        base, here = _base(history, blocks, part[0].block.start), skill(_rows(part))
        if base is not None and here is not None:
            log_e[at] = _loss_evidence(here, base, history.thresholds["log_loss"].tolerance)
    if not log_e.any():
        return None
    merged = [JudgedBlock(_rows(part), part[0].rate, part[0].slope, math.nan) for part in parts]
    return process(merged, log_e, np.full(_LEFT.size, -np.log(_LEFT.size)), log_threshold)


def _loss_evidence(here: Skill, base: Skill, tolerance: float) -> Array:
    """Ln of the likelihood ratio of gains that are lost to one that is, within a tolerance."""
    least = (1 - tolerance) * base.gain
    variance = here.gain_error**2 + base.gain_error**2
    left = _LEFT * base.gain
    ratio: Array = (np.square(here.gain - least) - np.square(here.gain - left)) / (2 * variance)
    return ratio


def _base(history: History, blocks: Sequence[JudgedBlock], before: int) -> Skill | None:
    """What the skill used to be: that of the reference, or of the past where that is less."""
    past = [each for each in blocks if before - 14 * DAY <= each.block.start < before]
    is_long = bool(past) and past[-1].block.stop - past[0].block.start >= DAY
    of_reference = history.reference if history.reference and history.reference.rows else None
    result = [
        have
        for rows in (of_reference, _rows(past) if is_long else None)
        if rows is not None and (have := skill(rows)) is not None
    ]
    have = min(result, key=lambda each: each.gain, default=None)
    return have if have is not None and have.gain > _SURE * have.gain_error else None


def _rows(part: Sequence[JudgedBlock]) -> Block:
    return summed([each.block for each in part])


def _parts(blocks: Sequence[JudgedBlock]) -> list[list[JudgedBlock]]:
    """Blocks in turn, put together until each part has enough outcomes of either kind."""
    parts: list[list[JudgedBlock]] = [[]]
    ones = zeros = 0.0
    for each in blocks:
        parts[-1].append(each)
        ones += float(each.block.positive.sum()) / each.block.scale
        zeros += float((each.block.weight - each.block.positive).sum()) / each.block.scale
        if min(ones, zeros) >= _ENOUGH:
            parts.append([])
            ones = zeros = 0.0
    return [part for part in parts[:-1] if part]


def class_or_ratio(rows: Block) -> float:
    """The calibration ratio: of a multiclass task, of the class that is furthest off."""
    if rows.layout.task == "multiclass":
        seen = np.maximum(rows.class_weight, rows.scale / 2)
        ratios = rows.class_predicted / seen
        furthest = np.argmax(np.abs(np.log(np.maximum(ratios, 1e-9))))
        return float(ratios[furthest])
    positive, predicted = float(rows.positive.sum()), float(rows.predicted.sum())
    return predicted / max(positive, rows.scale / 2)


def distance(ratio: float, rows: Block) -> float:
    """How far a ratio is from 1, as a share of the rarer outcome, either way alike."""
    off = math.exp(abs(math.log(max(ratio, 1e-9)))) - 1
    mean = rows.mean_prediction if rows.layout.task != "multiclass" else 0.0
    return off * max(mean / (1 - mean), 1.0) if mean < 1 else off


def state_of(is_over: bool, size: float, limits: Thresholds) -> State:  # noqa: FBT001
    """Whether it is an alarm: sure and far; and whether that is far indeed."""
    if not is_over or size < limits.tolerance:
        return State.OK
    return State.CRITICAL if size >= limits.critical else State.WARNING


def too_few(name: str, limits: Thresholds, blocks: Sequence[JudgedBlock]) -> Finding:
    """Nothing to judge yet."""
    rows = sum(each.rows for each in blocks)
    said = f"{rows} rows with mature labels: {limits.minimum_rows} are needed."
    return Finding(name, State.UNKNOWN, None, None, rows, said)
