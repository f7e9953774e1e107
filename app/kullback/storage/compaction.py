"""Compaction: parts are merged into fewer, and old ones deleted."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, case, delete, func, or_, select

from kullback.storage.base import Cell, Merge, Times
from kullback.storage.database import Database
from kullback.storage.schema import PARTS


class Compaction(NamedTuple):
    """Which cells to put together; see Transaction.compact."""

    record: int
    times: Times
    width: int
    limit: int

    def into(self, cell: Cell) -> Cell:
        """The cell that takes what is in this one."""
        if cell.width >= self.width:
            return cell
        return cell._replace(start=cell.start // self.width * self.width, width=self.width)


def compact_cells(
    connection: Connection, database: Database, merge: Merge, compaction: Compaction
) -> int:
    """See Transaction.compact."""
    cells: dict[Cell, list[bytes]] = {}
    for kind, name, start, width, content in _take(connection, database, _compactable(compaction)):
        cell = compaction.into(Cell(kind, name, start, width))
        cells.setdefault(cell, []).append(content)
    if cells:
        connection.execute(
            PARTS.insert().inline(),
            [
                {"record": compaction.record, **cell._asdict(), "content": merge(cells[cell])}
                for cell in sorted(cells)
            ],
        )
    return len(cells)


def forget_cells(
    connection: Connection, database: Database, record: int, before: int, limit: int
) -> int:
    """See Transaction.forget."""
    is_old = PARTS.c.start + PARTS.c.width <= before
    chosen = (
        select(PARTS.c.sequence)
        .where(PARTS.c.record == record, PARTS.c.start < before, is_old)
        .limit(limit)
    )
    numbers = held(connection, chosen)
    connection.execute(delete(PARTS).where(database.among(PARTS.c.sequence, numbers)))
    return len(numbers)


def _compactable(compaction: Compaction) -> Select[tuple[int]]:
    """The parts of at most `limit` cells in which there is something to put together."""
    start, width = _target(compaction.width)
    first, stop, before = compaction.times
    place = (PARTS.c.kind, PARTS.c.slice, start, width)
    parts = (
        select(
            PARTS.c.sequence,
            PARTS.c.kind,
            PARTS.c.slice,
            start.label("start"),
            width.label("width"),
            func.count().over(partition_by=place).label("parts"),
            func.min(PARTS.c.width).over(partition_by=place).label("narrowest"),
        )
        .where(
            PARTS.c.record == compaction.record,
            PARTS.c.start >= first,
            PARTS.c.start < (stop if before is None else min(before, stop)),
            start + width <= stop,
        )
        .subquery()
    )
    order = (parts.c.slice, parts.c.kind, parts.c.start, parts.c.width)
    numbered = (
        select(parts.c.sequence, func.dense_rank().over(order_by=order).label("cell"))
        .where(or_(parts.c.parts > 1, parts.c.narrowest < compaction.width))
        .subquery()
    )
    return select(numbered.c.sequence).where(numbered.c.cell <= compaction.limit)


def _target(width: int) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Start and width of the cell that takes a part, as Compaction.into says it."""
    is_narrow = PARTS.c.width < width
    into = (PARTS.c.start % width + width) % width  # % of a negative number is negative in SQL
    return (
        case((is_narrow, PARTS.c.start - into), else_=PARTS.c.start),
        case((is_narrow, width), else_=PARTS.c.width),
    )


def _take(
    connection: Connection, database: Database, chosen: Select[tuple[int]]
) -> Sequence[tuple[str, str, int, int, bytes]]:
    """Remove parts and return them: those only that nobody else has removed meanwhile."""
    numbers = held(connection, chosen)
    removed = delete(PARTS).where(database.among(PARTS.c.sequence, numbers))
    columns = (PARTS.c.kind, PARTS.c.slice, PARTS.c.start, PARTS.c.width, PARTS.c.content)
    rows = connection.execute(removed.returning(*columns))
    return [tuple(row) for row in rows]


def held(connection: Connection, chosen: Select[tuple[int]]) -> list[int]:
    """The numbers of parts that still are there, locked in order of their numbers."""
    locked = (
        select(PARTS.c.sequence)
        .where(PARTS.c.sequence.in_(chosen))
        .order_by(PARTS.c.sequence)
        .with_for_update()
    )
    return list(connection.execute(locked).scalars())
