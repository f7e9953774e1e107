"""Smooth calibration error: the error of a forecast without bins."""

import math
from collections.abc import Callable

import numpy as np

from kullback.numerics.means import blocks
from kullback.numerics.types import Array, Indices

_GRID = 1 << 14
_LEAST = 4 / _GRID  # the interpolated kernel is off by 1e-6 there, by 1e-9 at three times that
_RESOLUTION = 32  # points in a bandwidth
_STENCIL = range(-2, 4)  # six points: a polynomial of degree 5
_DENOMINATORS = [math.prod(a - b for b in _STENCIL if b != a) for a in _STENCIL]
_SOLVER_STEPS = 60


def smooth_calibration_error(p: Array, y: Array, weight: Array | None) -> float:
    """The mean residual after smoothing over p, at the bandwidth that equals it.

        smECE_σ = ∫₀¹ |Σᵢ wᵢ (yᵢ − pᵢ) K_σ(t, pᵢ)| dt / Σ w
        smECE   = the σ for which smECE_σ = σ
        K_σ     the Gaussian kernel, reflected at 0 and at 1

    smECE_σ falls as σ grows, so that there is one such σ. The cosine series of the smoothed
    residual is taken on a grid, on which the kernel is interpolated.

    Args:
        p: predictions in [0, 1], (n,).
        y: outcomes in [0, 1], (n,).
        weight: of each row (n,), not all 0, or None.

    Returns:
        In [0, 1]. Below 2⁻¹² it is smECE_σ at σ = 2⁻¹², which is off by less than that.

    Source: Błasiok & Nakkiran, "Smooth ECE", ICLR (2024), §3.
    """
    residual = y - p if weight is None else weight * (y - p)
    residual = residual / (p.size if weight is None else math.fsum(weight.tolist()))
    error = _smoothed(p, residual)
    low = high = 1.0
    while (smoothed := error(low)) <= low:
        if low == _LEAST:
            return smoothed
        low, high = max(low / 4, _LEAST), low
    return low if low == high else _fixed_point(error, low, high)


def _smoothed(p: Array, residual: Array) -> Callable[[float], float]:
    """smECE_σ as a function of σ: ∫|g| of g(t) = Σ rᵢ K_σ(t, pᵢ), the variation of ∫g.

    The reflected kernel is the heat kernel of a circle of length 2 on which each row stands at
    p and at −p: mode m of g is that of the rows times exp(−(πmσ)²/2).
    """
    modes = 2.0 * np.fft.rfft(_on_grid(p, residual)).real
    frequency = math.pi * np.arange(_GRID + 1)

    def error(bandwidth: float) -> float:
        size = min(_GRID, 1 << math.ceil(math.log2(_RESOLUTION / bandwidth)))
        kept, omega = modes[: size + 1], frequency[: size + 1]
        kept = kept * np.exp(-((omega * bandwidth) ** 2) / 2)
        g = np.fft.irfft(kept, 2 * size)[: size + 1]
        slope, kept = kept[0] / 2 / size, kept / np.maximum(omega, 1.0)
        kept[0] = 0.0
        integral = size * np.fft.irfft(kept / 1j, 2 * size)[: size + 1]
        return _variation(g, np.diff(integral) + slope)

    return error


def _on_grid(p: Array, residual: Array) -> Array:
    """Residuals on the points of a circle: each spread over six by Lagrange's polynomials."""
    masses = np.zeros(2 * _GRID)
    for block in blocks(p.size):
        place = p[block] * _GRID
        at: Indices = np.floor(place).astype(np.int64)
        away = [place - at - step for step in _STENCIL]
        before, after = [residual[block]], [np.ones_like(place)]
        for near, far in zip(away[:-1], away[:0:-1], strict=True):
            before.append(before[-1] * near)
            after.append(after[-1] * far)
        for step, left, right, whole in zip(
            _STENCIL, before, reversed(after), _DENOMINATORS, strict=True
        ):
            masses += np.bincount((at + step) % masses.size, left * right / whole, masses.size)
    return masses


def _variation(g: Array, area: Array) -> float:
    """∫|g| over the cells of a grid, of g times the cell's width at their ends and of its `area`.

    A cell in which g changes its sign is cut at the root of the quadratic that has both ends and
    the area.
    """
    a, b = g[:-1], g[1:]
    cut = np.flatnonzero(np.sign(a) * np.sign(b) < 0)
    whole = np.abs(area)
    if cut.size:
        scale = np.maximum(np.abs(a[cut]), np.abs(b[cut]))
        part = scale * _first_part(a[cut] / scale, b[cut] / scale, area[cut] / scale)
        whole[cut] = np.abs(part) + np.abs(area[cut] - part)
    return float(whole.sum())


def _first_part(a: Array, b: Array, area: Array) -> Array:
    """∫ from 0 to its root of the quadratic on [0, 1] from a to b, of other sign, of this area."""
    first, second = 6 * area - 4 * a - 2 * b, 3 * (a + b - 2 * area)
    root = np.copysign(np.sqrt(np.maximum(first * first - 4 * second * a, 0.0)), a)
    with np.errstate(divide="ignore", invalid="ignore"):  # of the form that is not taken
        z = np.where(first * a > 0, (-first - root) / (2 * second), 2 * a / (root - first))
    z = np.clip(z, 0.0, 1.0)
    part: Array = z * (a + z * (first / 2 + z * second / 3))
    return part


def _fixed_point(error: Callable[[float], float], low: float, high: float) -> float:
    """The σ between these with error(σ) = σ, by regula falsi that halves an end that stays."""
    above, below, side = error(low) - low, error(high) - high, 0
    for _ in range(_SOLVER_STEPS):
        middle = (low * below - high * above) / (below - above)
        gap = error(middle) - middle
        if abs(gap) <= 1e-13 * middle or high - low <= 1e-13 * high:
            break
        if gap > 0:
            low, above = middle, gap
            below = below / 2 if side > 0 else below
            side = 1
        else:
            high, below = middle, gap
            above = above / 2 if side < 0 else above
            side = -1
    return middle
