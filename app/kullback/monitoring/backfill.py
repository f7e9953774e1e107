"""Backfills: rows of a time that is long over, which are no news."""

import math
from collections.abc import Iterable, Mapping

from kullback.moments import DAY
from kullback.monitoring.cells import MATCHED, PREDICTED
from kullback.monitoring.label_delays import DELAYS, LabelDelays
from kullback.monitoring.maturity import Maturity
from kullback.monitoring.monitor import Monitor
from kullback.storage.base import Cell, Transaction
from kullback.tally.tally import Tally


def live_since(
    tx: Transaction, record: int, monitor: Monitor, cells: Iterable[Cell], now: float
) -> float:
    """Windows that end by then are a backfill: older than the label lag and a day.

    −∞ where none of the cells is so old, whatever the lag.
    """
    edge = now - DAY
    if all(_stop(cell) > edge for cell in cells):
        return -math.inf
    delays = LabelDelays.decoded(tx.attachment(record, DELAYS))
    return edge - Maturity.of(monitor, delays).lag


def is_backfill(cell: Cell, since: float) -> bool:
    """Whether the window of a cell is one of a backfill."""
    return _stop(cell) <= since


def backfilled_rows(cells: Mapping[Cell, Tally], since: float) -> int:
    """How many rows a backfill has, each once: one that is predicted and matched has two cells."""
    rows = {cell: tally.scalar("rows") for cell, tally in cells.items() if not cell.slice}
    both = any(cell.kind == PREDICTED for cell in rows)
    counted = (cell for cell in rows if is_backfill(cell, since))
    return sum(rows[cell] for cell in counted if not (both and cell.kind == MATCHED))


def _stop(cell: Cell) -> int:
    return cell.start + cell.width
