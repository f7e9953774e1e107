"""The losses of rows, and what scales them."""

import math

import numpy as np

from kullback.numerics.means import ROWS_PER_BLOCK
from kullback.scoring.conventions import EXACT
from kullback.scoring.losses import binary_losses, has_soft, outcome_losses, scaled


def test_the_losses_of_outcomes() -> None:
    p = np.array([[0.5, 0.5], [1.0, 0.0], [1.0, 0.0]])
    losses, clipped = outcome_losses(np.array([1, 0, 1]), p, EXACT)
    assert losses.tolist() == [math.log(2), 0.0, math.inf]
    assert not clipped.any()


def test_losses_beyond_one_block_are_all_computed() -> None:
    n = ROWS_PER_BLOCK + 3
    y, p = np.resize([1.0, 0.0], n), np.full(n, 0.25)
    losses, clipped = binary_losses(y, p, EXACT)
    assert losses.tolist() == np.resize([-math.log(0.25), -math.log1p(-0.25)], n).tolist()
    assert not clipped.any()


def test_one_soft_label_in_the_last_block_is_seen() -> None:
    y = np.zeros(ROWS_PER_BLOCK + 1)
    assert not has_soft(y)
    y[-1] = 0.5
    assert has_soft(y)


def test_what_weighs_nothing_costs_nothing_even_where_infinite() -> None:
    assert scaled(np.array([np.inf, 2.0]), np.array([0.0, 3.0])).tolist() == [0.0, 6.0]
