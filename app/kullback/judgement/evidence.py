"""The evidence of outcomes: processes of a history of blocks, and where their change began."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kullback.judgement.blocks import Block, summed
from kullback.judgement.detector import dispersion, log_mean, log_processes, since
from kullback.judgement.findings import Finding, Size, State
from kullback.judgement.history import stacked
from kullback.judgement.judged import JudgedBlock
from kullback.judgement.recalibration import RATE_WEIGHTS, SLOPE_WEIGHTS
from kullback.moments import DAY
from kullback.numerics.types import Array


@dataclass(frozen=True, slots=True)
class Process:
    """Evidence by now, and the blocks since the change that it speaks of.

    Attributes:
        log_e: ln of the process by now.
        log_threshold: at which it is an alarm.
        rows: what came since the change began; what came of the last day where there is none.
    """

    log_e: float
    log_threshold: float
    rows: Block

    @property
    def is_over(self) -> bool:
        """Whether the evidence is enough for an alarm."""
        return self.log_e >= self.log_threshold

    def finding(self, name: str, size: Size, slice_value: str = "") -> Finding:
        """What a check of this name has found."""
        since = self.rows.start if size.state in {State.WARNING, State.CRITICAL} else None
        return Finding(
            name,
            *size[:3],
            self.rows.rows,
            size.statement,
            self.log_e,
            self.log_threshold,
            slice=slice_value,
            since=since,
        )


def rates(
    blocks: Sequence[JudgedBlock], log_threshold: float, spread: float, *, values: int = 1
) -> Process:
    """Evidence that rates are off: of all rows, or of one of several values of slices."""
    log_e = stacked([each.rate for each in blocks])
    weights = np.tile(RATE_WEIGHTS, log_e.shape[1] // RATE_WEIGHTS.size)
    weights -= np.log(log_e.shape[1] / RATE_WEIGHTS.size)
    return process(blocks, log_e / spread, weights, log_threshold + math.log(values))


def slopes(
    blocks: Sequence[JudgedBlock], log_threshold: float, spread: float, *, values: int = 1
) -> Process:
    """Evidence that what predictions tell apart is not so far apart, or further."""
    log_e = stacked([each.slope for each in blocks])
    weights = SLOPE_WEIGHTS if log_e.shape[1] == SLOPE_WEIGHTS.size else np.zeros(log_e.shape[1])
    return process(blocks, log_e / spread, weights, log_threshold + math.log(values))


def process(
    blocks: Sequence[JudgedBlock], log_e: Array, weights: Array, log_threshold: float
) -> Process:
    """The process of these blocks' evidence (t, a), of alternatives of these weights (a,)."""
    logs = log_processes(log_e, weights, log_threshold)
    now = float(log_mean(logs[-1:])[0])
    first = since(log_e, logs) if now >= log_threshold else _last_day(blocks)
    return Process(now, log_threshold, summed([each.block for each in blocks[first:]]))


def spread_of(blocks: Sequence[JudgedBlock]) -> float:
    """How many times outcomes vary more from hour to hour than those of independent rows."""
    residuals = np.array([each.residual for each in blocks])
    return dispersion(residuals[np.isfinite(residuals)])


def _last_day(blocks: Sequence[JudgedBlock]) -> int:
    edge = blocks[-1].block.stop - DAY
    return next(at for at, each in enumerate(blocks) if each.block.stop > edge)
