"""Records that have to be there, and what the records of a kind hold."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from kullback.errors import DamagedTally, NotFound
from kullback.storage.base import Record


class Stored(Protocol):
    """What is read from a record."""

    @property
    def record(self) -> Record:
        """That record."""


Kind = TypeVar("Kind", bound=Stored)


class PresentRecords(Generic[Kind]):
    """What the records of a kind hold; what is read from a record is kept until it changes."""

    def __init__(self, read: Callable[[Record, str], Kind]) -> None:
        self._read = read
        self._kept: Mapping[str, Kind] = {}

    def of(self, records: Sequence[Record]) -> dict[str, Kind]:
        """What these hold, by name, without those that cannot be read."""
        present: dict[str, Kind] = {}
        for record in records:
            kept = self._kept.get(record.name)
            if kept is not None and kept.record == record:
                present[record.name] = kept
                continue
            with suppress(DamagedTally):
                present[record.name] = self._read(record, record.name)
        self._kept = present
        return present


def existing(record: Record | None, kind: str, name: str) -> Record:
    """The record that was looked up.

    Raises:
        NotFound: there is none.
    """
    if record is None:
        raise NotFound(f"no {kind} is named {name[:80]}; GET /v1/{kind}s lists them")
    return record
