"""Hypothesis strategies for counts, tokens, information and games."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Indices
from kullback.scoring.score import Score
from kullback.scoring.tokens import Ragged

sizes = st.integers(min_value=1, max_value=5)
mild = st.floats(-4.0, 4.0)
logit = st.one_of(mild, mild, st.sampled_from((0.0, 1e-9, 40.0, -40.0, 700.0, 1e4, -1e4)))
count = st.one_of(
    st.integers(0, 8), st.integers(0, 1000), st.sampled_from((0, 1, 2, 10**6, 10**9, 10**13))
)


def tables(n: int, k: int, cell: st.SearchStrategy[float]) -> st.SearchStrategy[Array]:
    """Numbers (n, k)."""
    cells = st.lists(cell, min_size=n * k, max_size=n * k)
    return cells.map(lambda found: np.array(found, np.float64).reshape(n, k))


def some_tables(cell: st.SearchStrategy[float], low: int = 1) -> st.SearchStrategy[Array]:
    """Numbers (n, k) for some n and k."""
    shape = st.tuples(sizes, st.integers(low, 5))
    return shape.flatmap(lambda found: tables(*found, cell))


def vectors(k: int, cell: st.SearchStrategy[float]) -> st.SearchStrategy[Array]:
    """Numbers (k,)."""
    return st.lists(cell, min_size=k, max_size=k).map(lambda found: np.array(found, np.float64))


def samples(cell: st.SearchStrategy[float], low: int = 1) -> st.SearchStrategy[Array]:
    """Numbers (n,) for some n."""
    return st.lists(cell, min_size=low, max_size=8).map(lambda found: np.array(found, np.float64))


counts = st.lists(count, min_size=1, max_size=6).map(
    lambda found: np.array([found if any(found) else [1, *found[1:]]], np.float64)
)


def priors(k: int, low: float = 0.05) -> st.SearchStrategy[Array]:
    """Distributions of k classes."""
    return vectors(k, st.floats(low, 1.0)).map(lambda found: found / found.sum())


def indices(n: int, k: int) -> st.SearchStrategy[Indices]:
    """One class of 0..k-1 per row."""
    classes = st.lists(st.integers(0, k - 1), min_size=n, max_size=n)
    return classes.map(lambda found: np.array(found, np.int64))


@st.composite
def classified(
    draw: st.DrawFn, cell: st.SearchStrategy[float] = logit
) -> tuple[Array, Indices, Array]:
    """Logits (n, k), labels (n,) and a prior (k,)."""
    n, k = draw(sizes), draw(st.integers(2, 5))
    return draw(tables(n, k, cell)), draw(indices(n, k)), draw(priors(k))


@st.composite
def joints(draw: st.DrawFn) -> Array:
    """Joint distributions (a, b), some cells 0."""
    table = draw(some_tables(st.one_of(st.floats(0.01, 1.0), st.just(0.0))))
    table[0, 0] += 0.5
    joint: Array = table / table.sum()
    return joint


def squares(cell: st.SearchStrategy[float], low: int = 2) -> st.SearchStrategy[Array]:
    """Numbers (n, n)."""
    return st.integers(low, 5).flatmap(lambda n: tables(n, n, cell))


def ragged(rows: list[list[float]]) -> Ragged:
    """Lists of numbers of unequal lengths."""
    flat = [value for row in rows for value in row]
    return Ragged(np.array(flat, np.float64), np.array([len(row) for row in rows], np.int64))


def ragged_words(rows: list[list[str]]) -> Ragged:
    """Lists of strings of unequal lengths."""
    flat = [word for row in rows for word in row]
    return Ragged(flat, np.array([len(row) for row in rows], np.int64))


@contextmanager
def refused(pointer: str, says: str = "") -> Iterator[None]:
    """What is done within is refused, at this place."""
    with pytest.raises(InvalidInput) as caught:
        yield
    places = [offence.pointer for offence in caught.value.offences]
    assert places[0] == pointer
    assert says in caught.value.message


def slope(value: Callable[[Array], float], x: Array, step: float = 1e-5) -> Array:
    """∂value/∂x by central differences."""
    gradient = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[at] += step
        below[at] -= step
        gradient[at] = (value(above) - value(below)) / (above[at] - below[at])
    return gradient


def agrees(gradient: object, expected: Array) -> bool:
    """Whether a gradient is that of central differences, but for their own error."""
    assert isinstance(gradient, np.ndarray)
    assert gradient.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max()))
    return bool(np.abs(gradient - expected).max() <= 1e-6 * scale)


def detail(score: Score, path: str) -> object:
    """An entry of the details, `outer.inner` for one within another."""
    found: object = score.details
    for name in path.split("."):
        assert isinstance(found, Mapping)
        found = found[name]
    return found


def number(score: Score, path: str) -> float:
    """An entry of the details that is a number."""
    found = detail(score, path)
    assert isinstance(found, (int, float))
    return float(found)


def array(score: Score, path: str) -> Array:
    """An entry of the details that is an array."""
    found = detail(score, path)
    assert isinstance(found, np.ndarray)
    return found


def reason(score: Score, path: str) -> object:
    """Why an entry of the details is null."""
    found = detail(score, path)
    assert found is None or (isinstance(found, list) and None in found)
    reasons = score.details["reasons"]
    assert isinstance(reasons, Mapping)
    return reasons[path]


def has_negative_zero(found: object) -> bool:
    """Whether a −0.0 stands anywhere within."""
    if isinstance(found, Score):
        parts = [found.value, found.per_row, found.gradient, found.gradients, found.details]
        return any(has_negative_zero(part) for part in parts)
    if isinstance(found, Mapping):
        return any(has_negative_zero(part) for part in found.values())
    if isinstance(found, (list, tuple)):
        return any(has_negative_zero(part) for part in found)
    if isinstance(found, (float, np.ndarray)):
        values = np.asarray(found)
        return values.dtype == np.float64 and bool(((values == 0) & np.signbit(values)).any())
    return False
