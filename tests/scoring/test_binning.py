"""Bins: ties stay together, edges are scikit-learn's, and weights are repetitions."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.scoring.binning import (
    MOST_SWEPT,
    Quantiles,
    Strategy,
    bin_edges,
    bin_index,
    chosen_bins,
    given_bins,
)
from kullback.scoring.calibration import CalibrationOptions, calibration
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests.scoring.answers import number, numbers, refused, rows

NO_ROWS = (np.empty(0), np.empty(0), None)
bin_counts = st.integers(1, 20)
spiked = st.sampled_from((0.0, 0.01, 0.3, 0.5, 0.9, 1.0)) | st.floats(0.0, 1.0, width=16)
forecasts = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n).map(np.array),
        st.lists(spiked, min_size=n, max_size=n).map(np.array),
    )
)
whole_weights = st.lists(st.integers(1, 5), min_size=60, max_size=60).map(
    lambda w: np.array([1.0, *w[1:]])
)


def quantile_score(y: Array, p: Array, bins: int, weight: Array | None = None) -> Score:
    settings = CalibrationOptions(bins=bins, strategy="quantile")
    return calibration(y, p, None, settings, Options(sample_weight=weight))


def over_distinct_values(y: Array, p: Array) -> float:
    return sum(abs(float((y - p)[p == value].sum())) for value in np.unique(p)) / y.size


@pytest.mark.parametrize("bins", [10, 15, 16, 100])
@pytest.mark.parametrize(
    ("rows_at", "error"),
    [
        # (prediction, rows, of which positive)
        (((0.01, 90, 10), (0.9, 10, 0)), 0.181),
        (((0.0, 90, 9), (0.8, 10, 0)), 0.17),
        (((0.1, 10, 1), (0.9, 90, 45)), 0.36),
        (((0.2, 20, 0), (1.0, 80, 40)), 0.44),
        (((0.0, 50, 5), (1.0, 50, 45)), 0.1),
        (((0.5, 100, 100),), 0.5),
        (((0.0, 100, 100),), 1.0),
        (((1.0, 100, 25),), 0.75),
    ],
)
def test_a_spike_is_a_bin_of_its_own(
    rows_at: tuple[tuple[float, int, int], ...], error: float, bins: int
) -> None:
    p = np.concatenate([np.full(n, value) for value, n, _ in rows_at])
    y = np.concatenate([np.arange(n) < positive for _, n, positive in rows_at]).astype(float)
    expected = over_distinct_values(y, p)
    assert expected == pytest.approx(error, rel=1e-12)
    assert quantile_score(y, p, bins).value == pytest.approx(expected, rel=1e-12)


@given(forecasts, bin_counts)
def test_quantile_bins_are_those_of_scikit_learn(forecast: tuple[Array, Array], bins: int) -> None:
    y, p = forecast
    found = quantile_score(y, p, bins)
    observed, predicted = calibration_curve(y, p, n_bins=bins, strategy="quantile", pos_label=1)
    table = [row for row in rows(found, "table") if row["count"]]
    assert [row["observed"] for row in table] == pytest.approx(observed, rel=1e-12)
    assert [row["mean_predicted"] for row in table] == pytest.approx(
        predicted, rel=1e-12, abs=1e-300
    )
    shares = np.array([row["count"] for row in table], float) / y.size
    expected = float(shares @ np.abs(observed - predicted))
    assert found.value == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_random_scores_with_a_spike_at_the_least_score_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(7)
    p = np.where(rng.random(1000) < 0.7, 0.02, rng.beta(1, 4, 1000).clip(0.02))
    y = (rng.random(1000) < 0.3 * p + 0.05).astype(float)
    edges = np.percentile(p, np.linspace(0, 1, 16) * 100)
    index = np.searchsorted(edges[1:-1], p)
    expected = np.abs(np.bincount(index, y - p)).sum() / 1000
    assert quantile_score(y, p, 15).value == pytest.approx(expected, rel=1e-12)


@given(forecasts, bin_counts, st.sampled_from(("uniform", "quantile")))
def test_every_row_lies_in_its_bin_and_ties_share_one(
    forecast: tuple[Array, Array], bins: int, strategy: Strategy
) -> None:
    _, p = forecast
    edges = bin_edges(p, None, bins, strategy)
    index = bin_index(edges, p)
    low, high = edges[:-1][index], edges[1:][index]
    assert ((low < p) | ((index == 0) & (low <= p))).all()
    assert (p <= high).all()
    assert edges.size - 1 <= bins
    assert (np.diff(edges)[1:] > 0).all()


@given(forecasts, bin_counts, whole_weights)
def test_whole_weights_are_repetitions(
    forecast: tuple[Array, Array], bins: int, weight: Array
) -> None:
    y, p = forecast
    weight = weight[: y.size]
    times = weight.astype(np.int64)
    repeated = quantile_score(np.repeat(y, times), np.repeat(p, times), bins)
    found = quantile_score(y, p, bins, weight)
    assert found.value == pytest.approx(repeated.value, rel=1e-12, abs=1e-15)
    edges = [[row["low"] for row in rows(score, "table")] for score in (found, repeated)]
    assert edges[0] == edges[1]
    assert quantile_score(y, p, bins, 8 * weight).value == pytest.approx(
        found.value, rel=1e-12, abs=1e-15
    )


@given(forecasts, bin_counts, st.floats(0.01, 100))
def test_equal_weights_are_none(forecast: tuple[Array, Array], bins: int, weight: float) -> None:
    y, p = forecast
    found = quantile_score(y, p, bins, np.full(y.size, weight))
    assert found.value == pytest.approx(quantile_score(y, p, bins).value, rel=1e-12, abs=1e-15)


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(1e-9, 1e9)), min_size=1, max_size=30),
    st.floats(0, 1),
)
def test_weighted_quantiles_split_the_weight(pairs: list[tuple[float, float]], q: float) -> None:
    values, weight = np.array(pairs).T
    (found,) = Quantiles.of(values, weight).at(np.array([q]))
    assert values.min() <= found <= values.max()
    room = weight.sum() * 1e-9 + weight.min()
    assert weight[values < found].sum() <= q * weight.sum() + room
    assert weight[values > found].sum() <= (1 - q) * weight.sum() + room


def test_weighted_quantiles_by_hand() -> None:
    # as 1, 1, 1, 5: h = 3q, and the last third leads from 1 to 5
    quantiles = Quantiles.of(np.array([5.0, 1.0, 9.0]), np.array([2.0, 6.0, 0.0]))
    found = quantiles.at(np.array([0.0, 0.5, 2 / 3, 5 / 6, 1]))
    assert found == pytest.approx([1, 1, 1, 3, 5], rel=1e-15)


@given(forecasts, bin_counts)
def test_classes_are_binned_as_one_against_the_rest(
    forecast: tuple[Array, Array], bins: int
) -> None:
    y, p = forecast
    both = np.stack((1 - p, p), axis=1)
    found = quantile_score(y, both, bins)
    each = [quantile_score(y == k, both[:, k], bins).value for k in (0, 1)]
    assert numbers(found, "per_class") == pytest.approx(each, rel=1e-12, abs=1e-15)
    top = quantile_score(both.argmax(axis=1) == y, both.max(axis=1), bins)
    assert found.value == pytest.approx(top.value, rel=1e-12, abs=1e-15)
    assert number(found, "mce") == pytest.approx(number(top, "mce"), rel=1e-12, abs=1e-15)


@given(st.integers(1, 10**7))
def test_the_cube_root_is_rounded_up(n: int) -> None:
    bins = chosen_bins("cube_root", "uniform", NO_ROWS, n)
    assert (bins - 1) ** 3 < n <= bins**3


@pytest.mark.parametrize(("n", "bins"), [(1, 1), (2, 2), (8, 2), (9, 3), (64, 4), (1000, 10)])
def test_the_cube_root_is_that_of_scikit_learn(n: int, bins: int) -> None:
    # int(np.ceil(n ** (1 / 3))), but for cubes whose root is rounded up
    assert chosen_bins("cube_root", "quantile", NO_ROWS, n) == bins


def swept(strategy: Strategy, p: Array, y: Array, weight: Array | None = None) -> int:
    return chosen_bins("sweep", strategy, (p, y, weight), p.size)


def swept_one_by_one(y: Array, p: Array, strategy: Strategy) -> int:
    bins = 1
    while bins < p.size:
        shares = np.linspace(0, 1, bins + 2)
        edges = np.percentile(p, shares * 100) if strategy == "quantile" else shares
        index = np.searchsorted(edges[1:-1], p)
        rates = [y[index == b].mean() for b in np.unique(index)]
        if any(later < earlier for earlier, later in pairwise(rates)):
            break
        bins += 1
    return bins


@given(forecasts, st.sampled_from(("uniform", "quantile")))
def test_a_sweep_ends_before_the_first_rate_that_falls(
    forecast: tuple[Array, Array], strategy: Strategy
) -> None:
    y, p = forecast
    y = y.astype(float)
    found = swept(strategy, p, y, None)
    assert found == swept_one_by_one(y, p, strategy)
    assert found == swept(strategy, p, y, np.full(p.size, 2.0))


def test_a_sweep_by_hand() -> None:
    p, y = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1.0, 0.0, 1.0])
    assert swept("quantile", p, y) == 2  # ½, ½; then 0, ½, 1 or 0, 1, 0, 1
    assert swept("quantile", p, np.sort(y)) == 4
    assert swept("quantile", p, 1 - np.sort(y)) == 1


def test_a_sweep_of_rows_that_are_told_apart_stops_at_its_limit() -> None:
    p = np.arange(2000) / 2000
    assert swept("quantile", p, (p > 0.5).astype(float)) == MOST_SWEPT


def test_edges_are_bins_as_they_are() -> None:
    y, p = np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.0, 0.02, 0.05, 1.0])
    found = calibration(y, p, None, CalibrationOptions(bins=[0.0, 0.02, 0.5, 1.0]), Options())
    table = rows(found, "table")
    assert [row["high"] for row in table] == [0.02, 0.5, 1.0]
    assert [row["count"] for row in table] == [2, 1, 1]
    assert found.value == pytest.approx((0.98 + 0.05 + 0) / 4, rel=1e-14)
    assert found.conventions["bins"] == "given"


@pytest.mark.parametrize(
    ("edges", "pointer"),
    [
        ([0.0, 0.5, 0.5, 1.0], "/bins/2"),
        ([0.0, 0.5, 0.4, 1.0], "/bins/2"),
        ([0.0, math.nan, 1.0], "/bins/1"),
        ([0.1, 1.0], "/bins"),
        ([-1e308, 1e308], "/bins"),
        ([0.0, 0.9], "/bins"),
        ([0.0], "/bins"),
    ],
)
def test_edges_that_do_not_rise_from_0_to_1_are_refused(edges: list[float], pointer: str) -> None:
    with refused(pointer):
        given_bins(edges)


@pytest.mark.filterwarnings("error")
def test_edges_of_any_size_are_refused_without_a_warning() -> None:
    with pytest.raises(InvalidInput, match="edges rise from 0 to 1"):
        given_bins([-1e308, 1e308])
