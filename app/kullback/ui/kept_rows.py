"""Rows of a table of names, kept between requests: what has not changed is not made again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import is_
from typing import Generic, TypeVar

Row = TypeVar("Row")
Sources = tuple[object, ...]
Order = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class NamedRows(Generic[Row]):
    """The rows of a name, with what they were made from.

    Attributes:
        order: where they stand among those of other names.
        digest: of the rows: it is another one whenever a row is.
    """

    name: str
    sources: Sources
    order: Order
    rows: Sequence[Row]
    digest: bytes

    def is_of(self, sources: Sources) -> bool:
        """Whether these were the sources: the same objects, which never change."""
        return all(map(is_, self.sources, sources))


class KeptRows(Generic[Row]):
    """The rows of all names in their order; made anew are those that have another source."""

    def __init__(self) -> None:
        self._kept: tuple[Mapping[str, NamedRows[Row]], Sequence[NamedRows[Row]]] = {}, ()

    def of(
        self,
        sources: Mapping[str, Sources],
        make: Callable[[str], tuple[Order, Sequence[Row]]],
    ) -> Sequence[NamedRows[Row]]:
        """The rows by `make`; a name always has the same number of sources."""
        by_name, in_order = self._kept
        new = [
            name
            for name, each in sources.items()
            if name not in by_name or not by_name[name].is_of(each)
        ]
        if new or by_name.keys() != sources.keys():
            kept = {name: rows for name, rows in by_name.items() if name in sources}
            kept |= {name: _made(name, sources[name], *make(name)) for name in new}
            in_order = sorted(kept.values(), key=lambda rows: (rows.order, rows.name))
            self._kept = kept, in_order
        return in_order


def digest_of(rows: Sequence[NamedRows[Row]]) -> str:
    """A digest of all these rows in their order."""
    return sha256(b"".join([each.digest for each in rows])).hexdigest()


def rows_of(named: Sequence[NamedRows[Row]]) -> list[Row]:
    """All these rows, without their names."""
    return [row for each in named for row in each.rows]


def _made(name: str, sources: Sources, order: Order, rows: Sequence[Row]) -> NamedRows[Row]:
    return NamedRows(name, sources, order, rows, sha256(repr(rows).encode()).digest())
