"""Blocks of rows that are drawn, or given outright."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import numpy as np

from kullback.judgement.blocks import Block, block, without
from kullback.judgement.folds import Memo
from kullback.judgement.history import History
from kullback.judgement.judged import JudgedBlock, judged
from kullback.judgement.recalibration import Tolerance
from kullback.numerics.types import Array
from kullback.tally.binary import binary_terms
from kullback.tally.tally import Layout

BINARY = Layout("binary", 2, "sklearn")
HOUR = 3600
RATE, SPREAD = 0.08, 0.57  # of clicks, and of their logits: an AUC of 0.65


def block_of(y: Array, p: Array, hour: int = 0, w: Array | None = None) -> Block:
    """The block of an hour with these rows."""
    tally = binary_terms(BINARY, np.asarray(y, np.float64), p, w, None).tally()
    stop = hour * HOUR + HOUR
    return block((stop - HOUR, stop, stop), BINARY, tally, tally, tally.scalar("rows"))


def drawn(rng: np.random.Generator, rows: int, *, rate: float = RATE) -> tuple[Array, Array]:
    """Outcomes and predictions that are right."""
    middle = np.log(rate / (1 - rate)) - SPREAD**2 / 2 * (1 - 2 * rate)
    p = 1 / (1 + np.exp(-middle - SPREAD * rng.standard_normal(rows)))
    return (rng.random(rows) < p).astype(np.float64), p


def looks(hours: Sequence[Mapping[str, Block]]) -> Iterator[History]:
    """A history after each of some hours: their blocks, "" of all rows, others of slices."""
    memo, marks = Memo(), count(1)
    blocks: defaultdict[str, list[JudgedBlock]] = defaultdict(list)
    for hour in hours:
        whole = hour[""]
        for value, rows in hour.items():
            others = without(whole, rows) if value else None
            blocks[value].append(judged(rows, Tolerance(), others, next(marks)))
        slices = {value: list(some) for value, some in blocks.items() if value}
        yield History(float(whole.stop), list(blocks[""]), slices, memo=memo)
        memo.turn()
