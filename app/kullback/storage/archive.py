"""Archives of pg_dump read without a server: their rows as a SQLite file."""

import re
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import IO

from sqlalchemy import LargeBinary

from kullback.errors import StoreUnavailable
from kullback.storage.postgresql_backup import program
from kullback.storage.schema import METADATA, tables_of

_copy = re.compile(r"COPY \S*?(\w+) \((.+)\) FROM stdin;\n").fullmatch
_escaped = re.compile(r"\\(.)")
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BYTES = {
    (table.name, column.name)
    for table in METADATA.tables.values()
    for column in table.columns
    if isinstance(column.type, LargeBinary)
}


def load_archive(content: Iterable[bytes], schema_version: int, path: Path) -> None:
    """Write the rows of an archive into a new SQLite file with tables of the same version.

    Raises:
        StoreUnavailable: pg_restore is not there, or cannot read it.
    """
    arguments = [program("pg_restore"), "--data-only", "--file=-"]
    with (
        TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - our own arguments
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        errors = list[Exception]()
        feeder = Thread(target=_feed, args=(content, process.stdin, errors), daemon=True)
        feeder.start()
        with closing(sqlite3.connect(path)) as file, file:
            for statement in tables_of("sqlite", schema_version):
                file.execute(statement)
            _insert(file, (line.decode() for line in process.stdout))
        feeder.join()
        if errors:
            raise errors[0]
        if process.wait():
            said.seek(0)
            line = said.readline().decode(errors="replace").strip()
            raise StoreUnavailable(f"pg_restore failed: {line}")


def _feed(content: Iterable[bytes], pipe: IO[bytes], errors: list[Exception]) -> None:
    try:
        with pipe:
            for chunk in content:
                pipe.write(chunk)
    except (OSError, StoreUnavailable) as error:
        errors.append(error)


def _insert(file: sqlite3.Connection, lines: Iterator[str]) -> None:
    for line in lines:
        found_table = _copy(line)
        if found_table is None:
            continue
        table, columns = found_table[1], found_table[2].replace('"', "").split(", ")
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - ours
        is_bytes = [(table, column) in _BYTES for column in columns]
        file.executemany(insert, _rows(lines, is_bytes))


def _rows(lines: Iterator[str], is_bytes: Sequence[bool]) -> Iterator[list[str | bytes | None]]:
    """The rows of one table, in the text format of COPY."""
    for line in lines:
        if line == "\\.\n":
            return
        cells = line[:-1].split("\t")
        yield [
            None
            if cell == r"\N"
            else bytes.fromhex(cell[3:])
            if holds_bytes
            else _escaped.sub(lambda sign: _LETTERS.get(sign[1], sign[1]), cell)
            for cell, holds_bytes in zip(cells, is_bytes, strict=True)
        ]
