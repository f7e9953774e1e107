"""Delays of labels: how long after its time a prediction has its label, learned from the stream.

They are kept beside the record, as counts by day of arrival and by bins whose edges grow by 4 %,
and beside them how many predictions had a label when their time-to-live ended.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from kullback.moments import DAY
from kullback.numerics.types import Array
from kullback.storage.base import Transaction

DELAYS = "label delays"  # the attachment
QUANTILE = 0.95
DAYS_KEPT = 7  # those on which labels came: a pause makes no delay unknown
RATIO = 1.04
_LAST_BIN = 499  # begins after 10 years, which no time-to-live lasts
_UNLABELLED, _LABELLED = 500, 501  # in place of a bin: predictions whose time-to-live ended
_BINS = 502
_MOST = 2**32 - 1  # rows of a bin of a day
_FEW = 10  # expired rows that say little

_Table = npt.NDArray[np.void]
_ROW = np.dtype([("day", "<u4"), ("bin", "<u2"), ("rows", "<u4")])


@dataclass(frozen=True, slots=True)
class LabelDelays:
    """The delays of some days, as a table of `day`, `bin` and number of `rows`, in this order."""

    table: _Table

    @classmethod
    def decoded(cls, content: bytes | None) -> Self:
        """The delays that bytes hold; none where there are no bytes."""
        return cls(np.frombuffer(content or b"", _ROW))

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from."""
        return self.table.tobytes()

    def with_delays(self, delays: Array, now: float) -> "LabelDelays":
        """The same and rows that have got their labels now, so many seconds (n,) after their time.

        A label that comes before the time of its prediction has a delay of 0.
        """
        with np.errstate(divide="ignore"):
            bins = np.floor(np.log(np.maximum(delays, 0.0)) / math.log(RATIO)) + 1
        numbers, rows = np.unique(np.clip(bins, 0, _LAST_BIN), return_counts=True)
        return self._with(now, numbers.astype(np.int64), rows)

    def with_expired(self, unlabelled: int, labelled: int, now: float) -> "LabelDelays":
        """The same and predictions whose time-to-live has ended, without a label and with one."""
        return self._with(now, np.array([_UNLABELLED, _LABELLED]), np.array([unlabelled, labelled]))

    @property
    def lag(self) -> float | None:
        """Seconds until 95 % of the labels that come have come; None before any has.

        Of each day it is a quantile, the lower edge of its bin: at most 4 % too little, never too
        much. Of the days it is the median, each with the weight of its rows: one day of old rows
        is not how labels come, and a day with few labels says little.
        """
        quantiles, rows = [], []
        delays = self.table[self.table["bin"] <= _LAST_BIN]
        for day in np.unique(delays["day"]):
            of_day = delays[delays["day"] == day]
            at = _place(of_day["rows"], QUANTILE)
            quantiles.append(int(of_day["bin"][at]))
            rows.append(int(of_day["rows"].sum()))
        if not rows:
            return None
        order = np.argsort(quantiles)
        number = quantiles[order[_place(np.array(rows)[order], 0.5)]]
        return RATIO ** (number - 1) if number else 0.0

    @property
    def labelled_share(self) -> float:
        """The share of predictions that finally have labels; 1 while none has expired.

        A few that expired are no evidence: they count as if as many again as `_FEW` had labels.
        """
        unlabelled, labelled = (
            int(self.table["rows"][self.table["bin"] == state].sum())
            for state in (_UNLABELLED, _LABELLED)
        )
        expired = unlabelled + labelled
        return 1 - unlabelled / (expired + _FEW)

    def _with(
        self, now: float, bins: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
    ) -> "LabelDelays":
        new = np.zeros(len(bins), _ROW)
        new["day"], new["bin"], new["rows"] = int(now // DAY), bins, rows
        return _merged(np.concatenate([self.table, new]))


def learn(tx: Transaction, record: int, delays: Array, now: float) -> None:
    """Learn from rows that have got their labels in this write, (n,) seconds after their time."""
    if delays.size:
        tx.accumulate(record, DELAYS, _NOTHING.with_delays(delays, now).encoded(), merged_delays)


def learn_expired(tx: Transaction, record: int, unlabelled: int, labelled: int, now: float) -> None:
    """Learn from predictions whose time-to-live has ended."""
    if unlabelled or labelled:
        new = _NOTHING.with_expired(unlabelled, labelled, now)
        tx.accumulate(record, DELAYS, new.encoded(), merged_delays)


def merged_delays(contents: Sequence[bytes]) -> bytes:
    """The bytes of several delays as those of all of them."""
    tables = [LabelDelays.decoded(content).table for content in contents]
    return _merged(np.concatenate(tables)).encoded()


def _merged(table: _Table) -> LabelDelays:
    """One row for each day and bin, of the last days."""
    keys = table["day"].astype(np.int64) * _BINS + table["bin"]
    keys, places = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(keys), _ROW)
    sums["day"], sums["bin"] = np.divmod(keys, _BINS)
    sums["rows"] = np.minimum(np.bincount(places, table["rows"], len(keys)), _MOST)
    last = np.unique(sums["day"])[-DAYS_KEPT:]
    return LabelDelays(sums[(sums["rows"] > 0) & np.isin(sums["day"], last)])


_NOTHING = LabelDelays.decoded(None)


def _place(rows: npt.NDArray[np.integer], share: float) -> int:
    """Where a share of all rows is reached, of counts in order."""
    total = np.cumsum(rows)
    return int(np.searchsorted(total, share * total[-1]))
