"""Files to evaluate: what they hold, and the tasks of their rows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from kullback.errors import InvalidInput
from kullback.evaluation.batch import LogSource
from kullback.evaluation.columns import Columns
from kullback.evaluation.formats import FileContents, Format, StoredFile
from kullback.evaluation.locations import LogFiles
from kullback.evaluation.readers import contents
from kullback.evaluation.work import LogRows, Task
from kullback.tally.tally import Layout

_MOST_ROWS = 1 << 20  # of a task: about half a second
_MOST_FILES = 256  # of a task: so that progress is seen


@dataclass(frozen=True, slots=True)
class File:
    """A file of a log, and what it holds."""

    stored: StoredFile
    contents: FileContents

    @property
    def name(self) -> str:
        """As the caller knows it."""
        return self.stored.name

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(self.contents.groups)


@dataclass(frozen=True, slots=True)
class Files:
    """Files that fit, in their order, and the names of others beside them."""

    opened: Sequence[File]
    skipped: Sequence[str] = ()

    @property
    def rows(self) -> int:
        """How many rows they have."""
        return sum(file.rows for file in self.opened)

    @property
    def formats(self) -> Mapping[str, int]:
        """How many files there are of each format."""
        return Counter(str(file.stored.format) for file in self.opened)


def open_files(named: LogFiles, columns: Columns) -> Files:
    """The files with what they hold, all of them fit for these columns.

    Raises:
        InvalidInput: one is not of its format, or a column is not there or of another type.
    """
    files: list[File] = []
    for each in named.stored:
        held = contents(each, columns)
        columns.check(each.name, held.schema)
        files.append(File(each, held))
    return Files(_of_one_kind(files, columns), named.skipped)


def tasks(
    files: Files,
    columns: Columns,
    layout: Layout,
    arms: Sequence[str] | None = None,
    most_rows: int = _MOST_ROWS,
) -> Iterator[Task]:
    """All rows of the files in tasks of whole row groups, of several files where they are small.

    Args:
        files: the files.
        columns: which of their columns is what.
        layout: of the tallies.
        arms: those that may occur.
        most_rows: of a task, unless a row group alone has more.
    """
    taken: list[LogRows] = []
    rows = 0
    for part, size in _parts(files, columns, arms, most_rows):
        if taken and (rows + size > most_rows or len(taken) == _MOST_FILES):
            yield Task(taken, rows, files.rows, layout)
            taken, rows = [], 0
        taken.append(part)
        rows += size
    if taken:
        yield Task(taken, rows, files.rows, layout)


def _parts(
    files: Files, columns: Columns, arms: Sequence[str] | None, most_rows: int
) -> Iterator[tuple[LogRows, int]]:
    first = 0
    for file in files.opened:
        source = LogSource(file.stored, columns, file.contents.schema, first, arms)
        start = 0
        for groups in _together(file.contents.groups, most_rows):
            size = sum(file.contents.groups[at] for at in groups)
            yield LogRows(source, groups, start), size
            start += size
        first += file.rows


def _of_one_kind(files: list[File], columns: Columns) -> list[File]:
    """The files, where units of all are integers, or of all strings.

    Of CSV nobody knows: its numbers are names where other files have names.
    """
    kinds: dict[str, str] = {}
    is_named = any(columns.unit_kind(file.contents.schema) == "strings" for file in files)
    for at, file in enumerate(files):
        kind = columns.unit_kind(file.contents.schema)
        if is_named and kind == "integers" and file.stored.format is Format.CSV:
            files[at] = _with_named_units(file, columns)
        elif kind is not None:
            kinds.setdefault(kind, file.name)
    if len(kinds) > 1:
        described = " and ".join(f"{units} in {where}" for units, where in kinds.items())
        raise InvalidInput(f"the units of column {columns.unit} are {described}: they never match")
    return files


def _with_named_units(file: File, columns: Columns) -> File:
    schema = file.contents.schema
    at = schema.get_field_index(columns.unit)
    named = schema.set(at, pa.field(columns.unit, pa.string()))
    return replace(file, contents=FileContents(named, file.contents.groups))


def _together(groups: Sequence[int], most_rows: int) -> Iterator[list[int]]:
    """Row groups in a row, as many as make a task; empty ones are left out."""
    taken: list[int] = []
    rows = 0
    for at, size in enumerate(groups):
        if taken and rows + size > most_rows:
            yield taken
            taken, rows = [], 0
        if size:
            taken.append(at)
            rows += size
    if taken:
        yield taken
