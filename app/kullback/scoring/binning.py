"""Bins of predictions: how many, where their edges lie, and the bin of each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Indices
from kullback.scoring.refusals import refuse

Strategy = Literal["uniform", "quantile"]
BinRule = Literal["cube_root", "sweep"]
Bins = int | Sequence[float] | BinRule

MOST_BINS = 10_000
MOST_SWEPT = 1000


def given_bins(bins: int | Sequence[float]) -> int | Array:
    """The number of bins, or their edges as an array, (b + 1,).

    Raises:
        InvalidInput: edges do not rise from 0 to 1.
    """
    if isinstance(bins, int):
        return bins
    edges = np.asarray(bins, np.float64)
    refuse("bins", ~np.isfinite(edges), lambda at: f"{edges[at]} is no edge")
    falls = np.concatenate(([False], edges[1:] <= edges[:-1]))
    refuse("bins", falls, lambda at: f"the edge {edges[at]} is not above the one before it")
    if edges.size < 2 or edges[0] != 0 or edges[-1] != 1:
        raise InvalidInput.at("edges rise from 0 to 1, as in [0, 0.1, 1]", "bins")
    return edges


def chosen_bins(
    rule: BinRule, strategy: Strategy, rows: tuple[Array, Array, Array | None], n: int
) -> int:
    """The number of bins by a rule.

        cube_root  ⌈n^⅓⌉
        sweep      the most bins, up to 1,000, such that with no number of bins up to it the
                   observed rate falls from one bin to the next

    Args:
        rule: which.
        strategy: how bins are laid.
        rows: predictions in [0, 1], what came true, in [0, 1], and weights above 0 or None, (m,).
        n: of the cube root.

    Source: Sun, Song & Hero, NeurIPS (2023), and Futami & Fujisawa, NeurIPS (2024), for the cube
        root; Roelofs, Cain, Shlens & Mozer, AISTATS (2022), algorithm 1, for the sweep.
    """
    return _cube_root(n) if rule == "cube_root" else _sweep(strategy, *rows)


def bin_conventions(bins: Bins, strategy: Strategy) -> dict[str, object]:
    """What an answer says of its bins: how many or by which rule and strategy, or given edges."""
    if not isinstance(bins, (int, str)):
        return {"bins": "given"}
    return {"bins": bins, "strategy": strategy}


def _cube_root(n: int) -> int:
    bins = max(1, int(n ** (1 / 3)))
    return bins + 1 if bins**3 < n else bins


def _sweep(strategy: Strategy, p: Array, y: Array, weight: Array | None) -> int:
    order = np.argsort(p, kind="stable")
    p, y, w = p[order], y[order], np.ones_like(p) if weight is None else weight[order]
    quantiles = Quantiles(p, _ends(w))
    total, mass = np.concatenate(([0.0], np.cumsum(w))), np.concatenate(([0.0], np.cumsum(w * y)))
    for bins in range(2, min(p.size, MOST_SWEPT) + 1):
        edges = _edges(quantiles, bins, strategy)
        cuts = np.concatenate(([0], np.searchsorted(p, edges[1:-1], side="right"), [p.size]))
        weights, masses = np.diff(total[cuts]), np.diff(mass[cuts])
        rates = masses[weights > 0] / weights[weights > 0]
        if (np.diff(rates) < 0).any():
            return bins - 1
    return max(1, min(p.size, MOST_SWEPT))


def bin_edges(p: Array, weight: Array | None, bins: int | Array, strategy: Strategy) -> Array:
    """Edges of bins, each (low, high], the first with its low, (b + 1,).

        uniform   j / bins
        quantile  the least and the largest p, and between them the quantiles j / bins

    Quantiles that are equal make one edge: rows of one prediction always share a bin, as in
    scikit-learn's calibration_curve.

    Args:
        p: predictions in [0, 1], (n,).
        weight: of each row (n,), or None; rows of weight 0 have no part in quantiles.
        bins: how many, or the edges themselves.
        strategy: how a number of them is laid.

    Returns:
        They rise; only the first bin of quantiles may be a point.
    """
    if isinstance(bins, np.ndarray):
        return bins
    if strategy == "uniform" or p.size == 0:
        return _edges(None, bins, strategy)
    return _edges(Quantiles.of(p, weight), bins, strategy)


def _edges(quantiles: "Quantiles | None", bins: int, strategy: Strategy) -> Array:
    if quantiles is None or strategy == "uniform":
        return np.arange(bins + 1) / bins
    edges = quantiles.at(np.linspace(0.0, 1.0, bins + 1))
    inner = np.unique(edges[1:-1])
    return np.concatenate((edges[:1], inner[inner < edges[-1]], edges[-1:]))


def bin_index(edges: Array, p: Array) -> Indices:
    """The bin of each prediction, in the shape of p."""
    index: Indices = np.searchsorted(edges[1:-1], p, side="left")
    return index


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Quantiles that are interpolated over the weight of the lightest row.

    Equal weights give the usual ones, h = q(n − 1) (Hyndman & Fan's type 7), rounded as
    scikit-learn rounds them. With the least weight as the unit, a row of weight 3 is three rows:
    whole weights of which one is 1 give what repeated rows give, and a common factor of the
    weights changes nothing.

    Attributes:
        values: sorted, (n,).
        end: Σ w up to each value, in units of the least weight, (n,).

    Source: Hyndman & Fan, The American Statistician 50 (1996), definition 7.
    """

    values: Array
    end: Array

    @classmethod
    def of(cls, values: Array, weight: Array | None) -> Self:
        """Of values (n,) whose weights are not all 0; None for equal weights."""
        if weight is None:
            return cls(np.sort(values), np.arange(1.0, values.size + 1))
        values, weight = values[weight > 0], weight[weight > 0]
        order = np.argsort(values, kind="stable")
        return cls(values[order], _ends(weight[order]))

    def at(self, share: Array) -> Array:
        """The quantiles q in [0, 1], (m,)."""
        place = share * 100 / 100 * (self.end[-1] - 1.0)  # as percentiles are rounded
        low = np.minimum(np.searchsorted(self.end, place, side="right"), self.end.size - 1)
        high = np.minimum(low + 1, self.end.size - 1)
        t = np.clip(place - (self.end[low] - 1.0), 0.0, 1.0)
        below, above = self.values[low], self.values[high]
        step = above - below
        quantiles: Array = np.where(t < 0.5, below + step * t, above - step * (1.0 - t))
        return quantiles


def _ends(weight: Array) -> Array:
    if weight.min() == weight.max():  # their sums would be rounded
        return np.arange(1.0, weight.size + 1)
    ends: Array = np.cumsum(weight) / weight.min()
    return ends
