"""Files to evaluate: which there are, what they hold, and the tasks of their row groups."""

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kullback.errors import InvalidInput
from kullback.evaluation.batch import LogSource
from kullback.evaluation.columns import Columns
from kullback.evaluation.work import Task, unreadable
from kullback.scoring.conventions import ConventionName

_MOST_ROWS = 1 << 20  # of a task: about half a second


@dataclass(frozen=True, slots=True)
class File:
    """A Parquet file; `groups` says how many rows each of its row groups has."""

    name: str
    path: Path
    groups: Sequence[int]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(self.groups)


def files_named(patterns: Iterable[str]) -> list[str]:
    """The files that were meant: as named, in a directory, or by a pattern; in a fixed order.

    Raises:
        InvalidInput: one is not there, there are none, or one was meant twice.
    """
    names = [name for text in patterns for name in _meant(text)]
    seen: set[Path] = set()
    for name in names:
        path = Path(name).resolve()
        if path in seen:
            raise InvalidInput(f"{name}: this file is named twice, and rows count once")
        seen.add(path)
    return names


def open_files(names: Iterable[str], columns: Columns) -> list[File]:
    """The files with how many rows they have, all of them fit for these columns.

    Raises:
        InvalidInput: one is not Parquet, or a column is not there or of another type.
    """
    files: list[File] = []
    kinds: dict[str, str] = {}
    for name in names:
        path = Path(name).resolve()
        try:
            with pq.ParquetFile(path) as file:
                schema, footer = file.schema_arrow, file.metadata
                groups = [footer.row_group(at).num_rows for at in range(footer.num_row_groups)]
        except (OSError, pa.ArrowException) as error:
            raise unreadable(name, error) from error
        columns.check(name, schema)
        kind = columns.unit_kind(schema)
        if kind is not None:
            kinds.setdefault(kind, name)
        if len(kinds) > 1:
            described = " and ".join(f"{units} in {where}" for units, where in kinds.items())
            raise InvalidInput(
                f"the units of column {columns.unit} are {described}: they never match"
            )
        files.append(File(name, path, groups))
    return files


def tasks(
    files: Sequence[File],
    columns: Columns,
    convention: ConventionName,
    arms: Sequence[str] | None = None,
) -> Iterator[Task]:
    """All rows of the files in tasks of whole row groups; `arms` are those that may occur."""
    first, all_rows = 0, sum(file.rows for file in files)
    for file in files:
        source = LogSource(file.name, columns, first, arms)
        start = 0
        for groups in _together(file.groups):
            rows = sum(file.groups[at] for at in groups)
            yield Task(source, str(file.path), groups, start, rows, all_rows, convention)
            start += rows
        first += file.rows


def _meant(text: str) -> list[str]:
    path = Path(text)
    if path.is_dir():
        names = sorted(str(file) for file in path.rglob("*.parquet") if file.is_file())
        if not names:
            raise InvalidInput(f"{text}: there is no *.parquet in this directory")
        return names
    if path.exists() or not glob.has_magic(text):
        if not path.exists():
            raise InvalidInput(f"{text}: No such file or directory")
        return [text]
    names = sorted(name for name in glob.glob(text, recursive=True) if Path(name).is_file())  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not names:
        raise InvalidInput(f"{text}: no file matches")
    return names


def _together(groups: Sequence[int]) -> Iterator[list[int]]:
    """Row groups in a row, as many as make a task; empty ones are left out."""
    taken: list[int] = []
    rows = 0
    for at, size in enumerate(groups):
        if taken and rows + size > _MOST_ROWS:
            yield taken
            taken, rows = [], 0
        if size:
            taken.append(at)
            rows += size
    if taken:
        yield taken
