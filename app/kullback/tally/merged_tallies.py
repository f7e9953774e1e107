"""Merged tallies: maps of many tallies that add up, all keys at once."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from kullback.tally.grouped_sums import added
from kullback.tally.merge import merged
from kullback.tally.tally import Tally, widest

_KEYS = 64  # at once: of more the cells do not fit a cache
Key = TypeVar("Key", bound=Hashable)


def merged_tallies(maps: Sequence[Mapping[Key, Tally]]) -> dict[Key, Tally]:
    """One map in which the tallies of a key have become their total.

    Raises:
        TallyMismatch: they are not all of one layout, but for the number of classes.
    """
    parts: dict[Key, list[Tally]] = merged(maps, list)
    keys = iter(parts)
    sums: dict[Key, Tally] = {}
    while some := list(islice(keys, _KEYS)):
        sums |= zip(some, _totals([parts[key] for key in some]), strict=True)
    return sums


def _totals(parts: Sequence[Sequence[Tally]]) -> Iterator[Tally]:
    """The total of each list of tallies."""
    layout = widest([tally.layout for tallies in parts for tally in tallies])
    vectors = [
        added(
            [(at, tally.vectors[number]) for at, tallies in enumerate(parts) for tally in tallies],
            len(parts),
            size,
        )
        for number, size in enumerate(layout.sizes)
    ]
    for at, tallies in enumerate(parts):
        scalars = zip(*(tally.scalars for tally in tallies), strict=True)
        yield Tally(layout, tuple(map(sum, scalars)), tuple(sums.of(at) for sums in vectors))
