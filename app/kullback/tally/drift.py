"""Drift: the distance of counts from a reference, and a test of it."""

import math
from dataclasses import dataclass

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.special import chi_square_tail
from kullback.numerics.types import Array, Indices, Undefined

_GROUPS = 10
_EMPTY = Undefined(Reason.EMPTY)
NO_REFERENCE = Undefined(Reason.NO_REFERENCE)

SIGNIFICANT = 0.001  # a p-value below it is of a change that is hardly by chance
MODERATE_PSI, LARGE_PSI = 0.1, 0.25


@dataclass(frozen=True, slots=True)
class Shares:
    """Mass in cells (c,), and of how many rows it is, effectively; None where nobody counted."""

    mass: Array
    rows: float | None

    def shares(self) -> Array:
        """The mass of each cell as a share of all."""
        shares: Array = self.mass / self.mass.sum()
        return shares

    def widened(self, cells: int) -> "Shares":
        """The same with more cells, without mass, behind those there are."""
        return Shares(np.pad(self.mass, (0, cells - self.mass.size)), self.rows)

    def merged(self, group: Indices) -> "Shares":
        """The same in fewer cells: `group` (c,) names the new cell of each."""
        return Shares(np.bincount(group, self.mass).astype(np.float64), self.rows)


@dataclass(frozen=True, slots=True)
class Drift:
    """How far `current` shares are from those of a reference.

    Attributes:
        kl: KL(current ‖ reference), nats; infinite where the reference rules out what occurs.
        js: Jensen-Shannon divergence, nats, in [0, ln 2].
        psi: population stability index, nats, at least 0.
        g_statistic: of the hypothesis that both are draws from one distribution.
        degrees_of_freedom: occupied cells less one.
        p_value: the chance of a statistic as large if nothing had changed.
    """

    kl: float | Undefined
    js: float | Undefined
    psi: float | Undefined
    g_statistic: float | Undefined
    degrees_of_freedom: int | Undefined
    p_value: float | Undefined


def drift(current: Shares, reference: Shares | None, missing: Undefined = NO_REFERENCE) -> Drift:
    """Divergences of p (current) from r (reference), and the likelihood-ratio statistic.

        KL = Σ p ln(p/r)      JS = ½ KL(p‖m) + ½ KL(r‖m), m = ½(p + r)
        PSI = Σ (p − r) ln(p/r)
        G = 2n KL(p‖r) against a reference that is given, not counted; else
        G = 2n KL(p‖h) + 2k KL(r‖h),  h = (np + kr)/(n + k)

    n and k are the effective numbers of rows. Where PSI would be infinite, because a cell of one
    side is empty, half a row is added to every cell of both sides; KL stays as it is. Where there
    is no reference, `missing` says why.

    Source: Sokal & Rohlf, Biometry (1995), §17.4; Siddiqi, Credit Risk Scorecards (2006), for PSI.
    """
    if reference is None or reference.mass.sum() <= 0:
        return _nothing(missing)
    if current.mass.sum() <= 0 or not current.rows:
        return _nothing(_EMPTY)
    occupied = (current.mass > 0) | (reference.mass > 0)
    p = Shares(current.mass[occupied], current.rows)
    r = Shares(reference.mass[occupied], reference.rows)
    degrees = int(occupied.sum()) - 1
    statistic = _g_statistic(p, r)
    middle = (p.shares() + r.shares()) / 2
    return Drift(
        kl=_kl(p.shares(), r.shares()),
        js=min((_kl(p.shares(), middle) + _kl(r.shares(), middle)) / 2, math.log(2)),
        psi=_psi(p, r),
        g_statistic=statistic,
        degrees_of_freedom=degrees,
        p_value=chi_square_tail(statistic, degrees),
    )


def _nothing(reason: Undefined) -> Drift:
    return Drift(reason, reason, reason, reason, reason, reason)


def _g_statistic(p: Shares, r: Shares) -> float:
    n = p.rows or 0.0
    if r.rows is None:
        return 2 * n * _kl(p.shares(), r.shares())
    pooled = (n * p.shares() + r.rows * r.shares()) / (n + r.rows)
    return 2 * (n * _kl(p.shares(), pooled) + r.rows * _kl(r.shares(), pooled))


def _psi(p: Shares, r: Shares) -> float:
    first, second = p.shares(), r.shares()
    if not (first > 0).all() or not (second > 0).all():
        n = p.rows or 0.0
        first, second = _smoothed(first, n), _smoothed(second, r.rows or n)
    return float(((first - second) * _log_ratio(first, second)).sum())


def _smoothed(shares: Array, rows: float) -> Array:
    smoothed: Array = (rows * shares + 0.5) / (rows + 0.5 * shares.size)
    return smoothed


def _kl(p: Array, r: Array) -> float:
    some = p > 0
    return max(float((p[some] * _log_ratio(p[some], r[some])).sum()), 0.0)


def _log_ratio(p: Array, r: Array) -> Array:
    """Ln p/r, where that is beyond doubles too; infinite where r is 0."""
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        ratio = p / r
        is_beyond = (np.isinf(ratio) | (ratio == 0)) & (r > 0)
        logs: Array = np.where(is_beyond, np.log(p) - np.log(r), np.log(ratio))
    return logs


def tenths(reference: Array) -> Indices:
    """A cell for each bin, (b,): tenths of the reference's mass, as far as its bins allow.

    Where all of the mass is in one bin the cells are below it, it, and above it.
    """
    before = np.cumsum(reference) - reference
    middle = (before + reference / 2) / reference.sum()
    cell: Indices = np.minimum((middle * _GROUPS).astype(np.int64), _GROUPS - 1)
    occupied = np.unique(cell[reference > 0])
    if occupied.size < 2:
        place = np.flatnonzero(reference)
        bins = np.arange(cell.size)
        cell[:] = (bins >= place[0]).astype(np.int64) + (bins > place[-1])
        return cell
    # What lies between occupied cells belongs to the one below.
    below: Indices = np.searchsorted(occupied, cell, side="right").astype(np.int64) - 1
    cells: Indices = np.maximum(below, 0)
    return cells
