"""Weighted means of many rows, block by block."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.means import (
    ROWS_PER_BLOCK,
    ClassMeans,
    Mean,
    bin_sums,
    blocks,
    exp,
    part,
    sum_up,
    weighted_mean,
)
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from tests import oracles
from tests import strategies as draw

around_blocks = pytest.mark.parametrize(
    "n", [1, ROWS_PER_BLOCK - 1, ROWS_PER_BLOCK, ROWS_PER_BLOCK + 1, 3 * ROWS_PER_BLOCK + 7]
)


@around_blocks
def test_blocks_cover_every_row_once(n: int) -> None:
    covered = [i for block in blocks(n) for i in range(n)[block]]
    assert covered == list(range(n))
    assert all(block.stop - block.start <= ROWS_PER_BLOCK for block in blocks(n))


@around_blocks
def test_means_of_blocks_keep_their_digits(n: int) -> None:
    rng = np.random.default_rng(n)
    values, weight = 10.0 ** rng.uniform(-8, 8, n), rng.random(n)
    plain = math.fsum(values.tolist()) / n
    assert weighted_mean(values, None) == pytest.approx(plain, rel=1e-14)
    truth = math.fsum((values * weight).tolist()) / math.fsum(weight.tolist())
    assert weighted_mean(values, weight) == pytest.approx(truth, rel=1e-14)


@around_blocks
def test_sums_of_bins_keep_their_digits(n: int) -> None:
    rng = np.random.default_rng(n)
    values, index = rng.random(n), rng.integers(0, 3, n)
    truth = [math.fsum(values[index == b].tolist()) for b in range(3)]
    assert bin_sums(index, values, 3) == pytest.approx(truth, rel=1e-12)


@given(draw.sizes.flatmap(lambda n: st.tuples(*[draw.columns_of(n, draw.mass)] * 2)))
def test_a_mean_agrees_with_sixty_digits(columns: tuple[Array, Array]) -> None:
    values, weight = columns
    found = weighted_mean(values, weight)
    if weight.max() < 1e-20:
        return
    truth = oracles.weighted_mean(values.tolist(), weight.tolist())
    assert found == pytest.approx(truth, rel=1e-14, abs=1e-300)


def test_values_without_weight_add_nothing_even_infinite_ones() -> None:
    assert weighted_mean(np.array([np.inf, 2.0]), np.array([0.0, 3.0])) == 2.0
    assert weighted_mean(np.array([np.inf, 2.0]), None) == math.inf


def test_a_mean_of_nothing_says_why() -> None:
    assert Mean().value() == Undefined(Reason.EMPTY)
    assert weighted_mean(np.array([1.0]), np.zeros(1)) == Undefined(Reason.ZERO_WEIGHT)


def test_means_of_classes_by_hand() -> None:
    means = ClassMeans(3)
    means.add(np.array([1.0, 3.0]), np.array([0, 0]), None)
    means.add(np.array([8.0]), np.array([2]), None)
    assert means.value() == 5.0
    means = ClassMeans(3)
    means.add(np.array([1.0, 3.0, np.inf]), np.array([0, 0, 1]), np.array([1.0, 3.0, 0.0]))
    assert means.value() == 2.5


def test_means_of_classes_without_weight_say_why() -> None:
    means = ClassMeans(2)
    means.add(np.array([1.0]), np.array([0]), np.zeros(1))
    assert means.value() == Undefined(Reason.ZERO_WEIGHT)


def test_a_sum_beyond_a_double_is_infinite() -> None:
    assert sum_up([1e308, 1e308]) == math.inf
    assert sum_up([1.0, math.inf]) == math.inf
    assert sum_up([1e308, 1.0, -1e308]) == 1.0


def test_a_power_beyond_a_double_is_infinite() -> None:
    assert exp(710.0) == math.inf
    assert exp(math.inf) == math.inf
    assert exp(0.0) == 1.0
    assert exp(Undefined(Reason.EMPTY)) == Undefined(Reason.EMPTY)


def test_part_of_no_weights_is_no_weights() -> None:
    assert part(None, slice(0, 1)) is None
    found = part(np.array([1.0, 2.0]), slice(1, 2))
    assert found is not None
    assert found.tolist() == [2.0]
