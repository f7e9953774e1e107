"""Isotonic regression, and the decomposition of log loss that it gives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from kullback.numerics.isotonic import binary_entropy, binary_entropy_sum, decompose, isotonic_means
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from tests import oracles
from tests import strategies as draw


def pooled(weight: Array, y: Array) -> Array:
    """The fitted value of each point."""
    sizes, masses = isotonic_means(weight, weight * y)
    assert (np.diff(masses / sizes) > 0).all()
    ends = np.searchsorted(np.cumsum(sizes), np.cumsum(weight) * (1 - 1e-12))
    means = masses / sizes
    return np.asarray(means[ends], np.float64)


def test_by_hand() -> None:
    sizes, masses = isotonic_means(np.ones(5), np.array([1.0, 0.0, 2.0, 3.0, 1.0]))
    assert sizes.tolist() == [2.0, 3.0]
    assert masses.tolist() == [1.0, 6.0]


@given(draw.sizes.flatmap(lambda n: st.tuples(*[draw.columns_of(4 * n, st.floats(0.1, 1.0))] * 2)))
def test_scikit_learn_agrees(columns: tuple[Array, Array]) -> None:
    weight, y = columns
    expected = IsotonicRegression().fit_transform(np.arange(y.size), y, sample_weight=weight)
    assert pooled(weight, y) == pytest.approx(expected, rel=1e-9)


def test_long_walks_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    for points in (rng.random(3000), np.cumsum(rng.normal(size=3000)), -np.arange(500.0)):
        expected = IsotonicRegression().fit_transform(np.arange(points.size), points)
        assert pooled(np.ones(points.size), points) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_rising_staircase_under_one_fall_needs_as_many_passes_as_steps() -> None:
    # the last point pulls down one step per pass
    n = 500
    y = np.concatenate((np.arange(float(n)), [-float(n * n)]))
    sizes, masses = isotonic_means(np.ones(n + 1), y)
    assert sizes.tolist() == [n + 1.0]
    assert masses.tolist() == [n * (n - 1) / 2 - n * n]


def test_the_finish_pools_only_what_falls() -> None:
    n = 300
    y = np.concatenate(([-1e9], np.arange(float(n)), [-float(n * n)], [1e9, 2e9]))
    expected = IsotonicRegression().fit_transform(np.arange(y.size), y)
    assert pooled(np.ones(y.size), y) == pytest.approx(expected, rel=1e-9)


def _mean(y: Array, p: Array, w: Array) -> float:
    return oracles.log_loss(y.tolist(), p.tolist(), w.tolist())


@given(
    draw.sizes.flatmap(
        lambda n: st.tuples(
            draw.columns_of(2 * n, draw.share),
            draw.columns_of(2 * n, draw.inner_probability),
            draw.weights(2 * n),
        )
    )
)
def test_the_parts_make_the_whole(rows: tuple[Array, Array, Array]) -> None:
    y, p, w = rows
    whole = _mean(y, p, w)
    parts = decompose(p, y, w, whole)
    values = [parts.miscalibration, parts.discrimination, parts.uncertainty]
    known = [value for value in values if isinstance(value, float)]
    assert all(value >= 0.0 for value in known)
    miscalibration, discrimination, uncertainty = known
    assert miscalibration - discrimination + uncertainty == pytest.approx(whole, rel=1e-9, abs=1e-9)


@given(
    draw.columns_of(12, draw.outcome), draw.columns_of(12, st.sampled_from((0.1, 0.3, 0.5, 0.9)))
)
def test_the_parts_are_those_of_recalibrated_forecasts(y: Array, p: Array) -> None:
    recalibrated = IsotonicRegression(y_min=0, y_max=1).fit(p, y).predict(p)
    base_rate = np.full(12, y.mean())
    ones = np.ones(12)
    best, none = (_mean(y, np.clip(q, 0, 1), ones) for q in (recalibrated, base_rate))
    whole = _mean(y, p, ones)
    parts = decompose(p, y, None, whole)
    assert parts.miscalibration == pytest.approx(whole - best, abs=1e-12)
    assert parts.discrimination == pytest.approx(none - best, abs=1e-12)
    assert parts.uncertainty == pytest.approx(none, abs=1e-12)


def test_without_weight_there_are_no_parts() -> None:
    parts = decompose(np.array([0.5]), np.array([1.0]), np.zeros(1), math.nan)
    assert parts.uncertainty == Undefined(Reason.ZERO_WEIGHT)


def test_uncertainty_of_a_rate() -> None:
    assert binary_entropy(0.5) == pytest.approx(math.log(2), rel=1e-15)
    assert [binary_entropy(rate) for rate in (0.0, 1.0, -1e-17, 1.0 + 1e-15)] == [0.0] * 4
    assert binary_entropy(1e-20) == pytest.approx(1e-20 * (1 + 20 * math.log(10)), rel=1e-14)
    sums = binary_entropy_sum(np.array([1.0, 0.0, 3.0]), np.array([2.0, 5.0, 3.0]))
    assert sums == pytest.approx(2 * math.log(2), rel=1e-15)
