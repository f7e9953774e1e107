"""Blocks of rows that are drawn, or given outright."""

import numpy as np

from kullback.judgement.blocks import Block, block
from kullback.numerics.types import Array
from kullback.tally.binary import binary_terms
from kullback.tally.tally import Layout

BINARY = Layout("binary", 2, "sklearn")
HOUR = 3600
RATE, SPREAD = 0.08, 0.57  # of clicks, and of their logits: an AUC of 0.65


def block_of(y: Array, p: Array, hour: int = 0, w: Array | None = None) -> Block:
    """The block of an hour with these rows."""
    tally = binary_terms(BINARY, np.asarray(y, np.float64), p, w, None).tally()
    return block((hour * HOUR, hour * HOUR + HOUR), BINARY, tally, tally)


def drawn(rng: np.random.Generator, rows: int, *, rate: float = RATE) -> tuple[Array, Array]:
    """Outcomes and predictions that are right."""
    middle = np.log(rate / (1 - rate)) - SPREAD**2 / 2 * (1 - 2 * rate)
    p = 1 / (1 + np.exp(-middle - SPREAD * rng.standard_normal(rows)))
    return (rng.random(rows) < p).astype(np.float64), p
