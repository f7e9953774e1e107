"""The history of a monitor as judgement sees it: blocks by the hour, in order of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kullback.judgement.blocks import Block
from kullback.judgement.judged import JudgedBlock
from kullback.judgement.settings import DEFAULTS, Thresholds
from kullback.numerics.types import Array


@dataclass(frozen=True, slots=True)
class History:
    """All that checks are a function of.

    Attributes:
        now: epoch seconds.
        blocks: of all rows, the last perhaps of a part of an hour.
        slices: of the rows of each value, by "slice=value".
        reference: the block of all rows of the reference, where it has rows.
        reference_values: values of slices that the reference has.
        lag: after how many seconds labels are in.
        final_share: the share of predictions that get labels in the end; None where nobody knows.
        largest_gap: the longest time, in seconds, that was without news and was no fault.
        last_row: when the last rows came from, epoch seconds.
        thresholds: of each check.
    """

    now: float
    blocks: Sequence[JudgedBlock]
    slices: Mapping[str, Sequence[JudgedBlock]] = field(default_factory=dict)
    reference: Block | None = None
    reference_values: frozenset[str] = frozenset()
    lag: float = 0.0
    final_share: float | None = None
    largest_gap: float = 0.0
    last_row: float | None = None
    thresholds: Mapping[str, Thresholds] = field(default_factory=lambda: DEFAULTS)

    def mature(self, slice_value: str = "") -> list[JudgedBlock]:
        """The blocks of all rows, or of a value, whose labels are in."""
        blocks = self.slices[slice_value] if slice_value else self.blocks
        return [each for each in blocks if each.rows]


def stacked(vectors: Sequence[Array]) -> Array:
    """Vectors as rows of one table; classes that came later are 0 before."""
    wide = max(vector.size for vector in vectors)
    return np.stack([np.pad(vector, (0, wide - vector.size)) for vector in vectors])
