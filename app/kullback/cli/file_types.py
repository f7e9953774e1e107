"""File types: what a file holds, by its name or by an option."""

from enum import StrEnum
from pathlib import Path

from kullback.cli.terminal import Failure, Status


class FileType(StrEnum):
    """What a file holds: the end of its name."""

    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    CSV_GZ = "csv.gz"
    TSV_GZ = "tsv.gz"
    PARQUET = "parquet"
    ARROW = "arrow"

    @property
    def is_text(self) -> bool:
        """Whether it holds delimited text, which has dialects."""
        return self.startswith(("csv", "tsv"))


def file_type(file: str, said: FileType | None) -> FileType:
    """What a file holds, as its name says or as the caller does; standard input holds JSON.

    Raises:
        Failure: nothing says it.
    """
    if said is not None:
        return said
    if file == "-":
        return FileType.JSON
    for kind in sorted(FileType, key=len, reverse=True):
        if file.lower().endswith(f".{kind}"):
            return kind
    types = ", ".join(FileType)
    raise Failure(f"{file}: say what it holds with --type: one of {types}", Status.UNUSABLE)


def size(file: str) -> int:
    """Bytes of a file; 0 where nobody knows before they come."""
    return 0 if file == "-" or not Path(file).is_file() else Path(file).stat().st_size
