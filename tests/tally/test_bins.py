"""The bins of scores: fine, the same everywhere, and with sixtieths as edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring.reliability import Reliability
from kullback.tally.bins import BINS, SIXTIETHS, bin_of, uniform
from tests import strategies as draw
from tests.tally.strategies import EDGES, probability

DIVISORS = [bins for bins in range(1, SIXTIETHS + 1) if SIXTIETHS % bins == 0]
GOLDEN = {
    0.0: 0,
    5e-324: 0,
    1e-6: 4,
    1e-3: 642,
    0.01: 850,
    1 / 60: 901,
    0.1: 1068,
    0.25: 1167,
    0.3: 1182,
    0.5: 1246,
    0.7: 1309,
    0.9: 1423,
    0.99: 1642,
    0.999999: 2488,
    1 - 2.0**-53: 2492,
    1.0: 2492,
}


def test_scores_keep_their_bins() -> None:
    assert bin_of(np.array(list(GOLDEN))).tolist() == list(GOLDEN.values())
    assert BINS == 2493


@given(st.integers(2, 20).flatmap(lambda n: draw.columns_of(n, probability)))
def test_a_higher_score_is_never_in_a_lower_bin(p: Array) -> None:
    bins = bin_of(np.sort(p))
    assert (np.diff(bins) >= 0).all()
    assert 0 <= bins[0] <= bins[-1] < BINS


@given(st.integers(1, 20).flatmap(lambda n: draw.columns_of(n, probability)))
def test_a_score_does_not_look_at_its_neighbours(p: Array) -> None:
    assert bin_of(p).tolist() == [int(bin_of(np.array([score]))[0]) for score in p.tolist()]


@pytest.mark.parametrize("bins", DIVISORS)
def test_uniform_bins_are_those_of_reliability(bins: int) -> None:
    p = np.concatenate((np.array(EDGES), np.random.default_rng(2).random(5000)))
    w = np.arange(1.0, p.size + 1)
    expected = Reliability.of(p, np.zeros_like(p), w, bins, "uniform").weight
    found = uniform(np.bincount(bin_of(p), w, BINS).astype(np.float64), bins)
    assert found.tolist() == expected.tolist()


def edges() -> Array:
    """The lowest score of each bin but the first, found by halving."""
    bins = np.arange(1, BINS)
    low, high = np.zeros(bins.size), np.ones(bins.size)
    for _ in range(1100):
        middle = (low + high) / 2
        inside = bin_of(middle) >= bins
        low, high = np.where(inside, low, middle), np.where(inside, middle, high)
    return high


def test_no_bin_is_wider_than_a_48th_of_a_logit() -> None:
    found = edges()
    widths = np.diff(np.log(found) - np.log1p(-found))
    assert (widths >= 0).all()
    assert widths.max() <= 1 / 48
    # sixtieths cut some bins in two: the others are as wide as is said
    assert np.count_nonzero(widths < 1 / 128 - 1e-4) <= 2 * SIXTIETHS
    assert np.log(found[0]) == pytest.approx(-13.86, abs=0.01)
    assert np.log1p(-found[-1]) == pytest.approx(-13.86, abs=0.02)
