"""Terms: what each row adds to a tally, computed once and summed in any groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.numerics.means import blocks
from kullback.numerics.types import Array, Flags, Indices
from kullback.tally.bin_sums import BinSums
from kullback.tally.bins import BINS, RANK_BINS, rank_bin_of
from kullback.tally.exact import ONES, UNIT, exact_products
from kullback.tally.measures import measure_sums
from kullback.tally.row_terms import RowTerms
from kullback.tally.sum_names import MOMENTS, MOST_UNIT_CLASSES, SCALARS, SQUARES, VECTORS
from kullback.tally.tally import Layout, Tally
from kullback.tally.units import BUCKETS, GROUPS, group_of

_FINE = 2.0**40
_FACTORS = MOMENTS | SQUARES


@dataclass(frozen=True, slots=True)
class LabelOutcomes:
    """What became of each label of rows: outcome, loss, and whether that is infinite, (n, l)."""

    y: Array
    loss: Array
    infinite: Flags

    def taken(self, rows: Indices | slice) -> "LabelOutcomes":
        """Those of some rows."""
        return LabelOutcomes(self.y[rows], self.loss[rows], self.infinite[rows])


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of rows: outcome y in [0, 1], loss ≥ 0 in nats, squared error, (n,) each.

    Where the loss is infinite it stands as 0 and `infinite` says so. `classes` are those of a
    multiclass task, where y says whether the most probable class was right. `labels` are of a
    multilabel one, where the others are means over them.
    """

    y: Array
    loss: Array
    error: Array
    clipped: Flags
    infinite: Flags
    classes: Indices | None = None
    labels: LabelOutcomes | None = None

    def taken(self, rows: Indices | slice) -> "Outcomes":
        """Those of some rows."""
        return Outcomes(
            self.y[rows],
            self.loss[rows],
            self.error[rows],
            self.clipped[rows],
            self.infinite[rows],
            _taken(self.classes, rows),
            None if self.labels is None else self.labels.taken(rows),
        )


@dataclass(frozen=True, slots=True)
class Terms(RowTerms):
    """Rows as sums see them: prediction p with its bin, weight (1 where None), unit, outcome.

    Without outcomes only what concerns predictions is summed. `proba` are the rows (n, k) of a
    multiclass task, where p is the probability of the most probable class; or of a multilabel one,
    where p is their mean and each has a bin of its own (n, k). `measures` are real numbers (m, n)
    that come with the rows of a clustered task.
    """

    layout: Layout
    p: Array
    bins: Indices
    w: Array | None = None
    units: Indices | None = None
    proba: Array | None = None
    outcomes: Outcomes | None = None
    measures: Array | None = None

    def taken(self, rows: Indices | slice) -> "Terms":
        """Those of some rows."""
        return Terms(
            self.layout,
            self.p[rows],
            self.bins[rows],
            None if self.w is None else self.w[rows],
            _taken(self.units, rows),
            None if self.proba is None else self.proba[rows],
            None if self.outcomes is None else self.outcomes.taken(rows),
            None if self.measures is None else self.measures[:, rows],
        )

    def tally(self) -> Tally:
        """The sums of all rows."""
        if self.layout.clustered:
            assert self.outcomes is not None
            assert self.units is not None
            scalars, vectors = self._clustered(self.outcomes, self.units)
        else:
            scalars, vectors = self._predicted()
            if self.outcomes is not None:
                more, bins = self._happened(self.outcomes)
                scalars |= more
                vectors |= bins
        return Tally(
            self.layout,
            tuple(scalars.get(name, 0) for name in SCALARS),
            tuple(vectors.get(name, BinSums()) for name in VECTORS),
        )

    def _predicted(self) -> tuple[dict[str, int], dict[str, BinSums]]:
        w, p, n = self.w, self.p, self.p.size
        names = ("wp", "wwp", "wwpp")
        if w is None:
            scalars = {"w": n << UNIT, "ww": n << 2 * UNIT, **sums_of(names, {"p": p})}
        else:
            scalars = sums_of(("w", "ww", *names), {"w": w, "p": p * w})
        vectors = self._histogram()
        if self.proba is not None:
            k = self.proba.shape[1]
            weight = None if w is None else np.repeat(w, k)
            vectors["class_wp"] = by_bin(
                np.tile(np.arange(k), n), self.proba.reshape(-1), weight, k
            )
        return scalars | self._rows(), vectors

    def _happened(self, rows: Outcomes) -> tuple[dict[str, int], dict[str, BinSums]]:
        columns, some = self._weighted(rows)
        # often few: what is multiplied by y is summed over these alone
        positive = {name: column[some] for name, column in columns.items() if name != "b"}
        lost = {name: column for name, column in columns.items() if name in "wlb"}
        scalars = {
            **sums_of(("wl", "wb", "wwl", "wwll", "wwb", "wwbb"), lost),
            **sums_of(("wy", "wwy", "wwyy", "wwly", "wwpy"), positive),
        }
        if rows.labels is None:
            vectors = {"bin_wy": BinSums.of(self.bins[some], positive["y"], BINS)}
        else:
            vectors = self._by_label(rows.labels)
        if self.units is not None:
            vectors |= self._by_unit(columns, self.units, some)
        if rows.classes is not None:
            vectors |= self._by_class(rows.classes, rows.loss)
        return scalars | _counted(rows), vectors

    def _by_label(self, rows: LabelOutcomes) -> dict[str, BinSums]:
        n, k = rows.y.shape
        w, label = self._entry_weights(), np.tile(np.arange(k), n)
        some = np.flatnonzero(rows.y > 0)
        of_some = None if w is None else w[some]
        y = rows.y.reshape(-1)[some]
        return {
            "bin_wy": by_bin(self.bins.reshape(-1)[some], y, of_some, BINS),
            "class_w": by_bin(label[some], y, of_some, k),
            "class_wl": by_bin(label, rows.loss.reshape(-1), w, k),
            "class_infinite": BinSums.count(label[rows.infinite.reshape(-1)], k),
        }

    def _entry_weights(self) -> Array | None:
        """The weight of each entry of the histogram."""
        if self.w is None or self.bins.ndim == 1:
            return self.w
        return np.repeat(self.w, self.bins.shape[1])

    def _by_class(self, classes: Indices, loss: Array) -> dict[str, BinSums]:
        w, k = self.w, self.layout.classes
        vectors = {
            "class_w": by_bin(classes, None, w, k),
            "class_ww": by_bin(classes, None, None if w is None else w * w, k),
            "class_wwl": by_bin(classes, loss, None if w is None else w * w, k),
        }
        if self.units is not None and k <= MOST_UNIT_CLASSES:
            vectors["unit_class"] = by_bin(classes * BUCKETS + self.units, None, w, k * BUCKETS)
        return vectors

    def _clustered(
        self, rows: Outcomes, units: Indices
    ) -> tuple[dict[str, int], dict[str, BinSums]]:
        """Sums by unit first: those of all rows are sums of these."""
        columns, some = self._weighted(rows)
        positive = {name: columns[name][some] for name in "wy" if name in columns}
        index, size = group_of(units) * RANK_BINS + rank_bin_of(self.bins), GROUPS * RANK_BINS
        vectors = self._histogram() | self._by_unit(columns, units, some)
        scalars = {name: vectors[f"unit_{name}"].whole() for name in MOMENTS}
        weights = {"ww": self.p.size << 2 * UNIT}
        if self.w is not None:
            weights = sums_of(("ww",), {"w": self.w})
        scalars |= self._rows() | _counted(rows) | weights | sums_of(("wwy", "wwyy"), positive)
        vectors |= {
            "bin_wy": BinSums.of(self.bins[some], positive["y"], BINS),
            "rank_w": by_bin(index, None, self.w, size),
            "rank_wy": BinSums.of(index[some], positive["y"], size),
        }
        if self.measures is not None:
            vectors |= measure_sums(self.measures, units, self.w)
        return scalars, vectors

    def _weighted(self, rows: Outcomes) -> tuple[dict[str, Array], Indices]:
        """Columns times the weights, which are there too unless they are 1; and where y > 0."""
        columns = {"l": rows.loss, "y": rows.y, "p": self.p, "b": rows.error}
        w = self.w
        if w is not None:
            columns = {name: column * w for name, column in columns.items()} | {"w": w}
        return columns, np.flatnonzero(rows.y > 0)

    def _rows(self) -> dict[str, int]:
        n = self.p.size
        return {"rows": n, "weighted_rows": n if self.w is None else int(np.count_nonzero(self.w))}

    def _histogram(self) -> dict[str, BinSums]:
        p = self.p if self.proba is None or self.bins.ndim == 1 else self.proba.reshape(-1)
        bins, w = self.bins.reshape(-1), self._entry_weights()
        return {
            "bin_w": by_bin(bins, None, w, BINS),
            # 12 digits are enough for a mean of a bin, and take one plane less on disk
            "bin_wp": by_bin(bins, rounded(p), w, BINS),
        }

    def _by_unit(
        self, columns: Mapping[str, Array], units: Indices, some: Indices
    ) -> dict[str, BinSums]:
        vectors = {f"unit_w{name}": BinSums.of(units, columns[name], BUCKETS) for name in "lpb"}
        vectors["unit_w"] = by_bin(units, None, self.w, BUCKETS)
        vectors["unit_wy"] = BinSums.of(units[some], columns["y"][some], BUCKETS)
        return vectors


def _counted(rows: Outcomes) -> dict[str, int]:
    return {
        "clipped": int(np.count_nonzero(rows.clipped)),
        "infinite": int(np.count_nonzero(rows.infinite)),
    }


def sums_of(names: Sequence[str], columns: Mapping[str, Array]) -> dict[str, int]:
    """MOMENTS and SQUARES of columns that have been multiplied by w, which is 1 if not there."""
    pairs = {}
    for name in names:
        first, second = _FACTORS[name]
        pairs[name] = (ONES if first == "w" and "w" not in columns else first), second
    sums = exact_products(columns, {pair for pair in pairs.values() if ONES not in pair})
    return {name: sums[pairs[name]] >> (UNIT if name in MOMENTS else 0) for name in names}


def by_bin(index: Indices, values: Array | None, w: Array | None, size: int) -> BinSums:
    """Σ w·v of each bin; 1 stands for what is None."""
    if values is None:
        return BinSums.count(index, size) if w is None else BinSums.of(index, w, size)
    return BinSums.of(index, values if w is None else values * w, size)


def _taken(column: Indices | None, rows: Indices | slice) -> Indices | None:
    return None if column is None else column[rows]


def rounded(p: Array) -> Array:
    """Predictions to 12 digits."""
    rounded = np.empty_like(p)
    for block in blocks(p.size):
        whole = p[block] * _FINE
        np.multiply(np.rint(whole, out=whole), 1 / _FINE, out=rounded[block])
    return rounded
