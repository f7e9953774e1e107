"""Parts of a monitor in memory: all that a reader of one asks a store for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from kullback.monitoring.cells import Cells
from kullback.storage.base import Cell, Part
from kullback.tally.tally import decoded_total


@dataclass(slots=True)
class MemoryParts:
    """The parts of one record by the hour that they lie in, and what is attached to it.

    Attributes:
        hours: parts by the start of their hour.
        attachments: bytes by name.
    """

    hours: dict[int, list[Part]] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)

    def put(self, start: int, summed: Cells) -> None:
        """Let an hour hold this, in place of what it held."""
        self.hours[start] = [(cell, tally.encoded()) for cell, tally in summed.items()]

    def compact(self, start: int, width: int) -> None:
        """Make one window of those of an hour."""
        contents: dict[Cell, list[bytes]] = defaultdict(list)
        for cell, content in self.hours.get(start, []):
            contents[cell._replace(start=start, width=width)].append(content)
        self.hours[start] = [
            (cell, decoded_total(some).encoded()) for cell, some in contents.items()
        ]

    def forget(self, before: int) -> None:
        """Hold no hour that began before."""
        self.hours = {start: parts for start, parts in self.hours.items() if start >= before}

    @contextmanager
    def stream(
        self, record: int, start: int, stop: int, slices: str | None = None
    ) -> Iterator[Iterator[Part]]:
        """See Store."""
        del record
        chosen = slices or ""
        prefix = f"{chosen}=" if chosen and "=" not in chosen else None
        yield (
            part
            for hour, parts in self.hours.items()
            if start - 3600 < hour < stop
            for part in parts
            if start <= part[0].start < stop
            and (part[0].slice.startswith(prefix) if prefix else part[0].slice == chosen)
        )

    def last_start(self, record: int) -> int | None:
        """See Store."""
        del record
        last = max((start for start, parts in self.hours.items() if parts), default=None)
        return None if last is None else max(cell.start for cell, _ in self.hours[last])

    def attachment(self, record: int, name: str) -> bytes | None:
        """See Store."""
        del record
        return self.attachments.get(name)

    def counts(self, record: int) -> Mapping[str, int]:
        """See Store."""
        del record
        return {}
