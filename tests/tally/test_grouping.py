"""Tallies of groups are those of their rows alone."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.numerics.types import Flags, Indices
from kullback.tally import grouping
from kullback.tally.grouping import Group, Slices, group_ids
from kullback.tally.tally import Layout, Tally
from tests.strategies import columns_of, indices
from tests.tally.strategies import Batch, probability

BINARY = Layout("binary", 2, "sklearn")
VALUES = ("DE", "FR", "", None)


def batch(n: int, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    return Batch(BINARY, rng.random(n), np.where(rng.random(n) < 0.3, 1.0, 0.0))


def groups(rows: Batch, window: Indices, slices: Slices) -> dict[Group, Tally]:
    terms = rows.terms()
    return group_ids(terms.taken, window, slices)


def those(rows: Batch, inside: Flags) -> Tally:
    return rows.mapped(lambda column: column[inside]).tally()


@given(st.integers(1, 8), st.data())
def test_each_is_the_tally_of_its_rows(n: int, data: st.DataObject) -> None:
    rows = Batch(BINARY, data.draw(columns_of(n, probability)), np.ones(n))
    window = data.draw(indices(n, 4)) - 2
    values = st.lists(st.sampled_from(VALUES), min_size=n, max_size=n)
    slices = {"country": data.draw(values), "os": data.draw(values)}
    expected = {("", at): those(rows, window == at) for at in set(window.tolist())}
    for name, column in slices.items():
        for value, at in {*zip(column, window.tolist(), strict=True)}:
            if value is not None:
                inside = np.array([found == value for found in column]) & (window == at)
                expected[f"{name}={value}", at] = those(rows, inside)
    assert groups(rows, window, slices) == expected


def test_many_rows_are_tallied_in_pieces() -> None:
    n = (1 << 17) + 5
    rows, window = batch(n), np.arange(n) % 2
    country = ["DE" if row % 3 else None for row in range(n)]
    found = groups(rows, window, {"country": country})
    assert found["", 1] == those(rows, window == 1)
    inside = (np.arange(n) % 3 > 0) & (window == 0)
    assert found["country=DE", 0] == those(rows, inside)
    assert len(found) == 4


@pytest.mark.parametrize("slices", [{}, {"os": ["a"] * 5}])
def test_so_many_groups_are_allowed_and_no_more(
    slices: dict[str, Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, window = batch(5), np.arange(5)
    count = 5 * (1 + len(slices))
    monkeypatch.setattr(grouping, "MAX_GROUPS", count)
    assert len(groups(rows, window, slices)) == count
    monkeypatch.setattr(grouping, "MAX_GROUPS", count - 1)
    with pytest.raises(InvalidInput, match=f"{count} windows and values of slices") as refusal:
        groups(rows, window, slices)
    assert refusal.value.offences[0].pointer == "/timestamp"


def test_rows_without_a_value_are_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_GROUPS", 5)
    assert len(groups(batch(5), np.arange(5), {"os": [None] * 5})) == 5
