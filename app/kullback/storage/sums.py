"""The sum of everything that the writes of one commit add."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from kullback.storage.base import Cell, Merge
from kullback.storage.database import Database
from kullback.storage.schema import COUNTS, PARTS


@dataclass(frozen=True, slots=True)
class PendingSums:
    """What is to be added to cells and counts: written once per commit, sorted by key.

    The order is the same in every process, so that two commits cannot wait for each other.
    """

    parts: dict[tuple[int, Cell], list[bytes]] = field(default_factory=dict)
    counts: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, record: int, parts: Mapping[Cell, bytes]) -> None:
        """See Transaction."""
        for cell, content in parts.items():
            self.parts.setdefault((record, cell), []).append(content)

    def count(self, record: int, amounts: Mapping[str, int]) -> None:
        """See Transaction."""
        for name, amount in amounts.items():
            self.counts[record, name] = self.counts.get((record, name), 0) + amount

    def take(self, other: "PendingSums") -> None:
        """Add all that stands in another one."""
        for key, contents in other.parts.items():
            self.parts.setdefault(key, []).extend(contents)
        for key_of_count, amount in other.counts.items():
            self.counts[key_of_count] = self.counts.get(key_of_count, 0) + amount

    def write(self, connection: Connection, database: Database, merge: Merge) -> None:
        """One row for each cell and each count."""
        if self.parts:
            connection.execute(PARTS.insert().inline(), self._part_rows(merge))
        if self.counts:
            new = database.insert(COUNTS)
            sum_of_both = COUNTS.c.amount + new.excluded.amount
            upsert = new.on_conflict_do_update(
                index_elements=["record", "name"], set_={"amount": sum_of_both}
            )
            connection.execute(upsert, self._count_rows())

    def _part_rows(self, merge: Merge) -> list[dict[str, int | str | bytes]]:
        return [
            {
                "record": record,
                **cell._asdict(),
                "content": contents[0] if len(contents) == 1 else merge(contents),
            }
            for (record, cell), contents in sorted(self.parts.items())
        ]

    def _count_rows(self) -> list[dict[str, int | str]]:
        return [
            {"record": record, "name": name, "amount": amount}
            for (record, name), amount in sorted(self.counts.items())
        ]
