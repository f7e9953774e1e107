"""Damage of what is stored: whose settings, or which window of which slice, it is in."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pydantic import ValidationError

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


@contextmanager
def naming_settings(kind: str, name: str) -> Iterator[None]:
    """Say whose settings cannot be read.

    Raises:
        DamagedTally: they cannot.
    """
    try:
        yield
    except ValidationError:
        raise DamagedTally(
            f"the settings of the {kind} {name} are damaged on disk, or those of a newer release: "
            f"restore a backup, start that release, or delete the {kind}"
        ) from None


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
