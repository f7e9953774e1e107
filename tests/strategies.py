"""Hypothesis strategies: forecasts and outcomes with all their edges."""

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from kullback.numerics.types import Array, Indices

Columns = tuple[Array, ...]

EDGE_PROBABILITIES = (0.0, 5e-324, 1e-300, 1e-20, 2.0**-53, 0.5, 1 - 2.0**-53, 1.0)
EDGE_LOGITS = (0.0, 1e-9, 40.0, -40.0, 700.0, -800.0, 1e4, -1e4)

sizes = st.integers(min_value=1, max_value=6)
probability = st.one_of(
    st.floats(0.0, 1.0), st.sampled_from(EDGE_PROBABILITIES), st.just(0.5), st.floats(0.01, 0.99)
)
inner_probability = st.floats(1e-6, 1 - 1e-6)
share = st.one_of(st.sampled_from((0.0, 0.5, 1.0)), st.floats(0.0, 1.0))
outcome = st.sampled_from((0.0, 1.0))
mild_logit = st.floats(-5.0, 5.0)
finite_logit = st.one_of(mild_logit, st.floats(-50.0, 50.0), st.sampled_from(EDGE_LOGITS))
logit = st.one_of(finite_logit, finite_logit, st.just(-np.inf))
mass = st.one_of(
    st.floats(0.01, 1.0), st.floats(0.0, 1.0), st.sampled_from((0.0, 5e-324, 1e-300, 1e-17, 1.0))
)
weight = st.one_of(st.floats(0.1, 10.0), st.sampled_from((0.0, 1e-30, 1.0, 2.0, 1e6)))


def columns_of(n: int, cell: st.SearchStrategy[float]) -> st.SearchStrategy[Array]:
    """One number per row."""
    return st.lists(cell, min_size=n, max_size=n).map(np.array)


def tables_of(n: int, k: int, cell: st.SearchStrategy[float]) -> st.SearchStrategy[Array]:
    """One number per row and column."""
    return columns_of(n * k, cell).map(lambda cells: cells.reshape(n, k))


def indices(n: int, k: int) -> st.SearchStrategy[Indices]:
    """One class of 0..k-1 per row."""
    classes = st.integers(min_value=0, max_value=k - 1)
    return st.lists(classes, min_size=n, max_size=n).map(lambda found: np.array(found, np.int64))


def classes(n: int, k: int) -> st.SearchStrategy[Array]:
    """The same as numbers that happen to be whole."""
    return indices(n, k).map(lambda found: found.astype(np.float64))


def weights(n: int) -> st.SearchStrategy[Array]:
    """Weights of rows, some 0, not all."""
    return columns_of(n, weight).map(_not_all_zero)


def rows(n: int, k: int) -> st.SearchStrategy[Array]:
    """Distributions: with zeros, subnormal cells, or all mass in one outcome."""
    return tables_of(n, k, mass).map(_normalized)


def inner_rows(n: int, k: int) -> st.SearchStrategy[Array]:
    """Distributions with no outcome near 0."""
    return tables_of(n, k, st.floats(0.05, 1.0)).map(_normalized)


def logit_rows(n: int, k: int) -> st.SearchStrategy[Array]:
    """Logits: huge gaps, ties, and masks that leave an outcome."""
    return tables_of(n, k, logit).map(_with_an_outcome)


@st.composite
def row_pairs(draw: st.DrawFn, n: int, k: int) -> tuple[Array, Array]:
    """Two distributions per row: unrelated, equal, or nearly equal."""
    p = draw(rows(n, k))
    kind = draw(st.sampled_from(("unrelated", "near", "equal")))
    if kind == "equal":
        return p, p.copy()
    if kind == "near":
        size = draw(st.sampled_from((1e-15, 1e-9, 1e-3, 0.3)))
        return p, _normalized(p * (1.0 + size * draw(tables_of(n, k, st.floats(-1.0, 1.0)))))
    return p, draw(rows(n, k))


def shapes(low: int = 1) -> st.SearchStrategy[tuple[int, int]]:
    """How many rows and outcomes."""
    return st.tuples(sizes, st.integers(min_value=low, max_value=5))


def columns(*parts: st.SearchStrategy[Array]) -> st.SearchStrategy[Columns]:
    """Arrays that share their rows."""
    return st.tuples(*parts)


Batches = Callable[[int], st.SearchStrategy[Columns]]


def _normalized(table: Array) -> Array:
    table = table.copy()
    table[table.sum(axis=1) == 0, 0] = 1.0
    normalized: Array = table / table.sum(axis=1, keepdims=True)
    return normalized


def _with_an_outcome(table: Array) -> Array:
    table = table.copy()
    table[table.max(axis=1) == -np.inf, -1] = 0.0
    return table


def _not_all_zero(found: Array) -> Array:
    return found if found.max() > 0 else np.ones_like(found)
