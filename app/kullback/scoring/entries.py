"""Entries (n, l) that count one by one: masked, ignored, or each of its own weight."""

from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.arrays import row_sums, same_shape, weights
from kullback.scoring.labels import Labels
from kullback.scoring.losses import scaled
from kullback.scoring.options import Options
from kullback.scoring.refusals import refuse
from kullback.scoring.score import Losses, Reduced, reduce_rows


@dataclass(frozen=True, slots=True)
class EntryWeights:
    """What each of (n, l) entries weighs beside its row; 0 where it does not count.

    `options` are those of the request, whose `sample_weight` is of rows; None where each entry has
    its `own`.
    """

    values: Array
    options: Options
    own: bool

    @property
    def counted(self) -> Flags:
        """Which entries count."""
        return self.values > 0

    def row_weight(self) -> Array:
        """What each row weighs, by its mean entry: (n,)."""
        share: Array = self.values.mean(axis=1)
        weight = self.options.sample_weight
        return share if weight is None else share * weight

    def column(self, at: int) -> Array:
        """What the entries of one column weigh with their rows, (n,)."""
        weight = self.options.sample_weight
        return self.values[:, at] if weight is None else self.values[:, at] * weight

    def rows(self, losses: Array, factor: Array, gradient: Array | None) -> tuple[Losses, Reduced]:
        """Rows whose loss is the mean over their entries, and their mean.

        Args:
            losses: of entries, (n, l).
            factor: what the loss of an entry of each column counts, (l,).
            gradient: of the losses, (n, l).
        """
        columns = losses.shape[1]
        counts = self.values.sum(axis=1)
        sums = row_sums(scaled(losses, self.values * factor))
        per_row = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
        share = row_sums(self.values * factor) / columns
        if gradient is not None:
            gradient = scaled(gradient, self.values * factor) / columns
        rows = Losses(sums / columns, share, counts == 0, per_row, gradient)
        return rows, self.weighed(reduce_rows(rows, self.options.sample_weight))

    def weighed(self, reduced: Reduced) -> Reduced:
        """The same, with the weight of the entries where each has its own: by rows, their mean."""
        if not self.own:
            return reduced
        return replace(reduced, weight=float(self.values.mean(axis=-1).sum()))


def entry_weights(
    name: str, scores: Array, ignored: Flags | None, mask: Array | None, options: Options
) -> EntryWeights | None:
    """What the entries weigh; None where all count by their rows alone.

    Args:
        name: of the predictions.
        scores: the predictions, (n, l).
        ignored: entries whose target says that they do not count.
        mask: 1 where an entry counts, else 0.
        options: `sample_weight` is of rows (n,), or of entries (n, l).

    Raises:
        InvalidInput: a mask or a weight is of another shape, or impossible.
    """
    weight = options.sample_weight
    own = weight is not None and weight.ndim == scores.ndim == 2
    if own:
        checked = weights("sample_weight", weight, scores.shape)
        options = replace(options, sample_weight=None)
    else:
        checked = None
        weights("sample_weight", weight, scores.shape[0])
    if mask is None and ignored is None and not own:
        return None
    values = np.ones(scores.shape) if checked is None else checked
    if mask is not None:
        values = values * checked_mask(mask, name, scores)
    if ignored is not None:
        values = np.where(ignored, 0.0, values)
    return EntryWeights(values, options, own)


def checked_mask(mask: Array, name: str, scores: Array) -> Array:
    """A mask of 0 and 1, in the shape of the predictions.

    Raises:
        InvalidInput: it is of another shape, or an entry is neither.
    """
    same_shape("mask", mask, name, scores)
    refuse_no_flags(mask)
    return np.asarray(mask, np.float64)


def refuse_no_flags(mask: Array) -> None:
    """Refuse a mask in which an entry is neither 0 nor 1.

    Raises:
        InvalidInput: there are such entries; each is named.
    """
    refuse("mask", (mask != 0) & (mask != 1), lambda _: "a mask is 0 or 1")


def ignored_entries(y_true: Labels, scores: Array, ignore_index: int | None) -> Flags | None:
    """Which targets (n, l) are the index that does not count.

    Raises:
        InvalidInput: the targets have not the shape of the predictions.
    """
    if isinstance(y_true, list) or y_true.size != scores.size:
        raise InvalidInput.at("multilabel y_true is [n][k], one column a label", "y_true")
    if ignore_index is None:
        return None
    flags: Flags = y_true.reshape(scores.shape) == ignore_index
    return flags


@overload
def neutral(values: Array, entries: EntryWeights | None, fill: float) -> Array: ...
@overload
def neutral(
    values: Array | Indices, entries: EntryWeights | None, fill: float
) -> Array | Indices: ...
def neutral(values: Array | Indices, entries: EntryWeights | None, fill: float) -> Array | Indices:
    """The same, with something harmless where an entry does not count."""
    if entries is None or entries.counted.all():
        return values
    values = values.reshape(entries.values.shape)
    return np.where(entries.counted, values, np.asarray(fill, values.dtype))


def refuse_entries(mask: Array | None, ignore_index: int | None) -> None:
    """Refuse what says which entries count, where rows have none.

    Raises:
        InvalidInput: either was sent.
    """
    for name, value in (("mask", mask), ("ignore_index", ignore_index)):
        if value is not None:
            detail = "is of multilabel entries; rows are left out by a sample_weight of 0"
            raise InvalidInput.at(f"{name} {detail}", name)
