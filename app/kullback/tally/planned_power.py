"""Power of a planned look and of a confidence sequence, by how much is known."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from kullback.numerics.student_t import normal_log_tail_inverse
from kullback.numerics.types import Array
from kullback.tally.confidence_sequence import boundary

Question = Literal["difference", "equivalence"]
FIRST, LAST = 0.5, 150.0  # of v, in which power is known
_RATIO = 1.05  # from look to look: as if one looked every day in the third week
_POINTS, _WIDTH = 401, 9.0  # of the grid of z, which reaches so far beyond what is likely


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """How often a sequence has decided by v = δ²/SE², at any look.

    Attributes:
        information: v of the looks, each 1.05 times the one before.
        power: the part of all experiments that are decided by then.
    """

    information: Array
    power: Array

    def needed(self, power: float) -> float:
        """The least v of a power; infinite beyond LAST."""
        if power >= self.power[-1]:
            return math.inf
        at = int(np.searchsorted(self.power, power))
        low = self.power[at - 1] if at else 0.0
        before = math.log(self.information[at]) - math.log(_RATIO)
        part = (power - low) / (self.power[at] - low)
        return math.exp(before + part * math.log(_RATIO))


def one_look(power: float, alpha: float, question: Question) -> float:
    """V = δ²/SE² at which one look decides with this power.

    v = (z_{1−α/2} + z_power)²        of a difference of δ, or that there is none of δ or more
    v = (z_{1−α/2} + z_{(1+power)/2})²        that it is within ±δ, where there is none
    """
    short = 1 - power if question == "difference" else (1 - power) / 2
    sides = normal_log_tail_inverse(math.log(alpha / 2)), _quantile(short)
    return sum(sides) ** 2


@cache
def sequence_power(alpha: float, question: Question) -> PowerCurve:
    """The power of a confidence sequence whose minimum effect is δ, by numerical integration.

        z' = z √(v/v') + drift (v' − v)/√v' + ε √(1 − v/v'),        ε ~ N(0, 1)

    of an effect of δ (a difference; or none, by a margin of δ, which is as likely) or of 0
    (equivalence). What has not been decided is carried on from look to look, as of group
    sequential designs. Skewness and the weight of buckets are left out.

    Source: Armitage, McPherson & Rowe, JRSS A 132 (1969); Jennison & Turnbull, Group Sequential
        Methods (2000), §19.2.
    """
    drift = 1.0 if question == "difference" else 0.0
    count = math.ceil(math.log(LAST / FIRST) / math.log(_RATIO))
    v = FIRST * _RATIO ** np.arange(count)
    grid = np.linspace(-_WIDTH, _WIDTH, _POINTS)
    step, decided = float(grid[1] - grid[0]), []
    z = grid + drift * math.sqrt(v[0])
    mass = _density(grid) * step
    for look, now in enumerate(v.tolist()):
        if look:
            before = float(v[look - 1])
            later = grid + drift * math.sqrt(now)
            mean = z * math.sqrt(before / now) + drift * (now - before) / math.sqrt(now)
            spread = math.sqrt(1 - before / now)
            moved = _density((later[:, np.newaxis] - mean) / spread) / spread * step
            z, mass = later, moved @ mass
        mass = mass * (1 - _decided_part(z, step, now, alpha, question))
        decided.append(1 - float(mass.sum()))
    power: Array = np.maximum.accumulate(np.clip(decided, 0.0, 1.0))
    return PowerCurve(v.astype(np.float64), power)


def _decided_part(z: Array, step: float, v: float, alpha: float, question: Question) -> Array:
    """Which part of each cell of the grid is beyond the boundary of the sequence at v."""
    bound = boundary(v, alpha)
    if question == "difference":
        part: Array = np.clip((z - bound) / step + 0.5, 0.0, 1.0)
        return part
    room = math.sqrt(v) - bound
    inside: Array = np.clip((room - np.abs(z)) / step + 0.5, 0.0, 1.0)
    return inside


def _density(x: Array) -> Array:
    density: Array = np.exp(-0.5 * np.square(x)) / math.sqrt(2 * math.pi)
    return density


def _quantile(tail: float) -> float:
    """The normal quantile beyond which lies this tail, which is below one half or above."""
    return normal_log_tail_inverse(math.log(tail)) if tail <= 0.5 else -_quantile(1 - tail)
