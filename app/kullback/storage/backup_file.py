"""Backup files: what they say of themselves, how they come to be whole, and how they are read."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from filelock import lock_descriptor
from pydantic import TypeAdapter, ValidationError

from kullback.documents import to_json
from kullback.errors import Conflict, StoreUnavailable

FORMAT = 1
CHUNK = 1 << 20
_LONGEST = 65_536  # bytes of what a backup says of itself
_is_digest = re.compile(rb"[0-9a-f]{64}").fullmatch

EngineName = Literal["sqlite", "postgresql"]
Report = Callable[[str, int, int | None], None]  # what is being done, bytes so far, and of how many


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    A backup is a database of SQLite, or an archive of pg_dump, of so many `bytes`; a line with this
    as JSON; and a line with the SHA-256 of all that stands before it.
    """

    format: int
    kullback: str
    engine: EngineName
    made_with: str
    schema_version: int
    created: str
    counts: Mapping[str, int]  # records of each kind, and rows of each other table
    bytes: int


_MANIFEST = TypeAdapter(Manifest)
_DIGEST_BYTES = 66  # the line, and the end of the one before


@contextmanager
def part_beside(path: Path) -> Iterator[Path]:
    """An empty file that becomes `path` when it is whole; only its owner may read it.

    One that a killed process has left is used again.

    Raises:
        Conflict: another process makes the same file.
        StoreUnavailable: there is no room for it, or no right to make it.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            if not lock_descriptor(descriptor, blocking=False) or not _is_at(descriptor, part):
                raise Conflict(f"{path} is being written by another process")
            os.ftruncate(descriptor, 0)
            os.fchmod(descriptor, 0o600)
            try:
                yield part
            finally:
                if _is_at(descriptor, part):
                    part.unlink()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error


def publish(part: Path, path: Path) -> None:
    """Put a file in its place so that even after a loss of power it is whole, or not there."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def seal(part: Path, manifest: Manifest, report: Report) -> None:
    """Write behind the content of a backup what it is."""
    digest = sha256()
    with part.open("r+b") as file:
        done = 0
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            done += len(chunk)
            report("checksum", done, manifest.bytes)
        line = b"\n" + to_json(manifest)
        digest.update(line)
        file.write(line + b"\n" + digest.hexdigest().encode() + b"\n")


def is_backup(path: Path) -> bool:
    """Whether a file ends as a backup does.

    Raises:
        StoreUnavailable: it cannot be read.
    """
    lines = _last_lines(path)
    return len(lines) == 2 and bool(_is_digest(lines[1]))


def manifest_of(path: Path) -> Manifest:
    """What a backup says of itself.

    Raises:
        StoreUnavailable: it is none, it was cut short, or a newer Kullback has made it.
    """
    lines = _last_lines(path)
    if len(lines) < 2 or not _is_digest(lines[1]):
        raise StoreUnavailable(f"{path} is no backup that is whole: it does not end as one does")
    try:
        manifest = _MANIFEST.validate_json(lines[0])
    except ValidationError:
        raise StoreUnavailable(
            f"what {path} says of itself cannot be read: it is damaged, or of a newer Kullback"
        ) from None
    if manifest.format > FORMAT:
        raise StoreUnavailable(f"a newer Kullback ({manifest.kullback}) has made {path}: use that")
    return manifest


def payload(path: Path, manifest: Manifest, report: Report) -> Iterator[bytes]:
    """The database in a backup, in pieces; only after the last one it is known to be sound.

    Raises:
        StoreUnavailable: the bytes are not those that were written.
    """
    digest, done = sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(min(CHUNK, manifest.bytes - done)):
            digest.update(chunk)
            done += len(chunk)
            report("reading", done, manifest.bytes)
            yield chunk
        rest = file.read(_LONGEST)
    digest.update(rest[:-_DIGEST_BYTES])
    if done != manifest.bytes or rest[-_DIGEST_BYTES + 1 : -1] != digest.hexdigest().encode():
        raise StoreUnavailable(f"{path} is damaged: its checksum is of other bytes")


def _last_lines(path: Path) -> list[bytes]:
    """The last two lines of a file, if it ends with a line."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST))
            lines = file.read().rsplit(b"\n", 3)
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be read: {error.strerror}") from error
    return lines[-3:-1] if lines[-1] == b"" else []


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the file that is open stands at a path, and no other one does."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
