"""Damage of stored sums: which window of which slice it is in."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from kullback.errors import DamagedTally, TallyMismatch
from kullback.moments import moment
from kullback.storage.base import Cell, Part
from kullback.tally.merge import merge


@contextmanager
def naming_damage(parts: Iterable[Part]) -> Iterator[None]:
    """Say in which window sums are damaged that are read of these parts.

    Raises:
        DamagedTally: they are.
    """
    try:
        yield
    except TallyMismatch:
        for cell, content in parts:
            _check(cell, content)
        raise


def _check(cell: Cell, content: bytes) -> None:
    try:
        merge([content])
    except TallyMismatch as error:
        of_slice = f" of {cell.slice}" if cell.slice else ""
        raise DamagedTally(
            f"the sums{of_slice} ({cell.kind}) of the {cell.width} seconds from "
            f"{moment(cell.start)} are damaged on disk, and no figure is made of them: restore a "
            "backup, or ask for other windows"
        ) from error
