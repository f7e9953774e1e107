"""Arrivals: which rows and which labels of a stream come within some time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from kullback.moments import HOUR
from kullback.numerics.types import Flags, Indices
from tests.statistics.monitoring.simulated_rows import SimulatedRows
from tests.statistics.monitoring.streams import ORIGIN, drawn
from tests.statistics.monitoring.worlds import MonitoredWorld

Seed = tuple[int, ...]
ROWS_AN_HOUR = 10_000_000  # at most: ids are numbers of hours, then of rows


@dataclass(slots=True)
class _Hour:
    """Rows of an hour, and what of them has come."""

    rows: SimulatedRows
    ids: Indices
    predicted: Flags
    labelled: Flags

    @property
    def is_over(self) -> bool:
        never = ~np.isfinite(self.rows.labelled)
        return bool(self.predicted.all() and (self.labelled | never).all())


@dataclass(frozen=True, slots=True)
class Arrived:
    """Rows that came with their labels, predictions, and labels of predictions; with ids."""

    whole: SimulatedRows
    predictions: SimulatedRows
    prediction_ids: Indices
    labels: SimulatedRows
    label_ids: Indices


@dataclass(slots=True)
class Arrivals:
    """A stream as it comes; spans of time follow each other.

    Attributes:
        world: what it is of.
        seed: of all draws.
        hour: from which one on; the next one.
        sent: what becomes of the rows of an hour before they come.
    """

    world: MonitoredWorld
    seed: Seed
    hour: int
    sent: Callable[[SimulatedRows], SimulatedRows] = lambda rows: rows
    _open: list[_Hour] = field(default_factory=list)

    def until(self, stop: float) -> Iterator[Arrived]:
        """What comes before a moment, epoch seconds, and has not come yet; hour by hour."""
        while ORIGIN + self.hour * HOUR < stop:
            rows = self.sent(drawn(self.world.traffic, self.seed, self.hour, self.world.breakage))
            ids = self.hour * ROWS_AN_HOUR + np.arange(len(rows))
            nothing = np.zeros(len(rows), np.bool_)
            self._open.append(_Hour(rows, ids, nothing, nothing.copy()))
            self.hour += 1
        for hour in self._open:
            came = (hour.rows.arrives < stop) & ~hour.predicted
            labelled = (hour.rows.labelled < stop) & ~hour.labelled
            at_once = hour.rows.labelled <= hour.rows.arrives
            whole, predicted, later = came & at_once, came & ~at_once, labelled & ~at_once
            if whole.any() or predicted.any() or later.any():
                yield Arrived(
                    hour.rows.taken(whole),
                    hour.rows.taken(predicted),
                    hour.ids[predicted],
                    hour.rows.taken(later),
                    hour.ids[later],
                )
            hour.predicted |= came
            hour.labelled |= labelled
        self._open = [hour for hour in self._open if not hour.is_over]
