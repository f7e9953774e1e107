"""Whether skill is lost: against what predictions say of themselves, or what it used to be."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.judgement.blocks import Block, summed
from kullback.judgement.detector import advanced, log_mean, since, start
from kullback.judgement.evidence import Process
from kullback.judgement.folds import folded
from kullback.judgement.history import History
from kullback.judgement.settings import Thresholds
from kullback.judgement.skill import Skill, skill, skill_of_hours
from kullback.moments import DAY
from kullback.numerics.types import Array

_ENOUGH = 30  # outcomes of either kind in a part of the past that skill is judged of
_SURE = 3.0  # standard errors of a skill that there is to lose
_LEFT = np.array([0.3, 0.0, -0.5, -10.0])  # of the gain, after a loss
_WEIGHTS = np.full(_LEFT.size, -math.log(_LEFT.size))


@dataclass(frozen=True, slots=True)
class _Past:
    """What was seen before an hour.

    Attributes:
        logs: the processes (a,).
        pending: what came since enough outcomes were there the last time.
        alarms: hours of an alarm, from where its change began: they are no past.
        day: of the last hour.
        base: the skill of the days before that one, or of the reference where that is less.
        steps: what each hour has added to the processes, (t, a).
    """

    logs: Array
    pending: Block | None = None
    alarms: frozenset[int] = frozenset()
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
    used = outcomes.process(outcomes.blocks, state.logs, lambda: np.stack(state.steps), most)
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
        base, day, alarms = before.base, here.start // DAY, before.alarms
        if day != before.day:
            past = [outcomes.blocks[each].block for each in range(at) if each not in alarms]
            base = _least(of_reference, past)
        pending = here if before.pending is None else summed([before.pending, here])
        log_e, logs, enough = nothing, before.logs, _is_enough(pending)
        if enough:
            have = skill(pending)
            if base is not None and have is not None:
                log_e = _evidence(have, base, limits.tolerance) / outcomes.spreads(day)
            logs = advanced(logs, log_e, _WEIGHTS, most)
        steps = (*before.steps, log_e)
        if log_mean(logs) >= most:
            alarms = alarms.union(range(since(np.stack(steps), logs, most), at + 1))
        return _Past(logs, None if enough else pending, alarms, day, base, steps)

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


def _least(of_reference: Skill | None, past: list[Block]) -> Skill | None:
    """The skill of the reference, or of the past where that is less, if it is any."""
    skills = [of_reference]
    if past and past[-1].stop - past[0].start >= DAY:
        skills.append(skill_of_hours(past))
    some = [each for each in skills if each is not None]
    base = min(some, key=lambda each: each.gain, default=None)
    return base if base is not None and base.gain > _SURE * base.gain_error else None


def _of_reference(history: History) -> Skill | None:
    reference = history.reference
    return skill(reference) if reference is not None and reference.rows else None


def _is_enough(block: Block) -> bool:
    ones, all_of_them = float(block.positive.sum()), float(block.weight.sum())
    return min(ones, all_of_them - ones) >= _ENOUGH * block.scale
