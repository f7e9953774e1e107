"""Blocks: the sums of an hour that judgement reads, in groups of neighbouring scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.numerics.types import Array
from kullback.tally.bins import BINS
from kullback.tally.exact import real
from kullback.tally.inference import kish
from kullback.tally.tally import Layout, Tally

GROUPS = 128  # of bins of scores: about 1/6 wide in logits
_SUMS = ("weight", "positive", "predicted", "class_weight", "class_predicted", "scored")
_NUMBERS = (
    *("start", "stop", "layout", "rows", "loss", "scale", "scored_rows"),
    *("until", "labelled_rows", "infinite"),
)
_FURTHEST = 15.0  # logits
_GROUP_OF = np.arange(BINS) * GROUPS // BINS
_FIRST = np.searchsorted(_GROUP_OF, np.arange(GROUPS))


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What came in an hour, or in a part of it.

    Attributes:
        start, stop: epoch seconds.
        layout: of its tallies.
        until: up to when its time is mature, epoch seconds; its start where none of it is.
        rows: rows with labels of that time.
        weight, positive, predicted: w, w·y and w·p of these by group of scores, (GROUPS,); of a
            multiclass task of the most probable class, y whether it was right.
        class_weight, class_predicted: w and w·p of these by class, (k,), of a multiclass task.
        loss: Σ w·loss of these.
        scale: Σw²/Σw of these: as many effective rows are in a weight of 1/scale.
        scored: effective rows with a score, with labels or not, by group of scores, (GROUPS,).
        scored_rows: how many rows these are.
        labelled_rows: how many rows have labels, mature or not.
        infinite: how many rows of mature labels have an infinite loss, which is none of `loss`.
    """

    start: int
    stop: int
    layout: Layout
    rows: int
    weight: Array
    positive: Array
    predicted: Array
    class_weight: Array
    class_predicted: Array
    loss: float
    scale: float
    scored: Array
    scored_rows: int
    until: int
    labelled_rows: int = 0
    infinite: int = 0

    @property
    def mean_prediction(self) -> float:
        """Σwp/Σw of the rows with labels."""
        return float(self.predicted.sum() / self.weight.sum())

    @property
    def mark(self) -> int:
        """Tells blocks apart, in this process."""
        sums = (getattr(self, name).tobytes() for name in _SUMS)
        numbers = (getattr(self, name) for name in _NUMBERS)
        return hash((*sums, *numbers))

    @property
    def outcomes(self) -> int:
        """How many outcomes a row has: they may all depend on one another."""
        return self.layout.classes if self.layout.task == "multilabel" else 1


def block(
    span: tuple[int, int, int],
    layout: Layout,
    labelled: Tally | None,
    scored: Tally | None,
    labelled_rows: int = 0,
) -> Block:
    """The block of an hour.

    Args:
        span: its start, its stop, and up to when it is mature.
        layout: of its tallies.
        labelled: rows with labels of the mature time; None where there is none.
        scored: all rows.
        labelled_rows: how many of all have labels.
    """
    start, stop, until = span
    labels = Tally(layout) if labelled is None else labelled
    weight, positive, predicted = (
        _by_group(labels, name) for name in ("bin_w", "bin_wy", "bin_wp")
    )
    mass = np.zeros(GROUPS) if scored is None else _by_group(scored, "bin_w")
    total = float(mass.sum())
    return Block(
        start,
        stop,
        layout,
        rows=labels.scalar("rows") if labels.scalar("w") else 0,
        weight=weight,
        positive=positive,
        predicted=predicted,
        class_weight=_by_class(labels, "class_w"),
        class_predicted=_by_class(labels, "class_wp"),
        loss=real(labels.scalar("wl")),
        scale=_scale(labels),
        scored=mass / total * kish(scored) if scored is not None and total > 0 else mass,
        scored_rows=0 if scored is None else scored.scalar("rows"),
        until=until,
        labelled_rows=labelled_rows,
        infinite=labels.scalar("infinite"),
    )


def summed(blocks: Sequence[Block]) -> Block:
    """Blocks that follow one another, as one."""
    last = blocks[-1]
    sums = {name: _added([getattr(each, name) for each in blocks]) for name in _SUMS}
    heaviest = max(blocks, key=lambda each: float(each.weight.sum()))
    return Block(
        blocks[0].start,
        last.stop,
        last.layout,
        rows=sum(each.rows for each in blocks),
        **sums,
        loss=sum(each.loss for each in blocks),
        scale=heaviest.scale,
        scored_rows=sum(each.scored_rows for each in blocks),
        until=last.until,
        labelled_rows=sum(each.labelled_rows for each in blocks),
        infinite=sum(each.infinite for each in blocks),
    )


def without(whole: Block, part: Block) -> Block:
    """The rows of a block that are not those of a part of it."""
    rest = {name: np.maximum(getattr(whole, name) - getattr(part, name), 0.0) for name in _SUMS}
    return replace(
        whole,
        **rest,
        rows=whole.rows - part.rows,
        loss=whole.loss - part.loss,
        infinite=whole.infinite - part.infinite,
        scored_rows=whole.scored_rows - part.scored_rows,
    )


def logits(block: Block) -> Array:
    """The logit of the mean prediction of each group, (GROUPS,); 0 where it is empty."""
    some = block.weight > 0
    p = np.where(some, block.predicted / np.where(some, block.weight, 1.0), 0.5)
    with np.errstate(divide="ignore"):
        x: Array = np.clip(np.log(p) - np.log1p(-p), -_FURTHEST, _FURTHEST)
    return x


def labels_of(block: Block) -> Array:
    """Effective rows of each label."""
    if block.layout.task == "multiclass":
        return block.class_weight / block.scale
    return _two(block, block.positive)


def foreseen_of(block: Block) -> Array:
    """How many of each label were predicted."""
    if block.layout.task == "multiclass":
        return block.class_predicted / block.scale
    return _two(block, block.predicted)


def _two(block: Block, positive: Array) -> Array:
    weight, ones = float(block.weight.sum()), float(positive.sum())
    return np.array([max(weight - ones, 0.0), ones]) / (block.scale * block.outcomes)


def _added(vectors: list[Array]) -> Array:
    """Their sum; classes that came later are 0 before."""
    whole = np.zeros(max(vector.size for vector in vectors))
    for vector in vectors:
        whole[: vector.size] += vector
    return whole


def _by_group(tally: Tally, name: str) -> Array:
    sums: Array = np.add.reduceat(tally.vector(name).reals(BINS), _FIRST)
    return sums


def _by_class(tally: Tally, name: str) -> Array:
    layout = tally.layout
    if layout.task != "multiclass":
        return np.zeros(0)
    return tally.vector(name).reals(layout.classes)


def _scale(tally: Tally) -> float:
    effective = kish(tally)
    return real(tally.scalar("w")) / effective if effective else 1.0
