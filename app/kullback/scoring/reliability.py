"""Reliability: predictions in bins, beside the observed rates."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kullback.numerics.means import bin_sums
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined

Strategy = Literal["uniform", "quantile"]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Predictions in bins beside what was observed there: `low` < p ≤ `high`, (b,) each."""

    low: Array
    high: Array
    count: Array
    weight: Array
    predicted: Array
    observed: Array

    @classmethod
    def of(
        cls, p: Array, y: Array, weight: Array | None, bins: int, strategy: Strategy
    ) -> "Reliability":
        """Bin rows by p; sums are kept, so that an empty bin is an empty row."""
        w = np.ones_like(p) if weight is None else weight
        edges = _edges(p[w > 0], bins, strategy)
        index = np.clip(np.searchsorted(edges, p, side="left") - 1, 0, edges.size - 2)
        size = edges.size - 1
        kept = w > 0
        return cls(
            edges[:-1],
            edges[1:],
            np.bincount(index[kept], minlength=size).astype(np.float64),
            bin_sums(index, w, size),
            bin_sums(index, w * p, size),
            bin_sums(index, w * y, size),
        )

    def gaps(self) -> Array:
        """|observed − predicted| of each bin that has weight."""
        kept = self.weight > 0
        gaps: Array = np.abs(self.observed[kept] - self.predicted[kept]) / self.weight[kept]
        return gaps

    def shares(self) -> Array:
        """The share of weight of each bin that has weight."""
        kept = self.weight[self.weight > 0]
        shares: Array = kept / kept.sum()
        return shares

    def ece(self) -> float:
        """Σ_b share_b·gap_b."""
        return min(float(self.shares() @ self.gaps()), 1.0)

    def table(self) -> list[dict[str, object]]:
        """The bins as rows; the means of an empty bin are undefined."""
        empty = Undefined(Reason.EMPTY_BIN)
        columns = (self.low, self.high, self.count, self.weight, self.predicted, self.observed)
        return [
            {
                "low": low,
                "high": high,
                "count": int(count),
                "weight": weight,
                "mean_predicted": predicted / weight if weight else empty,
                "observed": observed / weight if weight else empty,
            }
            for low, high, count, weight, predicted, observed in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]


def _edges(p: Array, bins: int, strategy: Strategy) -> Array:
    if strategy == "uniform" or p.size == 0:
        return np.arange(bins + 1) / bins
    edges = np.unique(np.quantile(p, np.arange(bins + 1) / bins))
    return edges if edges.size > 1 else np.repeat(edges, 2)
