"""Bytes that stand beside a record under a name."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from kullback.storage.database import Database
from kullback.storage.schema import ATTACHMENTS


class Attachment(NamedTuple):
    """Bytes, and where they stand."""

    record: int
    name: str
    content: bytes


def attach(connection: Connection, database: Database, attachment: Attachment) -> None:
    """See Transaction.attach."""
    new = database.insert(ATTACHMENTS)
    upsert = new.on_conflict_do_update(
        index_elements=["record", "name"], set_={"content": new.excluded.content}
    )
    connection.execute(upsert, attachment._asdict())


def attached(
    connection: Connection, record: int, name: str, *, for_change: bool = False
) -> bytes | None:
    """See Transaction.attachment; nobody else changes them meanwhile if they are for change."""
    chosen = select(ATTACHMENTS.c.content).where(
        ATTACHMENTS.c.record == record, ATTACHMENTS.c.name == name
    )
    return connection.execute(chosen.with_for_update() if for_change else chosen).scalar()
