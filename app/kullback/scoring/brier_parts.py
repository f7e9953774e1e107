"""Parts of a Brier score: reliability, resolution, uncertainty, and what lies within bins."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields

import numpy as np

from kullback.numerics.means import bin_sums
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import CELLS_PER_BLOCK
from kullback.scoring.binning import Strategy, bin_edges, bin_index
from kullback.scoring.reliability import came_true


@dataclass(frozen=True, slots=True)
class BrierParts:
    """A Brier score as reliability − resolution + uncertainty + variance − covariance."""

    reliability: float
    resolution: float
    uncertainty: float
    within_bin_variance: float
    within_bin_covariance: float


def brier_parts(
    p: Array, truth: Indices | Array, weight: Array | None, bins: int | Array, strategy: Strategy
) -> BrierParts:
    """Split the Brier score of each column by bins of its predictions, and add the columns up.

        reliability            Σ_b W_b (f_b − o_b)² / W
        resolution             Σ_b W_b (o_b − o)² / W
        uncertainty            Σᵢ wᵢ (yᵢ − o)² / W         o(1 − o) for labels of 0 and 1
        within_bin_variance    Σᵢ wᵢ (pᵢ − f_b)² / W
        within_bin_covariance  2 Σᵢ wᵢ (pᵢ − f_b)(yᵢ − o_b) / W
        Brier = reliability − resolution + uncertainty + variance − covariance

    f_b and o_b are the means of p and of y in bin b, o the mean of y. The first three alone,
    Murphy's, add up where all predictions of a bin are equal.

    Args:
        p: predictions in [0, 1], (n, k).
        truth: the class of each row (n,), or what came true of each column, (n, k).
        weight: of each row, not all 0, (n,), or None.
        bins: how many, or edges.
        strategy: how a number of bins is laid.

    Returns:
        Each at least 0 but the covariance.

    Source: Murphy, Journal of Applied Meteorology 12 (1973); Stephenson, Coelho & Jolliffe,
        Weather and Forecasting 23 (2008), eq. 8.
    """
    if weight is not None:
        p, truth, weight = p[weight > 0], truth[weight > 0], weight[weight > 0]
    w = np.ones(p.shape[0]) if weight is None else weight
    totals = np.zeros(len(fields(BrierParts)))
    for columns in _column_blocks(*p.shape):
        stated = p[:, columns]
        cell = _cells(stated, weight, bins, strategy)
        totals += astuple(_block_parts(stated, came_true(truth, columns), w, cell))
    return BrierParts(*(totals / w.sum()).tolist())


def _column_blocks(n: int, k: int) -> Iterator[Indices]:
    step = max(1, CELLS_PER_BLOCK // n)
    return (np.arange(start, min(start + step, k)) for start in range(0, k, step))


def _cells(p: Array, weight: Array | None, bins: int | Array, strategy: Strategy) -> Indices:
    """The cell of each entry (n, c): bins of different columns are different cells."""
    most = bins if isinstance(bins, int) else bins.size - 1
    if isinstance(bins, int) and strategy == "quantile":
        each = [bin_index(bin_edges(column, weight, bins, strategy), column) for column in p.T]
        index = np.stack(each, axis=1)
    else:
        index = bin_index(bin_edges(p[:, 0], weight, bins, "uniform"), p)
    place: Indices = index + most * np.arange(p.shape[1])
    return place


def _block_parts(p: Array, y: Array, w: Array, cell: Indices) -> BrierParts:
    """Weighted sums over the entries of columns (n, c)."""
    rate = w @ y / w.sum()
    uncertainty = float((w @ (y - rate) ** 2).sum())
    base = np.broadcast_to(rate, p.shape).reshape(-1)
    p, y, w = p.reshape(-1), y.reshape(-1), np.repeat(w, cell.shape[1])
    seen, place = np.unique(cell.reshape(-1), return_inverse=True)
    mass = bin_sums(place, w, seen.size)
    mean = bin_sums(place, w * p, seen.size) / mass
    observed = bin_sums(place, w * y, seen.size) / mass
    spread, miss = p - mean[place], y - observed[place]
    return BrierParts(
        float((mass * (mean - observed) ** 2).sum()),
        float((w * (observed[place] - base) ** 2).sum()),
        uncertainty,
        float((w * spread**2).sum()),
        float(2 * (w * spread * miss).sum()),
    )
