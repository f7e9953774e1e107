"""Smooth calibration error: beside quadrature, by law, and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from kullback.numerics.types import Array
from kullback.scoring.smooth_calibration import smooth_calibration_error
from tests import strategies as draw

GRID = np.linspace(0.0, 1.0, 10_001)
rows = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        draw.columns_of(n, draw.probability),
        draw.columns_of(n, draw.share),
        draw.columns_of(n, st.floats(0.1, 10.0)),
    )
)


def smoothed(p: Array, y: Array, w: Array, bandwidth: float, grid: Array = GRID) -> float:
    """∫|Σ w (y − p) K(t, p)| dt / Σ w, every image of the reflected kernel added up."""
    residual = np.zeros_like(grid)
    images = math.ceil(9 * bandwidth / 2) + 1
    for at, gap in zip(p.tolist(), (w * (y - p) / w.sum()).tolist(), strict=True):
        for shift in range(-2 * images, 2 * images + 1, 2):
            for image in (at + shift, shift - at):
                residual += gap * np.exp(-(((grid - image) / bandwidth) ** 2) / 2)
    a, b = residual[:-1], residual[1:]
    crossed = (a**2 + b**2) / (2 * np.maximum(np.abs(a) + np.abs(b), 1e-300))
    cells = np.where(a * b < 0, crossed, np.abs(a + b) / 2)
    return float(cells.sum()) * float(grid[1]) / (bandwidth * math.sqrt(2 * math.pi))


def by_quadrature(p: Array, y: Array, w: Array, grid: Array = GRID) -> float:
    return float(brentq(lambda s: smoothed(p, y, w, s, grid) - s, 1e-3, 1.5, xtol=1e-13))


@given(rows)
def test_it_agrees_with_quadrature(batch: tuple[Array, Array, Array]) -> None:
    p, y, w = batch
    found = smooth_calibration_error(p, y, w)
    if found > 0.03:
        assert found == pytest.approx(by_quadrature(p, y, w), rel=2e-6)


@pytest.mark.parametrize("n", [30, 300])
def test_it_agrees_with_quadrature_on_random_rows(n: int) -> None:
    rng = np.random.default_rng(n)
    p, w = rng.beta(1, 3, n), rng.random(n) + 0.1
    y = (rng.random(n) < p**2).astype(float)
    found = smooth_calibration_error(p, y, w)
    assert found == pytest.approx(by_quadrature(p, y, w), rel=1e-8)


def test_it_agrees_with_quadrature_where_the_bandwidth_is_small() -> None:
    p = np.array([0.31, 0.33, 0.35, 0.371, 0.4])
    y = p + np.array([0.01, -0.01, 0.009, -0.01, 0.01])
    expected = by_quadrature(p, y, np.ones(5), np.linspace(0.0, 1.0, 100_001))
    assert 0.005 < expected < 0.01
    assert smooth_calibration_error(p, y, None) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.125, 0.5, 0.9, 1.0])
def test_residuals_of_one_sign_are_their_mean(value: float) -> None:
    """No kernel takes mass out of [0, 1], so that nothing is lost but what cancels."""
    p = np.array([value, value])
    assert smooth_calibration_error(p, np.ones(2), None) == pytest.approx(1 - value, rel=1e-12)
    weight = np.array([1.0, 3.0])
    found = smooth_calibration_error(p, np.array([1.0, value]), weight)
    assert found == pytest.approx((1 - value) / 4, rel=1e-9)


def test_what_is_said_and_seen_is_no_error() -> None:
    p = np.linspace(0, 1, 7)
    assert smooth_calibration_error(p, p, None) == 0.0


def test_a_bandwidth_below_the_grid_is_off_by_less_than_it() -> None:
    found = smooth_calibration_error(np.array([0.5]), np.array([0.5 + 1e-5]), None)
    assert found == pytest.approx(1e-5, rel=1e-6)
    cancelled = smooth_calibration_error(np.array([0.5, 0.5001]), np.array([0.5002, 0.4999]), None)
    assert 0 < cancelled < 2**-12


@given(rows)
def test_it_lies_between_the_mean_residual_and_the_mean_of_residuals(
    batch: tuple[Array, Array, Array],
) -> None:
    p, y, w = batch
    found = smooth_calibration_error(p, y, w)
    assert abs(float(w @ (y - p))) / w.sum() <= found * (1 + 1e-9) + 1e-12
    assert found <= float(w @ np.abs(y - p)) / w.sum() * (1 + 1e-9) + 1e-12


@given(rows)
def test_the_mirror_and_repetition_change_nothing(batch: tuple[Array, Array, Array]) -> None:
    p, y, w = batch
    found = smooth_calibration_error(p, y, w)
    mirrored = smooth_calibration_error(1 - p, 1 - y, w)
    assert mirrored == pytest.approx(found, rel=1e-6, abs=1e-9)
    halves = smooth_calibration_error(np.tile(p, 2), np.tile(y, 2), np.tile(w, 2))
    assert halves == pytest.approx(found, rel=1e-9, abs=1e-12)


def test_it_does_not_jump_where_bins_do() -> None:
    y = np.array([1.0, 0.0])
    near = smooth_calibration_error(np.array([0.5, 0.5]), y, None)
    off = smooth_calibration_error(np.array([0.499, 0.501]), y, None)
    assert near == 0.0
    assert off < 0.04
