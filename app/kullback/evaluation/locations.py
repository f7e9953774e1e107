"""Locations of logs: files, directories and patterns, on this machine or in an object store."""

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from kullback.errors import InvalidInput, first_line
from kullback.evaluation.formats import SUFFIXES, StoredFile, format_of

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://")
_LOGIN = re.compile(r"(?<=://)[^/@]*@")
_HIDDEN = ("_", ".")
_LOCAL = fs.LocalFileSystem().type_name
_PATIENCE = "retry_limit_seconds=10"  # else an object store of Google is waited for for minutes


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Files to be read, in a fixed order, and those beside them that are not."""

    stored: Sequence[StoredFile]
    skipped: Sequence[str] = ()


def files_named(patterns: Iterable[str]) -> LogFiles:
    """The files that were meant: as named, in a directory, or by a pattern; in a fixed order.

    Raises:
        InvalidInput: one is not there or cannot be reached, there are none, or one was meant twice.
    """
    parts = [_meant(text) for text in patterns]
    stored = [file for part in parts for file in part.stored]
    seen: set[tuple[str, str]] = set()
    for file in stored:
        kind = file.filesystem.type_name
        place = kind, str(Path(file.path).resolve()) if kind == _LOCAL else file.path
        if place in seen:
            raise InvalidInput(f"{file.name}: this file is named twice, and rows count once")
        seen.add(place)
    return LogFiles(stored, [name for part in parts for name in part.skipped])


def _meant(text: str) -> LogFiles:
    try:
        return _listed(_located(text))
    except (OSError, pa.ArrowException) as error:
        shown = _LOGIN.sub("", text.partition("?")[0] if _ADDRESS.match(text) else text)
        detail = f"{shown}: the files cannot be reached: {first_line(error)}"
        raise InvalidInput(detail) from error


def _located(text: str) -> StoredFile:
    """What an address or a path names; a relative path is one of the working directory."""
    scheme = _ADDRESS.match(text)
    if scheme is None:
        return StoredFile(text.rstrip("/") or text, str(Path(text).resolve()))
    address, sign, options = text.partition("?")
    address = address.rstrip("/")
    if scheme[1] in {"gs", "gcs"} and "retry_limit_seconds" not in options:
        options, sign = (f"{options}&{_PATIENCE}" if options else _PATIENCE), "?"
    # a star is no part of an address, but of a name in it
    root, star, rest = address.partition("*")
    store, path = fs.FileSystem.from_uri(f"{root}{sign}{options}")
    kept = "/" if star and root.endswith("/") else ""
    return StoredFile(_LOGIN.sub("", address), f"{path}{kept}{star}{rest}", store)


def _listed(base: StoredFile) -> LogFiles:
    info = base.filesystem.get_file_info(base.path)
    if info.type is fs.FileType.File:
        return LogFiles([base])
    if info.type is fs.FileType.Directory:
        listed = _sorted(base, _below(base, base.path))
        files = [file for file in listed if not _is_hidden(base, file) and format_of(file.path)]
        if not files:
            suffixes = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
            raise InvalidInput(f"{base.name}: there is no {suffixes} in this directory")
        return LogFiles(files, [file.name for file in listed if file not in files])
    if not glob.has_magic(base.path):
        raise InvalidInput(f"{base.name}: No such file or directory")
    files = _sorted(base, _matching(base))
    if not files:
        raise InvalidInput(f"{base.name}: no file matches")
    return LogFiles(files)


def _below(base: StoredFile, directory: str) -> list[str]:
    selector = fs.FileSelector(directory, allow_not_found=True, recursive=True)
    return [
        info.path
        for info in base.filesystem.get_file_info(selector)
        if info.type is fs.FileType.File
    ]


def _matching(base: StoredFile) -> list[str]:
    """Files that a pattern matches: * within a directory, ** through any number of them."""
    if base.filesystem.type_name == _LOCAL:
        names = glob.glob(base.path, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        return [name for name in names if Path(name).is_file()]
    steps = base.path.split("/")
    first = next(at for at, step in enumerate(steps) if glob.has_magic(step))
    pattern = steps[first:]
    root = "/".join(steps[:first])
    return [path for path in _below(base, root) if _fits(path.split("/")[first:], pattern)]


def _fits(steps: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not steps
    if pattern[0] == "**":
        return any(_fits(steps[at:], pattern[1:]) for at in range(len(steps)))
    return (
        bool(steps)
        and fnmatchcase(steps[0], pattern[0])
        and (not steps[0].startswith(".") or pattern[0].startswith("."))
        and _fits(steps[1:], pattern[1:])
    )


def _sorted(base: StoredFile, paths: Iterable[str]) -> list[StoredFile]:
    """Files with names that begin as the caller's did."""
    same = 0
    for ours, theirs in zip(reversed(base.path), reversed(base.name), strict=False):
        if ours != theirs:
            break
        same += 1
    before = len(base.path) - same, base.name[: len(base.name) - same]
    return [replace(base, name=before[1] + path[before[0] :], path=path) for path in sorted(paths)]


def _is_hidden(base: StoredFile, file: StoredFile) -> bool:
    """Whether Spark and Hive would not read it either: _temporary/x, but not _day=1/x."""
    steps = file.path.removeprefix(base.path).strip("/").split("/")
    return any(step.startswith(_HIDDEN) and "=" not in step for step in steps)
