"""Formats of log files, and where such a file lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa
from pyarrow import fs

MAX_BATCH = 1 << 16  # rows of as many columns as an experiment has fit a cache
_COMPRESSED = (".gz", ".bz2", ".zst")


class Format(StrEnum):
    """What a file holds, in the words of a report."""

    PARQUET = "Parquet"
    CSV = "CSV"
    JSON_LINES = "JSON lines"
    ARROW = "Arrow"


SUFFIXES: Mapping[str, Format] = {
    ".parquet": Format.PARQUET,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".arrow": Format.ARROW,
    ".feather": Format.ARROW,
    ".ipc": Format.ARROW,
}
TEXT = (Format.CSV, Format.JSON_LINES)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a log.

    Attributes:
        name: as the caller knows it.
        path: where it is in its file system.
        filesystem: the disk of this machine, or an object store.
    """

    name: str
    path: str
    filesystem: fs.FileSystem = field(default_factory=fs.LocalFileSystem)

    @property
    def format(self) -> Format:
        """What it holds, by its name; Parquet where the name does not say."""
        return format_of(self.path) or Format.PARQUET

    @property
    def delimiter(self) -> str:
        """What stands between the cells, where it is CSV."""
        return "\t" if ".tsv" in self.path[-8:].lower() else ","

    @property
    def partition(self) -> Mapping[str, str | None]:
        """The columns that directories tell, as in day=2026-05-01/country=DE."""
        directory = self.name.rpartition("/")[0]
        names = [part.partition("=")[0] for part in directory.split("/") if "=" in part]
        if not names:
            return {}
        # imported here: it brings 50 MB to each process, and few logs need it
        from pyarrow import dataset  # noqa: PLC0415

        fields = pa.schema([(name, pa.string()) for name in dict.fromkeys(names) if name])
        parsed = dataset.HivePartitioning(fields).parse(f"{directory}/")
        values: Mapping[str, str | None] = dataset.get_partition_keys(parsed)
        return values


@dataclass(frozen=True, slots=True)
class FileContents:
    """What a file holds: its columns, and how many rows each part has that is read on its own."""

    schema: pa.Schema
    groups: Sequence[int]


def format_of(path: str) -> Format | None:
    """What a file holds, by the end of its name; None where that says nothing.

    Text may be compressed: log.csv.gz is CSV.
    """
    name = path.lower()
    for suffix, kind in SUFFIXES.items():
        ends = (suffix, *(suffix + end for end in _COMPRESSED if kind in TEXT))
        if name.endswith(ends):
            return kind
    return None
