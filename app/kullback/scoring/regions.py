"""Regions of an image: largest connected component, bounding box, overlap."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array, Flags

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """The largest part of a mask: its half-open box [x0, y0, x1, y1), and how many there are."""

    box: Box
    area: int
    components: int


@dataclass(slots=True)
class _Run:
    """Neighbouring pixels of one row, start to stop, and the run they hang on."""

    row: int
    start: int
    stop: int
    parent: int


def largest_region(mask: Flags) -> Region | None:
    """The largest 8-connected part of a mask (h, w); of equals, the first in reading order.

    Runs of each row are joined with those they touch in the row above.
    """
    runs: list[_Run] = []
    above = 0  # the first run of the row above that may touch what comes
    for row in range(mask.shape[0]):
        here = len(runs)
        for start, stop in _row_runs(mask[row]):
            number = len(runs)
            runs.append(_Run(row, start, stop, number))
            while above < here and runs[above].stop < start:
                above += 1
            other = above
            while other < here and runs[other].start <= stop:
                _join(runs, number, other)
                other += 1
        above = here
    return _largest(runs) if runs else None


def _row_runs(row: Flags) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], row, [False]))))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _root(runs: list[_Run], number: int) -> int:
    while runs[number].parent != number:
        runs[number].parent = runs[runs[number].parent].parent
        number = runs[number].parent
    return number


def _join(runs: list[_Run], run: int, other: int) -> None:
    first, second = sorted((_root(runs, run), _root(runs, other)))
    runs[second].parent = first  # the earlier run in reading order names the part


def _largest(runs: list[_Run]) -> Region:
    parts: dict[int, list[_Run]] = {}
    for number, run in enumerate(runs):
        parts.setdefault(_root(runs, number), []).append(run)
    areas = {root: sum(run.stop - run.start for run in part) for root, part in parts.items()}
    best = max(sorted(areas), key=areas.__getitem__)
    part = parts[best]
    box = (
        min(run.start for run in part),
        part[0].row,
        max(run.stop for run in part),
        part[-1].row + 1,
    )
    return Region(box, areas[best], len(parts))


def overlap(first: Array, other: Array) -> float:
    """Intersection over union of two half-open boxes, 0 where they do not meet."""
    x0, y0, x1, y1 = first.tolist()
    left, top, right, bottom = other.tolist()
    shared: float = max(0.0, min(x1, right) - max(x0, left)) * max(
        0.0, min(y1, bottom) - max(y0, top)
    )
    areas: float = (x1 - x0) * (y1 - y0) + (right - left) * (bottom - top)
    return shared / (areas - shared)


def resized(image: Array, height: int, width: int) -> Array:
    """Bilinear interpolation (h, w) → (height, width), pixel centres at ½, edges held."""
    rows, down = _weights(image.shape[0], height)
    columns, right = _weights(image.shape[1], width)
    upper = image[rows[0]]
    tall = upper + (image[rows[1]] - upper) * down[:, None]  # a flat image stays exactly flat
    before = tall[:, columns[0]]
    grown: Array = before + (tall[:, columns[1]] - before) * right
    return grown


def _weights(size: int, wanted: int) -> tuple[tuple[Array, Array], Array]:
    centre = np.maximum((np.arange(wanted) + 0.5) * size / wanted - 0.5, 0.0)
    first = np.minimum(np.floor(centre).astype(np.int64), size - 1)
    second = np.minimum(first + 1, size - 1)
    return (first, second), centre - first
