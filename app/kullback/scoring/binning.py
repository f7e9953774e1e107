"""Bins of predictions: edges of equal width or of equal weight, and the bin of each row."""

from typing import Literal

import numpy as np

from kullback.numerics.types import Array, Indices

Strategy = Literal["uniform", "quantile"]


def bin_edges(p: Array, weight: Array | None, bins: int, strategy: Strategy) -> Array:
    """Edges of at most `bins` bins, each (low, high], the first with its low, (b + 1,).

        uniform   j / bins
        quantile  the least and the largest p, and between them the quantiles j / bins

    Quantiles that are equal make one edge: rows of one prediction always share a bin, as in
    scikit-learn's calibration_curve.

    Args:
        p: predictions in [0, 1], (n,).
        weight: of each row (n,), or None; rows of weight 0 have no part in quantiles.
        bins: how many, at least 1.
        strategy: how they are laid.

    Returns:
        They rise; only the first bin of quantiles may be a point.
    """
    if strategy == "uniform" or p.size == 0:
        return np.arange(bins + 1) / bins
    edges = weighted_quantiles(p, weight, np.linspace(0.0, 1.0, bins + 1))
    inner = np.unique(edges[1:-1])
    return np.concatenate((edges[:1], inner[inner < edges[-1]], edges[-1:]))


def bin_index(edges: Array, p: Array) -> Indices:
    """The bin of each prediction, in the shape of p."""
    index: Indices = np.searchsorted(edges[1:-1], p, side="left")
    return index


def weighted_quantiles(values: Array, weight: Array | None, share: Array) -> Array:
    """Quantiles that are interpolated over the weight of the lightest row.

    Equal weights give the usual ones, h = q(n − 1) (Hyndman & Fan's type 7). With the least
    weight as the unit, a row of weight 3 is three rows, so that whole weights of which one is
    1 give what repeated rows give; a common factor of the weights changes nothing.

    Args:
        values: (n,).
        weight: at least 0, (n,); None for equal ones.
        share: q in [0, 1], (m,).

    Returns:
        (m,), within the range of the values that have weight.

    Source: Hyndman & Fan, The American Statistician 50 (1996), definition 7.
    """
    if weight is not None:
        values, weight = values[weight > 0], weight[weight > 0]
    if weight is None or weight.min() == weight.max():
        usual: Array = np.percentile(values, share * 100)  # rounded as scikit-learn rounds
        return usual
    order = np.argsort(values, kind="stable")
    values = values[order]
    end = np.cumsum(weight[order]) / weight.min()
    place = share * 100 / 100 * (end[-1] - 1.0)  # rounded as percentiles of repeated rows are
    low = np.minimum(np.searchsorted(end, place, side="right"), values.size - 1)
    high = np.minimum(low + 1, values.size - 1)
    t = np.clip(place - (end[low] - 1.0), 0.0, 1.0)
    step = values[high] - values[low]
    quantiles: Array = np.where(t < 0.5, values[low] + step * t, values[high] - step * (1.0 - t))
    return quantiles
