"""The SQL statements that a store runs while a test watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

Statement = tuple[str, str]


@contextmanager
def watched() -> Iterator[list[Statement]]:
    """Every statement from here on, with its parameters, in order; of all stores."""
    statements: list[Statement] = []

    def note(  # noqa: PLR0913, PLR0917 - what SQLAlchemy hands over
        connection: Connection,
        cursor: object,
        statement: str,
        parameters: object,
        context: object,
        is_many: bool,  # noqa: FBT001 - likewise
    ) -> None:
        del connection, cursor, context, is_many
        statements.append((" ".join(statement.split()), repr(parameters)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def tables(statements: list[Statement]) -> list[str]:
    """The table that each statement reads."""
    return [text.partition(" FROM ")[2].split()[0] for text, _ in statements]
