"""Terms of a binary task: what each row adds to a tally."""

import numpy as np

from kullback.numerics.means import blocks
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.conventions import CONVENTIONS
from kullback.scoring.losses import binary_losses
from kullback.tally.bins import bin_of
from kullback.tally.tally import Layout
from kullback.tally.terms import Outcomes, Terms


def binary_terms(
    layout: Layout, y: Array | None, p: Array, w: Array | None, units: Indices | None
) -> Terms:
    """The terms of rows with outcome y and prediction p.

        loss = −y ln p − (1 − y) ln(1 − p) under the layout's convention        error = (y − p)²

    Args:
        layout: of a binary task.
        y: outcomes in [0, 1] (n,), or None where they are not known yet.
        p: P(1) in [0, 1] (n,).
        w: weights ≥ 0 (n,), or None.
        units: the bucket of each row's unit (n,), or None.
    """
    outcomes = None if y is None else _outcomes(layout, y, p, w)
    return Terms(layout, p, bins_of(p), w, units, outcomes=outcomes)


def bins_of(p: Array) -> Indices:
    """The bin of each score, (n,)."""
    bins = np.empty(p.size, dtype=np.int64)
    for block in blocks(p.size):
        bins[block] = bin_of(p[block])
    return bins


def _outcomes(layout: Layout, y: Array, p: Array, w: Array | None) -> Outcomes:
    loss, clipped = entry_losses(layout, y, p)
    loss, infinite = without_infinite(loss, w)
    error = y - p
    return Outcomes(y, loss, np.square(error, out=error), clipped, infinite)


def entry_losses(layout: Layout, y: Array, p: Array) -> tuple[Array, Flags]:
    """Loss of each row, whatever the others are: some conventions ask if any label is soft."""
    convention = CONVENTIONS[layout.convention]
    soft = (y > 0) & (y < 1)
    if soft.all() or not soft.any():
        return binary_losses(y, p, convention)
    loss, clipped = np.empty_like(p), np.empty_like(soft)
    for rows in (soft, ~soft):
        loss[rows], clipped[rows] = binary_losses(y[rows], p[rows], convention)
    return loss, clipped


def without_infinite(loss: Array, w: Array | None) -> tuple[Array, Flags]:
    """Losses with 0 where they are infinite, and where a row with weight has an infinite one."""
    infinite = np.isinf(loss)
    if not infinite.any():
        return loss, infinite
    finite: Array = np.where(infinite, 0.0, loss)
    return finite, infinite if w is None else infinite & (w > 0)
