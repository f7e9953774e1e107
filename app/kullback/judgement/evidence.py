"""The evidence of outcomes: processes of a history of blocks, and where their change began."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.judgement.blocks import Block, summed
from kullback.judgement.detector import advanced, dispersion, log_mean, since, start
from kullback.judgement.findings import Finding, Size
from kullback.judgement.folds import Memo, folded, prefixes
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
        latest: the end of the hours in which the change began; None where there is none.
    """

    log_e: float
    log_threshold: float
    rows: Block
    latest: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether the evidence is enough for an alarm."""
        return self.log_e >= self.log_threshold

    def finding(self, name: str, size: Size, slice_value: str = "") -> Finding:
        """What a check of this name has found."""
        since = self.rows.start if size.state.is_alarm else None
        return Finding(
            name,
            *size[:3],
            self.rows.rows,
            size.statement,
            self.log_e,
            self.log_threshold,
            slice=slice_value,
            since=since,
            since_latest=None if since is None else self.latest,
        )


class OutcomeHistory:
    """The blocks of all rows or of a value whose labels are mature, and their processes.

    Args:
        memo: what was computed of them before.
        value: of a slice, "" for all rows.
        blocks: those with labels, in order.
        groups: the same, those together that have few outcomes.
        spreads: how many times outcomes of a day vary more than those of independent rows, from
            what came before that day.
    """

    def __init__(
        self,
        memo: Memo,
        value: str,
        blocks: Sequence[JudgedBlock],
        groups: Sequence[JudgedBlock],
        spreads: Callable[[int], float],
    ) -> None:
        self.memo = memo
        self.value = value
        self.blocks = blocks
        self.groups = groups
        self.marks = prefixes(blocks)
        self.group_marks = prefixes(groups)
        self.spreads = spreads

    @property
    def rows(self) -> int:
        """How many rows with labels."""
        return sum(each.rows for each in self.blocks)

    def rates(self, log_threshold: float) -> Process:
        """Evidence that rates are off."""
        return self._process("rate", log_threshold)

    def slopes(self, log_threshold: float) -> Process:
        """Evidence that what predictions tell apart is not so far apart, or further."""
        return self._process("slope", log_threshold)

    def process(
        self,
        blocks: Sequence[JudgedBlock],
        logs: Array,
        log_e: Callable[[], Array],
        log_threshold: float,
    ) -> Process:
        """What processes (a,) of steps (t, a) of blocks have come to, and since when."""
        now = log_mean(logs)
        is_over = now >= log_threshold
        first = blocks[since(log_e(), logs, log_threshold)].block if is_over else None
        start = self._day() if first is None else first.start
        some = [each for each in self.blocks if each.block.start >= start]
        key = "rows since", self.value, start, self.marks[-1]
        rows = self.memo.once(key, lambda: summed([each.block for each in some]))
        return Process(now, log_threshold, rows, None if first is None else first.stop)

    def logs(self, name: str, log_threshold: float) -> Array:
        """The processes of all alternatives (a,), of a `rate` or a `slope`."""
        width = _read(self.groups[-1], name).size
        weights = _weights(width)

        def step(last: Array, at: int) -> Array:
            log_e = self._step(self.groups[at], name, width)
            return advanced(last, log_e, weights, log_threshold)

        key = (name, self.value, log_threshold, width)
        return folded(self.memo, key, self.group_marks, start(weights), step)

    def _process(self, name: str, log_threshold: float) -> Process:
        logs = self.logs(name, log_threshold)
        return self.process(
            self.groups,
            logs,
            lambda: np.stack([self._step(each, name, logs.size) for each in self.groups]),
            log_threshold,
        )

    def _step(self, each: JudgedBlock, name: str, width: int) -> Array:
        log_e = _read(each, name) / self.spreads(each.block.start // DAY)
        return log_e if log_e.size == width else np.pad(log_e, (0, width - log_e.size))

    def _day(self) -> int:
        """When the last day with outcomes began."""
        edge = self.blocks[-1].block.stop - DAY
        return next(each.block.start for each in self.blocks if each.block.stop > edge)


def _read(block: JudgedBlock, name: str) -> Array:
    return block.rate if name == "rate" else block.slope


def spreads_of(memo: Memo, blocks: Sequence[JudgedBlock]) -> Callable[[int], float]:
    """How many times outcomes vary more from hour to hour than they should: before each day."""
    marks = prefixes(blocks)
    days: dict[int, int] = {}
    for at, each in enumerate(blocks):
        days.setdefault(each.block.start // DAY, at)

    def before(day: int) -> float:
        at = days.get(day, len(blocks))
        mark = marks[at - 1] if at else 0
        return memo.once(("spread", mark), lambda: _dispersion(blocks[:at]))

    return before


def _dispersion(blocks: Sequence[JudgedBlock]) -> float:
    residuals = np.array([each.residual for each in blocks])
    return dispersion(residuals[np.isfinite(residuals)])


def _weights(width: int) -> Array:
    """Of alternatives: those of rates, of each class in turn, or of slopes, or a single one."""
    if width == SLOPE_WEIGHTS.size:
        return SLOPE_WEIGHTS
    if width % RATE_WEIGHTS.size:
        return np.full(width, -math.log(width))
    classes = width // RATE_WEIGHTS.size
    return np.tile(RATE_WEIGHTS, classes) - math.log(classes)
