"""Hypothesis strategies for tallies: batches of rows of every kind."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from kullback.numerics.types import Array, Indices
from kullback.scoring.conventions import CONVENTIONS, ConventionName
from kullback.tally.binary import binary_terms
from kullback.tally.multiclass import multiclass_terms
from kullback.tally.tally import Layout, Tally, Task
from kullback.tally.terms import Terms
from kullback.tally.units import BUCKETS
from tests import strategies as draw

SIXTIETHS = [k / 60 for k in range(61)]
EDGES = sorted(
    {
        *draw.EDGE_PROBABILITIES,
        *SIXTIETHS,
        *(float(np.nextafter(edge, 0.0)) for edge in SIXTIETHS[1:]),
        *(float(np.nextafter(edge, 1.0)) for edge in SIXTIETHS[:-1]),
    }
)

probability = st.one_of(draw.probability, st.sampled_from(EDGES))
weight = st.one_of(st.floats(0.1, 10.0), st.sampled_from((0.0, 5e-324, 1e-100, 1.0, 3.0, 1e100)))
magnitude = st.one_of(
    st.floats(0.0, 1e250), st.floats(0.0, 1.0), st.sampled_from((0.0, 5e-324, 1e-300, 1.0, 1e250))
)
conventions: st.SearchStrategy[ConventionName] = st.sampled_from(sorted(CONVENTIONS))
lengths = st.integers(0, 6)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to tally, of a binary task where p is (n,), of a multiclass one where it is (n, k)."""

    layout: Layout
    p: Array
    y: Array | None = None
    classes: Indices | None = None
    w: Array | None = None
    units: Indices | None = None

    def terms(self) -> Terms:
        """What they add."""
        if self.layout.task == "binary":
            return binary_terms(self.layout, self.y, self.p, self.w, self.units)
        return multiclass_terms(self.layout, self.classes, self.p, self.w, self.units)

    def tally(self) -> Tally:
        """Their tally."""
        return self.terms().tally()

    def mapped(self, change: Callable[[Array], Array]) -> "Batch":
        """With every column changed in the same way, such as its order."""
        return replace(
            self,
            p=change(self.p),
            y=None if self.y is None else change(self.y),
            classes=None if self.classes is None else _whole(change, self.classes),
            w=None if self.w is None else change(self.w),
            units=None if self.units is None else _whole(change, self.units),
        )

    def __add__(self, other: "Batch") -> "Batch":
        return replace(
            self,
            p=np.concatenate((self.p, other.p)),
            y=_joined(self.y, other.y),
            classes=_joined_indices(self.classes, other.classes),
            w=_joined(self.w, other.w),
            units=_joined_indices(self.units, other.units),
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """What rows are like."""

    name: str
    classes: int = 2
    is_soft: bool = False
    is_labelled: bool = True
    is_weighted: bool = False
    has_units: bool = False
    is_clustered: bool = False

    @property
    def is_binary(self) -> bool:
        return self.classes == 2

    def layout(self, convention: ConventionName) -> Layout:
        """The layout of their tallies."""
        task: Task = "binary" if self.is_binary else "multiclass"
        return Layout(task, self.classes, convention, self.is_clustered)

    def batches(self, layout: Layout) -> st.SearchStrategy[Batch]:
        """No rows or some."""
        return lengths.flatmap(lambda n: self._batch(layout, n))

    def streams(self, count: int) -> st.SearchStrategy[tuple[Batch, ...]]:
        """So many batches of one layout."""
        layouts = conventions.map(self.layout)
        return layouts.flatmap(lambda found: st.tuples(*[self.batches(found)] * count))

    def _batch(self, layout: Layout, n: int) -> st.SearchStrategy[Batch]:
        k, y = self.classes, draw.columns_of(n, draw.share if self.is_soft else draw.outcome)
        return st.builds(
            Batch,
            st.just(layout),
            p=draw.columns_of(n, probability) if self.is_binary else _rows(n, k),
            y=y if self.is_labelled and self.is_binary else st.none(),
            classes=st.none() if self.is_binary or not self.is_labelled else draw.indices(n, k),
            w=draw.columns_of(n, weight) if self.is_weighted else st.none(),
            units=draw.indices(n, BUCKETS) if self.has_units else st.none(),
        )


KINDS = (
    Kind("hard labels"),
    Kind("soft labels", is_soft=True),
    Kind("weighted", is_soft=True, is_weighted=True),
    Kind("units", has_units=True),
    Kind("weighted units", is_soft=True, is_weighted=True, has_units=True),
    Kind("clustered", is_soft=True, is_weighted=True, has_units=True, is_clustered=True),
    Kind("predictions alone", is_labelled=False, is_weighted=True),
    Kind("three classes", classes=3),
    Kind("weighted classes", classes=11, is_weighted=True, has_units=True),
    Kind("classes alone", classes=3, is_labelled=False),
)


def _rows(n: int, k: int) -> st.SearchStrategy[Array]:
    return draw.rows(n, k) if n else st.just(np.empty((0, k)))


def _joined(mine: Array | None, theirs: Array | None) -> Array | None:
    return None if mine is None or theirs is None else np.concatenate((mine, theirs))


def _joined_indices(mine: Indices | None, theirs: Indices | None) -> Indices | None:
    return None if mine is None or theirs is None else np.concatenate((mine, theirs))


def _whole(change: Callable[[Array], Array], column: Indices) -> Indices:
    return change(column.astype(np.float64)).astype(np.int64)
