"""Whether skill is lost: against what predictions say of themselves, or what it used to be."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.judgement.blocks import Block, summed
from kullback.judgement.detector import advanced, log_mean, start
from kullback.judgement.evidence import Process
from kullback.judgement.folds import folded
from kullback.judgement.history import History
from kullback.judgement.settings import Thresholds
from kullback.judgement.skill import Skill, skill
from kullback.moments import DAY
from kullback.numerics.types import Array

_ENOUGH = 30  # outcomes of either kind in a part of the past that skill is judged of
_SURE = 3.0  # standard errors of a skill that there is to lose
_LEFT = np.array([0.3, 0.0, -0.5])  # of the gain, after a loss
_WEIGHTS = np.full(_LEFT.size, -math.log(_LEFT.size))


@dataclass(frozen=True, slots=True)
class _Past:
    """What was seen before an hour.

    Attributes:
        logs: the processes (a,).
        pending: what came since enough outcomes were there the last time.
        past: what came before this day, but for hours of an alarm; `today` is not there yet.
        began: when the past begins.
        base: the skill of it, or of the reference where that is less.
        steps: what each hour has added to the processes since the last alarm ended, (t, a).
    """

    logs: Array
    pending: Block | None = None
    past: Block | None = None
    today: Block | None = None
    day: int = 0
    base: Skill | None = None
    steps: tuple[Array, ...] = ()


def lost(history: History, limits: Thresholds) -> Process | None:
    """Evidence that skill is lost, of both kinds the greater; None of too few rows."""
    outcomes, most = history.outcomes(), limits.log_threshold + math.log(2)
    if outcomes.rows < limits.minimum_rows:
        return None
    said = outcomes.slopes(most)
    state = _past(history)
    used = outcomes.process(state.logs, lambda: np.stack(_past(history).steps), most)
    return used if used.is_over and not (said.is_over and said.log_e >= used.log_e) else said


def past_skill(history: History) -> Skill | None:
    """What the skill used to be; None where nobody knows, or it was none."""
    return _past(history).base


def _past(history: History) -> _Past:
    """What the hours up to now have come to, against the skill of the days before."""
    outcomes, limits = history.outcomes(), history.thresholds["log_loss"]
    most, of_reference = limits.log_threshold + math.log(2), _of_reference(history)
    nothing = np.zeros(_LEFT.size)

    def step(before: _Past, at: int) -> _Past:
        here = outcomes.blocks[at].block
        past, today, base, day = before.past, before.today, before.base, here.start // DAY
        if day != before.day:
            past, today = _together(past, today), None
            base = _least(of_reference, past)
        pending = _together(before.pending, here)
        log_e, logs = nothing, before.logs
        if pending is not None and _is_enough(pending):
            have, pending = skill(pending), None
            if base is not None and have is not None:
                log_e = _evidence(have, base, limits.tolerance)
            logs = advanced(logs, log_e, _WEIGHTS, most)
        if log_mean(logs) < most:
            today = _together(today, here)
        return _Past(logs, pending, past, today, day, base, (*before.steps, log_e))

    key = ("past skill", most, limits.tolerance, of_reference)
    return folded(history.memo, key, outcomes.marks, _Past(start(_WEIGHTS)), step)


def _evidence(here: Skill, base: Skill, tolerance: float) -> Array:
    """Ln of the likelihood ratio of gains that are lost to one that is, within a tolerance."""
    least = (1 - tolerance) * base.gain
    gain = min(here.gain, least)
    variance = here.gain_error**2 + base.gain_error**2
    ratio: Array = (np.square(gain - least) - np.square(here.gain - _LEFT * base.gain)) / (
        2 * variance
    )
    return ratio


def _least(of_reference: Skill | None, past: Block | None) -> Skill | None:
    """The skill of the reference, or of the past where that is less, if it is any."""
    skills = [of_reference]
    if past is not None and past.stop - past.start >= DAY:
        skills.append(skill(past))
    some = [each for each in skills if each is not None]
    base = min(some, key=lambda each: each.gain, default=None)
    return base if base is not None and base.gain > _SURE * base.gain_error else None


def _of_reference(history: History) -> Skill | None:
    reference = history.reference
    return skill(reference) if reference is not None and reference.rows else None


def _together(before: Block | None, here: Block | None) -> Block | None:
    some = [each for each in (before, here) if each is not None]
    return summed(some) if some else None


def _is_enough(block: Block) -> bool:
    ones, all_of_them = float(block.positive.sum()), float(block.weight.sum())
    return min(ones, all_of_them - ones) >= _ENOUGH * block.scale
