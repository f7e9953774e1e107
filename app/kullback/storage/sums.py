"""The sum of everything that the writes of one commit add."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from kullback.storage.attachments import Attachment, attach, attached
from kullback.storage.base import Cell, Merge
from kullback.storage.database import Database
from kullback.storage.schema import COUNTS, PARTS


@dataclass(frozen=True, slots=True)
class PendingSums:
    """What is to be added to cells, counts and attachments: once per commit, sorted by key.

    The order is the same in every process, so that two commits cannot wait for each other.
    """

    parts: dict[tuple[int, Cell], list[bytes]] = field(default_factory=dict)
    counts: dict[tuple[int, str], int] = field(default_factory=dict)
    attachments: dict[tuple[int, str], tuple[Merge, list[bytes]]] = field(default_factory=dict)

    def add(self, record: int, parts: Mapping[Cell, bytes]) -> None:
        """See Transaction."""
        for cell, content in parts.items():
            self.parts.setdefault((record, cell), []).append(content)

    def count(self, record: int, amounts: Mapping[str, int]) -> None:
        """See Transaction."""
        for name, amount in amounts.items():
            self.counts[record, name] = self.counts.get((record, name), 0) + amount

    def accumulate(self, record: int, name: str, contents: Sequence[bytes], merge: Merge) -> None:
        """See Transaction."""
        self.attachments.setdefault((record, name), (merge, []))[1].extend(contents)

    def merged(self, record: int, name: str, present: bytes | None) -> bytes | None:
        """The bytes of an attachment once what waits for it is merged with them."""
        merge, waiting = self.attachments.get((record, name), (None, []))
        if merge is None:
            return present
        return merge([*([] if present is None else [present]), *waiting])

    def take(self, other: "PendingSums") -> None:
        """Add all that stands in another one."""
        for key, contents in other.parts.items():
            self.parts.setdefault(key, []).extend(contents)
        for key_of_count, amount in other.counts.items():
            self.counts[key_of_count] = self.counts.get(key_of_count, 0) + amount
        for (record, name), (merge, contents) in other.attachments.items():
            self.accumulate(record, name, contents, merge)

    def write(self, connection: Connection, database: Database, merge: Merge) -> None:
        """One row for each cell, each count and each attachment."""
        if self.parts:
            connection.execute(PARTS.insert().inline(), self._part_rows(merge))
        if self.counts:
            new = database.insert(COUNTS)
            sum_of_both = COUNTS.c.amount + new.excluded.amount
            upsert = new.on_conflict_do_update(
                index_elements=["record", "name"], set_={"amount": sum_of_both}
            )
            connection.execute(upsert, self._count_rows())
        for record, name in sorted(self.attachments):
            present = attached(connection, record, name, for_change=True)
            content = self.merged(record, name, present)
            attach(connection, database, Attachment(record, name, content or b""))

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
