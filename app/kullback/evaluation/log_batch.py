"""Batch of log rows: as many as are summed at once, of one file or of several."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.tally.merge import merged
from kullback.tally.unit_set import UnitSet

Arms = Mapping[str, tuple[Indices | None, Array]]


@dataclass(frozen=True, slots=True)
class Segments:
    """Names of segments, each once, and the place of each row's among them (n,), −1 for none."""

    names: Sequence[str]
    index: Indices

    @classmethod
    def joined(cls, parts: Sequence["Segments"]) -> "Segments":
        """Those of all rows, one part behind the other."""
        places: dict[str, int] = {}
        index = []
        for part in parts:
            own = [places.setdefault(name, len(places)) for name in part.names]
            index.append(np.array([*own, -1], np.int64)[part.index])
        return cls(list(places), np.concatenate(index))


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Rows that lack nothing, and how many others there were.

    Attributes:
        number: of each row over all files, rising, (n,).
        y: outcomes in [0, 1] (n,).
        arms: by arm which rows are its own, all where None, and their P(1).
        w: weights (n,), or None.
        buckets: of the units, (n,).
        segments: by column.
        units: of each arm, or of EVERY_ARM.
        excluded: how many rows lack something, by what.
        labels: those met, where they are names.
    """

    number: Indices
    y: Array
    arms: Arms
    w: Array | None
    buckets: Indices
    segments: Mapping[str, Segments]
    units: Mapping[str, UnitSet]
    excluded: Mapping[str, int]
    labels: frozenset[str]

    @classmethod
    def joined(cls, parts: Sequence["LogBatch"]) -> "LogBatch":
        """All rows, one part behind the other."""
        if len(parts) == 1:
            return parts[0]
        weights = [part.w for part in parts if part.w is not None]
        excluded: Counter[str] = Counter()
        for part in parts:
            excluded.update(part.excluded)
        return cls(
            np.concatenate([part.number for part in parts]),
            np.concatenate([part.y for part in parts]),
            _arms(parts),
            np.concatenate(weights) if weights else None,
            np.concatenate([part.buckets for part in parts]),
            {
                column: Segments.joined([part.segments[column] for part in parts])
                for column in parts[0].segments
            },
            merged([part.units for part in parts], UnitSet.union),
            excluded,
            frozenset().union(*(part.labels for part in parts)),
        )


def _arms(parts: Sequence[LogBatch]) -> Arms:
    starts = accumulate((part.y.size for part in parts[:-1]), initial=0)
    places: dict[str, list[Indices]] = {}
    forecasts: dict[str, list[Array]] = {}
    for start, part in zip(starts, parts, strict=True):
        for arm, (rows, p) in part.arms.items():
            forecasts.setdefault(arm, []).append(p)
            if rows is not None:
                places.setdefault(arm, []).append(rows + start)
    return {
        arm: (np.concatenate(places[arm]) if arm in places else None, np.concatenate(p))
        for arm, p in forecasts.items()
    }
