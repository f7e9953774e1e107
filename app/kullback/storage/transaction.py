"""The operations of one write inside its transaction."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from kullback.moments import DAY, LAST_DAY
from kullback.storage.attachments import Attachment, attach, attached
from kullback.storage.base import Cell, Merge, Part, Record, Times
from kullback.storage.compaction import Compaction, compact_cells, forget_cells
from kullback.storage.database import Database, Raced
from kullback.storage.idempotency import Wrote, sweep
from kullback.storage.joining import (
    Coming,
    Due,
    Range,
    expire_rows,
    join_rows,
    remove_rows,
    rewrite_rows,
    settle_rows,
)
from kullback.storage.removal import (
    forget_keys,
    move_keys,
    of_slice,
    parts_within,
    straddles,
    take_parts,
    withdraw_parts,
    within,
)
from kullback.storage.rows import Expired, Joined, Looked, Row
from kullback.storage.schema import ATTACHMENTS, COUNTS, OWNED, RECORDS, WAITING
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
        self._owner = Wrote()
        self._reach: tuple[int, int] | None = None  # the time of the rows that were added
        self.has_moved_keys = False

    def sums(self) -> PendingSums:
        """All that the commit now has to write; called once, when the write has succeeded."""
        self._before.take(self._own)
        return self._before

    @property
    def wrote(self) -> Wrote:
        """What this write was about."""
        if self._reach is None or not self._owner.record:
            return Wrote(self._owner.record)
        start, stop = self._reach
        return self._owner._replace(start=start, stop=stop)

    def record(self, kind: str, name: str, *, for_change: bool = False) -> Record | None:
        """See Transaction."""
        chosen = select(RECORDS).where(RECORDS.c.kind == kind, RECORDS.c.name == name)
        row = self._connection.execute(chosen.with_for_update(read=not for_change)).first()
        if row is None:
            return None
        record = Record(*row)
        self._owner = Wrote(record.id, record.era)
        return record

    def create(self, kind: str, name: str, document: bytes, now: float) -> Record:
        """See Transaction."""
        new = self._database.insert(RECORDS).on_conflict_do_nothing().returning(RECORDS.c.id)
        values = {"kind": kind, "name": name, "revision": 1, "document": document, "created": now}
        number = self._connection.execute(new, values).scalar()
        if number is None:
            raise Raced(f"there is a {kind} of this name already")
        self._owner = Wrote(number, 0)
        return Record(number, kind, name, 1, document, now)

    def change(self, record: int, document: bytes, *, revises: bool = True) -> None:
        """See Transaction."""
        values = {"document": document, "revision": RECORDS.c.revision + int(revises)}
        self._connection.execute(update(RECORDS).where(RECORDS.c.id == record).values(values))

    def renew(self, record: int, era: int) -> None:
        """See Transaction."""
        self._connection.execute(update(RECORDS).where(RECORDS.c.id == record).values(era=era))

    def rename(self, record: int, name: str) -> None:
        """See Transaction."""
        try:
            self._connection.execute(
                update(RECORDS)
                .where(RECORDS.c.id == record)
                .values(name=name, revision=RECORDS.c.revision + 1)
            )
        except IntegrityError as error:
            raise Raced("there is something of this name already") from error
        self._owner = Wrote()  # its key stays at the path that it came to

    def delete(self, record: int) -> None:
        """See Transaction."""
        self._settle()
        for table in OWNED:
            self._connection.execute(delete(table).where(table.c.record == record))
        self._connection.execute(delete(RECORDS).where(RECORDS.c.id == record))
        self._owner = Wrote()

    def attach(self, record: int, name: str, content: bytes) -> None:
        """See Transaction."""
        attach(self._connection, self._database, Attachment(record, name, content))

    def detach(self, record: int, name: str) -> None:
        """See Transaction."""
        is_it = (ATTACHMENTS.c.record == record, ATTACHMENTS.c.name == name)
        self._connection.execute(delete(ATTACHMENTS).where(*is_it))

    def attachment(self, record: int, name: str) -> bytes | None:
        """See Transaction."""
        content = attached(self._connection, record, name)
        for sums in (self._before, self._own):
            content = sums.merged(record, name, content)
        return content

    def accumulate(self, record: int, name: str, content: bytes, merge: Merge) -> None:
        """See Transaction."""
        self._own.accumulate(record, name, [content], merge)

    def counts(self, record: int) -> dict[str, int]:
        """See Transaction."""
        self._settle()
        chosen = select(COUNTS.c.name, COUNTS.c.amount).where(COUNTS.c.record == record)
        return {row.name: row.amount for row in self._connection.execute(chosen)}

    def add(self, record: int, parts: Mapping[Cell, bytes]) -> None:
        """See Transaction."""
        self._own.add(record, parts)
        if parts:
            starts, stops = zip(
                *((cell.start, cell.start + cell.width) for cell in parts), strict=True
            )
            self._reached(min(starts), max(stops))

    def count(self, record: int, amounts: Mapping[str, int]) -> None:
        """See Transaction."""
        self._own.count(record, amounts)

    def join(
        self, record: int, rows: Mapping[str, Row], now: float, *, corrects: bool = False
    ) -> Joined:
        """See Transaction."""
        coming = Coming(record, now, corrects)
        joined = join_rows(self._connection, self._database, coming, rows)
        waiting = joined.new or joined.replaced
        if (
            waiting and rows[waiting[0]].time is None
        ):  # nobody knows the time of their predictions yet
            self._reached(0, LAST_DAY + DAY)
        return joined

    def rewrite(self, record: int, rows: Mapping[str, Row]) -> None:
        """See Transaction."""
        rewrite_rows(self._connection, record, rows)

    def settle(self, record: int, before: float, outcome: float, limit: int) -> dict[str, Row]:
        """See Transaction."""
        due = Due(record, before, limit)
        return settle_rows(self._connection, self._database, due, outcome)

    def remove(self, record: int, start: float, stop: float, after: str, limit: int) -> Looked:
        """See Transaction."""
        some = Range(record, start, stop)
        return remove_rows(self._connection, self._database, some, after, limit)

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
        return expire_rows(self._connection, self._database, Due(record, before, limit))

    def parts(self, record: int, start: int, stop: int, name: str = "") -> Iterator[Part]:
        """See Transaction."""
        self._settle()
        return parts_within(self._connection, record, start, stop, name)

    def straddles(self, record: int, moment: int) -> bool:
        """See Transaction."""
        self._settle()
        return straddles(self._connection, record, moment)

    def arrived(self, record: int, start: float, stop: float) -> int:
        """See Transaction."""
        is_within = (WAITING.c.arrived >= start, WAITING.c.arrived < stop)
        chosen = select(func.count()).where(WAITING.c.record == record, *is_within)
        return self._connection.execute(chosen).scalar_one()

    def take(self, record: int, start: int, stop: int, limit: int) -> int:
        """See Transaction."""
        self._settle()
        chosen = within(record, start, stop, limit)
        return take_parts(self._connection, self._database, chosen)

    def withdraw(self, record: int, name: str, start: int, limit: int) -> list[Part]:
        """See Transaction."""
        self._settle()
        chosen = of_slice(record, name, start, limit)
        return withdraw_parts(self._connection, self._database, chosen)

    def forget_keys(self, record: int, start: int, stop: int, limit: int) -> int:
        """See Transaction."""
        return forget_keys(self._connection, record, start, stop, limit)

    def move_keys(self, record: int, old: str, new: str, limit: int) -> int:
        """See Transaction."""
        self.has_moved_keys = True
        return move_keys(self._connection, record, old, new, limit)

    def sweep(self, before: float, limit: int) -> int:
        """See Transaction."""
        return sweep(self._connection, before, limit)

    def _reached(self, start: int, stop: int) -> None:
        first, last = self._reach or (start, stop)
        self._reach = min(first, start), max(last, stop)

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
