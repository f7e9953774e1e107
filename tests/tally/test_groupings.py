"""Groups of rows that are summed in one pass are those that are summed one after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.tally.binary import binary_terms
from kullback.tally.groupings import Grouping, grouped
from kullback.tally.merge import merged
from kullback.tally.merged_tallies import merged_tallies
from kullback.tally.tally import Layout, Tally, total

LAYOUT = Layout("binary", 2, "sklearn", clustered=True)
KINDS = ("plain", "soft", "weighted", "extreme", "constant", "nobody")


def rows_of(kind: str, n: int, seed: int) -> tuple[Array, Array, Array | None]:
    """Labels, predictions and weights of rows with something special about them."""
    draw = np.random.default_rng(seed)
    y, p, w = (draw.random(n) < 0.3).astype(np.float64), draw.beta(1, 6, n), None
    if kind == "soft":
        y = draw.choice([0.0, 0.1, 2.0**-1074, 1.0], n)
    elif kind == "weighted":
        w = draw.choice([0.0, 0.3, 1e6, 1.0], n)
    elif kind == "extreme":
        p = draw.choice([0.0, 1.0, 5e-324, 1e-300, 1 - 2.0**-53], n)
    elif kind == "constant":
        p = np.full(n, 0.1)
    elif kind == "nobody":
        y = np.zeros(n)
    return y, p, w


def agree(kind: str, n: int, groups: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    y, p, w = rows_of(kind, n, seed)
    terms = binary_terms(LAYOUT, y, p, w, draw.integers(0, 1024, n))
    some, steps = draw.integers(0, groups, n), np.sort(draw.integers(0, 3, n))
    found = grouped(terms, [Grouping(some, groups), Grouping(steps, 3)])
    assert found == [dict(terms.groups(some)), dict(terms.groups(steps))]
    for tally in found[0].values():
        assert Tally.decoded(tally.encoded()) == tally


@settings(max_examples=25)
@given(st.sampled_from(KINDS), st.integers(1, 60), st.integers(1, 70), st.integers(0, 10**6))
def test_each_group_is_what_its_rows_alone_say(kind: str, n: int, groups: int, seed: int) -> None:
    agree(kind, n, groups, seed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("groups", [1, 3, 400])
def test_many_rows_of_a_bin_sum_as_exactly(kind: str, groups: int) -> None:
    agree(kind, 30_000, groups, 1)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 80), st.sampled_from(KINDS)), min_size=1, max_size=150))
def test_maps_of_tallies_add_up_as_each_alone_does(parts: list[tuple[int, str]]) -> None:
    maps = []
    for seed, (key, kind) in enumerate(parts):
        y, p, w = rows_of(kind, 7, seed)
        units = np.random.default_rng(seed).integers(0, 1024, 7)
        maps.append({key: binary_terms(LAYOUT, y, p, w, units).tally()})
    assert merged_tallies(maps) == merged(maps, total)
    assert merged_tallies([]) == {}
