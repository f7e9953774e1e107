"""The operations of one write inside its transaction."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, exists, or_, select, update

from kullback.storage.base import Cell, Expired, Joined, Merge, Record, Side, Times
from kullback.storage.compaction import Compaction, compact_cells, forget_cells
from kullback.storage.database import Database, Raced
from kullback.storage.idempotency import sweep
from kullback.storage.joining import WaitingRow, expire_rows, join_rows
from kullback.storage.schema import ATTACHMENTS, COUNTS, OWNED, PARTS, RECORDS, WAITING
from kullback.storage.sums import PendingSums


class SqlTransaction:
    """One write of a commit: what it adds joins the sums of the commit when it succeeds."""

    def __init__(
        self, connection: Connection, database: Database, merge: Merge, sums: PendingSums
    ) -> None:
        self._connection = connection
        self._database = database
        self._merge = merge
        self._before = sums
        self._own = PendingSums()
        self.owner = 0  # the record that this write is about; 0 where there is none, or no more

    def sums(self) -> PendingSums:
        """All that the commit now has to write; called once, when the write has succeeded."""
        self._before.take(self._own)
        return self._before

    def record(self, kind: str, name: str, *, for_change: bool = False) -> Record | None:
        """See Transaction."""
        chosen = select(RECORDS).where(RECORDS.c.kind == kind, RECORDS.c.name == name)
        row = self._connection.execute(chosen.with_for_update(read=not for_change)).first()
        if row is None:
            return None
        self.owner = row.id
        return Record(*row)

    def create(self, kind: str, name: str, document: bytes, now: float) -> Record:
        """See Transaction."""
        new = self._database.insert(RECORDS).on_conflict_do_nothing().returning(RECORDS.c.id)
        values = {"kind": kind, "name": name, "revision": 1, "document": document, "created": now}
        number = self._connection.execute(new, values).scalar()
        if number is None:
            raise Raced(f"there is a {kind} of this name already")
        self.owner = number
        return Record(number, kind, name, 1, document, now)

    def change(self, record: int, document: bytes, *, revises: bool = True) -> None:
        """See Transaction."""
        values = {"document": document, "revision": RECORDS.c.revision + int(revises)}
        self._connection.execute(update(RECORDS).where(RECORDS.c.id == record).values(values))

    def delete(self, record: int) -> None:
        """See Transaction."""
        self._settle()
        for table in OWNED:
            self._connection.execute(delete(table).where(table.c.record == record))
        self._connection.execute(delete(RECORDS).where(RECORDS.c.id == record))
        self.owner = 0

    def attach(self, record: int, name: str, content: bytes) -> None:
        """See Transaction."""
        new = self._database.insert(ATTACHMENTS)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=["record", "name"], set_={"content": new.excluded.content}
            ),
            {"record": record, "name": name, "content": content},
        )

    def attachment(self, record: int, name: str) -> bytes | None:
        """See Transaction."""
        chosen = select(ATTACHMENTS.c.content).where(
            ATTACHMENTS.c.record == record, ATTACHMENTS.c.name == name
        )
        return self._connection.execute(chosen).scalar()

    def has_rows(self, record: int) -> bool:
        """See Transaction."""
        self._settle()
        present = (exists().where(table.c.record == record) for table in (PARTS, COUNTS, WAITING))
        return bool(self._connection.execute(select(or_(*present))).scalar())

    def add(self, record: int, parts: Mapping[Cell, bytes]) -> None:
        """See Transaction."""
        self._own.add(record, parts)

    def count(self, record: int, amounts: Mapping[str, int]) -> None:
        """See Transaction."""
        self._own.count(record, amounts)

    def join(self, record: int, side: Side, rows: Mapping[str, bytes], now: float) -> Joined:
        """See Transaction."""
        return join_rows(self._connection, self._database, WaitingRow(record, side, now), rows)

    def compact(self, record: int, times: Times, width: int, limit: int) -> int:
        """See Transaction."""
        self._settle()
        if not self._hold(record):
            return 0
        compaction = Compaction(record, times, width, limit)
        return compact_cells(self._connection, self._database, self._merge, compaction)

    def forget(self, record: int, before: int, limit: int) -> int:
        """See Transaction."""
        self._settle()
        if not self._hold(record):
            return 0
        return forget_cells(self._connection, self._database, record, before, limit)

    def expire(self, record: int, before: float, limit: int) -> Expired:
        """See Transaction."""
        return expire_rows(self._connection, self._database, record, before, limit)

    def sweep(self, before: float, limit: int) -> int:
        """See Transaction."""
        return sweep(self._connection, before, limit)

    def _hold(self, record: int) -> bool:
        """Keep the record from being removed until the end; whether it is there."""
        chosen = select(RECORDS.c.id).where(RECORDS.c.id == record).with_for_update(read=True)
        return self._connection.execute(chosen).first() is not None

    def _settle(self) -> None:
        """Write what waits, so that it can be seen.

        The sums from before stay as they were in whatever kept them: if this write fails, its
        rows are taken back, and they are still to be written.
        """
        for sums in (self._before, self._own):
            sums.write(self._connection, self._database, self._merge)
        self._before, self._own = PendingSums(), PendingSums()
