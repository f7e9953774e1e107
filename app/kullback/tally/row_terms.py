"""Terms of rows in groups, whatever they are of."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Self

import numpy as np

from kullback.numerics.types import Indices
from kullback.tally.tally import Tally


class RowTerms(ABC):
    """What each of some rows adds to a tally."""

    __slots__ = ()

    @abstractmethod
    def taken(self, rows: Indices | slice) -> Self:
        """Those of some rows."""

    @abstractmethod
    def tally(self) -> Tally:
        """The sums of all rows."""

    def groups(self, index: Indices) -> Iterator[tuple[int, Tally]]:
        """The tally of the rows of each value of `index` (n,) that occurs."""
        if index.size == 0:
            return
        if (index == index[0]).all():
            yield int(index[0]), self.tally()
            return
        order = np.argsort(index, kind="stable")
        ordered, terms = index[order], self.taken(order)
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1)).tolist()
        for start, stop in zip(starts, [*starts[1:], index.size], strict=True):
            yield int(ordered[start]), terms.taken(slice(start, stop)).tally()
