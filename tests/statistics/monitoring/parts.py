"""Parts of a monitor in memory: all that a reader of one asks a store for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from kullback.moments import HOUR
from kullback.storage.base import Cell, Part
from kullback.tally.feature_table import FeatureTable
from kullback.tally.merge import merge
from kullback.tally.tally import Tally

_MOST = 8  # parts of a cell


@dataclass(slots=True)
class MemoryParts:
    """The parts of one record by the hour that they lie in, and what is attached to it.

    Attributes:
        hours: parts with their numbers, by the start of their hour and the slice.
        attachments: bytes by name.
    """

    hours: dict[int, dict[str, list[tuple[int, Part]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    attachments: dict[str, bytes] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, summed: Mapping[Cell, Tally] | Mapping[Cell, FeatureTable]) -> None:
        """Add a part to each of these cells."""
        for cell, tally in summed.items():
            name = cell.slice.partition("=")[0]
            parts = self.hours[cell.start // HOUR * HOUR][name]
            parts.append((next(self._numbers), (cell, tally.encoded())))
            if sum(part[0] == cell for _, part in parts) > _MOST:
                parts[:] = self._merged(parts, cell.width)

    def compact(self, start: int, width: int) -> None:
        """Make one window of those of an hour."""
        for parts in self.hours[start].values():
            parts[:] = self._merged(parts, width)

    def forget(self, before: int) -> None:
        """Hold no hour that began before."""
        for start in [start for start in self.hours if start < before]:
            del self.hours[start]

    def numbers(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> dict[tuple[int, int], tuple[int, ...]]:
        """See Store."""
        windows: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, part in self.numbered(record, start, stop, slices):
            windows[part[0][2:]].append(number)
        return {window: tuple(sorted(numbers)) for window, numbers in windows.items()}

    def numbered(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> list[tuple[int, Part]]:
        """See Store."""
        del record
        chosen = slices or ""
        name, is_one_value, _ = chosen.partition("=")
        return [
            each
            for hour, parts in self.hours.items()
            if start - HOUR < hour < stop
            for each in parts.get(name, ())
            if start <= each[1][0].start < stop
            and (not is_one_value or name.startswith("@") or each[1][0].slice == chosen)
        ]

    @contextmanager
    def stream(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> Iterator[Iterator[Part]]:
        """See Store."""
        yield (part for _, part in self.numbered(record, start, stop, slices))

    def last_start(self, record: int) -> int | None:
        """See Store."""
        del record
        last = max((start for start, parts in self.hours.items() if parts.get("")), default=None)
        return None if last is None else max(part[0].start for _, part in self.hours[last][""])

    def attachment(self, record: int, name: str) -> bytes | None:
        """See Store."""
        del record
        return self.attachments.get(name)

    def counts(self, record: int) -> Mapping[str, int]:
        """See Store."""
        del record
        return {}

    def _merged(self, parts: list[tuple[int, Part]], width: int) -> list[tuple[int, Part]]:
        contents: dict[Cell, list[bytes]] = defaultdict(list)
        for _, (cell, content) in parts:
            contents[cell._replace(start=cell.start // width * width, width=width)].append(content)
        return [(next(self._numbers), (cell, merge(some))) for cell, some in contents.items()]
