"""Terms of rows without predictions: labels and measures, or measures alone."""

from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.tally.bin_sums import BinSums
from kullback.tally.exact import UNIT
from kullback.tally.measures import measure_sums
from kullback.tally.row_terms import RowTerms
from kullback.tally.sum_names import SCALARS, VECTORS
from kullback.tally.tally import Layout, Tally
from kullback.tally.terms import by_bin, sums_of
from kullback.tally.units import BUCKETS

_PREDICTION, _LABEL = 0, 1  # the bins of what is absent


@dataclass(frozen=True, slots=True)
class UnpredictedTerms(RowTerms):
    """Rows of a clustered task of which no arm has predicted anything.

    Attributes:
        layout: of their tally.
        units: the bucket of each row's unit (n,).
        measures: real numbers (m, n).
        y: outcomes in [0, 1] (n,), or None where there are none.
        w: weights ≥ 0 (n,), or None.
    """

    layout: Layout
    units: Indices
    measures: Array
    y: Array | None = None
    w: Array | None = None

    def taken(self, rows: Indices | slice) -> "UnpredictedTerms":
        """See RowTerms."""
        return UnpredictedTerms(
            self.layout,
            self.units[rows],
            self.measures[:, rows],
            None if self.y is None else self.y[rows],
            None if self.w is None else self.w[rows],
        )

    def tally(self) -> Tally:
        """See RowTerms."""
        n, w = self.units.size, self.w
        absent = np.arange(1 if self.y is not None else 2)
        vectors = measure_sums(self.measures, self.units, w) | {
            "unit_w": by_bin(self.units, None, w, BUCKETS),
            "absent_w": by_bin(
                np.repeat(absent, n), None, None if w is None else np.tile(w, absent.size), 2
            ),
        }
        scalars = {
            "rows": n,
            "weighted_rows": n if w is None else int(np.count_nonzero(w)),
            "w": vectors["unit_w"].whole(),
            "ww": n << 2 * UNIT if w is None else sums_of(("ww",), {"w": w})["ww"],
        }
        if self.y is not None:
            some = np.flatnonzero(self.y > 0)
            columns = {"y": self.y[some]} if w is None else {"y": (self.y * w)[some], "w": w[some]}
            vectors["unit_wy"] = BinSums.of(self.units[some], columns["y"], BUCKETS)
            scalars |= sums_of(("wwy", "wwyy"), columns) | {"wy": vectors["unit_wy"].whole()}
        return Tally(
            self.layout,
            tuple(scalars.get(name, 0) for name in SCALARS),
            tuple(vectors.get(name, BinSums()) for name in VECTORS),
        )


def lacks_predictions(tally: Tally) -> bool:
    """Whether rows with weight came without predictions."""
    return _is_absent(tally, _PREDICTION)


def lacks_labels(tally: Tally) -> bool:
    """Whether rows with weight came without labels."""
    return _is_absent(tally, _LABEL)


def _is_absent(tally: Tally, what: int) -> bool:
    return what in tally.vector("absent_w").indices().tolist()
