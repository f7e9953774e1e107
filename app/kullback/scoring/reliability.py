"""Reliability: predictions in bins, beside the observed rates."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.numerics.means import bin_sums
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import CELLS_PER_BLOCK
from kullback.scoring.binning import Strategy, bin_edges, bin_index


@dataclass(frozen=True, slots=True)
class Reliability:
    """Predictions in bins beside what was observed there: `low` < p ≤ `high`, (b,) each.

    The first bin has its `low` too. `spread` is √Σ w²p(1 − p), the standard deviation of
    Σ w(y − p) where predictions are calibrated.
    """

    low: Array
    high: Array
    count: Array
    weight: Array
    predicted: Array
    observed: Array
    spread: Array

    @classmethod
    def of(
        cls, p: Array, y: Array, weight: Array | None, bins: int | Array, strategy: Strategy
    ) -> "Reliability":
        """Bin rows by p; sums are kept, so that an empty bin is an empty row."""
        w = np.ones_like(p) if weight is None else weight
        kept = w > 0
        edges = bin_edges(p[kept], None if weight is None else weight[kept], bins, strategy)
        index, size = bin_index(edges, p), edges.size - 1
        return cls(
            edges[:-1],
            edges[1:],
            np.bincount(index[kept], minlength=size).astype(np.float64),
            bin_sums(index, w, size),
            bin_sums(index, w * p, size),
            bin_sums(index, w * y, size),
            np.sqrt(bin_sums(index, w * w * p * (1.0 - p), size)),
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

    def noise(self) -> "CalibrationNoise":
        """What chance makes of the ECE."""
        return CalibrationNoise.of(
            self.observed - self.predicted, self.spread, float(self.weight.sum())
        )

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


@dataclass(frozen=True, slots=True)
class CalibrationNoise:
    """What chance makes of an expected calibration error, of labels 0 and 1 that are independent.

    Attributes:
        debiased: the error without it, at most 1: 0 on average where predictions are calibrated
            (so it may be below 0), on average never more than the error of the bins without
            chance, and the plug-in error where gaps are many times what chance makes.
        expected_if_calibrated: the mean of the plug-in error where predictions are calibrated.
    """

    debiased: float
    expected_if_calibrated: float

    @classmethod
    def of(cls, gaps: Array, spread: Array, weight: float) -> "CalibrationNoise":
        """By the normal distribution of each gap.

            expected = √(2/π) Σ_b σ_b / W
            debiased = Σ_b [g_b (2Φ(g_b/σ_b) − 1) − 2σ_b φ(g_b/σ_b)] / W

        which is the mean of sign(g + ε)·(g − ε) over ε ~ N(0, σ²): the gap of one half of the
        data with the sign that the other half says. For a true gap μ that is |μ| (2Φ(|μ|/√2σ) − 1)
        on average.

        Args:
            gaps: g, Σ w(y − p) of each bin, (b,).
            spread: σ, √Σ w²p(1 − p) of each bin, (b,).
            weight: W.

        Source: Kumar, Liang & Ma, NeurIPS (2019), for normal gaps of bins; Bröcker, Climate
            Dynamics 39 (2012), for their bias; Roelofs, Cain, Shlens & Mozer, AISTATS (2022), for
            that of the ECE; Leiner, Duan, Wasserman & Ramdas, JASA 120 (2025), for halves by ε.
        """
        gaps, some = np.abs(gaps), spread > 0
        z = np.divide(gaps, spread, out=np.zeros_like(gaps), where=some)
        sure = np.where(some, [math.erf(value) for value in (z / math.sqrt(2)).tolist()], 1.0)
        density = np.exp(-0.5 * z * z) * math.sqrt(2 / math.pi)
        return cls(
            min(float((gaps * sure - spread * density).sum()) / weight, 1.0),
            float(spread.sum()) * math.sqrt(2 / math.pi) / weight,
        )


def column_errors(
    p: Array,
    truth: Indices | Array,
    weight: Array | None,
    bins: int | Array,
    strategy: Strategy,
) -> list[float]:
    """The ECE of each column (k,) of probabilities (n, k).

    `truth` is the class of each row (n,), each column against the rest; or what came true of each
    column (n, k).
    """
    if isinstance(bins, int) and strategy == "quantile":  # each column has edges of its own
        return [
            Reliability.of(column, came_true(truth, k), weight, bins, strategy).ece()
            for k, column in enumerate(np.minimum(p.T, 1.0))
        ]
    n, k = p.shape
    w = np.ones(n) if weight is None else weight
    edges = bin_edges(p[:0], None, bins, strategy)
    size = edges.size - 1
    errors: list[float] = []
    step = max(1, CELLS_PER_BLOCK // n)
    for start in range(0, k, step):
        columns = np.arange(start, min(start + step, k))
        stated = np.minimum(p[:, columns], 1.0)
        gaps = w[:, None] * (came_true(truth, columns) - stated)
        at = bin_index(edges, stated) + (columns - start) * size
        cells, place = np.unique(at, return_inverse=True)
        sums = np.abs(bin_sums(place.reshape(-1), gaps.reshape(-1), cells.size))
        errors += (np.bincount(cells // size, sums, columns.size) / w.sum()).tolist()
    return [min(error, 1.0) for error in errors]


def came_true(truth: Indices | Array, columns: Indices | int) -> Array:
    """Whether each of these columns came true, (n,) or (n, c): see column_errors."""
    if truth.ndim == 2:
        return np.asarray(truth[:, columns], np.float64)
    index = truth if isinstance(columns, int) else truth[:, None]
    came: Array = np.equal(index, columns).astype(np.float64)
    return came
